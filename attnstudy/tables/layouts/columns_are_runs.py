"""Tables with a row per arm and a column per run, as they are printed; also those of summaries."""

from __future__ import annotations

import re
from collections.abc import Sequence

from attnstudy.errors import DataError, UsageError
from attnstudy.tables import headings
from attnstudy.tables.asked import Arm, Reading, Run, Runs, quoted
from attnstudy.tables.cells import Gap, Printed, clip, gap_of, nameless, read_number, split_summary
from attnstudy.tables.columns import Column, Kind
from attnstudy.tables.layouts.aggregates_left_out import without_statistic_rows
from attnstudy.tables.layouts.rows_left_out import without_unfinished
from attnstudy.tables.layouts.run_columns import RunColumns, run_columns
from attnstudy.tables.layouts.shape import TASKS, labels_of
from attnstudy.tables.layouts.source import Table
from attnstudy.tables.layouts.unnamed import unnamed
from attnstudy.tables.points import Point
from attnstudy.tables.seeds import whole_seed

_MOST_RUNS = 100_000


def read_columns_as_runs(table: Table) -> Reading:
    """Return the arms of a table with a row per arm, with the means and SDs that it prints.

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
    columns = run_columns(table, kept)
    shown = columns.values or tuple(c for c in (columns.mean,) if c is not None)
    kept, statistics = without_statistic_rows(table, labels, shown, kept)
    seeds = _seeds(columns.values)
    arms = tuple(_arm(table, labels, columns, seeds, row) for row in kept)
    if columns.values:
        left_out += _empty(arms, columns)
    found = [c.name for c in columns.values]
    (stem, *_) = headings.run_headings(found) or [headings.common_stem(found)]
    above = [stem, *(c.name for c in table.shape.arms)]
    usual = stem if headings.is_metric(stem) else None
    folds = headings.number_folds(found)
    return Reading(
        layout="columns-are-runs",
        arms=arms,
        metric=table.asked.metric or usual or unnamed(table, above),
        by=tuple(c.name for c in table.shape.arms),
        arms_in=f"column {' and '.join(c.shown for c in table.shape.arms)}",
        seeds_in=f"columns {quoted(found)}" if found else None,
        folds=_stem(found[0]) if folds else None,
        run_columns=tuple(found),
        mean_column=None if columns.mean is None else columns.mean.name,
        sd_column=None if columns.sd is None else columns.sd.name,
        count_column=None if columns.count is None else columns.count.name,
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
        name = labels[row]
        if any(nameless(c.cells[row]) for c in table.shape.arms):
            raise DataError(f"{table.place(row)} of {table.what} has no name: give every row one")
        if name in seen:
            raise DataError(
                f"{clip(name)!r} appears in {table.place(seen[name])} and {table.place(row)} of "
                f"{table.what}: "
                "give one row per arm, with its runs side by side, and every row its own name"
            )
        seen[name] = row


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
    columns: RunColumns,
    seeds: Sequence[int | None],
    row: int,
) -> Arm:
    name, line = labels[row], table.grid.numbers[row]
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
    return Arm(name=name, runs=Runs.of(runs), diverged=tuple(lost), mean=mean, sd=sd, count=count)


def _summary(
    table: Table, columns: RunColumns, row: int, name: str
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


def _empty(arms: Sequence[Arm], columns: RunColumns) -> list[str]:
    """Return what to say of arms with empty cells."""
    return [
        f"{len(columns.values) - found} empty cell{'s' * (len(columns.values) - found > 1)} of "
        f"{clip(arm.name)} (it has {found} of {len(columns.values)} values)"
        for arm in arms
        if (found := len(arm.runs) + len(arm.diverged)) < len(columns.values)
    ]
