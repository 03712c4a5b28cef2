"""What the columns of a results table are, by their names and by what they hold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from attnstudy.errors import DataError
from attnstudy.stats.audit.csvtext import Grid
from attnstudy.stats.audit.printed import clip, looks_numeric

_NAME = {"variant", "name", "model", "method", "arm", "system", "algorithm"}
_MEAN = {"mean", "average", "avg"}
_SD = {"sd", "std", "stdev", "stddev", "deviation"}
_COUNT = {"n", "runs", "seeds", "trials", "repeats", "count"}
_OTHER_STATISTICS = {
    "se", "sem", "stderr", "ci", "ci95", "iqr", "var", "variance", "min", "max", "median", "rank",
    "best", "worst",
}  # fmt: skip
_NO_MEASUREMENT = {"", "seed", "index", "id", "epoch"}


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

    A column is recognised by a word of its name (mean, average, avg; sd, std, stdev, stddev) or,
    for the number of runs, by its whole name (n, runs, seeds, ...). Names stand in the first
    column that is called variant, name, model, method, arm, system or algorithm, else in the
    first column. Any other column with numbers holds values. A column without numbers, or of
    another statistic, is left out with a note.

    Raises:
        DataError: there is no column of numbers, two of one kind, or no row of column names.

    """
    _check_header(grid)
    name = name_column(grid.header)
    roles = {i: _role(grid, i) for i in range(len(grid.header)) if i != name}
    notes = [
        f"column {clip(grid.header[i])!r} is left out: it holds no measured values, mean or SD"
        for i, role in roles.items()
        if role == "other" and grid.header[i]
    ]
    values = [i for i, role in roles.items() if role == "value"]
    mean, sd, count = (_only(grid, roles, role) for role in ("mean", "SD", "number of runs"))
    if mean is None and len(values) == 1 and (sd is not None or count is not None):
        mean = values.pop()
        notes.append(f"column {clip(grid.header[mean])!r} is taken for the means")
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
    return next((i for i, name in enumerate(header) if name.casefold() in _NAME), 0)


def _role(grid: Grid, index: int) -> str:
    name = grid.header[index].casefold()
    words = set(re.split(r"[^a-z0-9]+", name))
    numeric = any(looks_numeric(row[index]) for _, row in grid.rows)
    if not numeric or name in _NO_MEASUREMENT or words & _OTHER_STATISTICS:
        return "other"
    if name in _COUNT or words & {"n"}:
        return "number of runs"
    if words & _SD:
        return "SD"
    return "mean" if words & _MEAN else "value"


def _only(grid: Grid, roles: dict[int, str], role: str) -> int | None:
    found = [i for i, its in roles.items() if its == role]
    if len(found) > 1:
        names = " and ".join(repr(clip(grid.header[i])) for i in found[:2])
        raise DataError(f"columns {names} both look like the {role}: keep one of them")
    return found[0] if found else None


def _check_header(grid: Grid) -> None:
    # names such as 0 and 1 are seeds; a decimal number is a measurement
    if any(re.fullmatch(r"[+-]?[0-9]*[.,][0-9]+\s*%?", name) for name in grid.header):
        raise DataError(
            "the first row of the table holds numbers: put a row of column names above it"
        )
