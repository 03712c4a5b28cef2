"""Many data sets at once: the family's decisions for every replication of a simulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from attnstudy.stats.comparisons.design import Design
from attnstudy.stats.comparisons.pair_test import PairTest
from attnstudy.stats.comparisons.pairwise import Indices
from attnstudy.stats.samples import ROUNDING, Floats, independent_runs


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """Means and variances of the arms of many data sets, which is all that the tests see."""

    mean: Floats
    """Shape (replications, arms)."""
    error: Floats
    """Shape (replications, arms): variance of each mean."""
    runs: tuple[int, ...]
    """Runs of each arm."""

    @classmethod
    def of(cls, values: Sequence[Floats]) -> Summary:
        """Return the summary of arms of shape (replications, runs) each."""
        return cls(
            np.stack([arm.mean(axis=1) for arm in values], axis=1),
            np.stack([arm.var(axis=1, ddof=1) / arm.shape[1] for arm in values], axis=1),
            tuple(arm.shape[1] for arm in values),
        )

    def pair(self, a: int, b: int) -> tuple[Floats, Floats, Floats]:
        """Return difference, standard error and share of arm a, each (replications,)."""
        total = self.error[:, a] + self.error[:, b]
        share = np.divide(self.error[:, a], total, out=np.full(total.shape, 0.5), where=total > 0)
        return self.mean[:, a] - self.mean[:, b], np.sqrt(total), share


def pair_indices(arms: int, control: int | None = None) -> tuple[Indices, Indices]:
    """Return the first and second arm of each pair: all pairs, or all against ``control``."""
    if control is None:
        first, second = np.triu_indices(arms, 1)
        return first, second
    others = np.array([arm for arm in range(arms) if arm != control], dtype=np.intp)
    return others, np.full(others.shape, control, dtype=np.intp)


def intervals(summary: Summary, design: Design) -> tuple[Floats, Floats]:
    """Return the simultaneous intervals of all pairs, each (replications, pairs)."""
    a, b = pair_indices(len(summary.runs))
    family = design.family(arms=len(summary.runs), pairs=a.size)
    low, high = (np.empty((len(summary.mean), a.size)) for _ in range(2))
    for column, (i, j) in enumerate(zip(a.tolist(), b.tolist(), strict=True)):
        difference, se, share = summary.pair(i, j)
        half = family.critical(share, summary.runs[i], summary.runs[j]) * se
        low[:, column], high[:, column] = difference - half, difference + half
    return low, high


def shown_different(
    values: Sequence[Floats], design: Design, *, control: int | None = None
) -> NDArray[np.bool_]:
    """Return (replications, pairs): whether the design shows the pair different.

    Args:
        values: for each arm an array (replications, runs); in paired mode a column is a seed.
        design: method and alpha.
        control: index of the control, where the design has one.

    """
    least = ROUNDING * float(np.abs(np.concatenate(values, axis=1)).max())
    if design.paired:
        return _paired(values, design, control, least)
    return summary_different(Summary.of(values), design, control=control, least=least)


def summary_different(
    summary: Summary, design: Design, *, control: int | None = None, least: float = 0.0
) -> NDArray[np.bool_]:
    """Return what ``shown_different`` returns, unpaired.

    Args:
        summary: of the data sets.
        design: method and alpha.
        control: index of the control, where the design has one.
        least: standard error up to which a pair counts as being without spread.

    """
    a, b = pair_indices(len(summary.runs), control)
    family = design.family(arms=len(summary.runs), pairs=a.size)
    beyond = np.empty((len(summary.mean), a.size), dtype=np.bool_)
    for column, (i, j) in enumerate(zip(a.tolist(), b.tolist(), strict=True)):
        difference, se, share = summary.pair(i, j)
        half = family.critical(share, summary.runs[i], summary.runs[j]) * se
        beyond[:, column] = (np.abs(difference) > half) & (se > least)
    if design.grouped:
        return beyond
    # Holm: the smallest p-values are rejected up to the first that fails, hence none in a data
    # set of which no p passes Bonferroni
    rows = np.flatnonzero(beyond.any(axis=1))
    p = np.ones((rows.size, a.size))
    for column, (i, j) in enumerate(zip(a.tolist(), b.tolist(), strict=True)):
        difference, se, share = (part[rows] for part in summary.pair(i, j))
        able = np.flatnonzero(se > least)
        runs_i, runs_j = (np.full(able.size, float(summary.runs[arm])) for arm in (i, j))
        test = PairTest(share[able], runs_i, runs_j, family.arms, family.cautious)
        p[able, column] = test.p(np.abs(difference[able]) / se[able])
    beyond[rows] = _step_down(p, design.alpha)
    return beyond


def _paired(
    values: Sequence[Floats], design: Design, control: int | None, least: float
) -> NDArray[np.bool_]:
    a, b = pair_indices(len(values), control)
    gap = np.stack([values[i] - values[j] for i, j in zip(a, b, strict=True)], axis=1)
    seeds = gap.shape[2]
    se = gap.std(axis=2, ddof=1) / np.sqrt(independent_runs(seeds, design.overlap))
    t = np.divide(np.abs(gap.mean(axis=2)), se, out=np.zeros_like(se), where=se > least)
    return _step_down(2.0 * special.stdtr(seeds - 1.0, -t), design.alpha)


def _step_down(p: Floats, alpha: float) -> NDArray[np.bool_]:
    """Return what Holm's procedure rejects, for p of shape (replications, pairs)."""
    order = np.argsort(p, axis=1)
    steps = np.arange(p.shape[1], 0, -1)
    passed = np.take_along_axis(p, order, axis=1) * steps <= alpha
    rejected = np.empty(p.shape, dtype=np.bool_)
    np.put_along_axis(rejected, order, np.logical_and.accumulate(passed, axis=1), axis=1)
    return rejected
