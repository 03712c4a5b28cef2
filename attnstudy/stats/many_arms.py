"""Many arms with few seeds, where Games-Howell claims too much and Tamhane's T2 takes its place.

Games-Howell refers every pair to the studentised range as if the pairs' degrees of freedom were
known. With many arms some pair has two small variances by chance, and its few degrees of freedom
do not make up for that: the error rate of 40 arms of three runs is .34 instead of .05.

Tamhane, "A comparison of procedures for multiple comparisons of means with unequal variances",
J. Am. Stat. Assoc. 74 (1979) 471-480: T2 is Welch's t with Sidak's inequality over all pairs.
Its intervals are simultaneous too, so that letters, rank ranges and equivalence keep their sense.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from attnstudy.stats.design import Design
from attnstudy.stats.samples import Sample

TOLERATED = 0.06
"""Error rate, where .05 is promised, up to which Games-Howell is used."""

SEEDS = (3, 4, 5, 7, 10, 15, 20, 30)
"""Runs an arm of the columns of ``RATES``."""

RATES: dict[int, tuple[float, ...]] = {
    5: (0.0575, 0.0556, 0.0553, 0.0541, 0.0526, 0.0542, 0.0537, 0.0503),
    6: (0.0655, 0.0599, 0.0590, 0.0591, 0.0528, 0.0542, 0.0529, 0.0504),
    8: (0.0837, 0.0722, 0.0687, 0.0597, 0.0546, 0.0568, 0.0563, 0.0548),
    10: (0.0990, 0.0829, 0.0738, 0.0673, 0.0631, 0.0553, 0.0532, 0.0521),
    15: (0.1431, 0.1094, 0.0923, 0.0791, 0.0707, 0.0656, 0.0578, 0.0540),
    20: (0.1850, 0.1375, 0.1103, 0.0877, 0.0735, 0.0635, 0.0562, 0.0541),
    30: (0.2705, 0.1870, 0.1416, 0.1066, 0.0837, 0.0734, 0.0664, 0.0617),
    40: (0.3431, 0.2313, 0.1744, 0.1252, 0.0930, 0.0727, 0.0681, 0.0617),
}
"""Family-wise error of Games-Howell at alpha = .05 among equal normal arms, by arms and runs.

20,000 replications each, standard error at most .0034: ``python benchmarks/many_arms.py``. At
alpha = .01 the rates exceed alpha by a fifth in the same cells, give or take their error.
"""


@dataclass(frozen=True, slots=True)
class MeasuredError:
    """A cell of ``RATES``."""

    arms: int
    """Arms."""
    runs: int
    """Runs an arm."""
    rate: float
    """Family-wise error of Games-Howell where .05 is promised."""


def measured_error(arms: int, runs: int) -> MeasuredError | None:
    """Return the measured cell that is no better than ``arms`` of ``runs``; none up to four.

    More arms than were measured get the last row, which is above what is tolerated.
    """
    if arms < min(RATES):
        return None
    row = min((k for k in RATES if k >= arms), default=max(RATES))
    column = max((place for place, n in enumerate(SEEDS) if n <= runs), default=0)
    return MeasuredError(row, SEEDS[column], RATES[row][column])


def needs_sidak(arms: int, runs: int) -> bool:
    """Tell from the design alone whether Tamhane's T2 takes the place of Games-Howell.

    Args:
        arms: arms in the family.
        runs: values of the smallest of them; with looks at the first look.

    """
    found = measured_error(arms, runs)
    return found is not None and found.rate > TOLERATED


def family_size(samples: Sequence[Sample], looks: Sequence[int] | None = None) -> tuple[int, int]:
    """Return the arms of the family and the runs of the smallest; with looks at the first one."""
    if looks:
        return len(samples), looks[0]
    runs = [sample.n for sample in samples if sample.tested]
    return len(runs), min(runs, default=0)


def settle(design: Design, samples: Sequence[Sample], looks: Sequence[int] | None = None) -> Design:
    """Return the design with Tamhane's T2 where the samples are many and small."""
    sidak = design.method == "games-howell" and needs_sidak(*family_size(samples, looks))
    return design if sidak == design.sidak else replace(design, sidak=sidak)
