"""Curves: which rows are points of the same run's curve, and which point is its result."""

from __future__ import annotations

import math
import operator
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat

from attnstudy.errors import DataError, UsageError
from attnstudy.tables import headings
from attnstudy.tables.cells import Gap, gap_of
from attnstudy.tables.columns import Column, Kind
from attnstudy.tables.layouts.source import Table
from attnstudy.tables.points import Point


@dataclass(frozen=True, slots=True)
class RunKeys:
    """What tells the runs of a table apart."""

    labels: Sequence[str]
    """For every row its arm."""
    column: Column | None
    """Its seed or what else names the run; None where nothing besides the arm does."""

    @property
    def told(self) -> bool:
        """Whether anything besides the arm tells runs apart."""
        return self.column is not None

    def of(self, rows: Sequence[int]) -> Iterable[tuple[str, str]]:
        """Return what tells the run of each row."""
        names = repeat("") if self.column is None else self.column.taken(rows)
        return zip(map(self.labels.__getitem__, rows), names, strict=False)

    def grouped(self, rows: Sequence[int]) -> list[list[int]]:
        """Return the rows of each run."""
        runs: dict[tuple[str, str], list[int]] = {}
        for row, key in zip(rows, self.of(rows), strict=True):
            runs.setdefault(key, []).append(row)
        return list(runs.values())


def run_keys(table: Table, labels: Sequence[str]) -> RunKeys:
    """Return what tells the runs apart: their seeds, else a column such as a run's id."""
    return RunKeys(labels, table.shape.seed or _id_column(table, labels))


def step_column(table: Table, runs: RunKeys, kept: Sequence[int]) -> Column | None:
    """Return the column of steps where rows are points of curves; None where they are runs.

    Raises:
        UsageError: there are curves, and nothing tells which rows are of one run.

    """
    steps = [
        c
        for c in table.columns
        if c.kind is Kind.STEP and c not in table.shape.arms and c is not table.shape.seed
        and c.name not in table.asked.settled
    ]  # fmt: skip
    if not steps:
        if table.asked.point != Point():
            raise UsageError(
                f"--at chooses a point of a curve, and {table.what} has no column of steps"
            )
        return None
    # a step that all rows share says when they were taken, and tells no points of a curve apart
    varying = [c for c in steps if len(set(c.taken(kept))) > 1]
    if not varying and table.asked.point == Point():
        return None
    steps = varying or steps
    if len(steps) > 1:
        names = ", ".join(c.name for c in steps)
        several = [c for c in steps if _repeats(runs, kept, c)]
        if len(several) > 1:
            several = _one_counter(table, runs, kept, several)
        elif not several:  # a row per run: how far each was trained
            several = steps[:1]
        if len(several) != 1:
            raise UsageError(
                f"{table.what} has several columns of steps ({names}): choose rows with --filter"
            )
        steps = several
    (step,) = steps
    if _repeats(runs, kept, step):
        return step
    if not runs.told and max(Counter(runs.of(kept)).values(), default=0) > 1:
        raise UsageError(
            f"{table.what} has a column of steps ({step.name}) and nothing that tells which rows "
            "are of one run: name what numbers the runs with --seed-by, or choose one step with "
            f"--filter {step.name}=N"
        )
    if table.asked.point != Point():
        raise UsageError(
            f"--at chooses a point of a curve, and {table.what} has one row per run ({step.name} "
            "is not a curve's)"
        )
    return None


def _one_counter(
    table: Table, runs: RunKeys, kept: Sequence[int], steps: Sequence[Column]
) -> list[Column]:
    """Return the column that counts the points of curves, of several that go up together."""
    point = table.asked.point
    if point.rule == "step":
        named = [c for c in steps if (point.counter or "step") in headings.words_of(c.name)]
        if named or point.counter:
            return named
    finest = max(steps, key=lambda c: len(set(zip(runs.of(kept), c.taken(kept), strict=True))))
    for rows in runs.grouped(kept):
        order = sorted(zip(steps_of(table, finest, rows), rows, strict=True))
        for other in steps:
            counted = steps_of(table, other, [row for _, row in order])
            if counted != sorted(counted):
                return list(steps)
    return [finest]


def _repeats(runs: RunKeys, kept: Sequence[int], step: Column) -> bool:
    """Whether runs have several rows that differ in their step."""
    if not runs.told:
        return False
    first: dict[tuple[str, str], str] = {}
    return any(
        first.setdefault(key, cell) != cell
        for key, cell in zip(runs.of(kept), step.taken(kept), strict=True)
    )


def _id_column(table: Table, labels: Sequence[str]) -> Column | None:
    """Return the column that tells runs apart without numbering them, such as a run's id."""
    for column in table.columns:
        if column.kind is Kind.BOOKKEEPING and not column.numeric and column.varies:
            name = headings.folded(column.name)
            if not ("run" in name or "id" in name or name == "name"):
                continue
            arm_of: dict[str, str] = {}
            if all(map(operator.eq, map(arm_of.setdefault, column.cells, labels), labels)):
                return column
    return None


def steps_of(table: Table, step: Column, of: Sequence[int]) -> list[float]:
    """Return the steps of some rows.

    Raises:
        DataError: one is no number.

    """
    return table.steps(of, step)


def point_of_curve(
    table: Table, metric: Column, step: Column, of: Sequence[int], run: str
) -> int | None:
    """Return the row of a run's result; None if its curve has no such point.

    Args:
        table: the table.
        metric: the column of results.
        step: the column of steps.
        of: the rows of the run.
        run: what to call the run.

    Raises:
        UsageError: there is no column that says which point is best.
        DataError: two rows are of one step.

    """
    point = table.asked.point.judged(metric.name, table.asked.direction)
    every = of
    if not metric.plain:
        # loggers give each metric rows of its own, in which the others are empty
        of = [row for row in every if gap_of(metric.cells[row]) is not Gap.EMPTY] or every[-1:]
    steps = steps_of(table, step, of)
    places = dict(zip(steps, of, strict=True))
    if len(places) < len(steps):
        twice = [s for s, n in Counter(steps).items() if n > 1]
        raise DataError(
            f"{table.what}: {run} has several rows at {step.name} {twice[0]:g}: keep one of them"
        )
    if table.reads_plainly(metric):
        curve = dict(zip(steps, table.values(of, metric), strict=True))
    else:
        curve = {
            s: _float(table, row, metric)
            for s, row in places.items()
            if not _unlogged(table, row, metric)
        }
    looked: dict[float, float] = {}
    if point.rule == "best":
        column = next((c for c in table.columns if c.name == point.of), None)
        if column is None or not column.numeric:
            raise UsageError(f"{table.what} has no column of numbers {point.of!r} for --of")
        looked = {
            s: _float(table, row, column)
            for s, row in zip(steps_of(table, step, every), every, strict=True)
            if table.number(row, column) is not Gap.EMPTY
        }
    picked = point.pick(curve, looked)
    if picked is None:
        return of[-1] if point.rule == "last" else None
    return places[picked]


def _unlogged(table: Table, row: int, metric: Column) -> bool:
    """Whether nothing was logged at a step, which is not that a run has no result."""
    gap = gap_of(metric.cells[row])
    return gap is Gap.EMPTY or (gap is Gap.UNCLEAR and table.number(row, metric) is Gap.EMPTY)


def _float(table: Table, row: int, column: Column) -> float:
    (value,) = table.values((row,), column) or (math.nan,)
    return value
