"""What was measured on several tasks: a sample for each arm on each, and their common scale."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from attnstudy.errors import UsageError
from attnstudy.stats.measurements import Measurements
from attnstudy.stats.samples import MIN_RUNS, Floats, Sample, read_samples
from attnstudy.stats.units import unit_of
from attnstudy.stats.vocabulary import Direction
from attnstudy.tables.headings import is_accuracy

Scale = str
"""``metric``: differences are in the metric's unit; ``sd``: in standard deviations of the runs."""
SCALES = ("metric", "sd")
_SINGLE = "single values have no standard deviation"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TaskMeasurements:
    """The results of the runs on one task."""

    measured: Measurements
    direction: Direction
    """Which way the metric is better on this task."""
    metric: str
    """Name of the metric on this task."""


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """The samples by task and arm, and how differences are measured."""

    tasks: tuple[str, ...]
    arms: tuple[str, ...]
    """In the order in which they first appear."""
    cells: Mapping[str, Mapping[str, Sample]]
    """task -> arm -> its runs; an arm that a task lacks is not in it."""
    signs: Mapping[str, float]
    """task -> 1, or -1 where its metric is turned so that more is better on every task."""
    units: Mapping[str, str]
    """task -> the unit of its differences, see ``samples.unit_of``."""
    scale: Scale
    reason: str
    """Why differences are measured so, for the reader; empty where it is as everywhere."""

    def spread(self, task: str) -> float:
        """Return the standard deviation of the runs of a task: the root of the arms' mean variance.

        NaN where no arm has two runs, 0 where none varies.
        """
        variances = [s.sd**2 for s in self.cells[task].values() if s.n > 1]
        return math.sqrt(sum(variances) / len(variances)) if variances else math.nan

    def unit(self, task: str) -> float:
        """Return what differences on a task are divided by."""
        return 1.0 if self.scale == "metric" else self.spread(task)

    def mean(self, task: str, arm: str) -> float:
        """Return the mean of an arm on a task, turned but not divided; NaN where there is none."""
        sample = self.cells[task].get(arm)
        return math.nan if sample is None or not sample.n else self.signs[task] * sample.mean

    def means(self, tasks: Sequence[str]) -> Floats:
        """Return the means on some tasks, shape (tasks, arms), in the common scale."""
        rows = [[self.mean(task, arm) / self.unit(task) for arm in self.arms] for task in tasks]
        return np.array(rows, dtype=np.float64).reshape(len(tasks), len(self.arms))

    def measurable(self, task: str) -> bool:
        """Whether differences on a task can be brought to the common scale."""
        return self.scale == "metric" or self.spread(task) > 0.0

    def complete(self, least: int = MIN_RUNS) -> tuple[str, ...]:
        """Return the tasks on which every arm has so many runs, in a scale."""
        return tuple(
            task
            for task in self.tasks
            if self.measurable(task)
            and all(
                arm in self.cells[task] and self.cells[task][arm].n >= least for arm in self.arms
            )
        )


def read_grid(given: Mapping[str, TaskMeasurements], scale: Scale | None) -> Grid:
    """Check what was measured and return it by task and arm.

    Args:
        given: by task.
        scale: of the differences; None decides: the metric's unit where all tasks have
            accuracies in one unit, else standard deviations of the runs.

    Raises:
        UsageError: fewer than two tasks, two that differ in case alone, no arm on two tasks, or
            the metric's unit is asked for where the tasks have different directions.
        MeasurementError: a value is not finite.

    """
    _check_names(list(given))
    if scale not in (None, *SCALES):
        raise UsageError(f"the scale is {scale!r}: use metric or sd")
    cells = {
        task: {s.arm: s for s in read_samples(one.measured.samples, one.measured.diverged)}
        for task, one in given.items()
    }
    arms = tuple(dict.fromkeys(arm for own in cells.values() for arm in own))
    if len(arms) < 2:
        raise UsageError(
            f"there is one arm, {arms[0]!r}, on all tasks: a ranking needs a second one"
        )
    units = {
        task: unit_of(list(cells[task].values()), one.metric, None) for task, one in given.items()
    }
    directions = {one.direction for one in given.values()}
    signs = {
        task: -1.0 if len(directions) > 1 and one.direction == "minimize" else 1.0
        for task, one in given.items()
    }
    found, reason = _scale(given, cells, units, scale)
    return Grid(tuple(given), arms, cells, signs, units, found, reason)


def _scale(
    given: Mapping[str, TaskMeasurements],
    cells: Mapping[str, Mapping[str, Sample]],
    units: Mapping[str, str],
    asked: Scale | None,
) -> tuple[Scale, str]:
    """Return how differences are measured, and why."""
    turned = {task: one.direction for task, one in given.items()}
    several = len(set(turned.values())) > 1
    if asked == "metric" and several:
        up = next(task for task, way in turned.items() if way == "maximize")
        down = next(task for task, way in turned.items() if way == "minimize")
        raise UsageError(
            f"more is better on {up} and less on {down}, so their differences have no common unit: "
            "leave out the scale, or give sd"
        )
    if asked is not None:
        return asked, ""
    metrics = {one.metric for one in given.values()}
    if not any(s.n > 1 for own in cells.values() for s in own.values()):
        if several or len(metrics) > 1:
            raise UsageError(
                "the tasks have different metrics, and one value in each cell has no standard "
                "deviation to bring their differences to one scale: give the runs, or ranks in "
                "place of the values"
            )
        return "metric", "" if is_accuracy(metrics.pop()) else _SINGLE
    if several:
        return "sd", "the tasks differ in which way is better"
    if len(metrics) > 1:
        return "sd", f"the tasks have different metrics ({', '.join(sorted(metrics))})"
    (metric,) = metrics
    if not is_accuracy(metric):
        return "sd", f"nothing says that {metric} has one unit on all tasks"
    if len(set(units.values())) > 1:
        return "sd", "the accuracies are in percent on some tasks and shares on others"
    values = [v for own in cells.values() for s in own.values() for v in s.values.tolist()]
    if set(units.values()) == {""} and not all(0.0 <= v <= 1.0 for v in values):
        return "sd", f"the values of {metric} are no shares and no percentages"
    return "metric", ""


def _check_names(tasks: Sequence[str]) -> None:
    if not tasks:
        raise UsageError("there is no task to rank on: give at least two")
    if len(tasks) == 1:
        raise UsageError(
            f"there is one task, {tasks[0]!r}: rank it without the field of tasks (--task-by), "
            "which is for several"
        )
    seen: dict[str, str] = {}
    for task in tasks:
        other = seen.setdefault(" ".join(task.split()).casefold(), task)
        if other != task:
            raise UsageError(
                f"the tasks {other!r} and {task!r} differ in case or spaces alone: write both "
                "alike if they are one, or rename one of them"
            )
