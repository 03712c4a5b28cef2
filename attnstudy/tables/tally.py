"""Each different cell of a column once: what is said of a long column costs what its texts do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from attnstudy.tables.cells import UNCLEAR


@dataclass(frozen=True, slots=True)
class Tally:
    """The different cells of a column, in the order in which they first stand there."""

    cells: tuple[str, ...]
    counts: tuple[int, ...]
    """How often each is there."""

    @property
    def total(self) -> int:
        """How many cells the column has."""
        return sum(self.counts)

    @property
    def different(self) -> int:
        """How many texts it has."""
        return len(set(self.cells))

    def where(self, holds: Callable[[str], bool]) -> Tally:
        """Return the cells of which something holds."""
        kept = [(cell, n) for cell, n in zip(self.cells, self.counts, strict=True) if holds(cell)]
        return Tally(tuple(cell for cell, _ in kept), tuple(n for _, n in kept))

    def count(self, holds: Callable[[str], bool]) -> int:
        """Return of how many cells something holds."""
        return sum(n for cell, n in zip(self.cells, self.counts, strict=True) if holds(cell))


def tally_of(cells: Sequence[str]) -> Tally:
    """Return the different cells of a column."""
    found = Counter(cells)
    if UNCLEAR in found and len({type(cell) for cell in cells if cell == UNCLEAR}) > 1:
        # the text that stands for a missing cell, and the same text as a name
        return Tally(tuple(cells), (1,) * len(cells))
    return Tally(tuple(found), tuple(found.values()))
