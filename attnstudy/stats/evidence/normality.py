"""Whether the runs themselves speak against a normal distribution.

Nothing is decided by it, and no test is chosen by it: it says when a claim leans on what the data
do not bear out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from attnstudy.shown import with_minus
from attnstudy.stats.samples import MIN_RUNS, Floats, Sample

LEVEL = 0.01
"""Level at which runs are said not to be normal."""

_STREAM = int.from_bytes(b"normal runs")  # the same counts always get the same reference
_LEAST, _MOST = 399, 9999  # studies in the reference
_NUMBERS = 1_000_000  # drawn for it, where the least is not more
_AT_ONCE = 2_000_000


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of the runs about the means of their arms, each arm in units of its own SD."""

    skewness: float
    """Mean cube: 0 on average for normal runs."""
    tails: float
    """Mean fourth power."""
    usual_tails: float
    """What it is on average for normal runs in these numbers."""
    p: float
    """Of the hypothesis that all runs are normal, whatever mean and SD each arm has."""

    @property
    def suspicious(self) -> bool:
        """Whether normal runs would hardly look like this."""
        return self.p <= LEVEL

    @property
    def words(self) -> str:
        """What is unusual."""
        side = "low" if self.skewness < 0.0 else "high"
        if self._tailed:
            return "some runs lie much farther from the mean of their arm than others"
        skewness = with_minus(f"{self.skewness:+.1f}")
        return f"the runs are skewed towards {side} values, with skewness {skewness}"

    @property
    def short(self) -> str:
        """The same in a clause."""
        return "some runs lie far out" if self._tailed else "the runs are skewed"

    @property
    def _tailed(self) -> bool:
        return self.tails > self.usual_tails and abs(self.skewness) < 0.5


def suspicious_shape(samples: Sequence[Sample]) -> Shape | None:
    """Return the shape of the runs where normal ones would hardly look like it; else None.

    The same as ``shape_of``, but that the reference of a large study is drawn only as far as it
    takes to see that it has enough studies like this one.
    """
    measured = _measured(samples)
    if measured is None:
        return None
    skewness, tails, sizes = measured
    reference = _reference(sizes)
    skewed = heavy = 0
    for third, fourth in reference.parts():
        skewed += int(np.count_nonzero(np.abs(third) >= abs(skewness)))
        heavy += int(np.count_nonzero(fourth >= tails))
        if _p(skewed, heavy, reference.studies) > LEVEL:  # and more studies only add to it
            return None
    return shape_of(samples)


def shape_of(samples: Sequence[Sample]) -> Shape | None:
    """Test skewness and tails of all arms together; None where no arm can show either.

    In units of its arm's SD the distribution of a normal run about the arm's mean is the same for
    every mean and SD, so normal draws in the same numbers are an exact reference (Besag and
    Clifford, "Sequential Monte Carlo p-values", Biometrika 78 (1991) 301-304): the level holds for
    every number of runs, also for unequal spreads. Bonferroni over the two statistics.
    """
    measured = _measured(samples)
    if measured is None:
        return None
    skewness, tails, sizes = measured
    reference = _reference(sizes)
    parts = list(reference.parts())
    third, fourth = (np.concatenate([part[which] for part in parts]) for which in (0, 1))
    skewed = int(np.count_nonzero(np.abs(third) >= abs(skewness)))
    heavy = int(np.count_nonzero(fourth >= tails))
    return Shape(skewness, tails, float(fourth.mean()), _p(skewed, heavy, reference.studies))


def _p(skewed: int, heavy: int, studies: int) -> float:
    """Return p where so many studies of the reference are as skewed, and as heavy in the tails."""
    return min(1.0, 2.0 * (min(skewed, heavy) + 1) / (studies + 1))


def _measured(samples: Sequence[Sample]) -> tuple[float, float, tuple[int, ...]] | None:
    """Return skewness and tails of all arms together, and their sizes; None where none has any."""
    usable = [sample for sample in samples if sample.n >= MIN_RUNS and sample.sd > 0.0]
    if not usable:
        return None
    arms = sorted(usable, key=lambda arm: arm.n)  # the reference does not know their order
    sizes = tuple(arm.n for arm in arms)
    # shifted and scaled before, so that no square leaves the range of a double
    values = np.concatenate([(arm.values - arm.mean) / arm.sd for arm in arms])
    skewness, tails = (float(one[0]) for one in _moments(values[None, :], sizes))
    return skewness, tails, sizes


class _Reference:
    """The moments of normal studies in the same numbers, drawn as far as somebody has looked."""

    def __init__(self, sizes: tuple[int, ...]) -> None:
        """Take the runs of each arm."""
        runs = sum(sizes)
        self.studies = min(max(_NUMBERS // runs, _LEAST), _MOST)
        self._most = max(_AT_ONCE // runs, 1)
        self._sizes = sizes
        self._rng = np.random.default_rng([_STREAM, *sizes])
        self._drawn: list[tuple[Floats, Floats]] = []

    def parts(self) -> Iterator[tuple[Floats, Floats]]:
        """Give mean cubes and mean fourth powers of some studies after others."""
        for place, start in enumerate(range(0, self.studies, self._most)):
            if place == len(self._drawn):
                shape = (min(self._most, self.studies - start), sum(self._sizes))
                self._drawn.append(_moments(self._rng.standard_normal(shape), self._sizes))
            yield self._drawn[place]


@lru_cache(maxsize=16)
def _reference(sizes: tuple[int, ...]) -> _Reference:
    """Return the moments of normal studies in these numbers, the same ones every time."""
    return _Reference(sizes)


def _moments(rows: Floats, counts: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Return the mean cube and the mean fourth power of each row, arm by arm standardised.

    The rows are overwritten: of large studies most of the time goes to memory.
    """
    sizes = np.array(counts)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    rows -= np.repeat(np.add.reduceat(rows, starts, axis=1) / sizes, sizes, axis=1)
    square = rows * rows
    variance = np.add.reduceat(square, starts, axis=1) / sizes
    rows *= square
    cube = np.add.reduceat(rows, starts, axis=1) / variance**1.5
    square *= square
    fourth = np.add.reduceat(square, starts, axis=1) / variance**2
    runs = sizes.sum()
    return cube.sum(axis=1) / runs, fourth.sum(axis=1) / runs
