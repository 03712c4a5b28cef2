"""Validation of an archive's content: the types and values that other code relies on."""

from __future__ import annotations

import math
from typing import Any

from attnstudy.runs import Result, Start, Status
from attnstudy.study import RunSpec
from attnstudy.trainings.registry import find


def valid_start(started: Start) -> bool:
    """Whether the fields that other programs read as text are what they should be.

    Only trainings that are not built in may tell nothing about their data.
    """
    spec = started.spec
    if spec.training is not None:
        return type(spec.seed) is int and _texts(dict(spec.facts))
    counts = (spec.seed, spec.train_size, spec.val_size, spec.epochs, spec.batch_size)
    texts = (spec.dataset, spec.variant, spec.dataset_digest, spec.precision)
    return (
        started.dataset is not None
        and all(type(count) is int for count in (*counts, *spec.channels))
        and all(isinstance(text, str) for text in texts)
    )


def valid_result(spec: RunSpec, result: Result, *, sealed: bool) -> bool:
    """Whether a result has what is read from it later; its seal only says that nothing changed.

    ``sealed`` says that it is of a search, which never sees a test image.
    """
    known = find(spec.training).metrics
    needed = {"train_seconds"} if known is None else {"train_seconds", "images_per_second"}
    return (
        result.status.done
        and all(map(_number, (*result.metrics.values(), result.finished_at)))
        and needed <= set(result.metrics)
        and (known is None or _tested_as_it_should(result, sealed=sealed))
        and _texts(result.environment)
        and _texts(result.files)
    )


def _tested_as_it_should(result: Result, *, sealed: bool) -> bool:
    """Whether a placement has numbers of test images if and only if it is no run of a search."""
    if sealed:
        return not {"test_accuracy", "test_loss"} & set(result.metrics)
    return "test_accuracy" in result.metrics or result.status is Status.DIVERGED


def _number(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]


def _texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


def valid_replaced(value: Any) -> bool:
    """Whether a note of replaced runs lists ids by store."""
    return isinstance(value, dict) and all(
        isinstance(ids, list) and all(isinstance(run_id, str) for run_id in ids)
        for ids in value.values()
    )


def valid_pauses(value: Any) -> bool:
    """Whether a note of pauses gives an accuracy by epochs."""
    return isinstance(value, dict) and all(
        epochs.isdecimal() and _number(score) for epochs, score in value.items()
    )
