"""A study with a plan: recorded, run, ranked; and what a ranking says when it is not kept to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from attnstudy import runs
from attnstudy.tracking import open_store, read_plans, read_runs, resolve
from tests.studies import SMALL, write_study

STORE_DIR = Path("mlruns")
STUDY = f"""
question = "Are more epochs better?"
variants = ["vanilla", "early"]
seeds = 2
{SMALL}
[ranking]
alpha = 0.05
"""


@pytest.fixture
def study(workplace: Path) -> Path:
    return write_study(workplace, "deep", STUDY)


def rank(cli, *arguments):
    answer = cli("rank", "deep", "--json", *arguments)
    assert answer.code == 0, answer.err
    return json.loads(answer.out)


def test_plan_run_rank_and_then_a_seed_by_hand_and_another_alpha(cli, study):
    answer = cli("run", "deep", "--seeds", "1")  # a part of it: the plan is what the file says
    assert answer.code == 0, answer.err
    # what the ranking misses, status shows, although nobody asked for it yet
    (config,) = json.loads(cli("status", "--json").out)["studies"][0]["configs"]
    lacking = {one["variant"]: one["planned_missing"] for one in config["variants"]}
    assert lacking == {"vanilla": [1], "early": [1]}
    assert config["plan"]["seeds"] == [0, 1]
    assert "seeds 0-1 of each arm; 2 of its 4 runs are missing" in cli("status").out
    early = rank(cli)
    assert early["status"] == "exploratory"
    assert "2 of 4 planned runs have no result" in early["status_reason"]
    assert cli("run", "deep").code == 0
    ranking = rank(cli)
    (recorded,), damaged = read_plans(open_store(resolve(STORE_DIR, None)), "deep")
    assert damaged == 0
    assert (ranking["status"], ranking["plan"]["hash"]) == ("confirmatory", recorded.plan.hash)
    assert ranking["plan"]["date"] in ranking["status_reason"]
    assert "none of its runs is missing" in cli("status").out
    text = cli("rank", "deep").out
    assert "CONFIRMATORY" in text
    assert recorded.plan.hash in text
    beside = json.loads((study.parent / "plans.json").read_text())
    assert [one["hash"] for one in beside] == [recorded.plan.hash]
    assert recorded.plan.seeds == (0, 1)
    assert recorded.plan.analysis.alpha == 0.05

    # asked for otherwise: by the command, then by the file
    assert "alpha 0.1, and 0.05 planned" in rank(cli, "--alpha", "0.1")["status_reason"]
    study.write_text(STUDY.replace("alpha = 0.05", "alpha = 0.1\nmargin = 2"))
    reason = rank(cli)["status_reason"]
    assert "ranked with alpha 0.1, and 0.05 planned" in reason
    assert "ranked with margin 2, and none planned" in reason
    shown = cli("study", "show", "deep").out
    assert "the file now says otherwise (alpha: 0.05 -> 0.1; margin: none -> 2)" in shown
    answer = cli("run", "deep")
    assert "changed after its first run (alpha: 0.05 -> 0.1; margin: none -> 2)" in answer.err
    ranking = rank(cli)
    assert (ranking["status"], ranking["alpha"], ranking["margin"]) == ("exploratory", 0.1, 2.0)
    assert "it was changed after run 4 (alpha: 0.05 -> 0.1; margin" in ranking["status_reason"]
    assert ranking["plan"]["hash"] == recorded.plan.hash

    # and back, with a seed more
    study.write_text(STUDY)
    assert cli("run", "deep", "--variant", "early", "--seeds", "7-7").code == 0
    reason = rank(cli)["status_reason"]
    assert "early/seed=7 goes beyond the plan" in reason
    assert "(alpha: 0.1 -> 0.05" in reason


def test_a_command_without_a_file_has_no_plan(cli, workplace):
    small = ("--dataset", "digits", "--train-size", "64", "--val-size", "30", "--epochs", "1",
             "--channels", "4,4", "--executor", "inline")  # fmt: skip
    answer = cli("run", "--variant", "vanilla", "--seeds", "1", *small)
    assert answer.code == 0, answer.err
    assert runs.recorded_plans(runs.study_facts(STORE_DIR, "placement")) == []
    ranking = json.loads(cli("rank", "--json").out)
    assert (ranking["status"], ranking["plan"]) == ("exploratory", None)
    assert ranking["status_reason"] == "no plan was recorded before the first run"


def test_arms_with_settings_are_compared_by_declaration(cli, study):
    study.write_text(
        STUDY.replace('variants = ["vanilla", "early"]\n', "")
        + '[arms.short]\nvariant = "vanilla"\n[arms.long]\nvariant = "vanilla"\nepochs = 2\n'
    )
    answer = cli("run", "deep", "--json")
    assert answer.code == 0, answer.err
    done = json.loads(answer.out)["runs"]
    assert {run["variant"] for run in done} == {"short", "long"}
    specs = [folder.started().spec for folder in runs.run_folders(STORE_DIR, "deep")]
    assert len({spec.config_id for spec in specs}) == 1
    assert {(spec.arm, spec.epochs) for spec in specs} == {("short", 1), ("long", 2)}
    ranking = rank(cli)
    assert ranking["status"] == "confirmatory", ranking["status_reason"]
    assert {arm["variant"] for arm in ranking["arms"]} == {"short", "long"}
    # the same by hand is another configuration, and never pooled
    assert cli("run", "deep", "--epochs", "2", "--variant", "short", "--seeds", "1").code == 0
    assert "short" in cli("status", "deep").out
    answer = cli("run", "deep", "--variant", "shrot")
    assert answer.code == 2
    assert "the study has no arm 'shrot'; did you mean 'short'?" in answer.err


def test_a_plans_record_that_was_altered_in_the_store_is_told(cli, study):
    assert cli("run", "deep").code == 0
    tracker = open_store(resolve(STORE_DIR, None))
    experiment = tracker.experiment("deep")
    (key,) = [name for name in experiment.tags if name.startswith("attnstudy.plan.")]
    altered = experiment.tags[key].replace('"alpha":0.05', '"alpha":0.06')
    tracker.client.set_experiment_tag(experiment.experiment_id, key, altered)
    assert "record in the tracking store was altered" in rank(cli)["status_reason"]


def test_new_show_and_check(cli, workplace):
    answer = cli("study", "new", "width", "--question", 'Is "wide" better?')
    assert answer.code == 0
    assert "studies/width/study.toml" in answer.out
    assert cli("study", "new", "width").code == 2
    checked = cli("study", "check", "width")
    assert checked.code == 0
    assert checked.out.splitlines()[0] == "width: fine, 4 arms x 10 seeds = 40 runs"
    shown = json.loads(cli("study", "show", "width", "--json").out)
    assert shown["question"] == 'Is "wide" better?'
    assert (shown["plans"], shown["analysis"]["alpha"]) == ([], 0.05)
    assert "no plan is recorded yet" in cli("study", "show", "width").out


@pytest.mark.parametrize(
    ("seeds", "said", "pays_from"),
    [("0-2", "Warning: paired is declared and the seeds are few", (0.5, 1.0)),
     ("0-19", "Paired: with 20 seeds", (0.0, 0.3))],
)  # fmt: skip
def test_check_says_whether_the_seeds_pay_for_pairing(cli, workplace, seeds, said, pays_from):
    cli("study", "new", "width")
    path = workplace / "studies" / "width" / "study.toml"
    template = path.read_text()
    assert "# paired = true" in template
    path.write_text(template.replace("# paired = true", "paired = true ").replace("0-9", seeds))
    checked = cli("study", "check", "width")
    assert checked.code == 0
    assert said in checked.out
    low, high = pays_from
    assert (
        low < json.loads(cli("study", "check", "width", "--json").out)["pairing_pays_from"] < high
    )
    assert max(map(len, checked.out.splitlines())) <= 100
    path.write_text(template)
    assert "aired" not in cli("study", "check", "width").out


@pytest.mark.parametrize(
    ("old", "new", "about"),
    [
        ("alpha = 0.05", "alhpa = 0.05", "did you mean 'alpha'"),
        ("alpha = 0.05", "alpha = 0.7", "not an error rate"),
        ("alpha = 0.05", 'correction = "homl"', "did you mean 'holm'"),
        ("alpha = 0.05", "looks = [5, 4]", "ascending"),
        ("alpha = 0.05", 'looks = [5, 9]\ncontrol = "early"', "Games-Howell alone"),
        ("seeds = 2", 'seeds = "x"', "are not understood"),
        ('"early"]', '"erly"]', "did you mean 'early'"),
        ("[run]", "[arms.a]\nepoch = 3\n[run]", "did you mean 'epochs'"),
        ("[run]", "[arms.a]\nepochs = 3\n[run]", "names no variant"),
        ("[run]", '[arms.a]\nvariant = "late"\nepochs = 0\n[run]', "at least 1"),
        ("[run]", "[arms]\na = 3\n[run]", "write [arms.NAME]"),
    ],
)
def test_a_file_that_makes_no_sense(cli, study, old, new, about):
    study.write_text(STUDY.replace(old, new))
    answer = cli("study", "check", "deep")
    assert answer.code == 2
    assert about in answer.err
    assert len(answer.err.strip().splitlines()) <= 4


@pytest.mark.long
def test_results_that_were_known_when_the_plan_came_are_told(cli, study):
    """Trained again, under another name or after a deletion, they are the same results."""
    write_study(study.parents[2], "pilot", STUDY)
    assert cli("run", "pilot").code == 0
    assert cli("run", "deep").code == 0
    reason = rank(cli)["status_reason"]
    assert "and 3 more had been trained before it was recorded, in the study 'pilot'" in reason
    ranking = json.loads(cli("rank", "pilot", "--json").out)
    assert ranking["status"] == "confirmatory", ranking["status_reason"]

    # a plan that is made after the results, and a repetition of what it is about
    write_study(study.parents[2], "pilot", STUDY.replace("alpha = 0.05", "alpha = 0.2"))
    assert "changed after its first run" in cli("run", "pilot", "--rerun").err
    ranking = json.loads(cli("rank", "pilot", "--json").out)
    assert ranking["status"] == "exploratory"
    assert "it was changed after run 4 (alpha: 0.05 -> 0.2)" in ranking["status_reason"]

    # deleted in the UI, a run is missing, and it is said that it had a result
    tracker = open_store(resolve(STORE_DIR, None))
    (gone, *_) = [run for run in read_runs(tracker, "pilot") if not run.superseded]
    tracker.client.delete_run(gone.run_id)
    reason = json.loads(cli("rank", "pilot", "--json").out)["status_reason"]
    assert f"the result of {gone.name} was deleted" in reason
    assert "1 of 4 planned runs has no result" in reason


@pytest.mark.long
def test_another_configuration_of_the_study_is_told_and_pooling_leaves_the_plan(cli, study):
    assert cli("run", "deep").code == 0
    config = rank(cli)["config"]
    assert cli("run", "deep", "--epochs", "2").code == 0
    ranking = rank(cli, "--config", config)
    assert ranking["status"] == "confirmatory"
    assert "one of 2 configurations that were trained in this study" in ranking["status_reason"]
    answer = cli("rank", "deep", "--allow-differences", "epochs")
    assert answer.code == 2  # each seed stands twice


def test_looks_cut_the_seeds_and_a_folder_that_cannot_be_written_stops_nothing(cli, study):
    study.write_text(STUDY.replace("seeds = 2", "seeds = 5") + "looks = [3, 4]\n")
    (study.parent / "plans.json").mkdir()  # nobody, not even root, writes a file over a folder
    answer = cli("run", "deep")
    assert answer.code == 0, answer.err
    assert "recorded, but not beside the study's file" in answer.err
    assert len(runs.run_folders(STORE_DIR, "deep")) == 8
    ranking = rank(cli)
    assert ranking["status"] == "confirmatory", ranking["status_reason"]
    assert ranking["looks"]["done"] == 2
