"""Tables with a column per arm and a row per run, as a spreadsheet of repetitions often is."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from attnstudy.errors import DataError, UsageError
from attnstudy.tables import headings
from attnstudy.tables.asked import Arm, Reading, Run, quoted
from attnstudy.tables.cells import Gap, Printed, clip, gap_of
from attnstudy.tables.columns import Column, Kind
from attnstudy.tables.headings import Role
from attnstudy.tables.layouts.aggregates import (
    SURE,
    SUSPECTED,
    derived_from,
    is_extreme_of,
    lies_among,
    means_throughout,
    standing_of,
)
from attnstudy.tables.layouts.other_columns import FEW
from attnstudy.tables.layouts.rows_left_out import without_unfinished
from attnstudy.tables.layouts.shape import TASKS
from attnstudy.tables.layouts.source import Table
from attnstudy.tables.points import Point

_COMPARED = 30  # columns of which differences are looked for


def read_columns_as_arms(table: Table) -> Reading:
    """Return the arms of a table with a column per arm.

    Raises:
        UsageError: the rows differ in a column that nobody allowed to differ, or a column or row
            may be an arm or run, or a statistic of the others.
        DataError: a cell is not what it should be, or no run is left.

    """
    if table.asked.point != Point():
        raise UsageError("--at chooses a point of a curve, and here every row is a run")
    label = table.shape.seed
    kept, failed, left_out = without_unfinished(table)
    if failed:
        raise UsageError(
            f"{table.what} has columns of arms, and a failed row is no run of a single arm: leave "
            "--missing diverged out"
        )
    printed = [row for row in kept if label is not None and headings.is_statistic(label.cells[row])]
    kept = [row for row in kept if row not in printed]
    _refuse_settings(table, kept)
    arms, statistics = _arms(table, kept)
    _refuse_axis(table, arms, kept)
    _refuse_unlabelled_mean(table, arms, kept)
    if table.asked.metric in {c.name for c in arms}:
        raise UsageError(
            f"--metric {table.asked.metric} is the name of an arm here, as every column is one: "
            "say what the values are, or give another --layout"
        )
    numbers = {c.index: {row: table.number(row, c) for row in kept} for c in arms}
    blank = [row for row in kept if all(numbers[c.index][row] is Gap.EMPTY for c in arms)]
    kept = [row for row in kept if row not in blank]
    if not kept:
        raise DataError(f"{table.what} has no row of runs: a ranking needs the values")
    mean = _row_of(label, printed, headings.is_mean)
    sd = _row_of(label, printed, lambda text: bool(headings.words_of(text) & {"sd", "std"}))
    found, empty = [], []
    seeds = {row: None if label is None else table.seed(row) for row in kept}
    if len({seed for seed in seeds.values() if seed is not None}) < len(kept) and label is not None:
        raise DataError(f"{table.what}: column {label.shown} numbers two rows alike: keep one")
    for column in arms:
        arm = _arm(table, column, numbers[column.index], seeds)
        missing = len(kept) - len(arm.runs) - len(arm.diverged)
        if missing:
            empty.append(f"{missing} of {clip(column.shown)}")
        found.append(
            replace(arm, mean=_printed(table, mean, column), sd=_printed(table, sd, column))
        )
    if empty:
        left_out.append(f"empty cells, runs without a result ({quoted(empty)})")
    if printed and label is not None:
        said = quoted(list(dict.fromkeys(label.cells[row] for row in printed)))
        left_out.append(f"row{'s' * (len(printed) > 1)} {said} (statistics of the runs)")
    left_out += statistics
    return Reading(
        layout="columns-are-arms",
        arms=tuple(found),
        metric=table.asked.metric or "test_accuracy",
        by=(),
        arms_in="a column each",
        seeds_in=None if label is None else f"column {label.shown}",
        seed_by=None if label is None else label.name,
        folds=label.name if label is not None and label.kind is Kind.FOLD else None,
        value_columns=tuple(dict.fromkeys(run.column for arm in found for run in arm.runs)),
        mean_column=None if mean is None or label is None else label.cells[mean],
        sd_column=None if sd is None or label is None else label.cells[sd],
        left_out=tuple(left_out),
    )


def _arm(
    table: Table,
    column: Column,
    numbers: Mapping[int, Printed | Gap],
    seeds: Mapping[int, int | None],
) -> Arm:
    """Return the runs of one column.

    Raises:
        DataError: it has none.

    """
    label = table.shape.seed
    runs, lost = [], []
    for row, seed in seeds.items():
        value = numbers[row]
        line = table.grid.rows[row][0]
        if isinstance(value, Printed):
            where = table.place(line) if label is None else f"{label.shown} {label.cells[row]}"
            runs.append(Run(value, line, where, seed))
        elif value is Gap.DIVERGED:
            lost.append(seed)
    if not runs and not lost:
        raise DataError(f"{table.what} has no result of {clip(column.shown)!r}")
    return Arm(name=column.name, runs=tuple(runs), diverged=tuple(lost))


def _refuse_settings(table: Table, kept: Sequence[int]) -> None:
    """Refuse rows that differ in something besides their number."""
    own = (*table.shape.arms, table.shape.seed)
    for column in table.columns:
        if column in own or column.name in table.asked.allowed or _of_no_influence(column):
            continue
        if column.kind is Kind.BOOKKEEPING and table.shape.seed is not None:
            continue
        values = list(dict.fromkeys(column.cells[row] for row in kept))
        if len(values) < 2:
            continue
        if all(map(headings.is_metric, values)):
            raise UsageError(
                f"the rows of {table.what} are metrics ({quoted(values, 4)}): a ranking needs "
                "several runs of one metric"
            )
        if column.kind is Kind.TASK:
            raise UsageError(
                f"the rows of {table.what} are of several {column.name}s ({quoted(values, 4)}): "
                f"{TASKS.format(name=column.name)}"
            )
        named = column.kind in (Kind.TEXT, Kind.BOOKKEEPING)
        if named and (len(values) == len(kept) > FEW or column.kind is Kind.BOOKKEEPING):
            if table.shape.seed is not None:
                continue  # names the runs, which the column of seeds numbers
            raise UsageError(
                f"the rows of {table.what} are called {quoted(values, 4)} in column "
                f"{column.shown}, which may be runs or tasks: if they are runs, name what numbers "
                "them with --seed-by, or remove the column"
            )
        raise UsageError(
            f"the rows of {table.what} differ in column {column.shown} ({quoted(values, 4)}), so "
            f"they are no repetitions: choose rows with --filter {column.name}=VALUE, or say "
            f"--allow-differences {column.name}"
        )


def _of_no_influence(column: Column) -> bool:
    """Whether a column says nothing of the rows but which run each is, or how it ended."""
    if column.kind in (Kind.STATE, Kind.NOTHING):
        return True
    return column.kind is Kind.BOOKKEEPING and (
        headings.may_be_shared(column.name)
        or bool(headings.words_of(column.name) & {"run", "trial", "seed", "uuid"})
    )


def _refuse_axis(table: Table, arms: Sequence[Column], kept: Sequence[int]) -> None:
    """Refuse a first column that counts or measures the rows, as an axis does.

    Raises:
        UsageError: it grows or falls from row to row, and nothing numbers the rows.

    """
    first = min(arms, key=lambda c: c.index)
    numbers = [number.value for number in _numbers(table, first, kept)]
    steps = [b - a for a, b in pairwise(numbers)]
    if table.shape.seed is not None or table.asked.layout is not None or len(steps) < 2:
        return
    monotone = all(step > 0 for step in steps) or all(step < 0 for step in steps)
    if monotone and (len(steps) > 3 or len(set(steps)) == 1):
        raise UsageError(
            f"column {first.name!r} of {table.what} goes one way from row to row, as what the rows "
            "were measured at: if it is an arm, say --layout columns-are-arms; if it numbers the "
            f"runs, --seed-by {first.name}; else choose one row with --filter {first.name}=N"
        )


def _arms(table: Table, kept: Sequence[int]) -> tuple[list[Column], list[str]]:
    """Return the columns that are arms, without those that hold statistics of the others.

    A column called as a mean is one where it is the mean of the others in every row. Where it is
    not, and where a column called as another statistic lies among the results, it is an arm.
    """
    columns = list(table.shape.arms)
    if not all(c.name for c in columns):
        raise DataError(f"{table.what} has a column of numbers without a heading: name its arm")
    suspects = [c for c in columns if headings.is_statistic(c.name) or c.name in ("Σ", "±", "Ø")]
    arms = [c for c in columns if c not in suspects]
    counts = [c for c in suspects if headings.roles([c.name]) == (Role.COUNT,)]
    for column in counts:
        others = [c for c in columns if c not in suspects]
        varies = len({column.cells[row] for row in kept}) > 1
        if varies and not _lies_among(table, column, others, kept):
            # the number of runs would be the same throughout
            raise UsageError(
                f"column {column.name!r} of {table.what} differs from row to row and may be what "
                "the rows were measured at: choose one of its values with --filter "
                f"{column.name}=N, or give a row per run, with its arm"
            )
    left_out = _settings(table, arms, kept)
    columns = [c for c in columns if c in suspects or c in arms]
    for column in suspects:
        others = [c for c in columns if c not in suspects]
        standing = standing_of(column.name, table.beside(column, others, kept))
        if standing == "unclear" and _lies_among(table, column, others, kept):
            raise UsageError(
                f"column {column.name!r} of {table.what} may be an arm or the mean of others, "
                "and it is not the mean of the other columns: rename it, or remove it"
            )
        if standing == "arm" or not others:
            arms.append(column)
        else:
            left_out.append(f"column {column.name} (a statistic of the arms)")
    for column in list(arms):
        others = [c for c in arms if c is not column]
        beside = table.beside(column, others, kept)
        if len(others) > 1 and means_throughout(beside, SURE):
            arms.remove(column)
            left_out.append(f"column {column.name} (in every row the mean of the other columns)")
        elif len(others) > 1 and table.asked.layout is None and means_throughout(beside, SUSPECTED):
            raise UsageError(
                f"column {column.name!r} of {table.what} is in every row the mean of the other "
                "columns: remove it, or, if it is an arm, say --layout columns-are-arms"
            )
    left_out += _without_derived(table, arms, kept)
    return [c for c in columns if c in arms], left_out


def _without_derived(table: Table, arms: list[Column], kept: Sequence[int]) -> list[str]:
    """Take out columns that are differences or ratios of two others in every row.

    Raises:
        UsageError: one is, and its heading does not say so.

    """
    left_out: list[str] = []
    if not 2 < len(arms) <= _COMPARED:
        return left_out
    for column in reversed(list(arms)):
        others = [c for c in arms if c is not column]
        series = [_numbers(table, c, kept) for c in others]
        if len(others) > 1 and is_extreme_of(_numbers(table, column, kept), series):
            if table.asked.layout is None and not headings.is_statistic(column.name):
                raise UsageError(
                    f"column {column.name!r} of {table.what} is in every row the largest or the "
                    "smallest of the others: remove it, or, if it is an arm, say --layout "
                    "columns-are-arms"
                )
            if headings.is_statistic(column.name):
                arms.remove(column)
                left_out.append(f"column {column.name} (the best or worst of each row)")
                continue
        found = derived_from(_numbers(table, column, kept), series)
        if found is None or len(others) < 2:
            continue
        a, b = (others[i].name for i in found)
        if headings.is_statistic(column.name):
            arms.remove(column)
            left_out.append(f"column {column.name} (made of {a} and {b} in every row)")
        elif table.asked.layout is None:
            raise UsageError(
                f"column {column.name!r} of {table.what} is in every row the difference or the "
                f"ratio of {a} and {b}: remove it, or, if it is an arm, say --layout "
                "columns-are-arms"
            )
    return left_out


def _settings(table: Table, arms: list[Column], kept: Sequence[int]) -> list[str]:
    """Take out what is set the same for all runs, and refuse what may be a setting."""
    left_out = []
    for column in list(arms):
        cells = {column.cells[row] for row in kept}
        if column.kind is Kind.GIVEN and len(cells) == 1 and len(arms) > 1:
            arms.remove(column)
            left_out.append(f"column {column.name} (set to {cells.pop()} in every row)")
    for column in arms:
        others = [c for c in arms if c is not column]
        numbers = _numbers(table, column, kept)
        values = list(dict.fromkeys(number.text for number in numbers))
        given, among = column.kind is Kind.GIVEN, _lies_among(table, column, others, kept)
        places = [_places(_numbers(table, c, kept)) for c in others]
        coarse = bool(others) and _places(numbers) < statistics.median(places)
        unlike = given or coarse or len(values) < len(numbers)
        if others and ((given and coarse) or (unlike and not among)):
            raise UsageError(
                f"column {column.name!r} of {table.what} ({quoted(values, 4)}) is unlike the other "
                "columns and may be a setting, not an arm: choose one of its values with --filter "
                f"{column.name}=N, or give a row per run, with its arm; if it numbers the runs, "
                f"say --seed-by {column.name}"
            )
    return left_out


def _places(numbers: Sequence[Printed]) -> int:
    return max((number.places for number in numbers), default=0)


def _numbers(table: Table, column: Column, kept: Sequence[int]) -> list[Printed]:
    found = [table.number(row, column) for row in kept]
    return [number for number in found if isinstance(number, Printed)]


def _lies_among(
    table: Table, column: Column, others: Sequence[Column], kept: Sequence[int]
) -> bool:
    """Whether a column's values lie where those of the others do."""
    theirs = [number for c in others for number in _numbers(table, c, kept)]
    return lies_among(_numbers(table, column, kept), theirs)


def _refuse_unlabelled_mean(table: Table, arms: Sequence[Column], kept: Sequence[int]) -> None:
    """Refuse a last row that is the mean of the others in every column, and is not numbered.

    Raises:
        UsageError: asking for its label.

    """
    if table.shape.seed is not None or len(kept) < 3:
        return
    *above, last = kept
    columns = [
        (number, _numbers(table, column, above))
        for column in arms
        if isinstance(number := table.number(last, column), Printed)
    ]
    # asking costs little, and counting a mean as a run much: coarse numbers are suspected too
    if len(columns) < len(arms) or not means_throughout(columns, chance=0.2):
        return
    raise UsageError(
        f"{table.place(table.grid.rows[last][0])} of {table.what} is the mean of the rows above "
        "it in every column: remove it, or, if it is a run, number the runs in a column of seeds"
    )


def _row_of(label: Column | None, rows: Sequence[int], called: Callable[[str], bool]) -> int | None:
    if label is None:
        return None
    return next((row for row in rows if called(label.cells[row])), None)


def _printed(table: Table, row: int | None, column: Column) -> Printed | None:
    if row is None or gap_of(column.cells[row]) is not None:
        return None
    number = table.number(row, column)
    return number if isinstance(number, Printed) else None
