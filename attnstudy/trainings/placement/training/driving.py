"""Making the updates of trainings: of one alone, or of several together."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from attnstudy import rng
from attnstudy.trainings.placement.training.batches import Batch
from attnstudy.trainings.placement.training.fusing import FusedStep, may_fuse
from attnstudy.trainings.placement.training.loop import Prepared, Trained, Training, training
from attnstudy.trainings.placement.training.step import Step

Work = Generator[Prepared | Batch, Any, object]
"""A ``Training``, or what delegates to one and does more before and after."""


def train(*given: Any, **named: Any) -> Trained:
    """Train one model alone and in place; takes what ``training`` takes."""
    ended: list[Trained] = []

    def wrapped() -> Training:
        trained = yield from training(*given, **named)
        ended.append(trained)
        return trained

    drive([wrapped()], _raise)
    return ended[0]


def _raise(_: int, error: Exception) -> None:
    raise error


@dataclass(slots=True, eq=False)
class _Going:
    """A training that waits for an answer."""

    number: int
    """Its place among those that were given."""
    work: Work
    asked: Prepared | Batch
    over: bool = False


def drive(trainings: Sequence[Work], failed: Callable[[int, Exception], None]) -> None:
    """Bring trainings to their ends, together where they can be fused.

    Args:
        trainings: generators that delegate to ``training``, and may do more before and after.
        failed: called with the number of a training and what it raised; the others go on.

    """
    with contextlib.ExitStack() as stack:
        for work in trainings:
            stack.callback(work.close)
        going = []
        for number, work in enumerate(trainings):
            one = _Going(number, work, asked=None)  # type: ignore[arg-type]  # asked next
            _send(one, None, failed)
            if not one.over:
                going.append(one)
        for group in _groups(going):
            _drive_group(group, failed)


def _groups(going: Sequence[_Going]) -> Iterator[list[_Going]]:
    """Yield those that can be fused together; the others alone."""
    left = list(going)
    while left:
        first = left[0]
        group = [first] + [one for one in left[1:] if may_fuse([_prepared(first), _prepared(one)])]
        left = [one for one in left if one not in group]
        yield group


def _prepared(one: _Going) -> Prepared:
    assert isinstance(one.asked, Prepared)
    return one.asked


def _batch(one: _Going) -> Batch:
    assert not isinstance(one.asked, Prepared)
    return one.asked


def _drive_group(group: Sequence[_Going], failed: Callable[[int, Exception], None]) -> None:
    prepared = [_prepared(one) for one in group]
    alone = len(group) == 1
    first = prepared[0]
    # what a model alone draws, a dropout for example, comes from the run's own stream
    noise = rng.forked(first.spec.seed, "noise", device=first.device)
    with noise if alone else contextlib.nullcontext():
        step = Step(first) if alone else FusedStep(prepared)
        for one, updates in zip(group, step.members, strict=True):
            _send(one, updates, failed)
        while batches := [_batch(one) for one in group if not one.over]:
            # whoever has left is given the images of another: they have to be as many
            asked = iter(batches)
            losses = step.update([batches[0] if one.over else next(asked) for one in group])
            for one, loss in zip(group, losses, strict=True):
                if not one.over:
                    _send(one, loss, failed)


def _send(one: _Going, answer: Any, failed: Callable[[int, Exception], None]) -> None:
    """Answer a training and note what it asks next, or that it is over."""
    try:
        one.asked = one.work.send(answer)
    except StopIteration:
        one.over = True
    except Exception as error:
        one.over = True
        failed(one.number, error)
