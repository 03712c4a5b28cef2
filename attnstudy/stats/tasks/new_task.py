"""On a new task like these: the tasks are the sample, a difference of means each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from attnstudy.stats.comparisons.pairwise import holm
from attnstudy.stats.samples import ROUNDING, Floats
from attnstudy.stats.tasks.measured import Grid

MOST_EXACT = 200
"""Tasks up to which the distribution of signed ranks is counted out; beyond, a normal's."""


@dataclass(frozen=True, slots=True, eq=False)
class Differences:
    """The differences of two arms, one per task, and what the tests say before any correction."""

    a: str
    b: str
    values: Floats
    """Shape (tasks,), in the common scale; more is better for a where ``sign`` is 1."""
    noise: Floats
    """Shape (tasks,): variance of each that its seeds add; NaN where it is not known."""
    wilcoxon_p: float
    sign_p: float
    t_p: float
    """NaN where the differences do not vary, or there is one."""

    @property
    def tasks(self) -> int:
        """Number of tasks."""
        return int(self.values.size)

    @property
    def untied(self) -> int:
        """Tasks on which the two differ."""
        return int(np.count_nonzero(self.values))

    @property
    def between_sd(self) -> float | None:
        """Spread of the differences between tasks, without what the seeds add.

        The method of moments: their variance less the mean of their variances over seeds.
        """
        if self.tasks < 2 or np.isnan(self.noise).any():
            return None
        return math.sqrt(max(float(self.values.var(ddof=1) - self.noise.mean()), 0.0))


def differences(grid: Grid, a: str, b: str) -> Differences:
    """Return the differences of two arms on the tasks on which both have a value."""
    tasks = [t for t in grid.tasks if grid.measurable(t) and _has(grid, t, a) and _has(grid, t, b)]
    values, noise = [], []
    for task in tasks:
        x, y, unit = grid.mean(task, a), grid.mean(task, b), grid.unit(task)
        gap = x - y
        # what rounding makes of equal means is a tie
        values.append(0.0 if abs(gap) <= ROUNDING * max(abs(x), abs(y)) else gap / unit)
        own = (grid.cells[task][a], grid.cells[task][b])
        noise.append(sum(s.sd**2 / s.n for s in own) / unit**2)
    gaps = np.array(values, dtype=np.float64)
    return Differences(
        a,
        b,
        gaps,
        np.array(noise, dtype=np.float64),
        signed_rank_p(gaps),
        sign_p(gaps),
        _t_p(gaps),
    )


def _has(grid: Grid, task: str, arm: str) -> bool:
    sample = grid.cells[task].get(arm)
    return sample is not None and sample.n > 0


def signed_rank_p(gaps: Floats) -> float:
    """Return the two-sided p-value of Wilcoxon's signed ranks, exact also with ties.

    Differences of zero are left out (Wilcoxon, Biometrics Bull. 1 (1945) 80-83); tied ranks are
    averaged, and the distribution of their signed sum is counted out. Beyond ``MOST_EXACT``
    differences it is scipy's normal approximation.

    Args:
        gaps: shape (tasks,).

    >>> import numpy as np
    >>> signed_rank_p(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]))
    0.03125

    """
    left = gaps[gaps != 0.0]
    if left.size == 0:
        return 1.0
    if left.size > MOST_EXACT:
        return float(stats.wilcoxon(left, method="approx").pvalue)
    doubled = np.rint(2.0 * stats.rankdata(np.abs(left))).astype(np.int64)
    counts = np.ones(1)
    for rank in doubled:  # of each sum of ranks, how many of the 2^n choices of signs give it
        longer = np.zeros(counts.size + int(rank))
        longer[: counts.size] += counts / 2.0
        longer[int(rank) :] += counts / 2.0
        counts = longer
    positive = int(doubled[left > 0.0].sum())
    smaller = min(positive, int(doubled.sum()) - positive)
    return min(1.0, 2.0 * float(counts[: smaller + 1].sum()))


def sign_p(gaps: Floats) -> float:
    """Return the two-sided p-value of the sign test; ties are left out."""
    wins, losses = int((gaps > 0.0).sum()), int((gaps < 0.0).sum())
    if wins + losses == 0:
        return 1.0
    return float(stats.binomtest(wins, wins + losses).pvalue)


def _t_p(gaps: Floats) -> float:
    if gaps.size < 2 or not float(np.ptp(gaps)) > ROUNDING * float(np.abs(gaps).max()):
        return math.nan
    return float(stats.ttest_1samp(gaps, 0.0).pvalue)


def t_interval(gaps: Floats, alpha: float) -> tuple[float, float] | None:
    """Return the 1 - alpha t interval of the mean difference; None below two, or without spread."""
    if math.isnan(_t_p(gaps)):
        return None
    half = -float(stats.t.ppf(alpha / 2.0, gaps.size - 1)) * float(gaps.std(ddof=1))
    half /= math.sqrt(gaps.size)
    return float(gaps.mean()) - half, float(gaps.mean()) + half


def adjusted(p: Sequence[float]) -> list[float | None]:
    """Return Holm's p-values; None for what was not tested."""
    found = holm(np.array(p, dtype=np.float64))
    return [None if math.isnan(value) else float(value) for value in found]


def smallest_p(tasks: int, pairs: int) -> float:
    """Return the smallest adjusted p that signed ranks of so many tasks can give one of the pairs.

    All differences have one sign with probability 2^(1 - tasks), and Holm's first step multiplies
    by the number of pairs.

    >>> smallest_p(5, 1), smallest_p(6, 1), smallest_p(6, 3)
    (0.0625, 0.03125, 0.09375)

    """
    return min(1.0, pairs * 2.0 ** (1 - tasks)) if tasks else 1.0


def tasks_needed(pairs: int, alpha: float) -> int:
    """Return the tasks from which signed ranks can decide one of the pairs.

    >>> tasks_needed(1, 0.05), tasks_needed(3, 0.05), tasks_needed(6, 0.05)
    (6, 7, 8)

    """
    tasks = 1
    while smallest_p(tasks, pairs) > alpha:
        tasks += 1
    return tasks
