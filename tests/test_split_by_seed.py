"""Training and validation images that the seed draws."""

from __future__ import annotations

import copy
import hashlib
import json
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from attnstudy import runs
from attnstudy.running.run import ActiveRun
from attnstudy.runs import load_checkpoints
from attnstudy.trainings.placement.data import Split
from attnstudy.trainings.placement.models import build_model
from attnstudy.trainings.placement.training import TrainingState, train
from tests.conftest import SMALL
from tests.tuning import space, tune, tuned_folders

CPU = torch.device("cpu")
STORE_DIR = Path("mlruns")
BY_SEED = ("--split", "by seed")
TWO = ("--variant", "vanilla", "--variant", "early")

pytestmark = pytest.mark.usefixtures("one_thread")


def literal_places(seed, images, train, validation):
    """Return the places of training and validation images, by the definition."""
    digest = hashlib.sha256(b"split").digest()
    words = [int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4)]
    entropy = np.random.SeedSequence(entropy=seed, spawn_key=words)
    stream = int(entropy.generate_state(1, np.uint64)[0])
    order = np.random.default_rng(stream).permutation(images)
    return order[:train], order[images - validation :]


def run(cli, *words, code=0):
    answer = cli("run", *SMALL, "--executor", "inline", "--seeds", "2", *words, "--json")
    assert answer.code == code, answer.err
    return answer


def folders(study="placement"):
    return {f.started().spec.name: f for f in runs.run_folders(STORE_DIR, study)}


def weights(folder):
    return (folder.path / "weights.safetensors").read_bytes()


@pytest.mark.parametrize("seed", [0, 1, 2**63 - 1])
@pytest.mark.parametrize("sizes", [(256, 60), (1257, 180), (1, 1436)])
def test_the_split_is_the_definition(digits, seed, sizes):
    split = digits.split(*sizes, seed)
    training, validation = literal_places(seed, 1437, *sizes)
    assert (split.train_size, len(split.train), len(split.validation)) == (*sizes[:1], *sizes)
    np.testing.assert_array_equal(split.train.images, digits.train.images[training])
    np.testing.assert_array_equal(split.train.labels, digits.train.labels[training])
    np.testing.assert_array_equal(split.validation.images, digits.train.images[validation])
    np.testing.assert_array_equal(split.validation.labels, digits.train.labels[validation])
    assert not set(training) & set(validation)
    assert split.normalisation == digits.normalisation
    assert not np.shares_memory(split.pool.images, digits.test.images)


def test_a_sealed_dataset_is_split_alike(digits):
    one, other = digits.split(256, 60, 3), digits.sealed().split(256, 60, 3)
    np.testing.assert_array_equal(one.places, other.places)
    np.testing.assert_array_equal(one.validation.images, other.validation.images)


def test_every_image_validates_for_some_seed(digits):
    drawn = [literal_places(seed, 1437, 1257, 180)[1] for seed in range(60)]
    times = np.bincount(np.concatenate(drawn), minlength=1437)
    # binomial: 60 draws of 180 in 1437, 7.5 expected with a standard deviation of 2.6
    assert times.min() >= 0
    assert times.max() < 7.5 + 6 * 2.6
    assert times.std() == pytest.approx(2.56, rel=0.1)


def test_it_trains_on_what_was_drawn(digits, make_spec):
    """As if the drawn images were all there are: the same bits."""
    spec = make_spec(split="by seed", seed=4)
    training, validation = literal_places(4, 1437, 256, 60)
    drawn = Split(digits.train.at(training), digits.train.at(validation), digits.normalisation)
    bits = []
    for split in (drawn, digits.split(256, 60, 4)):
        model = build_model("double", attention="spatial", image_shape=(1, 8, 8), channels=(4, 4))
        ended = train(spec, model, split, device=CPU)
        tensors = [tensor.numpy().tobytes() for tensor in model.state_dict().values()]
        bits.append((tensors, ended.val_accuracy_max, ended.val_accuracy_final))
    assert bits[0] == bits[1]


def test_a_stopped_training_goes_on_to_the_same_bits(digits, make_spec):
    spec, states = make_spec(split="by seed", seed=1), []
    split = digits.split(256, 60, 1)

    def trained(state=None):
        model = build_model("double", attention="spatial", image_shape=(1, 8, 8), channels=(4, 4))
        train(
            spec, model, split, device=CPU, state=state,
            on_iteration=lambda done: done == 5,
            on_state=lambda state: states.append(copy.deepcopy(state)),
        )  # fmt: skip
        return [tensor.numpy().tobytes() for tensor in model.state_dict().values()]

    whole = trained()
    assert isinstance(states[0], TrainingState)
    assert states[0].iteration == 5
    assert trained(states[0]) == whole


def test_seeds_differ_in_their_images_and_arms_do_not(cli, workplace, digits):
    run(cli, *TWO, *BY_SEED)
    for folder in folders().values():
        spec, result = folder.started().spec, folder.result()
        assert (spec.split, spec.train_size, spec.val_size) == ("by seed", 256, 60)
        _, validation = literal_places(spec.seed, 1437, 256, 60)
        model = build_model(
            spec.variant, attention="spatial", image_shape=(1, 8, 8), channels=(4, 4)
        )
        model.load_state_dict(load_file(folder.path / "weights.safetensors"))
        seen = digits.normalisation(torch.from_numpy(digits.train.images[validation]))
        right = model.eval()(seen).argmax(1).numpy() == digits.train.labels[validation]
        assert result.metrics["val_accuracy_final"] == pytest.approx(100 * right.mean())
        archive = torch.export.load(folder.path / "model.pt2").module()
        assert (archive(seen).argmax(1) == model(seen).argmax(1)).all()
        labels = [line.split(",")[1] for line in
                  (folder.path / "predictions.csv").read_text().splitlines()[1:]]  # fmt: skip
        assert list(map(int, labels)) == digits.test.labels.tolist()
        assert folder.started().dataset.digest == digits.digest


def test_fused_runs_are_those_of_each_alone(cli, workplace):
    run(cli, "--variant", "double", *BY_SEED, "--fuse", "2", "--study", "fused")
    run(cli, "--variant", "double", *BY_SEED, "--study", "alone")
    alone, fused = folders("alone"), folders("fused")
    for name, folder in fused.items():
        one, other = folder.result(), alone[name].result()
        assert (one.environment["fused"], other.environment["fused"]) == ("2", "1")
        losses, expected = (
            np.concatenate([record.values["train_loss"] for record in f.journal()])
            for f in (folder, alone[name])
        )
        np.testing.assert_allclose(losses, expected, rtol=1e-4)
        for metric in ("val_accuracy_final", "test_accuracy"):
            # an image or two may lie on the border between two classes
            assert one.metrics[metric] == pytest.approx(other.metrics[metric], abs=2 * 100 / 60)


@pytest.mark.proof
def test_a_stopped_run_goes_on_to_the_same_bits(cli, workplace, monkeypatch):
    run(cli, "--variant", "late", *BY_SEED, "--study", "whole")
    checkpoint = ActiveRun.checkpoint

    def stop(self, state):
        checkpoint(self, state)
        if state["epoch"] == 1:
            signal.raise_signal(signal.SIGTERM)

    with monkeypatch.context() as stopping:
        stopping.setattr(ActiveRun, "checkpoint", stop)
        run(cli, "--variant", "late", *BY_SEED, code=143)
    (begun,) = folders().values()
    assert next(load_checkpoints(begun.path))[1].state["epoch"] == 1
    run(cli, "--variant", "late", *BY_SEED)
    for name, folder in folders().items():
        assert weights(folder) == weights(folders("whole")[name])


def test_it_is_another_configuration_and_the_default_is_none_of_it(cli, workplace):
    run(cli, *TWO)
    before = {name: f.started().spec.fingerprint for name, f in folders().items()}
    assert json.loads(run(cli, *TWO, "--split", "fixed").out)["skipped"] == 4
    assert json.loads(run(cli, *TWO, env_split()).out)["trained"] == 4
    specs = [f.started().spec for f in runs.run_folders(STORE_DIR, "placement")]
    assert {s.fingerprint for s in specs} > set(before.values())
    assert len({s.config_id for s in specs}) == 2
    refused = cli("rank")
    assert refused.code == 2
    assert "split=by seed" in refused.err
    assert "split=fixed" in refused.err
    assert "split by seed" in cli("status").out


def env_split():
    return "--split=by seed"


def test_the_command_that_adds_the_others_asks_for_it(cli, workplace):
    run(cli, "--variant", "double", *BY_SEED)
    notes = json.loads(cli("rank", "--json").out)["notes"]
    (note,) = [note for note in notes if "to add the" in note]
    assert "--split 'by seed'" in note


def test_a_study_file_declares_it_once_for_all_arms(cli, workplace):
    path = workplace / "studies" / "mine" / "study.toml"
    path.parent.mkdir(parents=True)
    path.write_text('[training]\nsplit = "by seed"\n')
    run(cli, "mine", "--variant", "vanilla")
    assert {f.started().spec.split for f in folders("mine").values()} == {"by seed"}
    plan = json.loads((path.parent / "plans.json").read_text())
    assert "by seed" in json.dumps(plan)
    path.write_text('[arms.vanilla]\nsplit = "by seed"\n')
    answer = cli("run", "mine")
    assert (answer.code, answer.out) == (2, "")
    assert "split" in answer.err
    path.write_text('[training]\nsplit = "by-seed"\n')
    answer = cli("run", "mine")
    assert answer.code == 2
    assert "must be one of fixed, by seed, not 'by-seed'; did you mean 'by seed'?" in answer.err


def test_a_search_draws_with_its_own_seeds_and_sees_no_test_image(cli, workplace):
    space("lr = [3e-3, 1e-2]")
    words = ("--variant", "vanilla", "--trials", "2", "--seeds-per-trial", "2", *BY_SEED)
    answer, found = tune(cli, *words)
    assert answer.code == 0, answer.err
    for folder in tuned_folders():
        assert folder.started().spec.split == "by seed"
        assert "test_accuracy" not in folder.result().metrics
    again, same = tune(cli, *words)
    assert again.code == 0
    assert same["variants"][0]["best"] == found["variants"][0]["best"]
    space("split = ['fixed', 'by seed']")
    refused = cli("tune", *SMALL)
    assert refused.code == 2
    assert "split" in refused.err


@pytest.mark.parametrize(
    ("words", "said"),
    [(BY_SEED, "seed and split were drawn together"), ((), "all runs share one split")],
)
def test_components_know_how_the_split_was_drawn(cli, workplace, words, said):
    run(cli, *TWO, *words)
    found = json.loads(cli("rank", "--components", "--json").out)["components"]
    assert {one["name"] for one in found["components"]} == {
        "seed", "residual", "test items", "arm x test items",
    }  # fmt: skip
    (split,) = [one["reason"] for one in found["untold"] if one["name"] == "split"]
    assert said in split


def test_it_moves_to_another_machine(cli, workplace):
    run(cli, *TWO, *BY_SEED)
    assert cli("export", "placement", "placement.zip").code == 0
    moved = cli("import", "placement.zip", "--store", "there")
    assert moved.code == 0, moved.err
    there = runs.run_folders(Path("there"), "placement")
    assert {f.started().spec.fingerprint for f in there} == {
        f.started().spec.fingerprint for f in folders().values()
    }
