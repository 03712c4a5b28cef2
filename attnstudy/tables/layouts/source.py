"""A table on its way to a reading: its cells, its shape, and the reader's rules for cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from attnstudy.errors import DataError
from attnstudy.tables.asked import Asked
from attnstudy.tables.cells import (
    Gap,
    Printed,
    clip,
    gap_of,
    groups_by_points,
    has_decimal_commas,
    is_plain,
    plain,
    read_number,
    refuse_unclear_points,
    uses_decimal_comma,
)
from attnstudy.tables.columns import Column
from attnstudy.tables.grid import Grid
from attnstudy.tables.layouts.shape import Shape
from attnstudy.tables.seeds import whole_seed


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What the readers of the three layouts are given."""

    grid: Grid
    columns: tuple[Column, ...]
    shape: Shape
    asked: Asked
    what: str
    """What the table is called in messages."""

    decimal_comma: bool = field(init=False)
    """Whether commas are decimal marks."""

    def __post_init__(self) -> None:
        read = [*self.shape.values, *(c for c in self.columns if c.name == self.asked.point.of)]
        cells = [cell for c in read for cell in c.cells if gap_of(cell) is None]
        # semicolons and tabs come with decimal commas, from where commas cannot separate
        german = self.grid.place == "line" and self.grid.delimiter in (";", "\t")
        comma = uses_decimal_comma(cells, separated_by_semicolon=self.grid.delimiter == ";")
        if german and not comma and groups_by_points(cells):
            others = [c for c in self.columns if c.numeric and c not in read]
            comma = has_decimal_commas([cell for c in others for cell in c.cells])
        object.__setattr__(self, "decimal_comma", comma)
        for column in () if comma else self.shape.values:
            refuse_unclear_points(column.cells, perhaps_german=german)

    def place(self, line: int) -> str:
        """Return the place of a row, for the reader."""
        return f"{self.grid.place} {line}"

    def number(self, row: int, column: Column) -> Printed | Gap:
        """Return the number in a cell, or why there is none.

        Raises:
            DataError: the cell holds something else; or nothing tells an empty cell from one that
                is no number, and the reader was not told.

        """
        cell = column.cells[row]
        if is_plain(cell) and not self.decimal_comma:
            return plain(cell)
        line = self.grid.rows[row][0]
        where = f"{self.what}: {clip(column.shown)} in {self.place(line)}"
        gap = gap_of(cell)
        if gap is None:
            return read_number(cell, where, decimal_comma=self.decimal_comma)
        if gap is Gap.UNCLEAR:
            missing = self.asked.missing
            if missing not in ("diverged", "absent"):
                raise DataError(
                    f"{where} is missing, and a data frame does not tell a run that diverged from "
                    "one without a result: say which with missing='diverged' or 'absent'"
                )
            return Gap.DIVERGED if missing == "diverged" else Gap.EMPTY
        if self.asked.missing == "refuse":
            said = "empty" if gap is Gap.EMPTY else repr(clip(cell))
            raise DataError(f"{where} is {said}, and --missing refuse was said")
        if self.asked.missing == "diverged":
            return Gap.DIVERGED
        return Gap.EMPTY if self.asked.missing == "absent" else gap

    def beside(
        self, column: Column, others: Sequence[Column], rows: Sequence[int]
    ) -> list[tuple[Printed, list[Printed]]]:
        """Return each number of a column with those of other columns in its row."""
        return [
            (number, [v for c in others if isinstance(v := self.number(row, c), Printed)])
            for row in rows
            if isinstance(number := self.number(row, column), Printed)
        ]

    def seed(self, row: int) -> int | None:
        """Return the number of a run's repetition; None where nothing numbers them.

        Raises:
            DataError: it is no whole number.

        """
        if self.shape.seed is None:
            return None
        cell = self.shape.seed.cells[row]
        number = whole_seed(cell)
        if number is None:
            raise DataError(
                f"{self.what}: the seed in {self.place(self.grid.rows[row][0])} is {clip(cell)!r}, "
                "not a whole number"
            )
        return number
