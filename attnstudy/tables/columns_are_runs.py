"""Tables with a row an arm and a column a run, as they are printed; also those of summaries."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from attnstudy.errors import DataError, UsageError
from attnstudy.tables import headings
from attnstudy.tables.aggregates import (
    SURE,
    SUSPECTED,
    is_mean_of,
    means_throughout,
    standing_of,
)
from attnstudy.tables.asked import Arm, Reading, Run, quoted
from attnstudy.tables.cells import Gap, Printed, clip, gap_of, nameless, read_number, split_summary
from attnstudy.tables.columns import Column, Kind
from attnstudy.tables.headings import Role
from attnstudy.tables.no_runs import without_unfinished
from attnstudy.tables.points import Point
from attnstudy.tables.seeds import whole_seed
from attnstudy.tables.shape import TASKS, labels_of, unclear_columns
from attnstudy.tables.source import Table

_MOST_RUNS = 100_000
SUMMARY = "a summary, not a run"
"""Why means, SDs and numbers of runs are left out of a ranking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """What the columns of numbers are."""

    values: tuple[Column, ...]
    mean: Column | None
    sd: Column | None
    count: Column | None
    left_out: tuple[str, ...]
    notes: tuple[str, ...]


def read_columns_as_runs(table: Table) -> Reading:
    """Return the arms of a table with a row an arm, with the means and SDs that it prints.

    Raises:
        UsageError: an option does not go with such a table.
        DataError: two rows have one name, or a cell is not what it should be.

    """
    if table.asked.point != Point():
        raise UsageError("--at chooses a point of a curve, and here every column is a run")
    if table.asked.seed_by is not None:
        raise UsageError("--seed-by names a column of seeds, and here every column is a run")
    if table.asked.allowed:
        raise UsageError(
            "--allow-differences is for columns that differ between runs, and here every column is "
            "a run"
        )
    labels = labels_of(table.shape.arms)
    kept, _, left_out = without_unfinished(table)
    _check_names(table, labels, kept)
    _refuse_tasks(table, kept)
    columns = _columns(table, kept)
    kept, statistics = _without_statistics(table, labels, columns, kept)
    seeds = _seeds(columns.values)
    arms = tuple(_arm(table, labels, columns, seeds, row) for row in kept)
    if columns.values:
        left_out += _empty(arms, columns)
    found = [c.name for c in columns.values]
    (stem, *_) = headings.run_headings(found) or [headings.common_stem(found)]
    usual = stem if headings.is_metric(stem) else "test_accuracy"
    folds = headings.number_folds(found)
    return Reading(
        layout="columns-are-runs",
        arms=arms,
        metric=table.asked.metric or usual,
        by=tuple(c.name for c in table.shape.arms),
        arms_in=f"column {' and '.join(c.shown for c in table.shape.arms)}",
        seeds_in=f"columns {quoted(found)}" if found else None,
        folds=_stem(found[0]) if folds else None,
        value_columns=tuple(found),
        mean_column=None if columns.mean is None else columns.mean.name,
        sd_column=None if columns.sd is None else columns.sd.name,
        left_out=(*left_out, *statistics, *columns.left_out),
        notes=columns.notes,
    )


def _refuse_tasks(table: Table, kept: Sequence[int]) -> None:
    """Refuse arms of which each was run on other data.

    Raises:
        UsageError: naming the data.

    """
    for column in table.columns:
        values = list(dict.fromkeys(column.cells[row] for row in kept))
        if column.kind is Kind.TASK and column not in table.shape.arms and len(values) > 1:
            raise UsageError(
                f"the rows of {table.what} are of several {column.name}s ({quoted(values, 4)}): "
                f"{TASKS.format(name=column.name)}"
            )


def _stem(name: str) -> str:
    return re.sub(r"[\d\s]+", "", name)


def _check_names(table: Table, labels: Sequence[str], kept: Sequence[int]) -> None:
    seen: dict[str, int] = {}
    for row in kept:
        name, line = labels[row], table.grid.rows[row][0]
        if any(nameless(c.cells[row]) for c in table.shape.arms):
            raise DataError(f"{table.place(line)} of {table.what} has no name: give every row one")
        if name in seen:
            raise DataError(
                f"{clip(name)!r} appears in {table.place(seen[name])} and {line} of {table.what}: "
                "give one row an arm, with its runs side by side, and every row its own name"
            )
        seen[name] = line


def _columns(table: Table, kept: Sequence[int]) -> _Columns:
    """Return what each column of numbers is, by its heading and by what it holds."""
    known = (*table.shape.arms,)
    numeric = [
        c for c in table.columns
        if c not in known and c.numeric and c.name and c.kind is not Kind.STATE
    ]  # fmt: skip
    roles = dict(
        zip((c.index for c in numeric), headings.roles([c.name for c in numeric]), strict=True)
    )
    # a column of seeds or dates is no result, whatever its heading
    given = (Kind.SEED, Kind.STEP, Kind.BOOKKEEPING, Kind.NOTHING, Kind.GIVEN, Kind.FOLD)
    values = [c for c in numeric if roles[c.index] is Role.VALUE and c.kind not in given]
    groups = headings.run_headings([c.name for c in values])
    chosen = _chosen(table, groups)
    left_out, notes = [], []
    if chosen:
        odd = [c for c in values if c.name not in chosen]
        values = [c for c in values if c.name in chosen]
        left_out += [_out(c, "by its heading it is no run") for c in odd]
    mean, sd, count = (
        _only(numeric, roles, role, chosen) for role in (Role.MEAN, Role.SD, Role.COUNT)
    )
    if any(split_summary(c.cells[row]) for c in values for row in kept):
        return _of_summaries(table, values, kept, count)
    if mean is None and len(values) == 1 and (sd is not None or count is not None):
        mean = values.pop()
        notes.append(f"column {clip(mean.name)!r} is taken for the means")
    elif mean is not None and values and not chosen and table.asked.layout is None:
        rows = table.beside(mean, values, kept)
        if len(values) > 1 and 2 * sum(is_mean_of(n, found) for n, found in rows) >= len(rows):
            raise unclear_columns(values, table.what)
        left_out += [_out(c, "the means are not those of such columns") for c in values]
        values = []
    elif len(values) > 1 and not chosen and table.asked.layout is None:
        raise unclear_columns(values, table.what)
    if not chosen:
        values, means = _without_means(table, values, kept)
        left_out += means
        _refuse_leading_means(table, values, kept)
    if mean is None and not values:
        raise DataError(
            f"{table.what} has no column of numbers beside the names: give one column a run, or "
            "columns mean, sd and n"
        )
    statistics = [c for c in (mean, sd, count) if c is not None]
    for column in table.columns:
        if column in known or column in values or column in statistics or not column.name:
            continue
        if not any(_out(column, "")[:-1] in said for said in left_out):
            left_out.append(_out(column, _why(column)))
    left_out += [_out(c, SUMMARY) for c in statistics]
    return _Columns(
        values=tuple(values), mean=mean, sd=sd, count=count, left_out=tuple(left_out),
        notes=tuple(notes),
    )  # fmt: skip


def _out(column: Column, why: str) -> str:
    return f"column {clip(column.name)} ({why})"


def _why(column: Column) -> str:
    if not column.numeric:
        return "it holds no numbers"
    return "by its heading it holds no results of runs"


def _chosen(table: Table, groups: dict[str, list[str]]) -> list[str]:
    """Return the headings of the runs; none where the headings do not tell."""
    if len(groups) == 1:
        return next(iter(groups.values()))
    if not groups:
        return []
    found = headings.runs_of(table.asked.metric or "", groups)
    if found is None:
        raise UsageError(
            f"{table.what} has runs of several metrics ({', '.join(groups)}): choose one with "
            "--metric"
        )
    return found


def _only(
    columns: Sequence[Column], roles: dict[int, Role], role: Role, runs: Sequence[str]
) -> Column | None:
    """Return the column of a role; of several, where the runs are there, that of their metric."""
    like = [c for c in columns if roles[c.index] is role and c.kind is not Kind.NOTHING]
    if len(like) > 1 and runs:
        metric = headings.words_of(headings.common_stem(runs)) - {"split"}
        like = [c for c in like if metric <= headings.words_of(c.name)] or like
    if len(like) > 1 and role is not Role.COUNT and not runs:
        names = " and ".join(repr(clip(c.name)) for c in like[:2])
        raise DataError(f"columns {names} both look like the {role}: keep one of them")
    return like[0] if like else None


def _of_summaries(
    table: Table, values: Sequence[Column], kept: Sequence[int], count: Column | None
) -> _Columns:
    """Return the columns of a table whose cells are means with their spread."""
    mixed = [c for c in values if any(split_summary(c.cells[row]) for row in kept)]
    asked = [c for c in mixed if c.name == table.asked.metric]
    if len(mixed) > 1 and len(asked) != 1:
        raise UsageError(
            f"the cells of {table.what} are summaries, such as {mixed[0].cells[kept[0]]!r}: "
            "attnstudy audit reads one column of them, chosen with --metric "
            f"({quoted([c.name for c in mixed])}), and with --n the number of runs behind each; a "
            "ranking needs the runs themselves"
        )
    column = (asked or mixed)[0]
    others = [_out(c, "not asked for") for c in values if c is not column]
    return _Columns(
        values=(), mean=column, sd=column, count=count, left_out=tuple(others), notes=(),
    )  # fmt: skip


def _printed_numbers(table: Table, column: Column, kept: Sequence[int]) -> list[Printed]:
    found = [table.number(row, column) for row in kept]
    return [number for number in found if isinstance(number, Printed)]


def _refuse_leading_means(table: Table, values: Sequence[Column], kept: Sequence[int]) -> None:
    """Refuse columns that sum up those before them, though they were said to be runs.

    Raises:
        UsageError: one is the mean of the columns before it in every row, or of another size.

    """
    for place, column in enumerate(values):
        before = values[:place]
        rows = table.beside(column, before, kept) if place > 1 else []
        if len(rows) > 1 and means_throughout(rows, 0.2):
            raise UsageError(
                f"column {column.name!r} of {table.what} is in every row the mean of the columns "
                "before it: remove it and what follows it, if they sum up the runs"
            )
        mine = [abs(n.value) for n in _printed_numbers(table, column, kept)]
        theirs = [
            abs(n.value)
            for other in values
            for n in _printed_numbers(table, other, kept)
            if other is not column
        ]
        if len(values) > 2 and mine and theirs and 10 * max(mine) < min(theirs):  # as a spread is
            raise UsageError(
                f"column {column.name!r} of {table.what} is unlike the other columns and no run "
                "of the same arms: remove it"
            )


def _without_means(
    table: Table, values: Sequence[Column], kept: Sequence[int]
) -> tuple[list[Column], list[str]]:
    """Leave out a column that is the mean of the others in every row."""
    for column in reversed(values):
        others = [c for c in values if c is not column]
        rows = table.beside(column, others, kept)
        if means_throughout(rows, SUSPECTED if table.asked.layout is None else SURE):
            return others, [_out(column, "in every row the mean of the other columns")]
    return list(values), []


def _without_statistics(
    table: Table, labels: Sequence[str], columns: _Columns, kept: Sequence[int]
) -> tuple[list[int], list[str]]:
    """Leave out rows that are statistics of the other rows."""
    left_out = []
    rows = list(kept)
    shown = columns.values or tuple(c for c in (columns.mean,) if c is not None)
    for row in kept:
        if not headings.is_statistic(labels[row]) or len(rows) < 2:
            continue
        others = [r for r in rows if r != row and not headings.is_statistic(labels[r])]
        beside = [
            (number, [v for r in others if isinstance(v := _cell(table, column, r), Printed)])
            for column in shown
            if isinstance(number := _cell(table, column, row), Printed)
        ]
        standing = standing_of(labels[row], beside)
        if standing == "arm":
            continue
        if standing == "unclear" and beside:
            raise UsageError(
                f"row {labels[row]!r} of {table.what} may be an arm or the mean of others, and it "
                "is not the mean of the other rows: rename it, or remove it"
            )
        rows.remove(row)
        left_out.append(f"row {labels[row]} (a statistic of the other rows)")
    for row in rows if len(rows) > 2 and len(shown) > 1 else ():
        others = [r for r in rows if r != row]
        pairs = [
            (number, [v for r in others if isinstance(v := table.number(r, c), Printed)])
            for c in shown
            if isinstance(number := table.number(row, c), Printed)
        ]
        if means_throughout(pairs, SUSPECTED):
            raise UsageError(
                f"row {labels[row]!r} of {table.what} is in every column the mean of the other "
                f"rows: leave it out with --filter {table.shape.arms[0].name}!={labels[row]}"
            )
    return rows, left_out


def _cell(table: Table, column: Column, row: int) -> Printed | Gap | None:
    """Return what a cell holds; None for a mean with its spread."""
    return None if split_summary(column.cells[row]) else table.number(row, column)


def _seeds(values: Sequence[Column]) -> list[int | None]:
    """Return the seed that each heading says, where all of them say one."""
    # of "seed 3 (%)" the unit is no part of the label
    seeds = [whole_seed(re.sub(r"\s*[(\[].*[)\]]$", "", c.name)) for c in values]
    if headings.number_folds([c.name for c in values]):
        seeds = [*headings.run_numbers([c.name for c in values])]
    words = [headings.words_of(re.sub(r"\d+", " ", c.name)) for c in values]
    said = all("seed" in found for found in words) or headings.number_folds(
        [c.name for c in values]
    )
    return list(seeds) if said and len(set(seeds)) == len(seeds) else [None] * len(values)


def _arm(
    table: Table,
    labels: Sequence[str],
    columns: _Columns,
    seeds: Sequence[int | None],
    row: int,
) -> Arm:
    name, line = labels[row], table.grid.rows[row][0]
    runs, lost = [], []
    for column, seed in zip(columns.values, seeds, strict=True):
        value = table.number(row, column)
        if isinstance(value, Printed):
            runs.append(Run(value, line, column.name, seed))
        elif value is Gap.DIVERGED:
            lost.append(seed)
    if columns.values and not runs and not lost:
        raise DataError(
            f"{clip(name)!r} has no values in {table.what}: fill in the row, or leave it out"
        )
    mean, sd = _summary(table, columns, row, name)
    if not columns.values and mean is None:
        raise DataError(
            f"{clip(name)!r} has no mean in {table.what}: fill in the row, or leave it out"
        )
    if sd is not None and sd.value < 0:
        raise DataError(f"{clip(name)!r} has the SD {sd.text}: an SD is 0 or more")
    count = None if columns.count is None else _count(columns.count.cells[row], name)
    return Arm(name=name, runs=tuple(runs), diverged=tuple(lost), mean=mean, sd=sd, count=count)


def _summary(
    table: Table, columns: _Columns, row: int, name: str
) -> tuple[Printed | None, Printed | None]:
    """Return the mean and the SD that a row prints."""

    def number(column: Column | None, text: str | None) -> Printed | None:
        if column is None or text is None or gap_of(text) is not None:
            return None
        where = f"{clip(name)!r}, column {clip(column.name)!r}"
        return read_number(text, where, decimal_comma=table.decimal_comma)

    if columns.mean is not None and columns.mean is columns.sd:
        parts = split_summary(columns.mean.cells[row])
        mean, sd = parts if parts is not None else (columns.mean.cells[row], None)
        return number(columns.mean, mean), number(columns.sd, sd)
    return (
        number(columns.mean, None if columns.mean is None else columns.mean.cells[row]),
        number(columns.sd, None if columns.sd is None else columns.sd.cells[row]),
    )


def _count(text: str, name: str) -> int | None:
    if gap_of(text) is Gap.EMPTY:
        return None
    whole = re.fullmatch(r"([0-9]{1,6})(?:\.0+)?", text)
    if whole is None or not 1 <= int(whole[1]) <= _MOST_RUNS:
        raise DataError(
            f"{clip(name)!r} has {clip(text)!r} runs: give a whole number from 1 to {_MOST_RUNS}"
        )
    return int(whole[1])


def _empty(arms: Sequence[Arm], columns: _Columns) -> list[str]:
    """Return what to say of arms with empty cells."""
    return [
        f"{len(columns.values) - found} empty cell{'s' * (len(columns.values) - found > 1)} of "
        f"{clip(arm.name)} (it has {found} of {len(columns.values)} values)"
        for arm in arms
        if (found := len(arm.runs) + len(arm.diverged)) < len(columns.values)
    ]
