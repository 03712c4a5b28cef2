"""A results table: for each row its values, its printed mean and SD, all as they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from attnstudy.errors import DataError
from attnstudy.stats.audit.columns import Columns, find_columns
from attnstudy.stats.audit.csvtext import Grid, read_grid
from attnstudy.stats.audit.printed import Printed, clip, read_number, uses_decimal_comma
from attnstudy.stats.audit.rounding import as_decimal
from attnstudy.stats.samples import Sample, read_samples

_MOST_RUNS = 10_000


@dataclass(frozen=True, slots=True)
class Cell:
    """A measured value at its place."""

    row: str
    """Name of the row."""
    column: str
    """Name of the column."""
    number: Printed
    """What stands there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One variant as the table has it."""

    name: str
    """Its name."""
    cells: tuple[Cell, ...]
    """Its values, without empty cells; none in a table of summaries."""
    mean: Printed | None
    """The mean as printed."""
    sd: Printed | None
    """The standard deviation as printed."""
    count: int | None
    """The number of runs as printed."""

    values: tuple[Fraction, ...] = field(init=False)
    """The values, exactly."""
    exact_mean: Decimal | None = field(init=False)
    """Mean of the values; none without values."""

    def __post_init__(self) -> None:
        values = tuple(Fraction(cell.number.value) for cell in self.cells)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "exact_mean", as_decimal(mean_of(values)) if values else None)

    @property
    def n(self) -> int | None:
        """Number of values, or what a summary says it is."""
        return len(self.cells) if self.cells else self.count

    @property
    def complete(self) -> bool:
        """Whether the values are all the runs that the row says it has."""
        return not self.cells or self.count in (None, len(self.cells))


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of results."""

    rows: tuple[Row, ...]
    """In the order of the file."""
    columns: tuple[str, ...]
    """Columns of values; empty in a table of summaries."""
    mean_column: str | None
    """Column of the printed means."""
    sd_column: str | None
    """Column of the printed SDs."""
    scale: int | None
    """100 for accuracies in percent, 1 for fractions, none for anything else."""
    notes: tuple[str, ...]
    """What the reader has to know about how the file was read."""

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All values, row by row."""
        return tuple(cell for row in self.rows for cell in row.cells)


def samples_of(table: Table) -> tuple[Sample, ...]:
    """Return the values of each row as an arm, for a table that has values."""
    return read_samples({row.name: [float(value) for value in row.values] for row in table.rows})


def mean_of(values: tuple[Fraction, ...]) -> Fraction:
    """Return the exact mean of at least one value."""
    return sum(values, Fraction(0)) / len(values)


def variance_of(values: tuple[Fraction, ...], *, divisor: int) -> Fraction:
    """Return the exact sum of squared deviations from the mean over ``divisor``."""
    centre = mean_of(values)
    return sum(((value - centre) ** 2 for value in values), Fraction(0)) / divisor


def read_table(text: str) -> Table:
    """Return the table that a CSV text holds.

    Raises:
        DataError: the text is not a table of results; the message says where and what to do.

    """
    grid = read_grid(text)
    columns = find_columns(grid)
    comma = uses_decimal_comma(
        [row[i] for _, row in grid.rows for i in columns.numeric if row[i]],
        separated_by_comma=grid.delimiter == ",",
    )
    notes = list(columns.notes)
    if comma:
        notes.append("commas are read as decimal marks")
    rows = tuple(_read_row(grid, columns, row, line, comma) for line, row in grid.rows)
    _check_names(grid, columns)
    _note_missing(rows, columns, notes)
    return Table(
        rows=rows,
        columns=tuple(grid.header[i] for i in columns.values),
        mean_column=None if columns.mean is None else grid.header[columns.mean],
        sd_column=None if columns.sd is None else grid.header[columns.sd],
        scale=scale_of(rows),
        notes=tuple(notes),
    )


def _read_row(
    grid: Grid, columns: Columns, row: tuple[str, ...], line: int, decimal_comma: bool
) -> Row:
    name = row[columns.name]
    if not name:
        raise DataError(f"line {line} of the table has no name: give every row one")

    def number(index: int | None) -> Printed | None:
        if index is None or not row[index]:
            return None
        where = f"{clip(name)!r}, column {clip(grid.header[index])!r}"
        return read_number(row[index], where, decimal_comma=decimal_comma)

    numbers = [(grid.header[i], number(i)) for i in columns.values]
    cells = tuple(Cell(name, column, printed) for column, printed in numbers if printed)
    if columns.values and not cells:
        raise DataError(f"{clip(name)!r} has no values: fill in the row, or leave it out")
    mean, sd = number(columns.mean), number(columns.sd)
    if not cells and mean is None:
        raise DataError(f"{clip(name)!r} has no mean: fill in the row, or leave it out")
    if sd is not None and sd.value < 0:
        raise DataError(f"{clip(name)!r} has the SD {sd.text}: an SD is 0 or more")
    count = None if columns.count is None else _count(row[columns.count], name)
    return Row(name=name, cells=cells, mean=mean, sd=sd, count=count)


def _count(text: str, name: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,6}", text) or not 1 <= int(text) <= _MOST_RUNS:
        raise DataError(
            f"{clip(name)!r} has {clip(text)!r} runs: give a whole number from 1 to {_MOST_RUNS}"
        )
    return int(text)


def _check_names(grid: Grid, columns: Columns) -> None:
    seen: dict[str, int] = {}
    for line, row in grid.rows:
        name = row[columns.name]
        if name in seen:
            raise DataError(
                f"{clip(name)!r} stands in lines {seen[name]} and {line}: give one row a variant, "
                "with its runs side by side, and every row its own name"
            )
        seen[name] = line


def _note_missing(rows: tuple[Row, ...], columns: Columns, notes: list[str]) -> None:
    for row in rows:
        if row.cells and len(row.cells) < len(columns.values):
            notes.append(
                f"{clip(row.name)} has {len(row.cells)} of {len(columns.values)} values; the "
                "empty cells are left out"
            )
        if row.cells and not row.complete:
            notes.append(
                f"{clip(row.name)} says n = {row.count} but has {len(row.cells)} "
                f"value{'s' * (len(row.cells) != 1)}, so its mean and SD cannot be checked"
            )


def _accuracies(rows: tuple[Row, ...]) -> Iterator[tuple[str, Printed]]:
    for row in rows:
        yield from ((row.name, cell.number) for cell in row.cells)
        if row.mean is not None:
            yield row.name, row.mean


def scale_of(rows: tuple[Row, ...]) -> int | None:
    """Return 100 where values and means are percentages, 1 for fractions, none for neither.

    Raises:
        DataError: percent and fractions are mixed.

    """
    numbers = list(_accuracies(rows))
    if any(not 0 <= printed.value <= 100 for _, printed in numbers):
        return None
    percent = [printed.value for _, printed in numbers if printed.value > 1]
    if not percent:
        return 100 if any(printed.percent for _, printed in numbers) else 1
    for name, printed in numbers:
        # a fraction, as a percentage, lies where the others are; a true 0.1 % does not
        likely = min(percent) / 2 <= 100 * printed.value <= 3 * max(percent) / 2
        if 0 < printed.value <= 1 and not printed.percent and likely:
            raise DataError(
                f"{clip(name)!r} has {printed.text} where other cells have up to {max(percent)}: "
                "give every accuracy in percent, or every one as a fraction"
            )
    return 100
