"""What every source gives: samples by arm, and what is known about them."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from attnstudy.errors import UsageError
from attnstudy.stats import Exclusion, Source
from attnstudy.studyplan import RecordedPlan
from attnstudy.tables.directions import less_is_better
from attnstudy.usecases.declaring import Seen
from attnstudy.usecases.sources.related import RelatedStudy

Direction = Literal["maximize", "minimize"]
Curve = tuple[Sequence[float], Sequence[float]]
"""Iterations and validation accuracies (percent) of one run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReference:
    """A run that a ranking used."""

    name: str
    """Its name, as the tracking store shows it."""
    run_id: str
    """Its identity there; empty where it is not there yet."""
    value: float | None
    """Its value of the metric; None if it diverged."""
    arm: str | None = None
    """The arm that it is a run of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """The samples of a ranking and where they come from."""

    samples: Mapping[str, Mapping[int, float] | Sequence[float]]
    metric: str
    direction: Direction
    source: Source | None = None
    """How they were read, where others made them."""
    folds: str | None = None
    """What numbers the repetitions, where by its name they are folds of a cross-validation."""
    best_of_itself: bool = False
    """Whether every value is the best of its run's curve, chosen by the ranked metric itself."""
    study: str | None = None
    config: str | None = None
    task: str | None = None
    """The task of the runs, of a study with several."""
    other_tasks: tuple[str, ...] = ()
    """The other tasks of that study."""
    question: str | None = None
    items: int | None = None
    """Test images behind an accuracy in percent."""
    chance: float | None = None
    """The metric of guessing, percent."""
    diverged: Mapping[str, int | Collection[int]] = field(default_factory=dict)
    """How many runs diverged, or their seeds, by arm."""
    correct: Mapping[str, npt.NDArray[np.uint8]] | None = None
    """Shape (runs, images) an arm: 1 where a run was right."""
    split: Literal["fixed", "by seed"] | None = None
    """Which images the runs trained and validated on; None where they do not say, or differ."""
    seconds: Mapping[str, float] | None = None
    """Seconds of a run, by arm."""
    plans: tuple[RecordedPlan, ...] = ()
    """Of this configuration, oldest first."""
    damaged_plans: int = 0
    """Records of plans that do not have the hash that they say."""
    seen: tuple[Seen, ...] = ()
    """Every run of the configuration, also those without a result, repeated or deleted."""
    trained_before: Mapping[str, str] = field(default_factory=dict)
    """By run: the other study in which the very same was trained before the plan was recorded."""
    related: tuple[RelatedStudy, ...] = ()
    """Other studies of the same arms, settings and dataset, the first begun first."""
    doubts: tuple[str, ...] = ()
    """What of the tracking store cannot be believed, a phrase each."""
    configurations: int = 1
    """Of this study with finished runs."""
    pooled_plans: int = 0
    """Plans that do not apply because several configurations are pooled."""
    excluded: tuple[Exclusion, ...] = ()
    notes: tuple[str, ...] = ()
    runs: tuple[RunReference, ...] = ()
    curves: Mapping[str, Sequence[Curve]] = field(default_factory=dict)


def values_of(
    found: Collected, task: str | None = None
) -> list[tuple[str, str | None, int | None, float]]:
    """Return arm, task, seed and value of each run that has one; those that diverged have none."""
    rows: list[tuple[str, str | None, int | None, float]] = []
    for arm, values in found.samples.items():
        seeded = values.items() if isinstance(values, Mapping) else ((None, v) for v in values)
        rows += [(arm, task, seed, value) for seed, value in seeded]
    return rows


def direction_of(metric: str, asked: str | None) -> Direction:
    """Return which way a metric is better: as asked, else as its name says."""
    if asked is not None:
        return "minimize" if asked == "minimize" else "maximize"
    return "minimize" if less_is_better(metric) else "maximize"


def is_finite(value: float) -> bool:
    """Whether a logged metric is a finite number; stores keep infinity as the largest double."""
    return math.isfinite(value) and abs(value) < 1e300


def settle_differences(
    fields: Mapping[str, Mapping[str, Sequence[Any]]], allowed: Sequence[str], what: str
) -> tuple[str, ...]:
    """Refuse to pool runs that differ in a field which nobody allowed to differ.

    Args:
        fields: field -> value -> names of the runs that have it, for fields with several values.
        allowed: fields that may differ.
        what: what is being ranked, for the message.

    Returns:
        A remark for each difference that was allowed.

    Raises:
        UsageError: naming each field that differs.
    """
    refused = sorted(set(fields) - set(allowed))
    if refused:
        differ = "; ".join(f"{name}: {_values(fields[name])}" for name in refused)
        raise UsageError(
            f"the runs of {what} differ in more than the arm, so they cannot be compared as "
            "they are; select some, name the one that numbers the repetitions by --seed-by, or say "
            f"--allow-differences FIELD for each of {differ}"
        )
    return tuple(
        f"allowed to differ between runs: {name} ({_values(fields[name])})"
        for name in sorted(fields)
    )


def _values(runs_by_value: Mapping[str, Sequence[Any]]) -> str:
    counts = sorted(runs_by_value.items(), key=lambda item: -len(item[1]))
    shown = [f"{value} in {len(runs)} run{'s' * (len(runs) != 1)}" for value, runs in counts[:4]]
    return ", ".join(shown) + (f", and {len(counts) - 4} more" if len(counts) > 4 else "")
