"""Updates that are recorded and replayed: the same bits, or they are not replayed.

Without a GPU a recorder stands in whose replay does the recorded work again. Like a graph it reads
and writes the tensors of the recording and runs nothing else of the code. What only a GPU can
show is the last test.
"""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn

from attnstudy import runs
from attnstudy.trainings.placement.settings import ATTENTIONS, OPTIMIZERS
from attnstudy.trainings.placement.training import fusing, graphs, prepare_process, step, train
from attnstudy.trainings.placement.training.batches import Batch
from attnstudy.trainings.placement.training.graphs import PROOFS, WARM_UP, Replaying, recorder_for
from attnstudy.trainings.placement.variants import BUILT_IN
from tests.conftest import SMALL
from tests.test_optimizers import SETTINGS, losses_of, train_group
from tests.test_training import bits, model_of, trained

pytestmark = pytest.mark.usefixtures("one_thread")

FULL = 14
"""Updates with a whole batch in two epochs of 250 images by 32: the last of each has 26."""


class Again:
    """Replays by doing the recorded work again."""

    def __init__(self):
        self.warmed = self.replayed = 0

    def warm_up(self, work):
        self.warmed += 1
        return work()

    def record(self, work):
        place = []

        def replay():
            self.replayed += 1
            result = self.result(work)
            if not place:
                place.append(result.clone())
            return place[0].copy_(result)  # always the same place, as a graph's result has

        return replay

    def result(self, work):
        return work()


class Impossible(Again):
    def record(self, work):
        raise RuntimeError("operation not permitted when stream is capturing\nand a page of hints")


class WrongAt(Again):
    """Makes the update twice in one of its replays."""

    def __init__(self, wrong):
        super().__init__()
        self.wrong = wrong

    def result(self, work):
        if self.replayed == self.wrong:
            work()
        return work()


@pytest.fixture
def recorded(monkeypatch):
    """Have every training recorded; return what makes the recorder known."""

    def use(recorder):
        for module in (step, fusing):
            monkeypatch.setattr(module, "recorder_for", lambda device, networks: recorder)
        return recorder

    return use


@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize("variant", BUILT_IN)
def test_replayed_alone_has_the_same_bits(variant, attention, digits, make_spec, recorded):
    spec = make_spec(variant=variant, attention=attention, train_size=250)
    model, outcome, intervals = trained(spec, digits)
    recorder = recorded(Again())
    again, replayed, told = trained(spec, digits)
    assert (recorder.warmed, recorder.replayed) == (WARM_UP, FULL - WARM_UP)
    assert bits(again) == bits(model)
    assert losses_of(told) == losses_of(intervals)
    assert replayed.val_accuracy_final == outcome.val_accuracy_final
    assert replayed.notes == ()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_replayed_together_has_the_same_bits(name, digits, make_spec, recorded):
    """With augmentation, which a recording has to read anew too, and through a checkpoint."""
    specs = [
        make_spec(seed=seed, augmentation="crop-flip", train_size=250, **SETTINGS[name])
        for seed in range(3)
    ]
    models, losses, _ = train_group(specs, digits)
    recorder = recorded(Again())
    again, told, states = train_group(specs, digits, keep_after=9)
    assert (recorder.warmed, recorder.replayed) == (WARM_UP, FULL - WARM_UP)
    assert list(map(bits, again)) == list(map(bits, models))
    assert told == losses
    recorder = recorded(Again())
    resumed, _, _ = train_group(specs, digits, states=states)
    assert recorder.replayed == 16 - 9 - 1 - WARM_UP
    assert list(map(bits, resumed)) == list(map(bits, models))


def test_one_that_diverges_is_no_reason_to_refuse(digits, make_spec, recorded, monkeypatch):
    specs = [make_spec(seed=seed, train_size=250) for seed in range(2)]

    def poisoned(spec, digits):
        model = model_of(spec, digits)
        if spec.seed == 1:
            with torch.no_grad():
                model.conv1.weight[0, 0, 0, 0] = float("nan")
        return model

    monkeypatch.setattr("tests.test_optimizers.model_of", poisoned)
    models, losses, _ = train_group(specs, digits)
    recorder = recorded(Again())
    again, told, _ = train_group(specs, digits)
    assert recorder.replayed == FULL - WARM_UP
    assert bits(again[0]) == bits(models[0])
    assert told[0] == losses[0]
    assert len(told[1]) == len(losses[1]) == 1


@pytest.mark.parametrize(
    ("recorder", "replays", "why"),
    [
        (Impossible(), 0, "operation not permitted when stream is capturing"),
        (WrongAt(1), 1, "the graph gave other numbers"),
        (WrongAt(PROOFS), PROOFS, "the graph gave other numbers"),
    ],
)
def test_what_cannot_be_replayed_is_made_as_ever(
    recorder, replays, why, digits, make_spec, recorded
):
    spec = make_spec(train_size=250)
    model, _, intervals = trained(spec, digits)
    recorded(recorder)
    again, outcome, told = trained(spec, digits)
    assert recorder.replayed == replays
    assert bits(again) == bits(model)
    assert losses_of(told) == losses_of(intervals)
    assert outcome.notes == (f"no CUDA graph of the updates could be used: {why}",)


def test_the_result_tells_of_it(cli, workplace, recorded):
    recorded(Impossible())
    answer = cli("run", *SMALL, "--executor", "inline", "--variant", "vanilla", "--seeds", "1",
                 "--json")  # fmt: skip
    assert answer.code == 0, answer.err
    (run,) = json.loads(answer.out)["runs"]
    (folder,) = runs.run_folders(workplace / "mlruns", "placement")
    (note,) = folder.result().notes
    assert note.startswith("no CUDA graph of the updates could be used: operation not")
    assert run["status"] == "complete"


def test_adam_is_capturable_while_it_is_recorded_and_only_then():
    """torch refuses to record one that is not, and warns of one that is and is not recorded."""
    weight = nn.Parameter(torch.ones(2))
    optimizer = torch.optim.Adam([weight], fused=True)
    seen = []

    class Looking(Again):
        def record(self, work):
            seen.append(optimizer.param_groups[0]["capturable"])
            return super().record(work)

    def make(batch):
        loss = (weight * batch.index).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach()

    before = dict(optimizer.param_groups[0])
    replaying = Replaying(2, optimizer, Looking())
    for _ in range(WARM_UP + PROOFS + 1):
        replaying(make, Batch(torch.arange(2)))
    assert seen == [True]
    assert optimizer.param_groups == [before]


def test_who_is_recorded(digits, make_spec, monkeypatch):
    made = []
    monkeypatch.setattr(graphs, "CudaRecorder", lambda: made.append(1) or "a recorder")
    ours, own = model_of(make_spec(), digits), nn.Linear(2, 2)
    gpu = torch.device("cuda")
    assert recorder_for(gpu, [ours, ours]) == "a recorder"
    assert recorder_for(gpu, [ours, own]) is None  # nobody knows what it does
    assert recorder_for(torch.device("cpu"), [ours]) is None
    monkeypatch.setenv("ATTNSTUDY_CUDA_GRAPHS", "off")
    assert recorder_for(gpu, [ours]) is None
    assert made == [1]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize(
    "network", [{"attention": "spatial"}, {"attention": "channel"}, {"variant": "double-conv"}]
)
def test_a_gpu_replays_to_the_bit(network, digits, make_spec, monkeypatch):
    split = digits.split(250, 60)

    def train_on_gpu():
        spec = make_spec(**network, train_size=250, augmentation="crop-flip")
        model = model_of(spec, digits)
        told = []
        outcome = train(spec, model, split, device=torch.device("cuda"), on_interval=told.append)
        assert outcome.notes == ()
        return losses_of(told), bits(model.cpu())

    prepare_process(torch.device("cuda"), 1)
    replayed = train_on_gpu()
    monkeypatch.setenv("ATTNSTUDY_CUDA_GRAPHS", "off")
    assert train_on_gpu() == replayed
