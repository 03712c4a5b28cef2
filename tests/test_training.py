"""Training against a literal re-implementation, its protocol, and its repeatability."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import fields

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from attnstudy import rng
from attnstudy.runs import Checkpoint, load_checkpoints, save_checkpoint
from attnstudy.trainings.placement.models import build_model
from attnstudy.trainings.placement.training import (
    TrainingState,
    choose_device,
    evaluate,
    time_iterations,
    train,
)
from attnstudy.trainings.placement.variants import VALIDATE_EVERY, iterations, iterations_per_epoch

CPU = torch.device("cpu")


pytestmark = pytest.mark.usefixtures("one_thread")


def model_of(spec, digits):
    return build_model(
        spec.variant,
        attention=spec.attention,
        image_shape=digits.image_shape,
        channels=spec.channels,
        seed=spec.seed,
    )


def trained(spec, digits, model=None, **hooks):
    """Train and return the model, the outcome and the intervals."""
    model = model_of(spec, digits) if model is None else model
    intervals = []
    outcome = train(
        spec,
        model,
        digits.split(spec.train_size, spec.val_size),
        device=CPU,
        on_interval=intervals.append,
        **hooks,
    )
    return model, outcome, intervals


def bits(model):
    return {name: tensor.numpy().tobytes() for name, tensor in model.state_dict().items()}


def literal_update(spec, weight, gradient, kept, step):
    """Update a weight in place, at the first, second, ... step; ``kept`` is its own."""
    if spec.optimizer == "adamw":  # Loshchilov & Hutter 2019, Algorithm 2, line 12
        weight.sub_(spec.lr * spec.weight_decay * weight)
    else:
        gradient = gradient + spec.weight_decay * weight
    if spec.optimizer == "sgd":
        kept["v"] = 0.9 * kept.get("v", 0.0) + gradient
        weight.sub_(spec.lr * kept["v"])
        return
    # Adam (Kingma & Ba 2015, Algorithm 1)
    kept["m"] = 0.9 * kept.get("m", 0.0) + 0.1 * gradient
    kept["v"] = 0.999 * kept.get("v", 0.0) + 0.001 * gradient**2
    m, v = kept["m"] / (1 - 0.9**step), kept["v"] / (1 - 0.999**step)
    weight.sub_(spec.lr * m / (v.sqrt() + 1e-8))


def literal_training(spec, digits, model):
    """Train on cross-entropy, step by step in float64, and return the losses."""
    model = model.double()
    split = digits.split(spec.train_size, spec.val_size)
    norm = digits.normalisation
    pixels = torch.from_numpy(np.asarray(split.train.images)).double() / norm.scale
    mean = torch.tensor(norm.mean, dtype=torch.float64).view(1, -1, 1, 1)
    std = torch.tensor(norm.std, dtype=torch.float64).view(1, -1, 1, 1)
    images, labels = (pixels - mean) / std, torch.from_numpy(np.asarray(split.train.labels))
    parameters = list(model.parameters())
    kept = [{} for _ in parameters]
    losses = []
    for epoch in range(spec.epochs):
        order = torch.randperm(spec.train_size, generator=rng.generator(spec.seed, "order", epoch))
        for start in range(0, spec.train_size, spec.batch_size):
            index = order[start : start + spec.batch_size]
            logits = model(images[index])
            loss = -(logits - logits.logsumexp(1, keepdim=True))[
                range(len(index)), labels[index]
            ].mean()
            gradients = torch.autograd.grad(loss, parameters)
            losses.append(loss.item())
            with torch.no_grad():
                for weight, gradient, own in zip(parameters, gradients, kept, strict=True):
                    literal_update(spec, weight, gradient, own, len(losses))
    return losses


@pytest.mark.parametrize("attention", ["spatial", "channel"])
@pytest.mark.parametrize("variant", ["vanilla", "early", "late", "double", "double-conv"])
def test_losses_are_those_of_the_literal_formula(variant, attention, digits, make_spec):
    # 250 images: the last batch of an epoch is short
    spec = make_spec(variant=variant, attention=attention, train_size=250, lr=1e-3)
    expected = literal_training(spec, digits, model_of(spec, digits))
    _, _, intervals = trained(spec, digits)
    measured = [loss for interval in intervals for loss in interval.train_loss]
    assert len(measured) == iterations(spec) == 2 * 8
    assert measured == pytest.approx(expected, rel=2e-4)


def test_validation_follows_iterations_0_100_200_of_each_epoch(digits, make_spec):
    spec = make_spec(variant="vanilla", train_size=430, batch_size=2, epochs=2)
    assert iterations_per_epoch(spec) == 215
    _, outcome, intervals = trained(spec, digits)
    steps = [
        interval.first_step + len(interval.train_loss) - 1
        for interval in intervals
        if interval.val_accuracy is not None
    ]
    assert steps == [0, 100, 200, 215, 315, 415]
    assert VALIDATE_EVERY == 100
    accuracies = [i.val_accuracy for i in intervals if i.val_accuracy is not None]
    assert outcome.val_accuracy_max == max(accuracies)
    assert [i.first_step for i in intervals] == [0, 1, 101, 201, 215, 216, 316, 416]
    assert sum(len(i.train_loss) for i in intervals) == iterations(spec)


def test_final_validation_is_that_of_the_last_model(digits, make_spec):
    spec = make_spec()
    model, outcome, _ = trained(spec, digits)
    validation = digits.split(spec.train_size, spec.val_size).validation
    again = evaluate(model, validation, digits.normalisation, device=CPU)
    assert outcome.val_accuracy_final == again.accuracy


def test_evaluation_counts_and_keeps_the_mode(digits, make_spec):
    model = model_of(make_spec(), digits).train()
    answer = evaluate(model, digits.test, digits.normalisation, device=CPU)
    assert model.training
    pixels = torch.from_numpy(np.asarray(digits.test.images)).float()
    norm = digits.normalisation
    logits = model((pixels / norm.scale - norm.mean[0]) / norm.std[0])
    labels = torch.from_numpy(np.asarray(digits.test.labels))
    assert answer.correct == int((logits.argmax(1) == labels).sum())
    assert answer.accuracy == 100 * answer.correct / 360
    assert answer.loss == pytest.approx(functional.cross_entropy(logits, labels).item(), rel=1e-5)
    assert answer.predicted.tolist() == logits.argmax(1).tolist()


def test_same_seed_same_bits_and_other_seed_other_bits(digits, make_spec):
    one, first, _ = trained(make_spec(), digits)
    two, second, _ = trained(make_spec(), digits)
    other, _, _ = trained(make_spec(seed=1), digits)
    assert bits(one) == bits(two)
    assert (first.val_accuracy_max, first.val_accuracy_final) == (
        second.val_accuracy_max,
        second.val_accuracy_final,
    )
    assert bits(one) != bits(other)


def test_global_random_state_is_left_alone(digits, make_spec):
    torch.manual_seed(5)
    expected = torch.get_rng_state()
    trained(make_spec(), digits)
    time_iterations(make_spec(), model_of(make_spec(), digits), (1, 8, 8), 10, 1)
    assert torch.equal(torch.get_rng_state(), expected)


class Dropping(nn.Module):
    """A model that draws while it trains."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(64, 10)

    def forward(self, images):
        return self.linear(functional.dropout(images.flatten(1), 0.5, self.training))


RECORDED = {"torch": "1", "threads": "1", "device": "cpu", "hardware": "x"}


def save(folder, state):
    values = {field.name: getattr(state, field.name) for field in fields(state)}
    save_checkpoint(folder, Checkpoint(values, RECORDED))


def checkpoints(folder):
    return [checkpoint for _, checkpoint in load_checkpoints(folder)]


def state_of(checkpoint):
    return TrainingState(**checkpoint.state)


@pytest.mark.parametrize("stop_after", [1, 5, 8, 12, 16, 20, 24])
@pytest.mark.parametrize("kind", ["double", "vanilla", "dropout"])
def test_resumed_equals_uninterrupted_bit_by_bit(kind, stop_after, digits, make_spec, tmp_path):
    """Stopped within epochs (8 iterations each), at their last iteration, and after them."""
    spec = make_spec(epochs=3, variant="vanilla" if kind == "dropout" else kind)

    def fresh():
        if kind != "dropout":
            return model_of(spec, digits)
        with rng.forked(0, "test"):
            return Dropping()

    whole, expected, intervals = trained(spec, digits, fresh())

    class Stop(Exception):
        pass

    def stop(state: TrainingState) -> None:
        if state.epoch * 8 + state.iteration == stop_after:
            save(tmp_path, state)
            raise Stop

    before = []
    with pytest.raises(Stop):
        train(
            spec,
            fresh(),
            digits.split(spec.train_size, spec.val_size),
            device=CPU,
            on_iteration=lambda done: done == stop_after,
            on_interval=before.append,
            on_state=stop,
        )
    (checkpoint,) = checkpoints(tmp_path)
    state = state_of(checkpoint)
    assert checkpoint.environment == RECORDED
    assert sum(len(i.train_loss) for i in before) == state.reported(spec)  # type: ignore[misc]
    resumed, outcome, rest = trained(spec, digits, fresh(), state=state)
    assert bits(resumed) == bits(whole)
    assert outcome.val_accuracy_final == expected.val_accuracy_final
    assert outcome.val_accuracy_max == expected.val_accuracy_max
    assert [(i.first_step, i.train_loss, i.val_accuracy) for i in (*before, *rest)] == [
        (i.first_step, i.train_loss, i.val_accuracy) for i in intervals
    ]


def test_damaged_checkpoint_is_told_and_the_one_before_used(digits, make_spec, tmp_path):
    trained(make_spec(epochs=3), digits, on_state=lambda state: save(tmp_path, state))
    assert [state_of(checkpoint).epoch for checkpoint in checkpoints(tmp_path)] == [3, 2]
    path = tmp_path / "checkpoint.pt"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    damaged, before = checkpoints(tmp_path)
    assert damaged is None
    assert state_of(before).epoch == 2
    (tmp_path / "checkpoint.previous.pt").write_bytes(b"short")
    assert checkpoints(tmp_path) == [None, None]


def test_a_checkpoint_cannot_run_code(tmp_path):
    import hashlib
    import pickle

    class Evil:
        def __reduce__(self):
            return (tmp_path.joinpath("hit").touch, ())

    content = pickle.dumps(Evil())
    (tmp_path / "checkpoint.pt").write_bytes(hashlib.sha256(content).digest() + content)
    assert checkpoints(tmp_path) == [None]
    assert not (tmp_path / "hit").exists()


def test_divergence_is_a_result_with_its_iteration(digits, make_spec):
    _, outcome, intervals = trained(make_spec(lr=1e30), digits)
    assert outcome.diverged_at is not None
    assert outcome.val_accuracy_final is None
    last = intervals[-1]
    assert last.first_step + len(last.train_loss) - 1 == outcome.diverged_at
    assert not math.isfinite(last.train_loss[-1])
    assert all(
        math.isfinite(loss)
        for interval in intervals
        for loss in interval.train_loss[: -1 if interval is last else None]
    )
    assert last.val_accuracy is None


def test_weights_broken_by_the_last_update_are_a_divergence(digits, make_spec):
    spec = make_spec(variant="vanilla", train_size=32, epochs=1, lr=1e38)
    assert iterations(spec) == 1
    _, outcome, intervals = trained(spec, digits)
    assert math.isfinite(intervals[0].train_loss[0])
    assert outcome.diverged_at == 0
    assert outcome.val_accuracy_final is None


def test_variants_of_one_seed_see_the_images_in_one_order(digits, make_spec):
    first_batches = {}
    for variant in ("vanilla", "double"):
        model = model_of(make_spec(variant=variant), digits)
        seen = []
        model.conv1.register_forward_pre_hook(lambda _, inputs, s=seen: s.append(inputs[0].clone()))
        trained(make_spec(variant=variant), digits, model)
        first_batches[variant] = seen[0]
    assert torch.equal(first_batches["vanilla"], first_batches["double"])


def test_unknown_device_is_refused():
    from attnstudy.errors import UsageError

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(UsageError, match="--device cuda"):
        choose_device("cuda")
    assert choose_device("auto") == CPU


GPU_FLAGS = """
import torch
from torch.utils import deterministic
from attnstudy.trainings.placement.training import prepare_process

prepare_process(torch.device("cuda"), 1)  # sets flags alone, so that it needs no GPU
print(torch.are_deterministic_algorithms_enabled(), deterministic.fill_uninitialized_memory)
"""


@pytest.mark.rest
def test_repeatable_kernels_do_not_cost_a_pass_over_every_new_tensor():
    """torch fills what it allocates where it is deterministic, unless it is told not to."""
    command = [sys.executable, "-c", GPU_FLAGS]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["True", "False"]
