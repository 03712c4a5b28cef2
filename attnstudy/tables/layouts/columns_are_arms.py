"""Tables with a column per arm and a row per run, as a spreadsheet of repetitions often is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import cast

from attnstudy.errors import DataError, UsageError
from attnstudy.tables import headings
from attnstudy.tables.asked import Arm, Reading, Run, Runs, quoted
from attnstudy.tables.cells import Gap, Printed, clip, gap_of
from attnstudy.tables.columns import Column, Kind
from attnstudy.tables.layouts.aggregates import (
    means_throughout,
)
from attnstudy.tables.layouts.arm_columns import arm_columns
from attnstudy.tables.layouts.numbers import (
    others_of,
)
from attnstudy.tables.layouts.other_columns import FEW
from attnstudy.tables.layouts.rows_left_out import without_unfinished
from attnstudy.tables.layouts.shape import TASKS
from attnstudy.tables.layouts.source import Table
from attnstudy.tables.layouts.unnamed import unnamed
from attnstudy.tables.points import Point


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
    statistic = frozenset() if label is None else label.having(headings.is_statistic)
    printed: list[int] = []
    if label is not None and statistic:
        printed = [row for row in kept if label.cells[row] in statistic]
        kept = [row for row in kept if label.cells[row] not in statistic]
    _refuse_settings(table, kept)
    arms, statistics = arm_columns(table, kept)
    left_out += _names_left_out(table)
    _refuse_axis(table, arms, kept)
    _refuse_unlabelled_mean(table, arms, kept)
    if table.asked.metric in {c.name for c in arms}:
        raise UsageError(
            f"--metric {table.asked.metric} is the name of an arm here, as every column is one: "
            "say what the values are, or give another --layout"
        )
    blank = _blank(table, arms, kept)
    kept = [row for row in kept if row not in blank] if blank else kept
    if not kept:
        raise DataError(f"{table.what} has no row of runs: a ranking needs the values")
    mean = _row_of(label, printed, headings.is_mean)
    sd = _row_of(label, printed, lambda text: headings.has_role(text, headings.Role.SD))
    found, empty = [], []
    seeds = {row: None if label is None else table.seed(row) for row in kept}
    if len({seed for seed in seeds.values() if seed is not None}) < len(kept) and label is not None:
        raise DataError(f"{table.what}: column {label.shown} numbers two rows alike: keep one")
    for column in arms:
        arm = _arm(table, column, seeds)
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
        metric=table.asked.metric or unnamed(table, () if label is None else [label.name]),
        by=(),
        arms_in="a column each",
        seeds_in=None if label is None else f"column {label.shown}",
        seed_by=None if label is None else label.name,
        folds=label.name if label is not None and label.kind is Kind.FOLD else None,
        mean_column=None if mean is None or label is None else label.cells[mean],
        sd_column=None if sd is None or label is None else label.cells[sd],
        left_out=tuple(left_out),
    )


def _blank(table: Table, arms: Sequence[Column], kept: Sequence[int]) -> frozenset[int]:
    """Return the rows in which no arm has a result."""
    blank: Sequence[int] = kept
    for column in arms:
        if table.reads_plainly(column):
            return frozenset()
        blank = [row for row in blank if table.number(row, column) is Gap.EMPTY]
    return frozenset(blank)


def _arm(table: Table, column: Column, seeds: Mapping[int, int | None]) -> Arm:
    """Return the runs of one column.

    Raises:
        DataError: it has none.

    """
    label = table.shape.seed
    there: Sequence[int] = list(seeds)
    lost: list[int | None] = []
    if not table.reads_plainly(column):
        found = {row: table.number(row, column) for row in seeds}
        there = [row for row, value in found.items() if isinstance(value, Printed)]
        lost = [seeds[row] for row, value in found.items() if value is Gap.DIVERGED]
    if not there and not lost:
        raise DataError(f"{table.what} has no result of {clip(column.shown)!r}")

    def run(place: int) -> Run:
        row = there[place]
        line = table.grid.numbers[row]
        where = table.place(row) if label is None else f"{label.shown} {label.cells[row]}"
        number = cast(Printed, table.number(row, column))  # as in all rows that are there
        return Run(number, line, where, seeds[row])

    runs = Runs(table.values(there, column), [seeds[row] for row in there], run)
    return Arm(name=column.name, runs=runs, diverged=tuple(lost))


def _refuse_settings(table: Table, kept: Sequence[int]) -> None:
    """Refuse rows that differ in something besides their number."""
    own = {c.index for c in (*table.shape.arms, table.shape.seed) if c is not None}
    for column in table.columns:
        if column.index in own or column.name in table.asked.allowed or _of_no_influence(column):
            continue
        if column.kind is Kind.BOOKKEEPING and table.shape.seed is not None:
            continue
        values = list(dict.fromkeys(column.taken(kept)))
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


def _names_left_out(table: Table) -> list[str]:
    """Return what to say of columns that name or date the rows."""
    names = [
        c.name
        for c in table.columns
        if c.kind is Kind.BOOKKEEPING and c.name and c not in (*table.shape.arms, table.shape.seed)
    ]
    many = "s" * (len(names) > 1)
    return [f"column{many} {quoted(names, 12)} (what names or dates runs)"] if names else []


def _of_no_influence(column: Column) -> bool:
    """Whether a column says nothing of the rows but which run each is, or how it ended."""
    if column.kind in (Kind.STATE, Kind.NOTHING):
        return True
    return column.kind is Kind.BOOKKEEPING and (
        headings.numbers_rows(column.name)
        or bool(headings.words_of(column.name) & {"run", "trial", "seed"})
    )


def _refuse_axis(table: Table, arms: Sequence[Column], kept: Sequence[int]) -> None:
    """Refuse a first column that counts or measures the rows, as an axis does.

    Raises:
        UsageError: it grows or falls from row to row, and nothing numbers the rows.

    """
    first = min(arms, key=lambda c: c.index)
    numbers = table.numbers(kept, first)
    if table.shape.seed is not None or table.asked.layout is not None or len(numbers) < 3:
        return

    def steps() -> Iterator[Decimal]:
        return (b.value - a.value for a, b in pairwise(numbers))

    monotone = all(step > 0 for step in steps()) or all(step < 0 for step in steps())
    if monotone and (len(numbers) > 4 or len(set(steps())) == 1):
        raise UsageError(
            f"column {first.name!r} of {table.what} goes one way from row to row, as what the rows "
            "were measured at: if it is an arm, say --layout columns-are-arms; if it numbers the "
            f"runs, --seed-by {first.name}; else choose one row with --filter {first.name}=N"
        )


def _refuse_unlabelled_mean(table: Table, arms: Sequence[Column], kept: Sequence[int]) -> None:
    """Refuse a last row that is the mean of the others in every column, and is not numbered.

    Raises:
        UsageError: asking for its label.

    """
    if table.shape.seed is not None or len(kept) < 3:
        return
    above, last = kept[:-1], kept[-1]
    if any(not isinstance(table.number(last, column), Printed) for column in arms):
        return
    beside = (
        (cast(Printed, table.number(last, c)), others_of(table.numbers(above, c))) for c in arms
    )
    # asking costs little, and counting a mean as a run much: coarse numbers are suspected too
    if not means_throughout(beside, chance=0.2):
        return
    raise UsageError(
        f"{table.place(last)} of {table.what} is the mean of the rows above "
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
