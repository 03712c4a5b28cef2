"""A results table: for each row its values, its printed mean and SD, all as they are written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from attnstudy.errors import DataError
from attnstudy.stats.audit.rounding import as_decimal
from attnstudy.stats.audit.summaries import runs_behind, spread_taken
from attnstudy.stats.samples import Sample, read_samples
from attnstudy.tables.asked import Arm, Asked, Reading
from attnstudy.tables.cells import Printed, clip
from attnstudy.tables.grid import read_grid
from attnstudy.tables.layouts.run_columns import SUMMARY
from attnstudy.tables.reading import read_table as read_results

_MOST_ROWS = 100


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
    """One arm as the table has it."""

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
    """Mean of the values; None without values."""

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
    metric: str | None
    """What the values are, where a heading or the user names it."""
    columns: tuple[str, ...]
    """Columns of values; empty in a table of summaries."""
    mean_column: str | None
    """Column of the printed means."""
    sd_column: str | None
    """Column of the printed SDs."""
    spread: str | None
    """Which printed numbers are taken for SDs though nothing calls them so, in words."""
    scale: int | None
    """100 for accuracies in percent, 1 for fractions, None for anything else."""
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


def read_table(
    text: str,
    asked: Asked | None = None,
    *,
    n: int | None = None,
    items: int | None = None,
    what: str = "the table",
) -> Table:
    """Return the table that a CSV text holds.

    Args:
        text: the CSV.
        asked: how it is to be read, where its contents leave that open.
        n: number of runs behind each mean of a table of summaries that does not say it.
        items: number of test items behind each mean, where known.
        what: what the table is called in messages.

    Raises:
        DataError: the text is not a table of results; the message says where and what to do.
        UsageError: it can be read in several ways, or ``n`` is given and it says it itself.

    """
    grid = read_grid(text, what)
    reading = read_results(grid, asked or Asked(), what)
    if len(reading.arms) > _MOST_ROWS:
        raise DataError(
            f"{what} has {len(reading.arms)} arms, more than the {_MOST_ROWS} that are compared "
            "with each other: give the rows of one results table"
        )
    behind = runs_behind(reading, n, items, what)
    rows = tuple(_row(arm, behind.get(arm.name, arm.count)) for arm in reading.arms)
    named = asked is not None and asked.metric is not None
    for row in rows:
        if not row.cells and row.mean is None:
            raise DataError(f"{clip(row.name)!r} has no result that is a number in {what}")
    return Table(
        rows=rows,
        metric=reading.metric if named or reading.layout == "rows-are-runs" else None,
        columns=reading.value_columns,
        mean_column=reading.mean_column,
        sd_column=reading.sd_column,
        spread=spread_taken(grid, reading, what),
        scale=scale_of(rows),
        notes=tuple(_notes(reading, rows)),
    )


def _row(arm: Arm, count: int | None) -> Row:
    cells = tuple(Cell(arm.name, run.column, run.number) for run in arm.runs)
    return Row(name=arm.name, cells=cells, mean=arm.mean, sd=arm.sd, count=count)


def _notes(reading: Reading, rows: tuple[Row, ...]) -> Iterator[str]:
    # means and SDs are what an audit is about
    left_out = (phrase for phrase in reading.left_out if SUMMARY not in phrase)
    yield from (f"left out: {phrase}" for phrase in left_out)
    yield from reading.notes
    if any(row.count != arm.count is not None for row, arm in zip(rows, reading.arms, strict=True)):
        column = clip(reading.count_column or "")
        yield f"--n says the number of runs, and column {column!r} is taken for something else"
    for arm in reading.arms:
        if arm.diverged:
            many = len(arm.diverged) > 1
            yield f"{len(arm.diverged)} run{'s' * many} of {clip(arm.name)} diverged"
    for row in rows:
        if row.cells and not row.complete:
            yield (
                f"{clip(row.name)} says n = {row.count} but has {len(row.cells)} "
                f"value{'s' * (len(row.cells) != 1)}, so its mean and SD cannot be checked"
            )


def _accuracies(rows: tuple[Row, ...]) -> Iterator[tuple[str, Printed]]:
    for row in rows:
        yield from ((row.name, cell.number) for cell in row.cells)
        if row.mean is not None:
            yield row.name, row.mean


def scale_of(rows: tuple[Row, ...]) -> int | None:
    """Return 100 where values and means are percentages, 1 for fractions, None for neither.

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
