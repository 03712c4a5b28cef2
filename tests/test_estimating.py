"""The time to expect: from runs already made, else measured; and what channel would take."""

from __future__ import annotations

import dataclasses
import json
import statistics
import threading
import time
from pathlib import Path

import pytest

from attnstudy import runs
from attnstudy.render.terminal import estimate_lines
from attnstudy.running import estimating
from attnstudy.running.estimating import Estimate
from attnstudy.running.jobs import Progress
from attnstudy.trainings.placement import declaration, training
from attnstudy.trainings.placement.declaration import Placement
from tests.conftest import SMALL
from tests.waiting import PATIENCE


@pytest.fixture(autouse=True)
def nothing_timed_before(monkeypatch):
    monkeypatch.setattr(declaration, "_STEPS", {})


@pytest.mark.proof
def test_finished_runs_of_this_machine_are_the_measure(cli, workplace):
    cli("run", *SMALL, "--variant", "vanilla", "--seeds", "3")
    logged = [
        folder.result().train_seconds for folder in runs.run_folders(Path("mlruns"), "placement")
    ]
    answer = cli("run", *SMALL, "--variant", "vanilla", "--seeds", "8", "--dry-run", "--json",
                 "--workers", "2")  # fmt: skip
    plan = json.loads(answer.out)
    assert sum(run["to_train"] for run in plan["runs"]) == 5
    # five runs on two workers: one of them does three
    assert plan["seconds"] == pytest.approx(3 * statistics.median(logged))


def test_runs_of_another_configuration_are_no_measure(cli, workplace, monkeypatch):
    cli("run", *SMALL, "--variant", "vanilla", "--seeds", "1")
    timed = []

    def counted(*arguments):
        timed.append(arguments)
        return 2.0

    monkeypatch.setattr(training, "time_iterations", counted)
    answer = cli("run", *SMALL, "--epochs", "4", "--variant", "vanilla", "--variant", "double",
                 "--seeds", "1", "--dry-run", "--json", "--workers", "1")  # fmt: skip
    # 256 images four times; 4 + 1 validations of 60 and one test of 360 at a third; batches of 32
    iterations = (4 * 256 + (5 * 60 + 360) / 3) / 32
    assert json.loads(answer.out)["seconds"] == pytest.approx(2 * 2.0 * iterations)
    assert len(timed) == 2


def test_nothing_to_train_needs_no_estimate(cli, workplace):
    cli("run", *SMALL, "--variant", "vanilla", "--seeds", "1")
    answer = cli("run", *SMALL, "--variant", "vanilla", "--seeds", "1", "--dry-run")
    assert "Nothing to train." in answer.out
    assert "About" not in answer.out


@pytest.mark.parametrize(("long", "told"), [(0.0, True), (1e9, False)])
def test_a_long_spatial_study_is_told_what_channel_would_take(
    long, told, cli, workplace, monkeypatch
):
    monkeypatch.setattr(estimating, "LONG", long)
    answer = cli("run", *SMALL, "--variant", "all", "--seeds", "2", "--dry-run")
    assert ("--attention channel" in answer.out) is told
    channel = cli("run", *SMALL, "--attention", "channel", "--seeds", "2", "--dry-run")
    assert "With --attention channel" not in channel.out


def test_what_has_no_attention_takes_as_long_with_another(cli, workplace, monkeypatch):
    monkeypatch.setattr(estimating, "LONG", 0.0)
    timed = []

    def counted(spec, *others):
        timed.append((spec.variant, spec.attention))
        return 2.0 if spec.attention == "spatial" else 1.0

    monkeypatch.setattr(training, "time_iterations", counted)
    words = [w for name in ("vanilla", "early", "early-conv") for w in ("--variant", name)]
    answer = cli("run", *SMALL, *words, "--seeds", "1", "--workers", "1", "--dry-run")
    assert timed == [
        ("vanilla", "spatial"), ("early", "spatial"), ("early-conv", "spatial"),
        ("early", "channel"),
    ]  # fmt: skip
    assert "With --attention channel" in answer.out


MANY = """
dataset = "digits"
seeds = 3
[arms.grid]
variant = "vanilla"
lr = [{rates}]
[ranking]
metric = "test_accuracy"
"""


@pytest.mark.parametrize(("arms", "known"), [(20, True), (21, False)])
def test_a_dry_run_of_many_new_arms_times_none(arms, known, cli, workplace, monkeypatch):
    """A study of hundreds of networks is shown at once."""
    timed = []
    monkeypatch.setattr(training, "time_iterations", lambda *words: timed.append(words) or 0.01)
    file = workplace / "studies" / "many" / "study.toml"
    file.parent.mkdir(parents=True)
    file.write_text(MANY.format(rates=", ".join(f"{0.001 * (one + 1):g}" for one in range(arms))))
    answer = cli("run", "many", "--dry-run")
    assert answer.code == 0, answer.err
    assert bool(timed) is known
    said = "About" if known else f"How long {3 * arms} runs will take is not known before one has"
    assert said in answer.out


@pytest.mark.parametrize(("worth", "told"), [(0.0, 1), (1e9, 0)])
def test_the_estimate_of_what_takes_long_is_told_once(worth, told, cli, workplace, monkeypatch):
    monkeypatch.setattr(estimating, "WORTH_AN_ESTIMATE", worth)
    answer = cli("run", *SMALL, "--epochs", "6", "--variant", "all", "--seeds", "1")
    assert answer.code == 0
    assert answer.err.count("About ") == told
    assert ("for 4 runs, 2 at once" in answer.err) is bool(told)


def test_an_estimate_that_comes_too_late_is_given_up(cli, workplace, monkeypatch):
    """Before the command ends: what torch computes in a thread would abort the process."""
    going, asked = threading.Event(), []

    def endless(*arguments):
        going.set()
        while True:
            asked.append(threading.current_thread())
            arguments[-1]()
            time.sleep(0.01)

    def ended_when_it_is_timed(first):
        assert going.wait(PATIENCE)
        end(first)

    monkeypatch.setattr(estimating, "WORTH_AN_ESTIMATE", 0.0)
    end = estimating.FirstMeasure.end
    monkeypatch.setattr(training, "time_iterations", endless)
    monkeypatch.setattr(estimating.FirstMeasure, "end", ended_when_it_is_timed)
    answer = cli("run", *SMALL, "--epochs", "6", "--variant", "all", "--seeds", "1")
    assert answer.code == 0, answer.err
    assert "About " not in answer.err
    assert len(asked) > 0
    assert not asked[0].is_alive()


@pytest.fixture
def planned(cli, workplace, monkeypatch):
    """The plan of two variants with two seeds each, as for a GPU, and which of them are timed."""
    plans, timed = [], []

    def seconds(spec, *others):
        timed.append(spec.variant)
        return {"vanilla": 0.2, "double": 0.4}[spec.variant]

    found = estimating.estimate
    monkeypatch.setattr(training, "time_iterations", seconds)
    monkeypatch.setattr(estimating, "estimate", lambda plan, **_: plans.append(plan) or found(plan))
    answer = cli("run", *SMALL, "--variant", "vanilla", "--variant", "double", "--seeds", "2",
                 "--workers", "1", "--dry-run")  # fmt: skip
    assert answer.code == 0
    timed.clear()
    monkeypatch.setattr(estimating, "estimate", found)
    return dataclasses.replace(plans[0], device="cuda"), timed


def test_what_is_timed_on_this_cpu_is_held_against_what_a_gpu_has_shown(planned):
    plan, timed = planned
    iterations = Placement().steps(plan.pending[0].spec, plan.materials)
    found = estimating.estimate(plan, {"vanilla": 0.001})
    # double takes twice as long here, so it does there
    assert found.seconds == pytest.approx(2 * (0.001 + 0.002) * iterations)
    assert not found.of_a_gpu_by_cpu
    timed.clear()
    found = estimating.estimate(plan, {"vanilla": 0.001, "double": 0.003})
    assert found.seconds == pytest.approx(2 * (0.001 + 0.003) * iterations)
    assert timed == []


def test_finished_runs_of_a_gpu_are_held_against_this_cpu_too(planned, monkeypatch):
    plan, _ = planned
    monkeypatch.setattr(estimating, "logged_seconds", lambda plan: {"double": 8.0})
    found = estimating.estimate(plan)
    assert found.seconds == pytest.approx(2 * (8.0 + 4.0))
    assert not found.of_a_gpu_by_cpu


def test_finished_runs_count_by_how_fast_the_machine_is_now(planned, monkeypatch):
    """Runs of last week, beside much else, do not tell how long today's will take."""
    plan, timed = planned
    monkeypatch.setattr(
        estimating, "logged_seconds", lambda plan: {"vanilla": 40.0, "double": 60.0}
    )
    iterations = Placement().steps(plan.pending[0].spec, plan.materials)
    found = estimating.estimate(plan, {"vanilla": 10.0 / iterations})
    assert found.seconds == pytest.approx(2 * (10.0 + 60.0 / 4))
    assert timed == []


def test_where_nothing_is_known_of_the_gpu_it_is_said(planned):
    plan, _ = planned
    found = estimating.estimate(plan)
    iterations = Placement().steps(plan.pending[0].spec, plan.materials)
    assert found.seconds == pytest.approx(2 * (0.2 + 0.4) * iterations)
    assert found.of_a_gpu_by_cpu
    assert any("Timed on this machine's CPU" in line for line in estimate_lines(found))


def told_of(updates, seconds):
    return Progress(done=updates, total=None, seconds=seconds, updates=updates, values={})


@pytest.mark.parametrize("workers", [1, 8])
def test_the_first_updates_on_a_gpu_do_not_count(workers, planned):
    """They are made as ever and recorded, before the others that share the GPU have begun."""
    plan, _ = planned
    told = []
    first = estimating.FirstMeasure(dataclasses.replace(plan, workers=workers), told.append)
    vanilla, double = (
        next(run.spec for run in plan.pending if run.spec.variant == name)
        for name in ("vanilla", "double")
    )
    first.note(vanilla, told_of(10, 2.0))
    first.note(vanilla, told_of(30, 2.9))
    first.note(double, told_of(30, 2.9))
    if workers == 8:
        first.note(vanilla, told_of(60, 2.95))
        first.note(vanilla, told_of(100, 3.1))
        first.note(vanilla, told_of(110, 3.2))
        assert first.measured == {}
        first.note(vanilla, told_of(200, 4.1))
    else:
        first.note(vanilla, told_of(130, 3.9))
    assert first.measured == {"vanilla": pytest.approx(0.01)}
    first.end()


@pytest.mark.proof
def test_lines():
    assert estimate_lines(Estimate(1, 2, 30.2, None)) == [
        "About 30 s of training for 1 run, 1 at once."
    ]
    lines = estimate_lines(Estimate(20, 4, 9000.0, 1200.0))
    assert lines[0] == "About 2 h 30 min of training for 20 runs, 4 at once."
    assert lines[1].startswith("With --attention channel")
    assert lines[1].endswith("about 20 min.")
