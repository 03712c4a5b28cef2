"""Tables with a row per run: a column of arms, one of results, and perhaps one of seeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from attnstudy.errors import DataError, UsageError
from attnstudy.tables.asked import Arm, Reading, Run, quoted
from attnstudy.tables.cells import Gap, Printed, clip, nameless
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
from attnstudy.tables.layouts.shape import labels_of
from attnstudy.tables.layouts.source import Table
from attnstudy.tables.points import Point


@dataclass(frozen=True, slots=True)
class _Result:
    """What a run came to."""

    arm: str
    seed: int | None
    value: Printed | Gap
    row: int
    """Index of its row; of a curve, of the row of the point."""


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
    for row in kept:
        if any(nameless(c.cells[row]) for c in table.shape.arms):
            names = " and ".join(repr(clip(c.shown)) for c in table.shape.arms)
            raise DataError(
                f"{table.what}: {table.place(table.grid.rows[row][0])} names no arm in column "
                f"{names}: fill it in, or remove the row"
            )
    leave_out_statistics(table, labels, metric, rows)
    leave_out_parents(table, labels, metric, rows)
    seed = table.shape.seed
    _refuse_blocks(table, labels, rows.kept)
    runs = run_keys(table, labels)
    step = step_column(table, runs, rows.kept)
    others = settle_columns(table, labels, rows.kept, metric, step)
    if step is None:
        _refuse_copies(table, rows.kept)
        results = _results_of_rows(table, labels, metric, rows)
    else:
        results = _results_of_curves(table, labels, metric, step, runs, rows)
    point = None if step is None else table.asked.point
    return _reading(table, labels, metric, results, point, rows, others, seed)


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


def _results_of_rows(
    table: Table, labels: Sequence[str], metric: Column, rows: Rows
) -> list[_Result]:
    """Return the result of each run, a row each."""
    return [
        *(_Result(labels[r], table.seed(r), table.number(r, metric), r) for r in rows.kept),
        *(_Result(labels[r], table.seed(r), Gap.DIVERGED, r) for r in rows.failed),
    ]


def _results_of_curves(
    table: Table,
    labels: Sequence[str],
    metric: Column,
    step: Column,
    runs: RunKeys,
    rows: Rows,
) -> list[_Result]:
    """Return the result of each run, a point of its curve."""
    results = [_Result(labels[r], table.seed(r), Gap.DIVERGED, r) for r in rows.failed]
    curves = runs.grouped(rows.kept)
    for of in curves:
        run = _run_words(table, labels, of[0])
        found = point_of_curve(table, metric, step, of, run)
        if found is None:
            rows.left_out.append(f"{run}, without a value at {table.asked.point.words}")
            continue
        row, value = found
        results.append(_Result(labels[row], table.seed(row), value, row))
    ends = Counter(max(steps_of(table, step, of)) for of in curves)
    if len(ends) > 1 and table.asked.point.rule == "last":
        rows.notes.append(
            f"the curves do not end at the same step ({min(ends):g} to {max(ends):g}): runs that "
            "were cut short count with their last point"
        )
    return results


def _run_words(table: Table, labels: Sequence[str], row: int) -> str:
    seed = table.shape.seed
    if seed is None:
        return f"the run of {labels[row]} in {table.place(table.grid.rows[row][0])}"
    return f"{seed.name} {seed.cells[row]} of {labels[row]}"


def _reading(
    table: Table,
    labels: Sequence[str],
    metric: Column,
    results: Sequence[_Result],
    point: Point | None,
    rows: Rows,
    others: OtherColumns,
    seed: Column | None,
) -> Reading:
    names = list(dict.fromkeys(labels[row] for row in sorted((*rows.kept, *rows.failed))))
    by_arm: dict[str, list[_Result]] = {name: [] for name in names}
    for one in results:
        by_arm[one.arm].append(one)
    empty = [one for one in results if one.value is Gap.EMPTY]
    left_out = [*rows.left_out]
    if empty:
        said = quoted(counted(one.arm for one in empty))
        left_out.append(
            f"{len(empty)} run{'s' * (len(empty) > 1)} without a value of {metric.shown} ({said})"
        )
    arms = []
    for name, found in by_arm.items():
        if seed is not None:
            _refuse_twice(table, name, found)
        if all(one.value is Gap.EMPTY for one in found):
            raise DataError(
                f"{table.what} has no result of {clip(name)!r} in column {metric.shown!r}: fill "
                "it in, or leave the arm out with --filter"
            )
        arms.append(
            Arm(
                name=name,
                runs=tuple(
                    Run(
                        one.value,
                        table.grid.rows[one.row][0],
                        f"{seed.name} {one.seed}" if seed is not None
                        else table.place(table.grid.rows[one.row][0]),
                        one.seed,
                    )
                    for one in found
                    if isinstance(one.value, Printed)
                ),
                diverged=tuple(one.seed for one in found if one.value is Gap.DIVERGED),
            )
        )  # fmt: skip
    by = tuple(c.name for c in table.shape.arms)
    columns = tuple(dict.fromkeys(run.column for arm in arms for run in arm.runs))
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
        value_columns=columns,
        point=point,
        left_out=(*left_out, *others.left_out),
        notes=(*rows.notes, *others.notes),
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
    for line in table.grid.blocks:
        above = {labels[row] for row in kept if table.grid.rows[row][0] < line}
        if above & {labels[row] for row in kept if table.grid.rows[row][0] > line}:
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
    seen: dict[tuple[str, ...], int] = {}
    for row in kept if ids else ():
        number, cells = table.grid.rows[row]
        if cells in seen:
            raise DataError(
                f"{table.what}: {table.place(number)} is the run of {table.place(seen[cells])} "
                f"again ({ids[0].name} {ids[0].cells[row]}): keep one of the two"
            )
        seen[cells] = number


def _refuse_twice(table: Table, name: str, found: Sequence[_Result]) -> None:
    seen: dict[int, _Result] = {}
    for one in found:
        if one.seed is None:
            continue
        if one.seed in seen:
            first = seen[one.seed].row
            apart = [
                c.name
                for c in table.columns
                if c.name and c.kind not in (Kind.METRIC, Kind.BOOKKEEPING, Kind.STATE)
                and c.cells[first] != c.cells[one.row] and not c.measured
            ]  # fmt: skip
            advice = "keep one of the two"
            if apart:
                advice = (
                    f"the rows differ in {quoted(apart, 3)}, so choose rows with --filter "
                    f"{apart[0]}=VALUE, or make it part of the arm with --by"
                )
            raise DataError(
                f"{table.what}: seed {one.seed} of {clip(name)} appears twice (again in "
                f"{table.place(table.grid.rows[one.row][0])}): {advice}"
            )
        seen[one.seed] = one
