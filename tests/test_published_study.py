"""What ``studies/notebook`` publishes: its table gives its ranking, and its pages say the same."""

from __future__ import annotations

import csv
import json
import math
import re
import statistics
from pathlib import Path

import pytest

from attnstudy.study import RunSpec
from attnstudy.studyplan import RecordedPlan

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "studies" / "notebook"
RANKING = json.loads((FOLDER / "ranking.json").read_text())
VERDICT = "a partial ranking is defensible: double > vanilla, early > vanilla, late > vanilla"
ONLY_A_STUDY_HAS = {"study", "config", "plan", "status", "status_reason", "scope"}
"""What a table of results cannot say: it has neither a plan nor single test images."""


def table(name):
    with (FOLDER / name).open(newline="") as file:
        return list(csv.DictReader(file))


def recorded():
    (one,) = json.loads((FOLDER / "plans.json").read_text())
    return one, RecordedPlan.from_json(one)


def alike(one, other):
    """Whether two answers are equal but for the last digits, in which processors differ."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    return one == other


def test_the_table_ranked_again_gives_the_published_verdict_and_numbers(cli, workplace):
    answer = cli("rank", "--from", str(FOLDER / "results.csv"), "--looks", "5,10", "--json")
    assert answer.code == 0, answer.err
    again = json.loads(answer.out)
    assert again["verdict"] == RANKING["verdict"] == VERDICT
    for flag in again["flags"]:
        flag["message"] = flag["message"].replace("−", "-")  # a hyphen when this was published
    # values that appear more than once had a flag each when this was published
    repeated = [flag for flag in RANKING["flags"] if flag["kind"] == "duplicate"]
    *others, together = again.pop("flags")
    assert others == [flag for flag in RANKING["flags"] if flag not in repeated]
    assert together["kind"] == "duplicate"
    assert all(str(flag["value"]) in together["message"] for flag in repeated)
    for part in ("arms", "pairs", "looks"):
        assert alike(again[part], RANKING[part]), part
    # what differs is said: nobody knows when a table was made, or what was planned before
    assert (RANKING["status"], again["status"]) == ("confirmatory", "exploratory")
    assert "no plan was recorded before the first run" in again["status_reason"]
    # what is an arm now was called a variant when this was published
    published = RANKING["sentence"].replace("per variant", "per arm")
    # that half of the runs decided a pair is said now
    decided = next(pair for pair in RANKING["pairs"] if pair["look"] == 1)
    assert (decided["a"], decided["b"]) == ("double", "vanilla")
    published = published.replace("p = .004)", "p = .004, at the look at 5 runs)")
    assert again["sentence"] == published.replace("confirmatory", "exploratory")
    spent = {"hours", "hours_for_margin", "hours_for_observed"}  # a table does not tell of time
    for key in RANKING["power"].keys() - spent:
        assert alike(again["power"][key], RANKING["power"][key]), key
    same = RANKING.keys() - ONLY_A_STUDY_HAS - {"sentence", "power", "notes", "flags"}
    assert alike({key: again[key] for key in same}, {key: RANKING[key] for key in same})


def test_claims_about_the_table_are_answered_as_published(cli, workplace):
    words = ("rank", "--from", str(FOLDER / "results.csv"), "--looks", "5,10")
    for better in ("double", "early", "late"):
        assert cli(*words, "--assert", f"{better} > vanilla").code == 0
    assert cli(*words, "--assert", "double > early").code == 1


def test_the_runs_are_those_of_the_plan_and_no_others():
    as_text, plan = recorded()
    assert (as_text["hash"], RANKING["plan"]["hash"]) == ("e950e788f89b", "e950e788f89b")
    settings = as_text["plan"]["settings"]
    found = {(row["variant"], int(row["seed"])): row["fingerprint"] for row in table("results.csv")}
    fields = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in settings.items() if name not in ("arm_fields", "code_schema")
    }  # fmt: skip
    expected = {
        (name, seed): RunSpec(
            study="notebook",
            dataset="cifar10-jpeg",
            variant=name,
            seed=seed,
            **fields,  # type: ignore[arg-type]
        ).fingerprint
        for name in plan.plan.arms
        for seed in plan.plan.seeds
    }
    assert found == expected
    assert len(found) == len(set(found.values())) == 40


def test_the_validations_are_those_of_the_table():
    curves = {}
    for row in table("validations.csv"):
        key = row["variant"], row["seed"]
        curves.setdefault(key, []).append((int(row["iteration"]), float(row["val_accuracy"])))
    steps = [epoch * 766 + step for epoch in range(10) for step in range(0, 766, 100)]
    for row in table("results.csv"):
        curve = curves.pop((row["variant"], row["seed"]))
        assert [step for step, _ in curve] == steps
        highest = max(value for _, value in curve)
        assert float(row["val_accuracy_max_every_100_iterations"]) == highest
        final = float(row["val_accuracy_final"])
        assert float(row["val_accuracy_max"]) == max(highest, final)
    assert not curves


@pytest.mark.parametrize("page", ["ranking.txt", "ranking.html", "README.md", "../../README.md"])
def test_every_page_says_what_the_ranking_says(page):
    text = " ".join((FOLDER / page).read_text().replace("&gt;", ">").replace("**", "").split())
    for name in ("double", "early", "late"):
        assert f"{name} > vanilla" in text
    assert "CONFIRMATORY" in text
    assert "e950e788f89b" in text
    for arm in RANKING["arms"]:
        assert f"{arm['mean']:.2f}" in text, arm
    # no path and no name of a machine
    assert not re.search(r"/(work|home|tmp|root)/", text)


def test_the_means_are_those_of_the_table():
    by_arm = {}
    for row in table("results.csv"):
        by_arm.setdefault(row["variant"], []).append(float(row["test_accuracy"]))
    for arm in RANKING["arms"]:
        assert arm["mean"] == pytest.approx(statistics.fmean(by_arm[arm["variant"]]), abs=1e-12)
        assert arm["sd"] == pytest.approx(statistics.stdev(by_arm[arm["variant"]]), abs=1e-12)
