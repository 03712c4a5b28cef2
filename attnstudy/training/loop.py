"""Training of one specification: the reference protocol to the letter, resumable and repeatable.

Adam at PyTorch's defaults on cross-entropy; the order is reshuffled every epoch and the short
last batch kept; validation after the update of iterations 0, 100, 200, ... of each epoch; the
model that counts is the one after the last iteration.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from attnstudy import seeding
from attnstudy.data import Split
from attnstudy.study import TrialSpec
from attnstudy.training.evaluation import Evaluation, evaluate, on_device
from attnstudy.training.step import Step

VALIDATE_EVERY = 100
"""Iterations between validations, counted from 0 within each epoch."""


@dataclass(frozen=True, slots=True)
class Interval:
    """What happened between two readings of the losses: at most one validation, at its end."""

    epoch: int
    first_step: int
    """Step of the first loss: epoch x iterations an epoch + iteration."""
    train_loss: tuple[float, ...]
    """Loss of every iteration, in order; the last may be infinite or not a number."""
    val_accuracy: float | None
    """Percent of validation images right after the last iteration; none if not measured."""
    seconds: float
    """Training time from the start of the run to the end of this interval."""


@dataclass(slots=True)
class TrainingState:
    """Where a training stands between two updates, and all it needs to go on."""

    epoch: int
    iteration: int
    """Iterations done within the epoch."""
    losses: Tensor
    """Shape (P,), on the CPU: of the last updates, which no interval has reported yet."""
    seconds: float
    val_accuracy_max: float
    model: dict[str, Tensor]
    optimizer: dict[str, Any]
    noise: Tensor
    """State of the generator that dropout and the like draw from."""

    def reported(self, spec: TrialSpec) -> int:
        """Return how many updates the intervals told of."""
        return self.epoch * spec.iterations_per_epoch + self.iteration - len(self.losses)


@dataclass(frozen=True, slots=True)
class Trained:
    """How a training ended. Accuracies in percent."""

    diverged_at: int | None
    """Step of the first loss that is not finite; none if all are."""
    val_accuracy_max: float | None
    """Highest of the validations during training."""
    val_accuracy_final: float | None
    """Taken once after the last update."""
    train_seconds: float


def train(
    spec: TrialSpec,
    model: nn.Module,
    split: Split,
    *,
    device: torch.device,
    state: TrainingState | None = None,
    on_iteration: Callable[[int], bool] = lambda done: False,
    on_interval: Callable[[Interval], None] = lambda interval: None,
    on_state: Callable[[TrainingState], None] = lambda state: None,
) -> Trained:
    """Train ``model`` in place.

    Args:
        spec: what to train; epochs, batch size, learning rate and seed are read here.
        model: on any device, with its initial weights.
        split: training and validation images.
        device: where to train.
        state: where an interrupted training of the same specification stood.
        on_iteration: called after every update with the number of updates done; tells whether
            the state is wanted now.
        on_interval: called with the losses of each interval as soon as they have been read.
        on_state: called with the state to go on from: after every epoch, and where wanted. What
            it raises ends the training.

    """
    step = Step(spec, model, device)
    optimizer = step.optimizer
    images, labels = on_device(split.train, device)
    loop = _Loop(spec, model, split, device, on_interval)
    first_epoch = skipped = 0
    with seeding.forked(spec.seed, "noise", device=device):
        if state is not None:
            model.load_state_dict(state.model)
            optimizer.load_state_dict(state.optimizer)
            _set_noise(device, state.noise)
            loop.seconds_before, loop.val_accuracy_max = state.seconds, state.val_accuracy_max
            loop.losses = list(state.losses.to(device).unbind())
            first_epoch, skipped = state.epoch, state.iteration
        done = first_epoch * spec.iterations_per_epoch + skipped
        for epoch in range(first_epoch, spec.epochs):
            # One stream an epoch: the order of any epoch is known without the ones before it.
            shuffle = seeding.generator(spec.seed, "order", epoch)
            order = torch.randperm(len(labels), generator=shuffle).to(device)
            batches = order.split(spec.batch_size)
            for iteration in range(skipped, len(batches)):
                index = batches[iteration]
                batch = split.normalisation(images.index_select(0, index))
                loop.losses.append(step(batch, labels.index_select(0, index)))
                done += 1
                if iteration % VALIDATE_EVERY == 0 and not loop.close_interval(epoch, done, True):
                    return loop.diverged()
                if on_iteration(done):
                    on_state(loop.state(epoch, iteration + 1, optimizer))
            if loop.losses and not loop.close_interval(epoch, done, False):
                return loop.diverged()
            skipped = 0
            on_state(loop.state(epoch + 1, 0, optimizer))
        return loop.finished(done)


class _Loop:
    """The bookkeeping of a training: losses still on the device, time, best validation."""

    def __init__(
        self,
        spec: TrialSpec,
        model: nn.Module,
        split: Split,
        device: torch.device,
        on_interval: Callable[[Interval], None],
    ) -> None:
        self.spec, self.model, self.split, self.device = spec, model, split, device
        self.on_interval = on_interval
        self.losses: list[Tensor] = []
        self.val_accuracy_max = -math.inf
        self.diverged_at: int | None = None
        self.seconds_before = 0.0
        self.started = time.perf_counter()

    @property
    def seconds(self) -> float:
        return self.seconds_before + time.perf_counter() - self.started

    def close_interval(self, epoch: int, done: int, validate: bool) -> bool:
        """Read the losses, validate if asked, report; tell whether the training may go on.

        This is the one place where the loop waits for the device.
        """
        losses = torch.stack(self.losses).tolist()
        first = done - len(losses)
        self.losses.clear()
        bad = next((i for i, loss in enumerate(losses) if not math.isfinite(loss)), None)
        accuracy: float | None = None
        if bad is not None:
            self.diverged_at = first + bad
            losses = losses[: bad + 1]
        elif validate:
            accuracy = self.validate().accuracy
            self.val_accuracy_max = max(self.val_accuracy_max, accuracy)
        self.on_interval(Interval(epoch, first, tuple(losses), accuracy, self.seconds))
        return bad is None

    def validate(self) -> Evaluation:
        return evaluate(
            self.model, self.split.validation, self.split.normalisation, device=self.device
        )

    def state(self, epoch: int, iteration: int, optimizer: torch.optim.Optimizer) -> TrainingState:
        return TrainingState(
            epoch=epoch,
            iteration=iteration,
            losses=torch.stack(self.losses).cpu() if self.losses else torch.empty(0),
            seconds=self.seconds,
            val_accuracy_max=self.val_accuracy_max,
            model=self.model.state_dict(),
            optimizer=optimizer.state_dict(),
            noise=_get_noise(self.device),
        )

    def diverged(self) -> Trained:
        best = self.val_accuracy_max if math.isfinite(self.val_accuracy_max) else None
        return Trained(self.diverged_at, best, None, self.seconds)

    def finished(self, done: int) -> Trained:
        final = self.validate()
        if not math.isfinite(final.loss):  # the last update broke the weights
            self.diverged_at = done - 1
            return self.diverged()
        return Trained(None, self.val_accuracy_max, final.accuracy, self.seconds)


def _get_noise(device: torch.device) -> Tensor:
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()


def _set_noise(device: torch.device, state: Tensor) -> None:
    if device.type == "cuda":
        torch.cuda.set_rng_state(state, device)
    else:
        torch.set_rng_state(state)
