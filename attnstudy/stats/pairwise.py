"""Comparisons of means: Games-Howell and Tamhane's T2 for all pairs; Welch and paired t by Holm.

Every function takes the summary of the arms and the pairs as index arrays, so that a family of
comparisons is one vectorised computation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from attnstudy.stats import _studentized_range as studentized_range
from attnstudy.stats.samples import ROUNDING, Floats

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
    p: Floats
    """Two-sided p-values, adjusted for the family."""
    low: Floats
    """Lower ends of the family's intervals, in the metric's unit."""
    high: Floats
    """Upper ends of the family's intervals, in the metric's unit."""


def games_howell(
    mean: Floats, sd: Floats, n: Floats, a: Indices, b: Indices, *, alpha: float, k: int
) -> Contrasts:
    """Compare pairs of arms whose spreads may differ, as members of a family of ``k`` arms.

    Games and Howell, "Pairwise multiple comparison procedures with unequal n's and/or
    variances", J. Educ. Stat. 1 (1976) 113-125: |t| sqrt(2) with Welch's t and degrees of
    freedom is referred to the studentised range of ``k`` means. The intervals are the
    differences that the same test would not reject at ``alpha``.

    Args:
        mean: shape (arms,); in the metric's unit, as ``sd``.
        sd: shape (arms,), divisor n - 1.
        n: shape (arms,), 3 or more each.
        a: shape (pairs,), index of the first arm.
        b: shape (pairs,), index of the second arm.
        alpha: family-wise error rate.
        k: arms in the family; with sequential looks the number at the start.

    """
    difference, se, df, testable = _welch(mean, sd, n, a, b)
    p = np.full(se.shape, np.nan)
    half = np.full(se.shape, np.nan)
    t = np.abs(difference[testable]) / se[testable]
    p[testable] = studentized_range.sf(np.sqrt(2.0) * t, k, df[testable])
    quantile = studentized_range.isf(alpha, k, df[testable]) / np.sqrt(2.0)
    half[testable] = quantile * se[testable]
    return Contrasts(difference, se, df, p, difference - half, difference + half)


def welch_sidak(
    mean: Floats, sd: Floats, n: Floats, a: Indices, b: Indices, *, alpha: float, k: int
) -> Contrasts:
    """Compare pairs by Tamhane's T2: Welch's t with Sidak's p-values and intervals.

    Tamhane, "A comparison of procedures for multiple comparisons of means with unequal
    variances", J. Am. Stat. Assoc. 74 (1979) 471-480; with m the pairs of ``k`` arms a p-value
    is 1 - (1 - p)^m. See ``games_howell`` for the arguments.
    """
    difference, se, df, testable = _welch(mean, sd, n, a, b)
    pairs = k * (k - 1) // 2
    t = np.divide(np.abs(difference), se, out=np.full(se.shape, np.nan), where=testable)
    p = -np.expm1(pairs * np.log1p(-np.minimum(2.0 * special.stdtr(df, -t), 1.0 - 1e-16)))
    each = -np.expm1(np.log1p(-alpha) / pairs)
    half = -special.stdtrit(df, 0.5 * each) * np.where(testable, se, np.nan)
    return Contrasts(difference, se, df, p, difference - half, difference + half)


def welch_holm(
    mean: Floats, sd: Floats, n: Floats, a: Indices, b: Indices, *, alpha: float
) -> Contrasts:
    """Compare pairs by Welch's t with Holm's p-values and Bonferroni intervals.

    See ``games_howell`` for the arguments; the family is the pairs given.
    """
    difference, se, df, testable = _welch(mean, sd, n, a, b)
    return _t_family(difference, se, df, testable, alpha)


def paired_holm(values: Floats, a: Indices, b: Indices, *, alpha: float) -> Contrasts:
    """Compare pairs by the t test of seed differences with Holm's p-values.

    Args:
        values: shape (arms, seeds), in the metric's unit; a column holds one seed.
        a: shape (pairs,), index of the first arm.
        b: shape (pairs,), index of the second arm.
        alpha: family-wise error rate.

    """
    seeds = values.shape[1]
    differences = values[a] - values[b]
    mean = differences.mean(axis=1)
    rounding = ROUNDING * float(np.abs(values).max())
    spread = np.where(np.ptp(differences, axis=1) > rounding, differences.std(axis=1, ddof=1), 0.0)
    se = spread / np.sqrt(seeds)
    return _t_family(mean, se, np.full(se.shape, seeds - 1.0), se > 0, alpha)


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


def _welch(
    mean: Floats, sd: Floats, n: Floats, a: Indices, b: Indices
) -> tuple[Floats, Floats, Floats, NDArray[np.bool_]]:
    """Return difference, standard error, Welch-Satterthwaite df and where these can be used.

    Welch, "The generalization of 'Student's' problem when several different population
    variances are involved", Biometrika 34 (1947) 28-35.
    """
    difference = mean[a] - mean[b]
    error = sd / np.sqrt(n)
    se = np.hypot(error[a], error[b])
    testable = se > 0
    # the share of a in the variance: its square cannot overflow, as that of a variance can
    share = np.divide(error[a], se, out=np.full(se.shape, np.nan), where=testable) ** 2
    df = 1.0 / (share**2 / (n[a] - 1.0) + (1.0 - share) ** 2 / (n[b] - 1.0))
    return difference, se, df, testable


def _t_family(
    difference: Floats, se: Floats, df: Floats, testable: NDArray[np.bool_], alpha: float
) -> Contrasts:
    t = np.divide(np.abs(difference), se, out=np.full(se.shape, np.nan), where=testable)
    p = 2.0 * special.stdtr(df, -t)
    half = -special.stdtrit(df, alpha / (2.0 * max(se.size, 1))) * np.where(testable, se, np.nan)
    return Contrasts(difference, se, df, holm(p), difference - half, difference + half)
