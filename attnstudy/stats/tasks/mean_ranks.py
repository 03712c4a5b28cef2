"""Friedman's test and Nemenyi's critical difference of mean ranks."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from attnstudy.stats.samples import Floats
from attnstudy.stats.tasks.measured import Grid
from attnstudy.stats.tasks.results import MeanRanks


def mean_ranks(grid: Grid, sign: float, alpha: float) -> tuple[MeanRanks | None, Floats]:
    """Return the tests, None where there are none, and the mean ranks, shape (arms,).

    Demsar, "Statistical comparisons of classifiers over multiple data sets", J. Mach. Learn.
    Res. 7 (2006) 1-30, section 3.2.2, with Friedman's statistic corrected for ties.

    Args:
        grid: what was measured.
        sign: 1 where more is better, once it is turned.
        alpha: of the critical difference.

    """
    tasks = [
        task
        for task in grid.tasks
        if all(arm in grid.cells[task] and grid.cells[task][arm].n for arm in grid.arms)
    ]
    k, n = len(grid.arms), len(tasks)
    if n == 0:
        return None, np.full(k, math.nan)
    means = np.array([[grid.mean(task, arm) for arm in grid.arms] for task in tasks])
    ranks = stats.rankdata(-sign * means, axis=1)
    mean = ranks.mean(axis=0)
    if k < 3 or n < 2 or (ranks == ranks[0, 0]).all():
        return None, mean
    friedman, friedman_p = stats.friedmanchisquare(*(-sign * means).T)
    friedman = float(friedman)
    rest = n * (k - 1) - friedman
    f = (n - 1) * friedman / rest if rest > 1e-12 else math.inf
    critical = float(stats.studentized_range.ppf(1.0 - alpha, k, math.inf)) / math.sqrt(2.0)
    return MeanRanks(
        tasks=tuple(tasks),
        friedman=friedman,
        friedman_p=float(friedman_p),
        iman_davenport=f if math.isfinite(f) else None,
        iman_davenport_p=float(stats.f.sf(f, k - 1, (k - 1) * (n - 1))),
        critical_difference=critical * math.sqrt(k * (k + 1) / (6.0 * n)),
    ), mean
