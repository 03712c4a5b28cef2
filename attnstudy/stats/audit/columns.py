"""What the columns of a results table are, by their names and by what they hold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from attnstudy.errors import DataError
from attnstudy.stats.audit.csvtext import Grid
from attnstudy.stats.audit.printed import clip, looks_numeric
from attnstudy.stats.headings import NAMES, Role, names_a_run, roles


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The index of each column that is read, in the grid's order."""

    name: int
    """Names of the rows."""
    values: tuple[int, ...]
    """Measured values; empty for summaries."""
    mean: int | None
    """Means as printed."""
    sd: int | None
    """SDs as printed."""
    count: int | None
    """Numbers of runs."""
    notes: tuple[str, ...]
    """What was left out or taken for something."""

    @property
    def numeric(self) -> tuple[int, ...]:
        """All columns whose cells are measured numbers."""
        return (*self.values, *(c for c in (self.mean, self.sd) if c is not None))


def find_columns(grid: Grid) -> Columns:
    """Return what each column is.

    A column is recognised by its heading: see ``headings.roles``. Names stand in the first column
    that is called variant, name, model, method, arm, system or algorithm, else in the first
    column. Any other column with numbers holds values, except a single one beside a mean: that is
    a property of the rows unless it is called as a run is. What is left out is said in a note.

    Raises:
        DataError: there is no column of numbers, two of one kind, or no row of column names.

    """
    _check_header(grid)
    name = name_column(grid.header)
    found = _roles(grid, name)
    values = [i for i, role in found.items() if role is Role.VALUE]
    mean, sd, count = (_only(grid, found, role) for role in (Role.MEAN, Role.SD, Role.COUNT))
    notes = [
        f"column {clip(grid.header[i])!r} is left out: it holds no measured values, mean or SD"
        for i, role in found.items()
        if role is Role.OTHER and grid.header[i]
    ]
    if mean is None and len(values) == 1 and (sd is not None or count is not None):
        mean = values.pop()
        notes.append(f"column {clip(grid.header[mean])!r} is taken for the means")
    elif mean is not None and len(values) == 1 and not names_a_run(grid.header[values[0]]):
        notes.append(
            f"column {clip(grid.header[values.pop()])!r} is left out: one column of numbers beside "
            "the means holds no runs"
        )
    if mean is None and not values:
        raise DataError(
            "the table has no column of numbers beside the names: give one column a run, or "
            "columns mean, sd and n"
        )
    return Columns(
        name=name, values=tuple(values), mean=mean, sd=sd, count=count, notes=tuple(notes)
    )


def name_column(header: Sequence[str]) -> int:
    """Return the index of the column of names."""
    return next((i for i, name in enumerate(header) if name.casefold() in NAMES), 0)


def _roles(grid: Grid, name: int) -> dict[int, Role]:
    """Return what each column but that of the names holds."""
    numeric = [
        i
        for i in range(len(grid.header))
        if i != name and any(looks_numeric(row[i]) for _, row in grid.rows)
    ]
    found = dict(zip(numeric, roles([grid.header[i] for i in numeric]), strict=True))
    return {i: found.get(i, Role.OTHER) for i in range(len(grid.header)) if i != name}


def _only(grid: Grid, found: dict[int, Role], role: Role) -> int | None:
    like = [i for i, its in found.items() if its is role]
    if len(like) > 1:
        names = " and ".join(repr(clip(grid.header[i])) for i in like[:2])
        raise DataError(f"columns {names} both look like the {role}: keep one of them")
    return like[0] if like else None


def _check_header(grid: Grid) -> None:
    # names such as 0 and 1 are seeds; a decimal number is a measurement
    if any(re.fullmatch(r"[+-]?[0-9]*[.,][0-9]+\s*%?", name) for name in grid.header):
        raise DataError(
            "the first row of the table holds numbers: put a row of column names above it"
        )
