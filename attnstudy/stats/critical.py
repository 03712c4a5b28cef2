"""Critical values of |t| for a family, as a fast function of the degrees of freedom."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.polynomial import Chebyshev
from scipy import special

from attnstudy.stats import _studentized_range as studentized_range
from attnstudy.stats.design import Design
from attnstudy.stats.samples import Floats

Critical: TypeAlias = Callable[[Floats], Floats]
"""Degrees of freedom, 2 or more, to the |t| that is just significant."""

_LEAST_DF, _MOST_DF = 2.0, 1e7
_DEGREE = 24


def critical_value(design: Design, *, k: int, pairs: int) -> Critical:
    """Return the |t| from which a pair is different, for a family of ``k`` arms.

    For Holm's families this is the threshold of the smallest p-value, so that power is stated
    without help from the other pairs.

    Args:
        design: the method and alpha.
        k: arms in the family.
        pairs: comparisons in the family.

    """
    if design.grouped:
        if design.sidak:
            return sidak_critical(design.alpha, k * (k - 1) // 2)
        return games_howell_critical(design.alpha, k)
    return bonferroni_critical(design.alpha, pairs)


def bonferroni_critical(alpha: float, pairs: int) -> Critical:
    """Return the two-sided t quantile at ``alpha / pairs``."""

    def critical(df: Floats) -> Floats:
        return np.asarray(-special.stdtrit(df, alpha / (2.0 * pairs)), dtype=np.float64)

    return critical


def sidak_critical(alpha: float, pairs: int) -> Critical:
    """Return the two-sided t quantile at ``1 - (1 - alpha)^(1 / pairs)``."""
    each = -math.expm1(math.log1p(-alpha) / pairs)

    def critical(df: Floats) -> Floats:
        return np.asarray(-special.stdtrit(df, 0.5 * each), dtype=np.float64)

    return critical


@lru_cache(maxsize=64)
def games_howell_critical(alpha: float, k: int) -> Critical:
    """Return the studentised range quantile over sqrt(2), interpolated to about 1e-9.

    Its logarithm is smooth in 1 / df: a Chebyshev series of degree 24 holds it.
    """
    series = Chebyshev.interpolate(
        lambda x: np.log(studentized_range.isf(alpha, k, 1.0 / x)),
        _DEGREE,
        domain=[1.0 / _MOST_DF, 1.0 / _LEAST_DF],
    )

    def critical(df: Floats) -> Floats:
        quantile: Floats = np.exp(series(1.0 / np.clip(df, _LEAST_DF, _MOST_DF))) / np.sqrt(2.0)
        return quantile

    return critical
