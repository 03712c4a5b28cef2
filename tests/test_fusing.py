"""Several seeds trained at once: each must be what it is alone."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from attnstudy import runs
from attnstudy.executors import Stopped
from attnstudy.running import worker
from attnstudy.running.estimating import Estimate
from attnstudy.running.resources import Resources
from attnstudy.running.run import ActiveRun
from attnstudy.runs import Status, load_checkpoints
from attnstudy.trainings.placement.models import FusedNets, build_model, can_fuse
from attnstudy.trainings.placement.settings import ATTENTIONS
from attnstudy.trainings.placement.variants import BUILT_IN
from tests.conftest import SMALL

STORE_DIR = Path("mlruns")


def networks(variant, attention, dtype, seeds=3):
    return [
        build_model(variant, attention=attention, image_shape=(3, 6, 5), channels=(6, 4), seed=s)
        .to(dtype)
        for s in range(seeds)
    ]  # fmt: skip


@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize("variant", BUILT_IN)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_logits_and_gradients_are_those_of_each_alone(variant, attention, dtype, tolerance):
    nets = networks(variant, attention, dtype)
    alone = copy.deepcopy(nets)
    stream = torch.Generator().manual_seed(1)
    images = torch.randn(3, 5, 3, 6, 5, dtype=dtype, generator=stream)
    labels = torch.randint(10, (3, 5), generator=stream)
    fused = FusedNets(nets)
    logits = fused(images)
    each = functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
    each.view(3, 5).mean(dim=1).sum().backward()
    for number, network in enumerate(alone):
        expected = network(images[number])
        functional.cross_entropy(expected, labels[number]).backward()
        torch.testing.assert_close(logits[number], expected, rtol=0, atol=tolerance)
        for name, parameter in network.named_parameters():
            gradient = fused.stacked[name].grad[number]
            torch.testing.assert_close(gradient, parameter.grad, rtol=0, atol=tolerance)


def test_networks_see_what_happens_to_the_stack():
    nets = networks("double", "channel", torch.float32)
    before = copy.deepcopy(nets[1].state_dict())
    fused = FusedNets(nets)
    with torch.no_grad():
        fused.stacked["conv1.weight"][1] += 1
    torch.testing.assert_close(nets[1].conv1.weight, before["conv1.weight"] + 1)
    torch.testing.assert_close(nets[1].conv2.weight, before["conv2.weight"])


def test_what_is_not_alike_is_not_fused():
    double, other = networks("double", "spatial", torch.float32, seeds=2)
    assert can_fuse([double, other])
    assert not can_fuse([double, *networks("early", "spatial", torch.float32, seeds=1)])
    assert not can_fuse([double, *networks("double", "channel", torch.float32, seeds=1)])
    assert not can_fuse([double, *networks("double-conv", "spatial", torch.float32, seeds=1)])
    assert not can_fuse([torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)])
    with pytest.raises(ValueError, match="one placement"):
        FusedNets([double, *networks("early", "spatial", torch.float32, seeds=1)])


# Whole runs


def folders(study="placement"):
    return {f.started().spec.name: f for f in runs.run_folders(STORE_DIR, study)}


def run(cli, *words, study="placement"):
    answer = cli("run", *SMALL, "--executor", "inline", "--study", study, *words, "--json")
    assert answer.code == 0, answer.err
    return json.loads(answer.out)


@pytest.mark.parametrize("attention", ["channel", pytest.param("spatial", marks=pytest.mark.long)])
def test_runs_are_those_of_each_alone(cli, workplace, attention):
    words = ("--variant", "vanilla", "--variant", "double", "--variant", "double-conv")
    words = (*words, "--seeds", "2", "--attention", attention)  # type: ignore[assignment]
    report = run(cli, *words, "--fuse", "3", study="fused")
    assert report["trained"] == 6
    run(cli, *words, study="alone")
    alone, fused = folders("alone"), folders("fused")
    assert set(alone) == set(fused)
    for name, folder in fused.items():
        one, other = folder.result(), alone[name].result()
        assert one.environment["fused"] == "2"
        assert other.environment["fused"] == "1"
        assert folder.started().spec.fingerprint == alone[name].started().spec.fingerprint
        losses, expected = (
            np.concatenate([record.values["train_loss"] for record in f.journal()])
            for f in (folder, alone[name])
        )
        np.testing.assert_allclose(losses, expected, rtol=1e-4)
        # an image or two may lie on the border between two classes
        assert one.metrics["test_accuracy"] == pytest.approx(
            other.metrics["test_accuracy"], abs=2 * 100 / 360
        )
        assert folder.damaged_files() == []
        assert set(one.files) == set(other.files)


@pytest.mark.proof
def test_one_that_diverges_leaves_the_others_their_bits(cli, workplace, monkeypatch):
    words = ("--variant", "early", "--seeds", "3", "--fuse", "3")
    run(cli, *words, study="whole")
    build = build_model

    def poisoned(*given, **named):
        network = build(*given, **named)
        if named["seed"] == 1:
            with torch.no_grad():
                network.conv1.weight[0, 0, 0, 0] = float("nan")  # type: ignore[operator]
        return network

    monkeypatch.setattr("attnstudy.trainings.placement.training_runs.build_model", poisoned)
    run(cli, *words, study="one-diverges")
    whole, other = folders("whole"), folders("one-diverges")
    assert other["early/seed=1"].result().status is Status.DIVERGED
    assert other["early/seed=1"].result().diverged_at == 0
    for name in ("early/seed=0", "early/seed=2"):
        weights = [(f[name].path / "weights.safetensors").read_bytes() for f in (whole, other)]
        assert weights[0] == weights[1]
        assert whole[name].journal()[-1].values == other[name].journal()[-1].values


def test_one_that_cannot_be_kept_does_not_stop_the_others(cli, workplace, monkeypatch):
    finalize = worker.finalize

    def refuse(run, outcome):
        if run.seed == 1:
            raise ValueError("no")
        return finalize(run, outcome)

    monkeypatch.setattr(worker, "finalize", refuse)
    answer = cli("run", *SMALL, "--executor", "inline", "--variant", "late", "--seeds", "3",
                 "--fuse", "auto", "--fuse", "3", "--json")  # fmt: skip
    assert answer.code == 1
    states = {run["seed"]: run["status"] for run in json.loads(answer.out)["runs"]}
    assert states == {0: "complete", 1: "failed", 2: "complete"}
    assert "late/seed=1 failed: ValueError: no" in answer.err
    monkeypatch.undo()


def stop_after_the_first_epoch(monkeypatch):
    """Have trainings stop at their first checkpoint, as a signal would have them do."""
    checkpoint = ActiveRun.checkpoint

    def stop(run, state):
        checkpoint(run, state)
        if state["epoch"] == 1:
            raise Stopped

    monkeypatch.setattr(ActiveRun, "checkpoint", stop)


@pytest.mark.parametrize("fuse", [pytest.param("3", marks=pytest.mark.long), "1"])
def test_interrupted_it_goes_on_together_or_alone(cli, workplace, monkeypatch, fuse):
    words = ("--variant", "double", "--seeds", "3")
    run(cli, *words, "--fuse", "3", study="whole")
    with monkeypatch.context() as stopping:
        stop_after_the_first_epoch(stopping)
        stopped = cli("run", *SMALL, "--executor", "inline", *words, "--fuse", "3")
    assert stopped.code == 1
    for folder in folders().values():
        _, checkpoint = next(load_checkpoints(folder.path))
        assert checkpoint.state["epoch"] == 1
        # a view of what is stacked would be kept with all of it
        assert (folder.path / "checkpoint.pt").stat().st_size < 90_000
    answer = cli("run", *SMALL, "--executor", "inline", *words, "--fuse", fuse)
    assert answer.code == 0, answer.err
    assert ("fused 1 after 3" in answer.err) == (fuse == "1")
    for name, folder in folders().items():
        other = folders("whole")[name]
        if fuse == "3":
            files = [(f.path / "weights.safetensors").read_bytes() for f in (folder, other)]
            assert files[0] == files[1]
        losses, expected = (
            np.concatenate([record.values["train_loss"] for record in f.journal()])
            for f in (folder, other)
        )
        np.testing.assert_allclose(losses, expected, rtol=1e-4)


def test_a_killed_worker_loses_only_what_is_not_finished(cli, workplace, processes):
    """Killed once two of three have their results; the group is tried once more."""
    answer = cli("run", *SMALL, "--variant", "late", "--seeds", "3", "--fuse", "3", "--json",
                 env={"ATTNSTUDY_CRASH_AT": "run/finished:2"})  # fmt: skip
    assert answer.code == 0, answer.err
    said = json.loads(answer.out)
    assert {run["status"] for run in said["runs"]} == {"complete"}
    # the first was reported, the second only left its result, the third was trained again
    assert [run["trained"] for run in said["runs"]] == [True, False, True]
    assert "late/seed=0: its process was killed" not in answer.err
    assert answer.err.count("it is tried once more") == 2


@pytest.mark.long
def test_runs_at_different_updates_are_not_updated_together(cli, workplace, monkeypatch):
    words = ("run", *SMALL, "--executor", "inline", "--variant", "vanilla", "--fuse", "2")
    with monkeypatch.context() as stopping:
        stop_after_the_first_epoch(stopping)
        assert cli(*words, "--seeds", "1").code == 1
    _, checkpoint = next(load_checkpoints(folders()["vanilla/seed=0"].path))
    assert checkpoint.state["epoch"] == 1
    run(cli, "--variant", "vanilla", "--seeds", "2", "--fuse", "2")
    run(cli, "--variant", "vanilla", "--seeds", "2", study="alone")
    for name, folder in folders().items():
        assert folder.result().environment["fused"] == "1"
        weights = [(f.path / "weights.safetensors").read_bytes()
                   for f in (folder, folders("alone")[name])]  # fmt: skip
        assert weights[0] == weights[1]


def test_strict_goes_on_in_a_group_of_the_same_size_alone(cli, workplace, monkeypatch):
    """Five seeds in groups of three leave a group of two, which is what it was begun with."""
    words = ("run", *SMALL, "--executor", "inline", "--variant", "early", "--seeds", "5")
    with monkeypatch.context() as stopping:
        stop_after_the_first_epoch(stopping)
        assert cli(*words, "--fuse", "3").code == 1
    refused = cli(*words, "--fuse", "1", "--strict")
    assert refused.code == 2
    assert "would go on with fused 1 after 3" in refused.err
    assert cli(*words, "--fuse", "3", "--strict").code == 0
    recorded = [f.result().environment["fused"] for _, f in sorted(folders().items())]
    assert recorded == ["3", "3", "3", "2", "2"]


def test_there_is_a_worker_for_every_group(cli, workplace, monkeypatch):
    monkeypatch.setattr("attnstudy.running.resources.available_cores", lambda: 8)
    words = ("run", *SMALL, "--variant", "all", "--dry-run", "--json")
    plan = json.loads(cli(*words, "--seeds", "3", "--fuse", "3").out)
    assert plan["workers"] == 4
    assert json.loads(cli(*words, "--seeds", "5", "--fuse", "3").out)["workers"] == 8


@pytest.mark.parametrize(
    ("words", "fused"), [((), 1), (("--fuse", "auto"), 1), (("--fuse", "4"), 4)]
)
def test_on_a_gpu_too_each_is_trained_alone_unless_asked(words, fused, cli, workplace, monkeypatch):
    """One network with a CUDA graph is as fast as many at once (decision 10)."""
    plans = []
    resources = Resources(device="cuda")
    monkeypatch.setattr("attnstudy.running.planning.find_resources", lambda *asked: resources)
    monkeypatch.setattr(
        "attnstudy.running.estimating.estimate",
        lambda plan, most=None: plans.append(plan) or Estimate(8, 1, 1.0, None),
    )
    answer = cli("run", *SMALL, "--variant", "vanilla", "--seeds", "8", "--dry-run", *words)
    assert answer.code == 0, answer.err
    assert [(plan.device, plan.fused, plan.workers) for plan in plans] == [("cuda", fused, 1)]


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5", "99999999999999"])
def test_what_is_no_number_of_seeds_is_refused(cli, workplace, value):
    answer = cli("run", *SMALL, "--variant", "all", "--fuse", value)
    assert answer.code == 2
    assert "give auto, or 1 to 1000" in answer.err
