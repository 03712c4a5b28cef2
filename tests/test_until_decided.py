"""``run --until-decided``: looks, dropped arms, an end, and a ranking that replays it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from attnstudy import runs
from tests.studies import SMALL, write_study

STORE_DIR = Path("mlruns")
STUDY = f"""
seeds = "0-4"
{SMALL.replace("128", "256")}
[ranking]
looks = [3, 5]
[arms.one]
variant = "vanilla"
[arms.six]
variant = "vanilla"
epochs = 6
"""
ALIKE = """
[arms.one-again]
variant = "vanilla"
"""


def write(workplace: Path, text: str) -> None:
    write_study(workplace, "deep", text)


def seeds_by_arm() -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for folder in runs.run_folders(STORE_DIR, "deep"):
        spec = folder.started().spec
        found.setdefault(spec.arm_name, set()).add(spec.seed)
    return found


def test_a_dry_run_tells_of_the_looks(cli, workplace):
    write(workplace, STUDY)
    answer = cli("run", "deep", "--until-decided", "--dry-run")
    assert answer.code == 0, answer.err
    assert (
        "Looks at 3, 5 seeds each: what one decides gets no more, so this is the most."
        in answer.out
    )
    told = json.loads(cli("run", "deep", "--until-decided", "--dry-run", "--json").out)
    assert told["looks"] == [3, 5]
    assert len(told["runs"]) == 10
    assert json.loads(cli("run", "deep", "--dry-run", "--json").out)["looks"] == []


def test_seeds_go_to_undecided_pairs_alone_and_the_ranking_replays_the_looks(cli, workplace):
    """Two arms that are one thing under two names have the same values: never decided."""
    write(workplace, STUDY + ALIKE)
    answer = cli("run", "deep", "--until-decided", "--json")
    assert answer.code == 0, answer.err
    decided = json.loads(answer.out)
    assert decided["stopped"] == "seeds"
    first, second = decided["looks"]
    assert {(pair["a"], pair["verdict"]) for pair in first["decided"]} == {("six", "better")}
    assert (first["undecided"], second["decided"], second["undecided"]) == (1, [], 1)
    assert "look 2 of 2, 5 seeds: nothing decided, 1 pair undecided" in answer.err
    assert {arm: len(seeds) for arm, seeds in seeds_by_arm().items()} == {
        "one": 5, "one-again": 5, "six": 3,
    }  # fmt: skip
    assert (decided["runs"], decided["fixed"]) == (13, 15)
    assert "confirmatory" in decided["ranking"]["sentence"]
    ranking = json.loads(cli("rank", "deep", "--json").out)
    assert ranking["status"] == "confirmatory", ranking["status_reason"]
    assert ranking["looks"] == {"declared": [3, 5], "done": 2}
    verdicts = {frozenset((p["a"], p["b"])): (p["verdict"], p["look"]) for p in ranking["pairs"]}
    assert verdicts[frozenset(("one", "one-again"))] == ("undecided", 2)
    assert sorted(verdicts.values()) == [("better", 1), ("better", 1), ("undecided", 2)]
    (pair,) = (p for p in ranking["pairs"] if (p["a"], p["b"]) == ("six", "one"))
    (before,) = (p for p in first["decided"] if (p["a"], p["b"]) == ("six", "one"))
    assert pair["ci_low"] == pytest.approx(before["ci_low"])

    # more seeds than were declared is another plan
    write(workplace, STUDY.replace("[3, 5]", "[3, 5, 6]").replace("0-4", "0-5") + ALIKE)
    answer = cli("run", "deep", "--until-decided", "--max-seeds", "6")
    assert answer.code == 0, answer.err
    assert "looks: 3,5 -> 3,5,6" in answer.err
    assert "All declared looks are taken." in answer.out
    ranking = json.loads(cli("rank", "deep", "--json").out)
    assert ranking["status"] == "exploratory"
    assert "(looks: 3,5 -> 3,5,6; seeds: 0-4 -> 0-5)" in ranking["status_reason"]


def test_time_that_is_up_takes_no_look_and_the_command_goes_on(cli, workplace):
    write(workplace, STUDY)
    answer = cli("run", "deep", "--until-decided", "--max-hours", "0.0000001")
    assert answer.code == 0, answer.err
    assert "0 of 2 declared looks taken" in answer.out
    assert "The time is up" in answer.out
    answer = cli("run", "deep", "--until-decided")
    assert "Every pair is decided." in answer.out
    assert "6 of the 10 runs of the fixed design were needed: 4 runs" in answer.out
    again = cli("run", "deep", "--until-decided")  # it has nothing to do, and says the same
    assert again.out == answer.out
    assert "CONFIRMATORY" in cli("rank", "deep").out


def test_a_command_alone_declares_its_looks(cli, workplace):
    small = ("--dataset", "digits", "--train-size", "64", "--val-size", "30", "--epochs", "1",
             "--channels", "4,4", "--attention", "channel", "--executor", "inline")  # fmt: skip
    answer = cli(
        "run", "--study", "deep", "--variant", "vanilla", "--variant", "late", "--until-decided",
        "--max-seeds", "3", "--margin", "90", *small,
    )  # fmt: skip
    assert answer.code == 0, answer.err
    assert "vanilla = late" in answer.err or "late = vanilla" in answer.err
    ranking = json.loads(cli("rank", "--json").out)
    assert (ranking["status"], ranking["margin"]) == ("confirmatory", 90.0)
    assert ranking["looks"] == {"declared": [3], "done": 1}


@pytest.mark.parametrize(
    ("arguments", "about"),
    [
        (("--max-seeds", "9"), "goes with --until-decided"),
        (("--until-decided", "--max-seeds", "2"), "last declared look is at 5"),
        (("--until-decided", "--looks", "2,5"), "from 3 on"),
        (("--until-decided", "--seeds", "4", "--looks", "3,30"), "the last look needs 30"),
        (("--until-decided", "--variant", "six"), "leave --variant out"),
        (("--until-decided", "--max-hours", "0"), "not a number of hours"),
    ],
)
def test_bad_input(cli, workplace, arguments, about):
    write(workplace, STUDY)
    answer = cli("run", "deep", *arguments)
    assert answer.code == 2
    assert about in answer.err
    assert seeds_by_arm() == {}
