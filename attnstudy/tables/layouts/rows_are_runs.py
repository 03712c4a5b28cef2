"""Tables with a row per run: a column of arms, one of results, and perhaps one of seeds."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import cast

from attnstudy.errors import DataError, UsageError
from attnstudy.tables.asked import Arm, Reading, Run, Runs, quoted
from attnstudy.tables.cells import Gap, Printed, clip, gap_of, looks_numeric, nameless
from attnstudy.tables.columns import Column, Kind
from attnstudy.tables.headings import may_be_shared, words_of
from attnstudy.tables.layouts.curves import RunKeys, point_of_curve, run_keys, step_column, steps_of
from attnstudy.tables.layouts.other_columns import OtherColumns, settle_columns
from attnstudy.tables.layouts.rows_left_out import (
    Rows,
    counted,
    leave_out_parents,
    leave_out_statistics,
    without_unfinished,
)
from attnstudy.tables.layouts.rows_of_one_run import refuse_rows_of_one_run
from attnstudy.tables.layouts.shape import labels_of
from attnstudy.tables.layouts.source import Table
from attnstudy.tables.points import Point
from attnstudy.tables.seeds import whole_seed


@dataclass(frozen=True, slots=True)
class _Results:
    """What the runs came to."""

    rows: Sequence[int]
    """The row of each run; of a curve, the row of the point."""
    diverged: frozenset[int]
    """Rows of runs that have no value, as they diverged."""
    empty: frozenset[int]
    """Rows of runs that have none, as their cell is empty."""


def read_rows_as_runs(table: Table) -> Reading:
    """Return the arms of a table with a row per run.

    Raises:
        UsageError: it is not clear which column holds the results, or runs of one arm differ in a
            column that nobody allowed to differ.
        DataError: a row has no arm, two rows are one run, or a cell is not what it should be.

    """
    labels = labels_of(table.shape.arms)
    metric = _metric_column(table)
    kept, failed, left_out = without_unfinished(table)
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
    _refuse_blocks(table, labels, rows.kept)
    runs = run_keys(table, labels)
    step = step_column(table, runs, rows.kept)
    others = settle_columns(table, labels, rows.kept, metric, step)
    if step is None:
        _refuse_copies(table, rows.kept)
        _refuse_marks_of_items(table, metric)
        results = _results_of_rows(table, metric, rows)
    else:
        results = _results_of_curves(table, labels, metric, step, runs, rows)
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


def _results_of_rows(table: Table, metric: Column, rows: Rows) -> _Results:
    """Return the result of each run, a row each."""
    return _results(table, metric, rows.kept, rows.failed, [*rows.kept, *rows.failed])


def _results(
    table: Table,
    metric: Column,
    measured: Sequence[int],
    failed: Sequence[int],
    order: Sequence[int],
) -> _Results:
    """Return the results of runs in some order.

    Args:
        table: the table.
        metric: the column of results.
        measured: rows that should have a result.
        failed: rows that have none.
        order: all of them.

    Raises:
        DataError: naming the first seed that is no whole number, or the first cell that is none.

    """
    seed = table.shape.seed
    if table.reads_plainly(metric) and (
        seed is None or all(whole_seed(cell) is not None for cell in seed.distinct)
    ):
        return _Results(order, frozenset(failed), frozenset())
    found: dict[Gap, list[int]] = {Gap.DIVERGED: [], Gap.EMPTY: []}
    for row in measured:
        table.seed(row)
        value = table.number(row, metric)
        if isinstance(value, Gap):
            found[value].append(row)
    for row in failed:
        table.seed(row)
    return _Results(order, frozenset((*failed, *found[Gap.DIVERGED])), frozenset(found[Gap.EMPTY]))


def _results_of_curves(
    table: Table,
    labels: Sequence[str],
    metric: Column,
    step: Column,
    runs: RunKeys,
    rows: Rows,
) -> _Results:
    """Return the result of each run, a point of its curve."""
    for row in rows.failed:
        table.seed(row)
    curves = runs.grouped(rows.kept)
    points: list[int] = []
    for of in curves:
        run = _run_words(table, labels, of[0])
        found = point_of_curve(table, metric, step, of, run)
        if found is None:
            rows.left_out.append(f"{run}, without a value at {table.asked.point.words}")
            continue
        table.seed(found)
        points.append(found)
    if table.asked.point.rule == "last":
        rows.notes += _notes_on_ends(table, labels, metric, step, curves)
    return _results(table, metric, points, rows.failed, [*rows.failed, *points])


def _notes_on_ends(
    table: Table,
    labels: Sequence[str],
    metric: Column,
    step: Column,
    curves: Sequence[Sequence[int]],
) -> list[str]:
    """Return what to say of curves that do not end at the same step.

    A curve ends with its last row, or before it with its last value.
    """
    ends: dict[str, set[float]] = {}
    empty = metric.having(lambda cell: gap_of(cell) is Gap.EMPTY)
    for of in curves:
        there = [row for row in of if metric.cells[row] not in empty] or of
        ends.setdefault(labels[of[0]], set()).add(max(steps_of(table, step, there)))
    every = set().union(*ends.values())
    if len(every) < 2:
        return []
    if all(len(own) == 1 for own in ends.values()):
        said = quoted([f"{clip(arm)} at {min(own):g}" for arm, own in ends.items()])
        return [
            f"all curves of an arm end at the same {step.name}, and those of other arms at another "
            f"({said}): a difference between the arms may be due to that; --at {_at(step)}="
            f"{min(every):g} compares them at the same"
        ]
    return [
        f"the curves do not end at the same step ({min(every):g} to {max(every):g}): runs that "
        "were cut short count with their last point"
    ]


def _at(step: Column) -> str:
    return "epoch" if "epoch" in words_of(step.name) else "step"


def _run_words(table: Table, labels: Sequence[str], row: int) -> str:
    seed = table.shape.seed
    if seed is None:
        return f"the run of {labels[row]} in {table.place(row)}"
    return f"{seed.name} {seed.cells[row]} of {labels[row]}"


def _reading(
    table: Table,
    labels: Sequence[str],
    metric: Column,
    results: _Results,
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
        metric=metric.name,
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


def _arm(table: Table, name: str, metric: Column, found: array[int], results: _Results) -> Arm:
    """Return an arm with its runs.

    Raises:
        DataError: two of them have one seed, or none has a result.

    """
    if table.shape.seed is not None:
        _refuse_twice(table, name, found)
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


def _refuse_blocks(table: Table, labels: Sequence[str], kept: Sequence[int]) -> None:
    """Refuse tables below one another whose runs nothing tells apart.

    Raises:
        UsageError: naming the line of the second header.

    """
    if table.shape.seed is not None:
        return
    grid = table.grid
    first: dict[tuple[int, str], int] = {}
    last: dict[tuple[int, str], int] = {}
    for row in kept if grid.blocks else ():
        key, line = (grid.file_of[row] if grid.files else 0, labels[row]), grid.numbers[row]
        first[key], last[key] = min(first.get(key, line), line), max(last.get(key, line), line)
    for file, line in grid.blocks:
        if any(first[key] < line < last[key] for key in first if key[0] == file):
            raise UsageError(
                f"{table.what} has a second header in line {line}, with runs of the same arms "
                "below it, and nothing tells what the two parts are: give them as two files with "
                "--from, or number the runs in a column of seeds"
            )


def _refuse_copies(table: Table, kept: Sequence[int]) -> None:
    """Refuse two rows that are the same run, by its id and in every cell.

    Raises:
        DataError: naming both.

    """
    ids = [
        c
        for c in table.columns
        if c.kind is Kind.BOOKKEEPING and {"id", "uuid", "run"} & words_of(c.name)
        and not may_be_shared(c.name)
    ]  # fmt: skip
    if not all(c.repeats for c in ids):  # two rows that are alike have the same id
        return
    seen: dict[tuple[str, ...], int] = {}
    for row in kept if ids else ():
        cells = tuple(c[row] for c in table.grid.columns)
        if cells in seen:
            raise DataError(
                f"{table.what}: {table.place(row)} is the run of {table.place(seen[cells])} "
                f"again ({ids[0].name} {ids[0].cells[row]}): keep one of the two"
            )
        seen[cells] = row


def _refuse_twice(table: Table, name: str, found: Sequence[int]) -> None:
    if len(set(table.seeds(found))) == len(found):
        return
    seen: dict[int | None, int] = {}
    for row in found:
        seed = table.seed(row)
        if seed in seen:
            first = seen[seed]
            apart = [
                c.name
                for c in table.columns
                if c.name and c.kind not in (Kind.METRIC, Kind.BOOKKEEPING, Kind.STATE)
                and c.cells[first] != c.cells[row] and not c.measured
            ]  # fmt: skip
            advice = "keep one of the two"
            if apart:
                advice = (
                    f"the rows differ in {quoted(apart, 3)}, so choose rows with --filter "
                    f"{apart[0]}=VALUE, or make it part of the arm with --by"
                )
            raise DataError(
                f"{table.what}: seed {seed} of {clip(name)} appears twice (again in "
                f"{table.place(row)}): {advice}"
            )
        seen[seed] = row
