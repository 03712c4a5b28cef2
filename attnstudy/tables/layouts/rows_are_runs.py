"""Tables with a row per run: a column of arms, one of results, and perhaps one of seeds."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import cast

from attnstudy.errors import DataError, UsageError
from attnstudy.tables.asked import Arm, Reading, Run, Runs, quoted
from attnstudy.tables.cells import Printed, clip, looks_numeric, nameless
from attnstudy.tables.columns import Column, Kind
from attnstudy.tables.layouts.curves import run_keys, step_column
from attnstudy.tables.layouts.other_columns import OtherColumns, settle_columns
from attnstudy.tables.layouts.repeated_runs import (
    refuse_blocks,
    refuse_copies,
    refuse_rows_of_one_run,
    refuse_twice,
)
from attnstudy.tables.layouts.row_results import Results, results_of_curves, results_of_rows
from attnstudy.tables.layouts.rows_left_out import (
    Rows,
    counted,
    leave_out_parents,
    leave_out_statistics,
    without_unfinished,
)
from attnstudy.tables.layouts.shape import labels_of
from attnstudy.tables.layouts.source import Table
from attnstudy.tables.layouts.unnamed import name_of
from attnstudy.tables.points import Point


def read_rows_as_runs(table: Table) -> Reading:
    """Return the arms of a table with a row per run.

    Raises:
        UsageError: it is not clear which column holds the results, or runs of one arm differ in a
            column that nobody allowed to differ.
        DataError: a row has no arm, two rows are one run, or a cell is not what it should be.

    """
    labels = labels_of(table.shape.arms)
    metric = _metric_column(table)
    kept, failed, left_out = without_unfinished(table, labels)
    rows = Rows(kept, failed, left_out)
    for row in kept if any(map(nameless, _cells_of(table.shape.arms))) else ():
        if any(nameless(c.cells[row]) for c in table.shape.arms):
            names = " and ".join(repr(clip(c.shown)) for c in table.shape.arms)
            raise DataError(
                f"{table.what}: {table.place(row)} names no arm in column "
                f"{names}: fill it in, or remove the row"
            )
    leave_out_statistics(table, labels, metric, rows)
    leave_out_parents(table, labels, metric, rows)
    refuse_blocks(table, labels, rows.kept)
    runs = run_keys(table, labels)
    step = step_column(table, runs, rows.kept)
    others = settle_columns(table, labels, rows.kept, metric, step)
    if step is None:
        refuse_copies(table, rows.kept)
        _refuse_marks_of_items(table, metric)
        results = results_of_rows(table, metric, rows)
    else:
        results = results_of_curves(table, labels, metric, step, runs, rows)
    point = None if step is None else table.asked.point
    reading = _reading(table, labels, metric, results, point, rows, others)
    if step is None:
        refuse_rows_of_one_run(table, labels, results.rows)
    return reading


def _cells_of(columns: Sequence[Column]) -> Iterable[str]:
    """Return the different cells of each of several columns."""
    return chain.from_iterable(c.distinct for c in columns)


def _metric_column(table: Table) -> Column:
    asked, values = table.asked.metric, table.shape.values
    if asked is not None:
        if len(values) == 1 and values[0].name == asked:
            return values[0]
        named = [c for c in values if c.name == asked]
        if named:
            return named[0]
        listed = ", ".join(c.name for c in values) or "none"
        raise UsageError(f"{table.what} has no column {asked!r} of results (there: {listed})")
    if not values:
        _refuse_unread(table)
        raise DataError(f"{table.what} has no column of results beside the arms: give numbers")
    metrics = [c for c in values if c.kind is Kind.METRIC]
    plain = [c for c in values if c.kind is not Kind.STATISTIC]
    # a metric of another name may be the one that is meant
    if len(metrics) == 1 and any(c.measured for c in plain if c.kind is Kind.NUMBER):
        metrics = []
    for candidates in (metrics, plain, values):
        if len(candidates) == 1:
            if candidates is values and values[0].kind is Kind.STATISTIC:
                break
            return candidates[0]
        if candidates:
            break
    usual = next((c for c in values if c.name == "test_accuracy"), None)
    if usual is not None:
        return usual
    if all(c.kind is Kind.STATISTIC for c in values):
        raise DataError(
            f"{table.what} has no column of runs ({quoted([c.name for c in values])}): a ranking "
            "needs the values, not their summary; if one of them holds results, name it with "
            "--metric"
        )
    raise UsageError(
        f"{table.what} has several columns of numbers: name the column of values with --metric: "
        f"{', '.join(c.name for c in plain)}"
    )


def _refuse_unread(table: Table) -> None:
    """Refuse cells that begin as numbers do and are none, as ``1.07k`` and ``109 ms``.

    Raises:
        DataError: naming the first one.

    """
    own = (*table.shape.arms, table.shape.seed)
    for column in (c for c in table.columns if c not in own and c.name and not c.numeric):
        if column.cells and all(map(looks_numeric, column.distinct)):
            raise DataError(
                f"{table.what}: {clip(column.name)} in {table.place(0)} is "
                f"{clip(column.cells[0])!r}, not a number: write plain numbers, all in one unit "
                "that the heading names"
            )


def _refuse_marks_of_items(table: Table, metric: Column) -> None:
    """Refuse results that are all 0 or 1, as of test items, where nothing says that they are runs.

    Raises:
        UsageError: naming what says so.

    """
    if table.asked.layout is not None or table.shape.seed is not None:
        return
    if {*metric.distinct} in ({"0", "1"}, {"0.0", "1.0"}):
        raise UsageError(
            f"all results of {table.what} ({clip(metric.shown)}) are 0 or 1, as those of test "
            "items are, which are no runs: give the share of each run; or, if each row is a run, "
            "say --layout rows-are-runs"
        )


def _reading(
    table: Table,
    labels: Sequence[str],
    metric: Column,
    results: Results,
    point: Point | None,
    rows: Rows,
    others: OtherColumns,
) -> Reading:
    seed = table.shape.seed
    every = sorted((*rows.kept, *rows.failed)) if rows.failed else rows.kept
    by_arm: dict[str, array[int]] = {}
    for name in dict.fromkeys(map(labels.__getitem__, every)):
        by_arm[name] = array("q")
    for row in results.rows:
        by_arm[labels[row]].append(row)
    empty = [row for row in results.rows if row in results.empty] if results.empty else []
    left_out = [*rows.left_out]
    if empty:
        said = quoted(counted(labels[row] for row in empty))
        left_out.append(
            f"{len(empty)} run{'s' * (len(empty) > 1)} without a value of {metric.shown} ({said})"
        )
    arms = [_arm(table, name, metric, found, results) for name, found in by_arm.items()]
    by = tuple(c.name for c in table.shape.arms)
    return Reading(
        layout="rows-are-runs",
        arms=tuple(arms),
        results_in=metric.name,
        metric=name_of(table, metric, rows.kept or rows.failed),
        by=by,
        arms_in=f"column{'s' * (len(by) > 1)} "
        + " and ".join(c.shown.removeprefix("column ") for c in table.shape.arms),
        seeds_in=None if seed is None else f"column {seed.name}",
        seed_by=None if seed is None else seed.name,
        folds=_folds(table),
        point=point,
        left_out=(*left_out, *others.left_out),
        notes=(*rows.notes, *others.notes),
    )


def _arm(table: Table, name: str, metric: Column, found: array[int], results: Results) -> Arm:
    """Return an arm with its runs.

    Raises:
        DataError: two of them have one seed, or none has a result.

    """
    if table.shape.seed is not None:
        refuse_twice(table, name, found)
    if all(row in results.empty for row in found):
        raise DataError(
            f"{table.what} has no result of {clip(name)!r} in column {metric.shown!r}: fill "
            "it in, or leave the arm out with --filter"
        )
    without = results.diverged | results.empty
    there = array("q", [row for row in found if row not in without]) if without else found
    seeds = table.seeds(there)

    def run(place: int) -> Run:
        row, seed = there[place], table.shape.seed
        where = table.place(row)
        return Run(
            cast(Printed, table.number(row, metric)),  # as in all rows that are there
            table.grid.numbers[row],
            where if seed is None else f"{seed.name} {seeds[place]}",
            seeds[place],
        )

    diverged = [row for row in found if row in results.diverged] if results.diverged else []
    return Arm(
        name=name,
        runs=Runs(table.values(there, metric), seeds, run),
        diverged=tuple(table.seeds(diverged)),
    )


def _folds(table: Table) -> str | None:
    """Return what says that the repetitions are folds; None where nothing does."""
    seed = table.shape.seed
    if seed is not None and seed.kind is Kind.FOLD:
        return seed.name
    times = {"fit_time", "score_time"}  # scikit-learn's cross_validate writes them
    return " and ".join(sorted(times)) if times <= {c.name for c in table.columns} else None
