"""Many arms with few seeds, where Games-Howell claims too much and Tamhane's T2 takes its place.

Games-Howell refers every pair to the studentised range as if the pairs' degrees of freedom were
known. With many arms some pair has two small variances by chance, and its few degrees of freedom
do not make up for that: the error rate of 40 arms of three runs is .35 instead of .05.

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

FEW = 5
"""Runs an arm at a first look below which Games-Howell takes more than its share of alpha."""

SEEDS = (3, 4, 5, 7, 10, 15, 20, 30)
"""Runs an arm of the columns of ``RATES``."""

RATES: dict[int, tuple[float, ...]] = {
    5: (0.0568, 0.0593, 0.0544, 0.0550, 0.0535, 0.0517, 0.0544, 0.0517),
    6: (0.0693, 0.0624, 0.0591, 0.0554, 0.0542, 0.0530, 0.0547, 0.0532),
    8: (0.0822, 0.0768, 0.0682, 0.0609, 0.0588, 0.0561, 0.0554, 0.0535),
    10: (0.0987, 0.0863, 0.0733, 0.0657, 0.0624, 0.0566, 0.0545, 0.0512),
    15: (0.1393, 0.1113, 0.0941, 0.0779, 0.0647, 0.0602, 0.0584, 0.0571),
    20: (0.1888, 0.1378, 0.1125, 0.0871, 0.0741, 0.0664, 0.0617, 0.0557),
    30: (0.2709, 0.1928, 0.1442, 0.1064, 0.0859, 0.0713, 0.0664, 0.0600),
    40: (0.3495, 0.2357, 0.1746, 0.1217, 0.0929, 0.0746, 0.0670, 0.0617),
}
"""Family-wise error of Games-Howell at alpha = .05 among equal normal arms, by arms and runs.

20,000 replications each, standard error at most .0034: ``python benchmarks/many_arms.py``.
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


def needs_sidak(arms: int, runs: int, *, sequential: bool = False) -> bool:
    """Tell from the design alone whether Tamhane's T2 takes the place of Games-Howell.

    Args:
        arms: arms in the family.
        runs: values of the smallest of them; with looks at the first look.
        sequential: whether there are looks: then all of them have to stay below alpha together,
            and what is tolerated of one analysis is not of the first.

    """
    found = measured_error(arms, runs)
    if found is None:
        return False
    return found.rate > TOLERATED or (sequential and runs < FEW)


def family_size(samples: Sequence[Sample], looks: Sequence[int] | None = None) -> tuple[int, int]:
    """Return the arms of the family and the runs of the smallest; with looks at the first one."""
    if looks:
        return len(samples), looks[0]
    runs = [sample.n for sample in samples if sample.tested]
    return len(runs), min(runs, default=0)


def settle(design: Design, samples: Sequence[Sample], looks: Sequence[int] | None = None) -> Design:
    """Return the design with Tamhane's T2 where the samples are many and small."""
    needed = needs_sidak(*family_size(samples, looks), sequential=bool(looks))
    sidak = design.method == "games-howell" and needed
    return design if sidak == design.sidak else replace(design, sidak=sidak)
