"""The methods beside each other: who claims a difference in simulated studies.

All but the ranking's own and Tukey's compare |t| of a pair with a critical value that depends on
its share of variance and its runs alone, tabulated over the logit of the share.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.polynomial import Chebyshev
from numpy.typing import NDArray
from scipy import special

from attnstudy.stats.comparisons import _studentized_range as studentized_range
from attnstudy.stats.comparisons.batch import Summary, pair_indices, summary_different
from attnstudy.stats.samples import Floats
from benchmarks.calibration import behrens_fisher
from benchmarks.calibration.designs import Row

Claims: TypeAlias = NDArray[np.bool_]
Table: TypeAlias = Callable[[float, int, int, int, int], Floats]
"""From alpha, arms, pairs and the runs of both arms to log |t| at the logits of ``GRID``."""

NEW = "attnstudy"
GAMES_HOWELL, T2, WELCH = "Games–Howell", "Tamhane T2", "Welch–Bonferroni"
TUKEY, BEHRENS_FISHER = "pooled Tukey", "Behrens–Fisher–Šidák"
METHODS = (NEW, GAMES_HOWELL, T2, WELCH, TUKEY, BEHRENS_FISHER)

GRID = behrens_fisher.GRID
_SHARE = special.expit(GRID)
_STEP = GRID[1] - GRID[0]
_MOST_DF, _LEAST_DF, _DEGREE = 1e7, 2.0, 24


def _freedom(n_a: int, n_b: int) -> Floats:
    """Return Satterthwaite's degrees of freedom at the logits of ``GRID``."""
    freedom: Floats = 1.0 / (_SHARE**2 / (n_a - 1.0) + (1.0 - _SHARE) ** 2 / (n_b - 1.0))
    return freedom


def _log_student(level: float, n_a: int, n_b: int) -> Floats:
    return np.asarray(np.log(-special.stdtrit(_freedom(n_a, n_b), 0.5 * level)))


def sidak(alpha: float, pairs: int) -> float:
    """Return the level of each of so many pairs by Šidák's adjustment."""
    return -math.expm1(math.log1p(-alpha) / pairs)


@lru_cache(maxsize=64)
def _range_series(alpha: float, arms: int) -> Chebyshev:
    """Return log of the studentised range's quantile over sqrt(2), smooth in 1 / df."""

    def exact(x: Floats) -> Floats:
        quantile = studentized_range.isf(alpha, arms, 1.0 / x)
        return np.asarray(np.log(quantile) - 0.5 * math.log(2.0), dtype=np.float64)

    return Chebyshev.interpolate(exact, _DEGREE, domain=[1.0 / _MOST_DF, 1.0 / _LEAST_DF])


def _games_howell(alpha: float, arms: int, pairs: int, n_a: int, n_b: int) -> Floats:
    if arms == 2:
        return _log_student(alpha, n_a, n_b)
    return np.asarray(_range_series(alpha, arms)(1.0 / _freedom(n_a, n_b)), dtype=np.float64)


TABLES: dict[str, Table] = {
    GAMES_HOWELL: _games_howell,
    T2: lambda alpha, arms, pairs, n_a, n_b: _log_student(sidak(alpha, pairs), n_a, n_b),
    WELCH: lambda alpha, arms, pairs, n_a, n_b: _log_student(alpha / pairs, n_a, n_b),
    BEHRENS_FISHER: lambda alpha, arms, pairs, n_a, n_b: behrens_fisher.log_critical(
        sidak(alpha, pairs), n_a, n_b
    ),
}


@lru_cache(maxsize=4096)
def table(method: str, alpha: float, arms: int, pairs: int, n_a: int, n_b: int) -> Floats:
    """Return the method's log |t| from which a pair differs, at the logits of ``GRID``."""
    return TABLES[method](alpha, arms, pairs, n_a, n_b)


def log_threshold(tabulated: Floats, logit: Floats) -> Floats:
    """Return the critical value between the logits of ``GRID``, by linear interpolation."""
    place = np.clip((logit - GRID[0]) / _STEP, 0.0, GRID.size - 1.001)
    below = place.astype(np.intp)
    low = tabulated[below]
    return np.asarray(low + (place - below) * (tabulated[below + 1] - low), dtype=np.float64)


def applicable(row: Row, method: str) -> bool:
    """Tell whether a method is defined for what the row compares."""
    if method == NEW:
        return True
    if row.mode == "paired":
        return False
    return row.mode in ("all pairs", "looks") or method in (WELCH, BEHRENS_FISHER)


def claims(row: Row, summary: Summary, alpha: float, method: str, *, first: bool = False) -> Claims:
    """Return for each study whether the method claims any difference.

    Holm's first step is Bonferroni's, so that where nothing differs both claim alike.

    Args:
        row: what is compared.
        summary: of the studies.
        alpha: family-wise error rate.
        method: one of ``METHODS``.
        first: whether only a claim of the first pair counts; not for Tukey's test.

    """
    if method == NEW:
        shown = summary_different(summary, row.design(alpha), control=row.control)
        return np.asarray(shown[:, 0] if first else shown.any(axis=1), dtype=np.bool_)
    if method == TUKEY:
        return _tukey(summary, alpha)
    a, b = pair_indices(row.arms, row.control)
    found = np.zeros(len(summary.mean), dtype=np.bool_)
    log_error = np.log(summary.error)
    counted = slice(1 if first else None)
    for i, j in zip(a[counted].tolist(), b[counted].tolist(), strict=True):
        tabulated = table(method, alpha, row.arms, a.size, summary.runs[i], summary.runs[j])
        threshold = log_threshold(tabulated, log_error[:, i] - log_error[:, j])
        squared = (summary.mean[:, i] - summary.mean[:, j]) ** 2
        total = summary.error[:, i] + summary.error[:, j]
        found |= squared > np.exp(2.0 * threshold) * total
    return found


def _tukey(summary: Summary, alpha: float) -> Claims:
    """Return what Tukey and Kramer's test with one pooled variance claims."""
    n = np.array(summary.runs, dtype=np.float64)
    df = float(n.sum() - n.size)
    pooled = (summary.error * n * (n - 1.0)).sum(axis=1) / df
    critical = float(studentized_range.isf(alpha, n.size, df)) / math.sqrt(2.0)
    found = np.zeros(len(summary.mean), dtype=np.bool_)
    for i, j in zip(*np.triu_indices(n.size, 1), strict=True):
        squared = (summary.mean[:, i] - summary.mean[:, j]) ** 2
        found |= squared > critical**2 * pooled * (1.0 / n[i] + 1.0 / n[j])
    return found
