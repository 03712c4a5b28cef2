"""A second study of the same arms, settings and dataset: named, with what it said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from attnstudy.tracking import open_store, resolve
from tests.studies import SMALL, write_study

STORE_DIR = Path("mlruns")
STUDY = f"""
variants = ["vanilla", "early"]
seeds = "0-2"
{SMALL}
"""
WHAT = "Earlier study of the same arms, settings and dataset: "


@pytest.fixture
def run(cli, workplace):
    def trained(name, text=STUDY, *words):
        write_study(workplace, name, text)
        answer = cli("run", name, "-q", *words)
        assert answer.code == 0, answer.err

    return trained


@pytest.fixture
def rank(cli):
    def ranked(name, *words):
        answer = cli("rank", name, "--json", *words)
        assert answer.code == 0, answer.err
        return json.loads(answer.out)

    return ranked


def seeds(text, other):
    return text.replace('"0-2"', f'"{other}"')


@pytest.mark.proof
def test_the_second_study_names_the_first_in_its_first_lines_and_what_it_said(cli, run, rank):
    run("first")
    assert rank("first")["earlier_studies"] == []
    run("second", seeds(STUDY, "10-12"))
    ranking = rank("second")
    assert ranking["status"] == "confirmatory", ranking["status_reason"]
    (earlier,) = ranking["earlier_studies"]
    verdict = rank("first")["verdict"]
    assert (earlier["study"], earlier["runs"], earlier["seeds"]) == ("first", 6, [0, 1, 2])
    assert (earlier["status"], earlier["verdict"]) == ("confirmatory", verdict)
    said = f"'first', which said \"{verdict}\" (confirmatory)"
    assert ranking["status_reason"].endswith(
        f"; it follows an earlier study of the same arms, settings and dataset: {said}"
    )
    text = cli("rank", "second").out
    head = " ".join(text.split("\n\n")[0].split())
    assert f"{WHAT}'first' (6 runs, seeds 0-2, begun 20" in head
    assert f'which said "{verdict}" (confirmatory).' in head
    page = cli("rank", "second", "--format", "html").out
    assert "it follows an earlier study" in page.split("</header>")[0]
    # and the first tells of the second, which it could not know
    assert WHAT not in cli("rank", "first").out
    (note,) = [note for note in rank("first")["notes"] if "a later study" in note]
    assert "'second' (6 runs, seeds 10-12, begun 20" in note


def test_a_third_names_both_and_one_with_an_arm_in_common_none(cli, run, rank):
    run("first")
    run("second", seeds(STUDY, "10-12"))
    run("other", seeds(STUDY.replace('"early"', '"late"'), "5-6"))  # one arm in common
    run("longer", STUDY.replace("epochs = 1", "epochs = 2"))  # another configuration
    assert rank("other")["earlier_studies"] == rank("longer")["earlier_studies"] == []
    run("third", seeds(STUDY.replace('"vanilla", ', '"late", "vanilla", '), "20-21"))
    ranking = rank("third")
    assert [one["study"] for one in ranking["earlier_studies"]] == ["first", "second", "other"]
    assert "dataset, the last of 3: 'other', which said" in ranking["status_reason"]
    assert cli("rank", "third").out.count("Earlier study of the same") == 3


def test_an_earlier_study_of_the_same_seeds_makes_the_second_exploratory(run, rank):
    run("first")
    run("second")
    ranking = rank("second")
    assert ranking["status"] == "exploratory"
    assert (
        "had been trained before it was recorded, in the study 'first'"
        in (ranking["status_reason"])
    )
    assert [one["study"] for one in ranking["earlier_studies"]] == ["first"]


@pytest.mark.parametrize("where", ["deleted", "deleted, its folders are here", "only in MLflow"])
def test_an_earlier_study_is_found_wherever_it_is(cli, run, rank, where, workplace):
    run("first")
    tracker = open_store(resolve(STORE_DIR, None))
    experiment = tracker.client.get_experiment_by_name("first")
    if where != "only in MLflow":
        tracker.client.delete_experiment(experiment.experiment_id)
    if where != "deleted, its folders are here":
        (STORE_DIR / "runs" / "first").rename("away")
    run("second", seeds(STUDY, "10-12"))
    (earlier,) = rank("second")["earlier_studies"]
    assert (earlier["study"], earlier["runs"]) == ("first", 6)
    if where == "only in MLflow":
        assert earlier["status"] == "confirmatory"
    else:
        assert earlier["verdict"] is None
        assert "'first', see 'attnstudy rank first'" in rank("second")["status_reason"]


def test_an_earlier_study_that_was_altered_does_not_stop_the_second(cli, run, rank):
    run("first")
    run("second", seeds(STUDY, "10-12"))
    tracker = open_store(resolve(STORE_DIR, None))
    experiment = tracker.client.get_experiment_by_name("first")
    (one, *_) = tracker.client.search_runs([experiment.experiment_id])
    tracker.client.log_metric(one.info.run_id, "test_accuracy", 99.0, step=1)
    assert cli("rank", "first").code == 3
    assert rank("second")["earlier_studies"][0]["verdict"] is None


def test_an_arm_under_another_name_is_the_same_arm(run, rank):
    fields = (
        '\n[arms.{}]\nvariant = "vanilla"\nepochs = 1\n[arms.{}]\nvariant = "vanilla"\nepochs = 2\n'
    )
    text = STUDY.replace('variants = ["vanilla", "early"]\n', "")
    run("first", text + fields.format("short", "long"))
    run("second", text + fields.format("one", "two"))
    assert [one["study"] for one in rank("second")["earlier_studies"]] == ["first"]


OWN = """
train = "mine:train"
seeds = "{seeds}"
[settings]
level = 0
dataset = "easy"
{arms}
[ranking]
metric = "acc"
direction = "maximize"
"""
CODE = "def train(run):\n    return {'acc': run.settings['level'] + run.rng('noise').normal()}\n"


def own(seeds="0-2", **levels):
    arms = "".join(f"[arms.{name}]\nlevel = {level}\n" for name, level in levels.items())
    return OWN.format(seeds=seeds, arms=arms)


def test_arms_of_ones_own_training_are_the_same_by_their_settings(run, rank):
    Path("mine.py").write_text(CODE)
    run("first", own(low=0, high=9))
    run("others", own("10-12", low=3, high=7))
    assert rank("others")["earlier_studies"] == []
    run("again", own("20-22", deep=0, steep=9))
    assert [one["study"] for one in rank("again")["earlier_studies"]] == ["first"]


def test_configurations_of_ones_own_training_are_told_by_its_settings(cli, run):
    Path("mine.py").write_text(CODE)
    run("data", own(low=0, high=9))
    run("data", own("4-6", low=0, high=9).replace("easy", "hard"))
    answer = cli("rank", "data")
    assert answer.code == 2
    assert "(6 runs: dataset=easy) or --config" in answer.err
    assert answer.err.endswith("(6 runs: dataset=hard)\n")
    assert cli("rank", "data", "--allow-differences", "level").code == 2
    pooled = cli("rank", "data", "--allow-differences", "dataset")
    assert pooled.code == 0
    assert "allowed to differ between runs: dataset (easy in 6 runs, hard in 6 runs)" in pooled.out
