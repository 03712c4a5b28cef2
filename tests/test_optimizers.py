"""Each optimizer against its formula, alone and fused, interrupted and not."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from torch import nn

from attnstudy import rng
from attnstudy.trainings.placement.settings import OPTIMIZERS
from attnstudy.trainings.placement.training import drive, training
from attnstudy.trainings.placement.training.optimizers import load_state, make_optimizer
from tests.test_training import (
    CPU,
    Dropping,
    bits,
    checkpoints,
    literal_training,
    literal_update,
    model_of,
    save,
    state_of,
    trained,
)

pytestmark = pytest.mark.usefixtures("one_thread")

SETTINGS = {
    "adam": {"optimizer": "adam", "weight_decay": 0.1, "lr": 1e-3},
    "adamw": {"optimizer": "adamw", "weight_decay": 10.0, "lr": 1e-3},
    "sgd": {"optimizer": "sgd", "weight_decay": 0.1, "lr": 3e-2},
}
"""Of each optimizer, with a decay that is felt within 16 updates."""


def losses_of(intervals):
    return [loss for interval in intervals for loss in interval.train_loss]


def test_every_optimizer_is_tested():
    assert tuple(SETTINGS) == OPTIMIZERS


@pytest.mark.parametrize("decay", [True, False])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_losses_are_those_of_the_literal_formula(name, decay, digits, make_spec):
    settings = SETTINGS[name] if decay else {**SETTINGS[name], "weight_decay": 0.0}
    spec = make_spec(train_size=250, **settings)
    expected = literal_training(spec, digits, model_of(spec, digits))
    measured = losses_of(trained(spec, digits)[2])
    assert len(measured) == 16
    assert measured == pytest.approx(expected, rel=5e-4)
    if decay:
        without = losses_of(trained(make_spec(**{**settings, "weight_decay": 0.0}), digits)[2])
        assert measured != pytest.approx(without, rel=5e-3)


def test_the_default_is_torchs_adam_to_the_bit(digits, make_spec):
    one, other = (model_of(make_spec(), digits) for _ in range(2))
    plain = torch.optim.Adam(other.parameters(), lr=1e-3, fused=True)
    ours = make_optimizer(one.parameters(), make_spec())
    for model, optimizer in ((one, ours), (other, plain)):
        stream = torch.Generator().manual_seed(1)
        for _ in range(3):
            for weight in model.parameters():
                weight.grad = torch.randn(weight.shape, generator=stream)
            optimizer.step()
    assert bits(one) == bits(other)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_weight_may_get_its_first_gradient_late(name, make_spec):
    """As in a variant of the user's own that does not always use all of its layers."""
    spec = make_spec(**SETTINGS[name])
    early, late = (nn.Parameter(torch.tensor([1.0, -2.0])) for _ in range(2))
    alike = [weight.detach().double() for weight in (early, late)]
    kept = [{}, {}]
    optimizer = make_optimizer([early, late], spec)
    for step in range(1, 5):
        for weight, same, own, begins in zip((early, late), alike, kept, (1, 3), strict=True):
            weight.grad = torch.tensor([0.5, step / 10]) if step >= begins else None
            if step >= begins:
                literal_update(spec, same, weight.grad.double(), own, step - begins + 1)
        optimizer.step()
    for weight, same in zip((early, late), alike, strict=True):
        torch.testing.assert_close(weight.detach().double(), same, rtol=1e-5, atol=0)


# Interruptions


@pytest.mark.parametrize("stop_after", [1, 5, 8, 12])
@pytest.mark.parametrize("kind", ["double", "own"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_interrupted_equals_uninterrupted_bit_by_bit(
    name, kind, stop_after, digits, make_spec, tmp_path
):
    """With augmentation, within an epoch of 8 updates and at its end, through a file."""
    spec = make_spec(augmentation="crop-flip", **SETTINGS[name])

    def fresh():
        if kind == "double":
            return model_of(spec, digits)
        with rng.forked(0, "test"):
            return Dropping()

    whole, expected, intervals = trained(spec, digits, fresh())

    def keep(state):
        if state.epoch * 8 + state.iteration == stop_after:
            save(tmp_path, state)

    wanted = {"on_iteration": lambda done: done == stop_after, "on_state": keep}
    assert bits(trained(spec, digits, fresh(), **wanted)[0]) == bits(whole)
    state = state_of(checkpoints(tmp_path)[0])
    resumed, outcome, rest = trained(spec, digits, fresh(), state=state)
    assert bits(resumed) == bits(whole)
    assert outcome.val_accuracy_final == expected.val_accuracy_final
    told = state.reported(spec)
    assert losses_of(rest) == losses_of(intervals)[told:]


# Several at once


def train_group(specs, digits, *, states=None, keep_after=None):
    """Train specifications together; return models, losses and the states kept on the way."""
    models = [model_of(spec, digits) for spec in specs]
    losses, kept = [[] for _ in specs], {}

    def one(number, spec):
        def keep(state):
            if state.epoch * 8 + state.iteration == keep_after:
                file = io.BytesIO()
                torch.save((state.model, state.optimizer), file)
                state.model, state.optimizer = torch.load(
                    io.BytesIO(file.getvalue()), weights_only=True
                )
                kept[number] = state

        return training(
            spec,
            models[number],
            digits.split(spec.train_size, spec.val_size),
            device=CPU,
            state=None if states is None else states[number],
            on_start=lambda together: sizes.append(together),
            on_iteration=lambda done: done == keep_after,
            on_interval=lambda interval: losses[number].extend(interval.train_loss),
            on_state=keep,
        )

    def failed(number, error):
        raise error

    sizes = []
    drive([one(number, spec) for number, spec in enumerate(specs)], failed)
    assert sizes == [len(specs)] * len(specs)
    return models, losses, [kept[number] for number in sorted(kept)]


def assert_alike(models, others, digits):
    """Compare logits: the weights that no logit depends on, key biases, follow the rounding."""
    images = digits.normalisation(torch.from_numpy(np.asarray(digits.test.images)))
    with torch.no_grad():
        for model, other in zip(models, others, strict=True):
            torch.testing.assert_close(model(images), other(images), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("variant", ["vanilla", "double"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_fused_is_each_alone_and_resumes_as_either(name, variant, digits, make_spec):
    specs = [
        make_spec(seed=seed, variant=variant, augmentation="crop-flip", **SETTINGS[name])
        for seed in range(3)
    ]
    fused, losses, states = train_group(specs, digits, keep_after=5)
    alone, expected, own_states = zip(
        *(train_group([spec], digits, keep_after=5) for spec in specs), strict=True
    )
    alone, expected, own_states = (  # type: ignore[assignment]
        [one[0] for one in each] for each in (alone, expected, own_states)
    )
    for measured, one in zip(losses, expected, strict=True):
        assert measured == pytest.approx(one, rel=1e-3)
    assert_alike(fused, alone, digits)
    # interrupted and gone on with together: the same bits
    again, _, _ = train_group(specs, digits, states=states)
    assert list(map(bits, again)) == list(map(bits, fused))
    # begun together and gone on with alone, and the other way round
    parted = [
        train_group([spec], digits, states=[state])[0][0]
        for spec, state in zip(specs, states, strict=True)
    ]
    assert_alike(parted, alone, digits)
    assert_alike(train_group(specs, digits, states=own_states)[0], alone, digits)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_state_lies_in_memory_as_its_weights_do(name, make_spec):
    spec = make_spec(**SETTINGS[name])
    here = nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)
    there = nn.Conv2d(3, 4, 3)
    optimizers = [make_optimizer(model.parameters(), spec) for model in (here, there)]
    for model, optimizer in zip((here, there), optimizers, strict=True):
        for weight in model.parameters():
            weight.grad = torch.ones_like(weight)
        optimizer.step()
    values = {name: value.clone() for name, value in optimizers[1].state[there.weight].items()}
    load_state(optimizers[0], optimizers[1].state_dict())
    held = optimizers[0].state[here.weight]
    assert set(held) == set(values)
    for key, value in held.items():
        assert torch.equal(value, values[key])
        if key != "step":
            assert value.stride() == here.weight.stride() != there.weight.stride()
