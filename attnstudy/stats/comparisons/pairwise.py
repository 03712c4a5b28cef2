"""Comparisons of means: all pairs at once; pairs by Holm; seed by seed by Holm.

Every function takes the summary of the arms and the pairs as index arrays, so that a family of
comparisons is one vectorised computation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from attnstudy.stats.comparisons.pair_test import PairTest
from attnstudy.stats.samples import ROUNDING, Floats, independent_runs

Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Contrasts:
    """A family of comparisons a - b; every array has shape (pairs,).

    Where the spread is zero nothing can be tested: ``p`` and the interval are NaN there.
    """

    difference: Floats
    """Mean of a minus mean of b, in the metric's unit."""
    se: Floats
    """Standard error of the difference, in the metric's unit."""
    df: Floats
    """Degrees of freedom."""
    calibrated: Floats
    """Weight of the calibrated p-value: see ``pair_test``."""
    p: Floats
    """Two-sided p-values, adjusted for the family."""
    low: Floats
    """Lower ends of the family's intervals, in the metric's unit."""
    high: Floats
    """Upper ends of the family's intervals, in the metric's unit."""


def all_pairs(
    mean: Floats,
    sd: Floats,
    n: Floats,
    a: Indices,
    b: Indices,
    *,
    alpha: float,
    k: int,
    cautious: bool = False,
) -> Contrasts:
    """Compare pairs of arms as members of the family of all pairs of ``k`` arms.

    Games and Howell, "Pairwise multiple comparison procedures with unequal n's and/or
    variances", J. Educ. Stat. 1 (1976) 113-125, calibrated where that claims too much: see
    ``pair_test``. The intervals are the differences that the same test would not reject at
    ``alpha``.

    Args:
        mean: shape (arms,); in the metric's unit, as ``sd``.
        sd: shape (arms,), divisor n - 1.
        n: shape (arms,), 3 or more each.
        a: shape (pairs,), index of the first arm.
        b: shape (pairs,), index of the second arm.
        alpha: family-wise error rate.
        k: arms in the family; with sequential looks the number at the start.
        cautious: see ``PairTest``.

    """
    return _compare(mean, sd, n, a, b, arms=k, level=alpha, cautious=cautious)


def holm_pairs(
    mean: Floats,
    sd: Floats,
    n: Floats,
    a: Indices,
    b: Indices,
    *,
    alpha: float,
    cautious: bool = False,
) -> Contrasts:
    """Compare pairs with Holm's p-values and Bonferroni intervals.

    See ``all_pairs`` for the arguments; the family is the pairs given.
    """
    arms = 2 if a.size == 1 else None  # one pair is the same question in every mode
    level = alpha / max(a.size, 1)
    single = _compare(mean, sd, n, a, b, arms=arms, level=level, cautious=cautious)
    return replace(single, p=holm(single.p))


def paired_holm(
    values: Floats, a: Indices, b: Indices, *, alpha: float, overlap: float = 0.0
) -> Contrasts:
    """Compare pairs by the t test of seed differences with Holm's p-values.

    With an overlap it is the corrected resampled t test of Nadeau and Bengio (2003).

    Args:
        values: shape (arms, seeds), in the metric's unit; a column holds one seed.
        a: shape (pairs,), index of the first arm.
        b: shape (pairs,), index of the second arm.
        alpha: family-wise error rate.
        overlap: see ``independent_runs``.

    """
    seeds = values.shape[1]
    differences = values[a] - values[b]
    mean = differences.mean(axis=1)
    rounding = ROUNDING * float(np.abs(values).max())
    spread = np.where(np.ptp(differences, axis=1) > rounding, differences.std(axis=1, ddof=1), 0.0)
    se = spread / np.sqrt(independent_runs(seeds, overlap))
    t = np.divide(np.abs(mean), se, out=np.full(se.shape, np.nan), where=se > 0)
    p = holm(2.0 * special.stdtr(seeds - 1.0, -t))
    half = -special.stdtrit(seeds - 1.0, alpha / (2.0 * max(se.size, 1)))
    half = half * np.where(se > 0, se, np.nan)
    df, calibrated = np.full(se.shape, seeds - 1.0), np.zeros(se.shape)
    return Contrasts(mean, se, df, calibrated, p, mean - half, mean + half)


def holm(p: Floats) -> Floats:
    """Return Holm's adjusted p-values for p of shape (m,); NaN stays and counts in m.

    Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Stat. 6 (1979)
    65-70: the i-th smallest p is multiplied by m - i + 1 and kept monotone.
    """
    order = np.argsort(p)  # NaN last
    scaled = np.minimum(p[order] * np.arange(p.size, 0, -1), 1.0)
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(scaled)
    return adjusted


def _compare(
    mean: Floats,
    sd: Floats,
    n: Floats,
    a: Indices,
    b: Indices,
    *,
    arms: int | None,
    level: float,
    cautious: bool,
) -> Contrasts:
    """Return the contrasts of pairs whose intervals miss with probability ``level``."""
    difference = mean[a] - mean[b]
    error = sd / np.sqrt(n)
    se = np.hypot(error[a], error[b])
    p, half, df, calibrated = (np.full(se.shape, np.nan) for _ in range(4))
    able = se > 0.0
    # the share of a in the variance: its square cannot overflow, as that of a variance can
    share = (error[a][able] / se[able]) ** 2
    test = PairTest(share, n[a][able], n[b][able], arms, cautious)
    p[able] = test.p(np.abs(difference[able]) / se[able])
    half[able] = test.critical(level) * se[able]
    df[able], calibrated[able] = test.df, test.weight
    return Contrasts(difference, se, df, calibrated, p, difference - half, difference + half)
