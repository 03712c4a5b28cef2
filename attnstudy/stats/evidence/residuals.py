"""Values that stand out from the spread of all arms: externally studentised residuals."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from attnstudy.stats.samples import Sample

_CANCELLED = 1e-6  # share of the sum of squares below which a difference of two has lost digits


@dataclass(frozen=True, slots=True)
class Outlier:
    """A value with its externally studentised residual."""

    arm: int
    """Index of its arm."""
    index: int
    """Index within the arm."""
    t: float
    """The residual; infinite where the other values have no spread."""
    p: float
    """Its two-sided p-value, times the number of values."""


def outliers(samples: Sequence[Sample], alpha: float) -> Iterator[Outlier]:
    """Yield the values whose adjusted p-value is below ``alpha``, arm by arm.

    Pooled one-way model: a mean for each arm, one spread, N values in k arms. With the residual e,
    its leverage h = 1/n of the arm and the sum of squares S of all residuals,
    t = e / (s (1 - h)^(1/2)), s^2 = (S - e^2 / (1 - h)) / (N - k - 1), has Student's distribution
    with N - k - 1 degrees of freedom; p is multiplied by N after Bonferroni. Cook and Weisberg,
    "Residuals and Influence in Regression" (1982), section 2.2.2.

    A value alone in its arm has no residual.

    Args:
        samples: the arms, in one unit.
        alpha: level of the test.

    """
    several = [sample for sample in samples if sample.n > 1]
    freedom = sum(sample.n - 1 for sample in several) - 1
    scale = max((sample.sd for sample in several), default=0.0)
    if freedom < 1 or scale == 0.0:
        return
    count = sum(sample.n for sample in samples)
    # in units of the largest SD, whose square then stays a double
    squares = math.fsum((sample.n - 1) * (sample.sd / scale) ** 2 for sample in several)
    for arm, sample in enumerate(samples):
        if sample.n < 2:
            continue
        free = 1.0 - 1.0 / sample.n
        e = (sample.values - sample.mean) / scale
        left = squares - e * e / free
        for index in np.flatnonzero(left <= _CANCELLED * squares).tolist():
            left[index] = _without(several, sample, index, scale)
        some = left > 0.0
        t = np.copysign(np.inf, e)
        t[some] = e[some] / np.sqrt(left[some] / freedom * free)
        p = np.minimum(2.0 * count * special.stdtr(freedom, -np.abs(t)), 1.0)
        for index in np.flatnonzero(p < alpha).tolist():
            yield Outlier(arm, index, float(t[index]), float(p[index]))


def _without(several: Sequence[Sample], sample: Sample, index: int, scale: float) -> float:
    """Return the sum of squares, in units of ``scale``, without one value of an arm."""
    arms = [sample.without(index) if one is sample else one for one in several]
    return math.fsum((arm.n - 1) * (arm.sd / scale) ** 2 for arm in arms if arm.n > 1)
