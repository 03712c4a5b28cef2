"""Training of one specification: the reference protocol to the letter, resumable and repeatable.

Cross-entropy, by Adam at PyTorch's defaults unless another optimizer is asked for; the order is
reshuffled every epoch and the short last batch kept; validation after the update of iterations 0,
100, 200, ... of each epoch; the model that counts is the one after the last iteration.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from attnstudy.study import RunSpec
from attnstudy.trainings.placement.data import Split
from attnstudy.trainings.placement.training.batches import Batch, epoch_batches
from attnstudy.trainings.placement.training.evaluation import Evaluation, on_device, score
from attnstudy.trainings.placement.variants import VALIDATE_EVERY, iterations_per_epoch


@dataclass(frozen=True, slots=True)
class Interval:
    """What happened between two readings of the losses: at most one validation, at its end."""

    epoch: int
    first_step: int
    """Step of the first loss: epoch x iterations an epoch + iteration."""
    train_loss: tuple[float, ...]
    """Loss of every iteration, in order; the last may be infinite or not a number."""
    val_accuracy: float | None
    """Percent of validation images right after the last iteration; None if not measured."""
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

    def reported(self, spec: RunSpec) -> int:
        """Return how many updates the intervals told of."""
        return self.epoch * iterations_per_epoch(spec) + self.iteration - len(self.losses)


@dataclass(frozen=True, slots=True)
class Trained:
    """How a training ended. Accuracies in percent."""

    diverged_at: int | None
    """Step of the first loss that is not finite; None if all are."""
    val_accuracy_max: float | None
    """Highest of the validations during training."""
    val_accuracy_final: float | None
    """Taken once after the last update."""
    train_seconds: float
    notes: tuple[str, ...] = ()
    """What the result has to say about how the updates were made."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a training needs to be given the means to make updates."""

    spec: RunSpec
    model: nn.Module
    split: Split
    device: torch.device
    done: int
    """Updates that were made before."""


class Updates(Protocol):
    """What a training has to do with whoever makes its updates, and keeps what they need."""

    @property
    def together(self) -> int:
        """How many trainings are updated at once."""
        ...

    def optimizer_state(self) -> dict[str, Any]:
        """Return the optimizer's state, as its ``state_dict`` gives it."""
        ...

    def load_optimizer_state(self, state: dict[str, Any]) -> None:
        """Go on from what ``optimizer_state`` gave."""
        ...

    def notes(self) -> tuple[str, ...]:
        """Return what a result has to say about how the updates were made."""
        ...

    def noise(self) -> Tensor:
        """Return the state of the stream that a model with randomness draws from."""
        ...

    def set_noise(self, state: Tensor) -> None:
        """Go on from what ``noise`` gave."""
        ...


Training = Generator[Prepared | Batch, Any, Trained]
"""A training that leaves its updates to others, so that several can make them together.

It first yields a ``Prepared`` and is sent its ``Updates``. Then it yields one ``Batch`` of
training images after the other, and is sent the loss, a tensor on the device.
"""


def training(
    spec: RunSpec,
    model: nn.Module,
    split: Split,
    *,
    device: torch.device,
    state: TrainingState | None = None,
    on_start: Callable[[int], None] = lambda together: None,
    on_iteration: Callable[[int], bool] = lambda done: False,
    on_interval: Callable[[Interval], None] = lambda interval: None,
    on_state: Callable[[TrainingState], None] = lambda state: None,
) -> Training:
    """Train ``model`` in place; see ``Training`` for who does what.

    Args:
        spec: what to train; its epochs are read here.
        model: on any device, with its initial weights.
        split: training and validation images.
        device: where to train.
        state: where an interrupted training of the same specification stood.
        on_start: called with the number of trainings that are updated together.
        on_iteration: called after every update with the number of updates done; tells whether
            the state is wanted now.
        on_interval: called with the losses of each interval as soon as they have been read.
        on_state: called with the state to go on from: after every epoch, and where wanted. What
            it raises ends the training.

    """
    first_epoch = skipped = 0
    if state is not None:
        model.load_state_dict(state.model)
        first_epoch, skipped = state.epoch, state.iteration
    done = first_epoch * iterations_per_epoch(spec) + skipped
    updates: Updates = yield Prepared(spec, model, split, device, done)
    on_start(updates.together)
    loop = _Loop(spec, model, split, device, updates, on_interval)
    if state is not None:
        updates.load_optimizer_state(state.optimizer)
        updates.set_noise(state.noise)
        loop.seconds_before, loop.val_accuracy_max = state.seconds, state.val_accuracy_max
        loop.losses = list(state.losses.to(device).unbind())
    for epoch in range(first_epoch, spec.epochs):
        batches = epoch_batches(spec, epoch, split.train_size, device, split.places)
        for iteration in range(skipped, len(batches)):
            loop.losses.append((yield batches[iteration]))
            done += 1
            if iteration % VALIDATE_EVERY == 0 and not loop.close_interval(epoch, done, True):
                return loop.diverged()
            if on_iteration(done):
                on_state(loop.state(epoch, iteration + 1))
        if loop.losses and not loop.close_interval(epoch, done, False):
            return loop.diverged()
        skipped = 0
        on_state(loop.state(epoch + 1, 0))
    return loop.finished(done)


class _Loop:
    """The bookkeeping of a training: losses still on the device, time, best validation."""

    def __init__(
        self,
        spec: RunSpec,
        model: nn.Module,
        split: Split,
        device: torch.device,
        updates: Updates,
        on_interval: Callable[[Interval], None],
    ) -> None:
        self.spec, self.model, self.split, self.device = spec, model, split, device
        self.updates, self.on_interval = updates, on_interval
        self.validation = on_device(split.validation, device)  # brought there once
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
        return score(self.model, *self.validation, self.split.normalisation)

    def state(self, epoch: int, iteration: int) -> TrainingState:
        return TrainingState(
            epoch=epoch,
            iteration=iteration,
            losses=torch.stack(self.losses).cpu() if self.losses else torch.empty(0),
            seconds=self.seconds,
            val_accuracy_max=self.val_accuracy_max,
            # copies: a view of parameters that are stacked would be kept with all of them
            model={name: value.clone() for name, value in self.model.state_dict().items()},
            optimizer=self.updates.optimizer_state(),
            noise=self.updates.noise(),
        )

    def diverged(self) -> Trained:
        best = self.val_accuracy_max if math.isfinite(self.val_accuracy_max) else None
        return Trained(self.diverged_at, best, None, self.seconds, self.updates.notes())

    def finished(self, done: int) -> Trained:
        final = self.validate()
        if not math.isfinite(final.loss):  # the last update broke the weights
            self.diverged_at = done - 1
            return self.diverged()
        best = self.val_accuracy_max
        return Trained(None, best, final.accuracy, self.seconds, self.updates.notes())
