"""Equal values that chance does not make likely."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from scipy import special

from attnstudy.stats.audit.results import Finding, Kind
from attnstudy.stats.audit.table import Cell, Table, variance_of
from attnstudy.stats.results import Flag, Ranking
from attnstudy.tables.cells import clip

_SURPRISE = 0.05  # probability below which equal values are not put down to rounding
_FEW = 0.1  # equal pairs expected in the rows of a table up to which a single one is told
_LISTED = 4  # places named in a message


@dataclass(frozen=True, slots=True)
class Shared:
    """Values that stand in several rows."""

    first: Cell
    """One of them."""
    said: str
    """The same in words, without a full stop."""
    surprising: bool
    """Whether that many are unlikely by chance."""


def check_duplicates(table: Table, ranking: Ranking, step: Fraction | None) -> Iterator[Finding]:
    """Yield a finding for values that are equal although chance makes that unlikely.

    Within a row, and for rows that are equal, ``rank`` decides; see ``shared_values`` for values
    that rows share.

    Args:
        table: the table.
        ranking: its values, ranked.
        step: value of one test item, where known.

    """
    chance = _within_rows(table, step)
    for flag in ranking.flags:
        if flag.kind == "constant":
            yield _within_row(flag, table, "")
        of_values = flag.value is not None or flag.verdict_without is not None  # not of rows
        if flag.kind == "duplicate" and not (chance.likely and of_values):
            yield _within_row(flag, table, chance.said if of_values else "")
    shared = shared_values(table, step)
    if shared is not None and shared.surprising:
        yield Finding(
            kind=Kind.DUPLICATE,
            row=shared.first.row,
            column=shared.first.column,
            printed=shared.first.number.text,
            message=f"{shared.said}.",
        )


def duplicate_notes(table: Table, step: Fraction | None) -> Iterator[str]:
    """Yield a sentence on values that stand twice, or that rows share, as chance would have it."""
    chance = _within_rows(table, step)
    if chance.likely:
        yield (
            f"{chance.pairs} pair{'s' * (chance.pairs != 1)} of equal values within rows: about "
            f"{chance.expected:.2g} expected by chance in the whole table"
        )
    shared = shared_values(table, step)
    if shared is not None and not shared.surprising:
        yield shared.said


def shared_values(table: Table, step: Fraction | None) -> Shared | None:
    """Return the values that stand in several rows; None if there are none.

    Two normal values of spread s, recorded in steps of g, from rows whose means differ by d, are
    equal with a probability close to g times the density of their difference at 0,
    g exp(-d^2 / 4 s^2) / (2 s sqrt(pi)). The number of equal pairs is then nearly Poisson. s is
    pooled over the rows, and g is the last decimal or one test item, whichever is more.
    """
    groups: dict[Fraction, list[Cell]] = defaultdict(list)
    for cell in table.cells:
        groups[Fraction(cell.number.value)].append(cell)
    shared = [cells for cells in groups.values() if len({cell.row for cell in cells}) > 1]
    if not shared:
        return None
    said = f"rows share values: {_listed([_with_places(cells) for cells in shared])}"
    density = _density(table, step)
    expected = None if density is None else _expected_pairs(table, *density)
    if expected is None:
        return Shared(shared[0][0], said, surprising=False)
    pairs = sum(a.row != b.row for cells in shared for a, b in combinations(cells, 2))
    return Shared(
        shared[0][0],
        f"{said}; about {expected:.2g} such pairs are expected by chance",
        surprising=float(special.pdtrc(pairs - 1, expected)) < _SURPRISE,
    )


@dataclass(frozen=True, slots=True)
class _Chance:
    """Equal values within rows, in the whole table."""

    pairs: int
    """How many there are."""
    expected: float | None
    """How many chance gives; None where it cannot be told."""

    @property
    def likely(self) -> bool:
        """Whether chance explains them: many rows have many chances."""
        return (
            self.pairs > 0
            and self.expected is not None
            and self.expected > _FEW
            and float(special.pdtrc(self.pairs - 1, self.expected)) >= _SURPRISE
        )

    @property
    def said(self) -> str:
        """How many are expected, as a sentence."""
        if self.expected is None:
            return ""
        return f" In the whole table about {self.expected:.2g} such pairs are expected by chance."


def _within_rows(table: Table, step: Fraction | None) -> _Chance:
    """Return how many equal pairs rows have and how many they would have, as ``shared_values``."""
    times = [Counter(row.values).values() for row in table.rows]
    density = _density(table, step)
    return _Chance(
        pairs=sum(math.comb(n, 2) for of_row in times for n in of_row),
        expected=None
        if density is None
        else density[0] * sum(math.comb(len(row.cells), 2) for row in table.rows),
    )


def _density(table: Table, step: Fraction | None) -> tuple[float, float] | None:
    """Return the chance that two values of equal rows are equal, and the pooled spread."""
    rows = [row for row in table.rows if row.cells]
    freedom = sum(len(row.cells) - 1 for row in rows)
    squares = sum((variance_of(row.values, divisor=1) for row in rows), Fraction(0))
    if freedom == 0 or squares == 0:
        return None
    spread = math.sqrt(squares / freedom)
    usual = Counter(cell.number.places for cell in table.cells).most_common(1)[0][0]
    grain = max(10.0**-usual, float(step or 0))
    return min(1.0, grain / (2.0 * spread * math.sqrt(math.pi))), spread


def _expected_pairs(table: Table, at_equal_means: float, spread: float) -> float:
    """Return the expected number of equal pairs across rows."""
    rows = [row for row in table.rows if row.cells]
    means = [float(row.exact_mean or 0) for row in rows]
    return at_equal_means * math.fsum(
        len(a.cells) * len(b.cells) * math.exp(-(((x - y) / (2.0 * spread)) ** 2))
        for (a, x), (b, y) in combinations(zip(rows, means, strict=True), 2)
    )


def _within_row(flag: Flag, table: Table, chance: str) -> Finding:
    cells = [
        cell
        for cell in table.cells
        if cell.row == flag.arm and float(cell.number.value) == flag.value
    ]
    if not cells:  # two rows that are equal as a whole, or several values
        return _as_a_whole(flag, chance)
    times = "twice" if len(cells) == 2 else f"{len(cells)} times"
    message = (
        f"{clip(cells[0].row)}: {cells[0].number.text} appears {times}, in "
        f"{_listed([clip(cell.column) for cell in cells])}."
    )
    message += chance
    if flag.verdict_without is not None:
        message += f" Without one of them: {flag.verdict_without}."
    return Finding(
        kind=Kind.DUPLICATE,
        row=cells[0].row,
        column=cells[0].column,
        printed=cells[0].number.text,
        verdict_otherwise=flag.verdict_without,
        message=message,
    )


def _as_a_whole(flag: Flag, chance: str) -> Finding:
    message = flag.message
    if flag.verdict_without is not None:
        message += f".{chance} Without it: {flag.verdict_without}."
    return Finding(
        kind=Kind.DUPLICATE,
        row=flag.arm,
        verdict_otherwise=flag.verdict_without,
        message=message,
    )


def _with_places(cells: Sequence[Cell]) -> str:
    places = [f"{clip(cell.row)}/{clip(cell.column)}" for cell in cells]
    return f"{cells[0].number.text} ({_listed(places)})"


def _listed(items: Sequence[str]) -> str:
    if len(items) > _LISTED:
        return f"{', '.join(items[:_LISTED])} and {len(items) - _LISTED} more"
    return " and ".join(filter(None, (", ".join(items[:-1]), items[-1])))
