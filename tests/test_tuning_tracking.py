"""A search in MLflow: a run per arm, a run per trial below it, each once, also after a failure."""

from __future__ import annotations

from pathlib import Path

import pytest

from attnstudy.tracking import open_store, read_experiments, read_history, resolve, tracked_studies
from tests.tuning import BOTH, STORE_DIR, space, tune

EXPERIMENT = "placement.tuning"
OPTIONS = ("--trials", "4", "--seeds-per-trial", "2")


def logged(store_dir=STORE_DIR):
    return read_experiments(open_store(resolve(store_dir, None)), [EXPERIMENT])[0]


def snapshot():
    """Return all that MLflow has, down to every row of every metric."""
    tracker = open_store(resolve(STORE_DIR, None))
    return {
        run.run_id: (
            run.name, run.status, dict(run.params), dict(run.tags),
            {name: read_history(tracker, run.run_id, name) for name in run.metrics},
            sorted(file.path for file in tracker.client.list_artifacts(run.run_id)),
        )
        for run in logged()
    }  # fmt: skip


@pytest.mark.proof
def test_each_variant_has_a_run_and_each_trial_one_below_it(cli, workplace):
    space("batch_size = [16, 32]\nlr = {low = 1e-4, high = 1e-1, log = true}")
    _, found = tune(cli, *BOTH, *OPTIONS)
    by_name = {run.name: run for run in logged()}
    trials = {f"{v}/trial={n}" for v in ("vanilla", "late") for n in range(4)}
    assert set(by_name) == {"vanilla", "late", *trials}
    tracker = open_store(resolve(STORE_DIR, None))
    for tuning in found["variants"]:
        parent = by_name[tuning["variant"]]
        assert parent.status == "FINISHED"
        assert parent.params["pruner"] == "none"
        assert parent.params["tuning_seeds"] == "[1000000, 1000001]"
        assert parent.tags["attnstudy.trials"] == parent.tags["attnstudy.asked"] == "4"
        assert parent.tags["attnstudy.best_trial"] == str(tuning["best"]["number"])
        assert parent.metrics["best_val_accuracy"] == tuning["best"]["value"]
        history = read_history(tracker, parent.run_id, "val_accuracy")
        assert history == [(trial["number"], trial["value"]) for trial in tuning["trials"]]
        figures = {file.path for file in tracker.client.list_artifacts(parent.run_id)}
        assert figures == {"history.png", "importances.png"}
        for trial in tuning["trials"]:
            child = by_name[f"{tuning['variant']}/trial={trial['number']}"]
            assert child.tags["mlflow.parentRunId"] == parent.run_id
            assert child.tags["attnstudy.state"] == "complete"
            assert child.params["batch_size"] == str(trial["fields"]["batch_size"])
            assert float(child.params["lr"]) == trial["fields"]["lr"]
            assert child.metrics["val_accuracy"] == trial["value"]
            seeds = read_history(tracker, child.run_id, "val_accuracy_by_seed")
            assert seeds == list(enumerate(trial["by_seed"].values()))
            info = tracker.client.get_run(child.run_id).info
            assert (info.start_time, info.end_time) == (trial["started_at"], trial["finished_at"])
    assert tracked_studies(tracker) == []  # nothing of it is a study that could be ranked


def test_again_nothing_is_sent_twice_and_more_trials_add_only_themselves(cli, workplace):
    tune(cli, "--variant", "vanilla", *OPTIONS)
    before = snapshot()
    tune(cli, "--variant", "vanilla", *OPTIONS)
    assert snapshot() == before
    tune(cli, "--variant", "vanilla", "--trials", "5", "--seeds-per-trial", "2")
    after = snapshot()
    assert len(after) == len(before) + 1
    (parent,) = (run_id for run_id, run in before.items() if run[0] == "vanilla")
    assert {i: run for i, run in after.items() if i in before and i != parent} == {
        i: run for i, run in before.items() if i != parent
    }
    assert [step for step, _ in after[parent][4]["val_accuracy"]] == [0, 1, 2, 3, 4]


def test_pruned_and_failed_trials_are_shown_as_such(cli, workplace):
    Path("often.py").write_text(
        "from torch import nn\n\n\n"
        "class Often(nn.Sequential):\n"
        "    def forward(self, images):\n"
        "        if len(images) == 25:\n"
        "            raise RuntimeError('no')\n"
        "        return super().forward(images)\n\n\n"
        "def make(attention, image_shape, num_classes):\n"
        "    c, h, w = image_shape\n"
        "    return Often(nn.Flatten(), nn.Linear(c * h * w, num_classes))\n"
    )
    space("batch_size = [25, 40]\nlr = [1e-9, 1e-2]")
    _, found = tune(
        cli, "--variant", "often:make", "--trials", "24", "--seeds-per-trial", "1", "--epochs", "2",
        "--pruner", "median", "--sampler", "random",
    )  # fmt: skip
    states = [trial["state"] for trial in found["variants"][0]["trials"]]
    assert {"complete", "pruned", "failed"} == set(states)
    shown = {run.tags["attnstudy.trial"]: run for run in logged() if "attnstudy.trial" in run.tags}
    statuses = {"complete": "FINISHED", "pruned": "KILLED", "failed": "FAILED"}
    for number, state in enumerate(states):
        run = shown[str(number)]
        assert (run.tags["attnstudy.state"], run.status) == (state, statuses[state])
        assert ("val_accuracy" in run.metrics) == (state == "complete")
        assert ("attnstudy.reason" in run.tags) == (state == "failed")


def test_a_server_that_is_down_costs_a_warning_and_the_next_command_delivers(cli, workplace):
    options = ("--variant", "vanilla", *OPTIONS)
    answer, found = tune(cli, *options, "--tracking-uri", "http://127.0.0.1:9")
    assert answer.code == 0
    assert (found["trained"], found["undelivered"]) == (4, 1)
    assert "does not answer" in answer.err
    assert "the next 'attnstudy tune' of placement delivers them" in answer.err
    _, again = tune(cli, *options)
    assert (again["trained"], again["undelivered"]) == (0, 0)
    assert len(logged()) == 5


def test_what_was_deleted_in_the_ui_stays_deleted(cli, workplace):
    options = ("--variant", "vanilla", "--seeds-per-trial", "1")
    tune(cli, *options, "--trials", "2")
    tracker = open_store(resolve(STORE_DIR, None))
    doomed = next(run for run in logged() if run.name == "vanilla/trial=1")
    tracker.client.delete_run(doomed.run_id)
    answer, found = tune(cli, *options, "--trials", "3")
    assert (answer.code, found["undelivered"]) == (0, 0)
    assert sorted(run.name for run in logged()) == ["vanilla", "vanilla/trial=0", "vanilla/trial=2"]


def test_a_lost_answer_leaves_no_double(cli, workplace):
    """As when the way to a server repeats a request; a store of one's own never does."""
    options = ("--variant", "vanilla", "--trials", "1", "--seeds-per-trial", "1")
    elsewhere = f"sqlite:///{workplace}/elsewhere.db"
    tune(cli, *options, "--tracking-uri", elsewhere)
    tracker = open_store(resolve(STORE_DIR, elsewhere))
    child = next(r for r in read_experiments(tracker, [EXPERIMENT])[0] if "trial" in r.name)
    experiment = tracker.experiment_id(EXPERIMENT)
    tags = {k: v for k, v in child.tags.items() if k != "attnstudy.state"}
    tracker.client.create_run(experiment, run_name=child.name, tags=tags)
    tune(cli, *options, "--tracking-uri", elsewhere)
    assert [r.run_id for r in read_experiments(tracker, [EXPERIMENT])[0] if "trial" in r.name] == [
        child.run_id
    ]


def test_an_experiment_that_lies_in_the_trash_is_told(cli, workplace):
    options = ("--variant", "vanilla", "--trials", "1", "--seeds-per-trial", "1")
    tune(cli, *options)
    tracker = open_store(resolve(STORE_DIR, None))
    tracker.client.delete_experiment(tracker.experiment_id(EXPERIMENT))
    answer, found = tune(cli, *options)
    assert (found["trained"], found["undelivered"]) == (0, 1)
    assert "was deleted in" in answer.err
