"""Validation of an archive's content: the types and values that other code relies on."""

from __future__ import annotations

import math
from typing import Any

from attnstudy.runs import Result, Status
from attnstudy.study import RunSpec


def valid_spec(spec: RunSpec) -> bool:
    """Whether the fields that other programs read as text are what they should be."""
    counts = (spec.seed, spec.train_size, spec.val_size, spec.epochs, spec.batch_size)
    texts = (spec.dataset, spec.variant, spec.dataset_digest, spec.precision)
    return all(type(count) is int for count in (*counts, *spec.channels)) and all(
        isinstance(text, str) for text in texts
    )


def valid_result(result: Result, *, sealed: bool) -> bool:
    """Whether a result has what is read from it later; its seal only says that nothing changed.

    ``sealed`` says that it is of a search, which never sees a test image.
    """
    measured = [
        result.val_accuracy_max, result.val_accuracy_final, result.test_accuracy, result.test_loss,
    ]  # fmt: skip
    numbers = [result.train_seconds, result.images_per_second, result.finished_at]
    return (
        result.status.done
        and all(score is None or _number(score) for score in measured)
        and all(map(_number, numbers))
        and (
            (result.test_accuracy, result.test_loss) == (None, None)
            if sealed
            else result.test_accuracy is not None or result.status is Status.DIVERGED
        )
        and _texts(result.environment)
        and _texts(result.files)
    )


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
