"""Critical values of |t| where many are needed: power, simulations, figures.

A ranking itself computes the value of each of its pairs: see ``pairwise``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.polynomial import Chebyshev
from scipy import special

from attnstudy.stats.comparisons import _studentized_range as studentized_range
from attnstudy.stats.comparisons.pair_test import FEW_ARMS, PairTest
from attnstudy.stats.samples import Floats

_FARTHEST = 14.0  # logit of the share: beyond it one arm alone decides
_NODES = 141  # interpolation between them is right to one part in a thousand
_LEAST_DF, _MOST_DF = 2.0, 1e7
_DEGREE = 24


@dataclass(frozen=True, slots=True)
class Family:
    """The comparisons among which a pair is tested, and the level at which its p counts.

    Holm's families are taken at the level of the smallest p-value, so that power is stated without
    help from the other pairs.
    """

    arms: int | None
    """Arms of which all pairs are compared; None where each pair stands for itself."""
    level: float
    """What p must not exceed."""
    cautious: bool = False
    """See ``PairTest``."""

    def critical(self, share: Floats, n_a: int, n_b: int) -> Floats:
        """Return the |t| from which a pair is different, to about one part in a thousand.

        Args:
            share: any shape; of arm a in the squared standard error.
            n_a: runs of arm a, 3 or more.
            n_b: runs of arm b.

        """
        flat = np.clip(share.ravel(), 1e-12, 1.0 - 1e-12)
        test = PairTest(
            flat, np.full(flat.shape, n_a), np.full(flat.shape, n_b), self.arms, self.cautious
        )
        value = self.own(test.df)
        calibrated = test.weight > 0.0
        if calibrated.any():
            logit = special.logit(flat[calibrated])
            value[calibrated] = np.exp(np.interp(logit, _GRID, _table(self, n_a, n_b)))
        return np.asarray(value.reshape(share.shape), dtype=np.float64)

    def own(self, df: Floats) -> Floats:
        """Return the |t| of Games-Howell, or of Welch, for degrees of freedom of any shape."""
        value: Floats = np.exp(_series(self)(1.0 / np.clip(df, _LEAST_DF, _MOST_DF)))
        return value

    def paired(self, seeds: int) -> float:
        """Return the |t| from which a mean of ``seeds`` differences is different."""
        return -float(special.stdtrit(seeds - 1.0, 0.5 * self.level))


@lru_cache(maxsize=64)
def _series(family: Family) -> Chebyshev:
    """Return the logarithm of ``own``, which is smooth in 1 / df: right to about 1e-9."""

    def exact(x: Floats) -> Floats:
        if family.arms is not None and 2 < family.arms <= FEW_ARMS:
            quantile = studentized_range.isf(family.level, family.arms, 1.0 / x)
            return np.asarray(np.log(quantile) - 0.5 * math.log(2.0), dtype=np.float64)
        return np.asarray(
            np.log(-special.stdtrit(1.0 / x, 0.5 * _single(family))), dtype=np.float64
        )

    return Chebyshev.interpolate(exact, _DEGREE, domain=[1.0 / _MOST_DF, 1.0 / _LEAST_DF])


@lru_cache(maxsize=64)
def _single(family: Family) -> float:
    """Return the p of a pair alone at which the family's p is its level."""
    if family.arms is None or family.arms == 2:
        return family.level
    z = float(studentized_range.isf(family.level, family.arms, _MOST_DF)) / math.sqrt(2.0)
    return 2.0 * float(special.ndtr(-z))


_GRID = np.linspace(-_FARTHEST, _FARTHEST, _NODES)


@lru_cache(maxsize=512)
def _table(family: Family, n_a: int, n_b: int) -> Floats:
    """Return the logarithm of the critical value on the grid of logits."""
    runs_a, runs_b = (np.full(_NODES, float(n)) for n in (n_a, n_b))
    test = PairTest(special.expit(_GRID), runs_a, runs_b, family.arms, family.cautious)
    table: Floats = np.log(test.critical(family.level))
    table.setflags(write=False)
    return table
