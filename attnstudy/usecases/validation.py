"""Validation of an archive's content: the types and values that other code relies on."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Mapping
from typing import Any

from attnstudy.runs import (
    OF_TIME,
    DatasetFacts,
    LogRecord,
    Result,
    Start,
    Status,
    impossible_fact,
    is_metric_name,
)
from attnstudy.study import RunSpec
from attnstudy.studyplan import RecordedPlan
from attnstudy.trainings.registry import find


def valid_start(started: Start) -> bool:
    """Whether the fields that other programs read as text are what they should be.

    Only trainings that are not built in may tell nothing about their data.
    """
    spec = started.spec
    if started.dataset is not None and not _valid_facts(started.dataset):
        return False
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
    needed = {"train_seconds"} if known is None else OF_TIME
    return (
        result.status.done
        and all(map(_number, (*result.metrics.values(), result.finished_at)))
        and needed <= set(result.metrics)
        and (known is None or _tested_as_it_should(result, sealed=sealed))
        and _texts(result.environment)
        and (known is None or set(result.environment) >= _OF_A_PLACEMENT)
        and _texts(result.files)
        and all(isinstance(note, str) for note in result.notes)
    )


def _valid_facts(facts: DatasetFacts) -> bool:
    """Whether what is told of a dataset has the types that MLflow is to be given."""
    texts = (facts.name, facts.source, facts.digest, *facts.class_names)
    counts = (facts.test_images, *facts.image_shape)
    return (
        all(isinstance(text, str) for text in texts)
        and all(type(count) is int for count in counts)
        and isinstance(facts.normalisation, Mapping)
    )


def impossible_start(started: Start) -> str | None:
    """Return what cannot be right about the start of a run, as a clause; None if all can be."""
    if not _moment(started.at):
        return f"its start, {_short(started.at)} ms since 1970, is no time of this era"
    return None


def possible_plan(recorded: RecordedPlan) -> bool:
    """Whether a plan was recorded at a time at which it can have been."""
    return _moment(recorded.at)


def impossible_result(spec: RunSpec, result: Result) -> str | None:
    """Return which value of a result cannot be right, and why, as a clause; None if all can be.

    The types of all values are known to be right, see ``valid_result``.
    """
    if not _moment(result.finished_at):
        return f"its end, {_short(result.finished_at)} ms since 1970, is no time of this era"
    step = result.diverged_at
    if step is not None and (type(step) is not int or step < 0):
        return f"it diverged at {step!r}, which is no step"
    facts = (impossible_fact(name, text) for name, text in result.environment.items())
    return next(filter(None, facts), None) or _impossible(spec, result.metrics)


def impossible_record(spec: RunSpec, record: LogRecord) -> str | None:
    """Return the same of a line of a journal."""
    numbers = (record.seconds, *(value for values in record.values.values() for value in values))
    if type(record.step) is not int or not all(map(_number, numbers)):
        return f"of step {_short(record.step)} it holds what is no number"
    if record.step < 0 or record.seconds < 0:
        return f"step {_short(record.step)} is at {_short(record.seconds)} seconds"
    for name, values in record.values.items():
        for value in values:
            if (said := _impossible(spec, {name: value})) is not None:
                return said
    return None


def _impossible(spec: RunSpec, metrics: Mapping[str, float]) -> str | None:
    for name, value in metrics.items():
        if not is_metric_name(name):
            return f"{reprlib.repr(name)} cannot be the name of a metric"
        said = f"{name} {_short(value)}"
        # what else a training of the user's own measures, nobody but the user knows
        if spec.training is None and "accuracy" in name and not 0 <= value <= 100:
            return f"{said} is no percentage, which is from 0 to 100"
        if name in OF_TIME and value < 0:
            return f"{said} is negative"
    return None


_LAST = 253_402_300_800_000
"""The end of the year 9999, in milliseconds since 1970."""


_DIGITS = 16
_OF_A_PLACEMENT = {"torch"}
"""What every result of a placement was made with, and its model is described by."""


def _moment(at: object) -> bool:
    """Whether a number of milliseconds is a time at which a run can have been made."""
    return type(at) is int and 0 <= at < _LAST


def _short(value: float) -> str:
    """Return a number as a sentence can hold it."""
    text = f"{value:.6g}" if type(value) is float else str(value)
    return text if len(text) <= _DIGITS else f"{text[:_DIGITS]}..."


def _tested_as_it_should(result: Result, *, sealed: bool) -> bool:
    """Whether a placement has numbers of test images if and only if it is no run of a search."""
    if sealed:
        return not {"test_accuracy", "test_loss"} & set(result.metrics)
    return "test_accuracy" in result.metrics or result.status is Status.DIVERGED


def _number(value: object) -> bool:
    try:  # a whole number may have more digits than a float can stand for
        return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]
    except OverflowError:
        return False


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
