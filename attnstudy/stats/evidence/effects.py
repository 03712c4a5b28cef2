"""Effect sizes of a pair, and how far two arms move together over shared seeds."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy import special

from attnstudy.stats.samples import MIN_RUNS, ROUNDING, Floats, Sample

MIN_RUNS_SUPERIORITY = 10
"""Runs that an arm needs before the probability of superiority gets an interval."""


def hedges_g(a: Sample, b: Sample) -> float | None:
    """Return (mean a - mean b) / pooled SD, corrected for small samples; None without spread.

    Hedges, "Distribution theory for Glass's estimator of effect size and related estimators",
    J. Educ. Stat. 6 (1981) 107-128: the exact factor of equation (6e),
    J(df) = Gamma(df/2) / (sqrt(df/2) Gamma((df-1)/2)), with df = n_a + n_b - 2.
    """
    if a.n < 2 or b.n < 2:
        return None
    df = a.n + b.n - 2
    pooled = math.hypot(a.sd * math.sqrt((a.n - 1) / df), b.sd * math.sqrt((b.n - 1) / df))
    if pooled == 0.0:
        return None
    g = _correction(df) * ((a.mean - b.mean) / pooled)
    return g if math.isfinite(g) else None


@lru_cache(maxsize=1024)
def _correction(df: int) -> float:
    """Return Hedges' exact factor for so many degrees of freedom."""
    log_factor = math.lgamma(df / 2) - math.lgamma((df - 1) / 2) - 0.5 * math.log(df / 2)
    return math.exp(log_factor)


def prob_superiority(a: Sample, b: Sample, *, maximize: bool = True) -> float | None:
    """Return the probability that a run of a is better than one of b, ties counted half.

    That is U / (n m) with the Mann-Whitney U of ``a``; with ``maximize=False`` less is better.
    """
    if a.n == 0 or b.n == 0:
        return None
    above = math.fsum(_placements(a, b).tolist()) / a.n
    return above if maximize else 1.0 - above


def prob_superiority_interval(
    a: Sample, b: Sample, *, alpha: float, maximize: bool = True
) -> tuple[float, float] | None:
    """Return a 1 - alpha interval of the probability of superiority; None where it cannot hold.

    Brunner and Munzel, "The nonparametric Behrens-Fisher problem", Biom. J. 42 (2000) 17-25:
    their variance with t quantiles, here on the logit scale, which keeps the interval within 0
    and 1. It needs ten runs per arm and some overlap of the two.
    """
    if min(a.n, b.n) < MIN_RUNS_SUPERIORITY:
        return None
    p, se, df = brunner_munzel(a, b)
    if se == 0.0 or not 0.0 < p < 1.0:
        return None
    p = p if maximize else 1.0 - p
    half = -float(special.stdtrit(df, alpha / 2)) * se / (p * (1.0 - p))
    return float(special.expit(special.logit(p) - half)), float(
        special.expit(special.logit(p) + half)
    )


def brunner_munzel(a: Sample, b: Sample) -> tuple[float, float, float]:
    """Return P(A > B) + P(A = B)/2, its standard error and its degrees of freedom.

    The estimators of Brunner and Munzel (2000), written with placements: the share of the other
    arm that a run beats, whose variance within an arm is that of their rank differences.
    Without any overlap the standard error is 0.
    """
    placed = _placements(a, b)
    var_a = float(np.var(placed, ddof=1)) / a.n
    var_b = float(np.var(_placements(b, a), ddof=1)) / b.n
    total = var_a + var_b
    df = total**2 / (var_a**2 / (a.n - 1) + var_b**2 / (b.n - 1)) if total > 0.0 else math.nan
    return float(placed.mean()), math.sqrt(total), df


def seed_correlation(a: Sample, b: Sample) -> float | None:
    """Return Pearson's r over the seeds that both arms have; None below three or constant."""
    x, y = a.values, b.values
    if a.seeds is None or a.seeds != b.seeds:
        left, right = a.by_seed(), b.by_seed()
        shared = sorted(left.keys() & right.keys())
        x, y = (np.array([own[seed] for seed in shared]) for own in (left, right))
    if x.size < MIN_RUNS:
        return None
    one, other = _standardised(x.tobytes()), _standardised(y.tobytes())
    if one is None or other is None:
        return None
    return min(max(float(one @ other), -1.0), 1.0)


@lru_cache(maxsize=1024)  # of many arms each stands in as many pairs
def _standardised(content: bytes) -> Floats | None:
    values = np.frombuffer(content)
    if np.ptp(values) <= ROUNDING * np.abs(values).max():
        return None
    centred = values - values.mean()
    centred = centred / np.abs(centred).max()
    unit: Floats = centred / np.linalg.norm(centred)
    return unit


def _placements(a: Sample, b: Sample) -> Floats:
    """Return shape (n,), ascending: the shares of b that the runs of a beat, ties counted half."""
    below, within = (b.ordered.searchsorted(a.ordered, side) for side in ("left", "right"))
    shares: Floats = (below + within) / (2.0 * b.n)
    return shares
