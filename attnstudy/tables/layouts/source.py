"""A table on its way to a reading: its cells, its shape, and the reader's rules for cells."""

from __future__ import annotations

from array import array
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
from attnstudy.tables.layouts.numbers import Numbers
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

    _seeds: dict[str, int] = field(init=False, default_factory=dict)
    """The number that each cell of the column of seeds means, of those that were asked for."""

    _steps: dict[str, float] = field(init=False, default_factory=dict)
    """The step that each cell means, likewise."""

    def __post_init__(self) -> None:
        read = [*self.shape.values, *(c for c in self.columns if c.name == self.asked.point.of)]
        cells = [cell for c in read for cell in c.distinct if c.plain or gap_of(cell) is None]
        # semicolons and tabs come with decimal commas, from where commas cannot separate
        german = self.grid.place == "line" and self.grid.delimiter in (";", "\t")
        comma = not all(c.plain for c in read) and uses_decimal_comma(
            cells, separated_by_semicolon=self.grid.delimiter == ";"
        )
        for column in read if self.grid.files else ():
            if not column.plain:
                self._refuse_other_marks(column)
        if german and not comma and groups_by_points(cells):
            others = [c for c in self.columns if c.numeric and c not in read]
            comma = has_decimal_commas([cell for c in others for cell in c.distinct])
        object.__setattr__(self, "decimal_comma", comma)
        for column in () if comma else self.shape.values:
            refuse_unclear_points(column.distinct, perhaps_german=german)

    def _refuse_other_marks(self, column: Column) -> None:
        """Refuse files of which some would be read with decimal commas, if alone, and some not.

        Raises:
            DataError: naming a number of each.

        """
        cells: dict[int, dict[str, None]] = {}
        for file, cell in zip(self.grid.file_of, column.cells, strict=True):
            if ("," in cell or "." in cell) and gap_of(cell) is None:
                cells.setdefault(file, {})[cell] = None
        marks: dict[bool, int] = {}
        for file, found in cells.items():
            semicolon = self.grid.files[file].delimiter == ";"
            marks.setdefault(uses_decimal_comma([*found], separated_by_semicolon=semicolon), file)
        if len(marks) == 2:
            shown = {mark: clip(next(iter(cells[file]))) for mark, file in marks.items()}
            name = {mark: self.grid.files[file].name for mark, file in marks.items()}
            raise DataError(
                f"{clip(column.shown)} has decimal points in {name[False]} ({shown[False]}) and "
                f"decimal commas in {name[True]} ({shown[True]}): write all with points"
            )

    def reads_plainly(self, column: Column) -> bool:
        """Whether every cell of a column is a number that can be read in one way alone."""
        return column.plain and not self.decimal_comma

    def place(self, row: int) -> str:
        """Return the place of a row, for the reader."""
        return self.grid.place_of(row)

    def seeds(self, rows: Sequence[int]) -> list[int | None]:
        """Return the number of each run's repetition, as ``seed`` does."""
        if self.shape.seed is None:
            return [None] * len(rows)
        try:
            return list(map(self._seeds.__getitem__, self.shape.seed.taken(rows)))
        except KeyError:
            return [self.seed(row) for row in rows]

    def values(self, rows: Sequence[int], column: Column) -> array[float]:
        """Return the numbers in cells that hold one, as floats.

        Raises:
            DataError: a cell holds something else.

        """
        if self.reads_plainly(column):
            return array("d", map(float, column.taken(rows)))
        found = (self.number(row, column) for row in rows)
        return array("d", (float(one.value) for one in found if isinstance(one, Printed)))

    def numbers(self, rows: Sequence[int], column: Column) -> Numbers:
        """Return the numbers in cells that hold one, as they are printed.

        Raises:
            DataError: a cell holds something else.

        """
        if self.reads_plainly(column):
            return Numbers(list(column.taken(rows)))
        found = (self.number(row, column) for row in rows)
        return Numbers.of([number for number in found if isinstance(number, Printed)])

    def steps(self, rows: Sequence[int], column: Column) -> list[float]:
        """Return the steps in some rows.

        Raises:
            DataError: one is no number.

        """
        try:
            return list(map(self._steps.__getitem__, column.taken(rows)))
        except KeyError:
            return [self._step(row, column) for row in rows]

    def _step(self, row: int, column: Column) -> float:
        cell = column.cells[row]
        if cell not in self._steps:
            where = f"{self.what}: {column.name} in {self.place(row)}"
            self._steps[cell] = float(read_number(cell, where).value)
        return self._steps[cell]

    def number(self, row: int, column: Column) -> Printed | Gap:
        """Return the number in a cell, or why there is none.

        Raises:
            DataError: the cell holds something else; or nothing tells an empty cell from one that
                is no number, and the reader was not told.

        """
        cell = column.cells[row]
        if is_plain(cell) and not self.decimal_comma:
            return plain(cell)
        where = f"{self.what}: {clip(column.shown)} in {self.place(row)}"
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
        if cell in self._seeds:
            return self._seeds[cell]
        number = whole_seed(cell)
        if number is None:
            raise DataError(
                f"{self.what}: the seed in {self.place(row)} is {clip(cell)!r}, not a whole number"
            )
        self._seeds[cell] = number
        return number
