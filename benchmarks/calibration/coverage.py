"""Simultaneous intervals: do they hold the truth, and is what they call equivalent so?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from attnstudy.stats.comparisons.batch import intervals, pair_indices
from attnstudy.stats.samples import Floats
from benchmarks.calibration.designs import Row
from benchmarks.calibration.draws import chunks, draw
from benchmarks.calibration.rates import REPLICATIONS, Rate, stream
from benchmarks.calibration.rows import hard

ALPHA = 0.05
LEAST, LEAST_OWN = 0.945, 0.94
"""Least coverage at .05; the second where p is Games-Howell's own by design."""
MARGINS = (3.0, 20.0)
"""Margins, in units of the largest standard error of a mean: few and many arms equivalent."""

_STEP = 0.7  # between true means


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervals:
    """What the intervals of one design did."""

    row: Row
    """The design."""
    coverage: Rate
    """Studies in which all intervals hold the truth."""
    wrong: tuple[Rate, ...]
    """For each of ``MARGINS``: studies with a pair called equivalent that is a margin apart."""

    @property
    def kept(self) -> bool:
        """Whether coverage and wrong equivalents keep their bounds."""
        least = LEAST_OWN if self.row.own else LEAST
        return self.coverage.at_least(least) and all(rate.at_most(ALPHA) for rate in self.wrong)


def rows() -> tuple[Row, ...]:
    """Return the designs whose intervals are measured."""
    found = {row.name: row for row in hard() if row.mode in ("all pairs", "holm")}
    for arms, n in ((arms, n) for arms in (2, 4, 8, 20) for n in (3, 4, 5, 10, 30)):
        for spread in ("equal", "last × 3", "rising 1–10"):
            row = Row(runs=(n,) * arms, spread=spread)
            found[row.name] = row
    return tuple(found.values())


def measure_intervals(row: Row, *, replications: int = REPLICATIONS, seed: int = 0) -> Intervals:
    """Measure the intervals of one design, with unequal means."""
    rng = stream(f"intervals, {row.name}", seed)
    largest = float(np.max(np.array(row.sds) / np.sqrt(row.runs)))
    wrong = [_wrong_equivalents(row, rng, replications, unit * largest) for unit in MARGINS]
    covered = 0
    means = np.arange(row.arms) * _STEP
    for low, high in _intervals(row, rng, replications, _STEP):
        a, b = pair_indices(row.arms)
        truth = means[a] - means[b]
        covered += int(np.count_nonzero(((low <= truth) & (truth <= high)).all(axis=1)))
    return Intervals(row=row, coverage=Rate(covered, replications), wrong=tuple(wrong))


def _intervals(
    row: Row, rng: np.random.Generator, replications: int, step: float
) -> Iterator[tuple[Floats, Floats]]:
    """Yield the ends of all intervals where true means are ``step`` apart."""
    means = (np.arange(row.arms) * step).tolist()
    for rows in chunks(replications, row.arms):
        yield intervals(draw(rng, rows, row.runs, row.sds, means), row.design(ALPHA))


def _wrong_equivalents(
    row: Row, rng: np.random.Generator, replications: int, margin: float
) -> Rate:
    # neighbours are exactly one margin apart, the hardest case: no pair is equivalent
    count = 0
    for low, high in _intervals(row, rng, replications, margin):
        count += int(np.count_nonzero(((-margin < low) & (high < margin)).any(axis=1)))
    return Rate(count, replications)
