"""On average over these tasks: fixed tasks, and uncertainty from the seeds alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from attnstudy.stats.comparisons.decisions import Decision, judged
from attnstudy.stats.comparisons.design import Design
from attnstudy.stats.comparisons.pairwise import all_pairs, holm_pairs
from attnstudy.stats.samples import Floats
from attnstudy.stats.tasks.measured import Grid

_LEAST_DF = 4.0
"""Of a spread: with fewer its inverse has hardly a variance, and these are an estimate."""


@dataclass(frozen=True, slots=True, eq=False)
class Averages:
    """The arms on average over tasks, best first."""

    tasks: tuple[str, ...]
    weights: Floats
    """Shape (tasks,), together 1."""
    arms: tuple[str, ...]
    means: Floats
    """Shape (arms,), in the common scale."""
    decisions: tuple[Decision, ...]
    """Every pair, as indices into ``arms``."""


def averages(grid: Grid, design: Design, weights: Mapping[str, float] | None = None) -> Averages:
    """Compare the arms by the weighted mean of their means on the tasks that have all of them.

    For arms a and b with n and m runs on task t, of weight w_t,

        difference = sum_t w_t (mean_at - mean_bt),
        variance   = sum_t w_t^2 (var_at / n_at + var_bt / m_bt),

    so each arm is like one sample whose standard error has Satterthwaite's degrees of freedom, and
    pairs are tested as those of one task are, see ``comparisons.pair_test``. In standard
    deviations, where task t has the spread s_t with f degrees of freedom, the mean of the
    noncentral t makes J (mean_at - mean_bt) / s_t = g_t the unbiased difference, its variance

        J^2 f / (f - 2) (var_at / n_at + var_bt / m_bt) / s_t^2 + (J^2 f / (f - 2) - 1) g_t^2,

    J = Gamma(f / 2) / (sqrt(f / 2) Gamma((f - 1) / 2)) (Hedges, J. Educ. Stat. 6 (1981) 107-128,
    equations 6 and 8).

    Args:
        grid: what was measured.
        design: how to test.
        weights: of the tasks; None weighs all alike.

    """
    tasks = grid.complete()
    share = _weights(tasks, weights)
    if not tasks:
        return Averages((), share, grid.arms, np.full(len(grid.arms), math.nan), ())
    freedom = np.array([_spread_df(grid, task) for task in tasks])
    unbiased = np.ones(len(tasks)) if grid.scale == "metric" else _unbiased(freedom)
    scaled = grid.means(tasks) * unbiased[:, None]
    # in standard deviations the level of a task says nothing: distances from its mean do
    centred = scaled if grid.scale == "metric" else scaled - scaled.mean(axis=1, keepdims=True)
    means = share @ centred
    sign = 1.0 if len(set(grid.signs.values())) > 1 else design.sign
    order = sorted(range(len(grid.arms)), key=lambda arm: (-sign * means[arm], grid.arms[arm]))
    arms = tuple(grid.arms[arm] for arm in order)
    return Averages(
        tasks,
        share,
        arms,
        means[order],
        _decisions(grid, tasks, share, arms, scaled, (freedom, unbiased), design),
    )


def _weights(tasks: Sequence[str], given: Mapping[str, float] | None) -> Floats:
    raw = np.array([1.0 if given is None else given[task] for task in tasks], dtype=np.float64)
    return raw / raw.sum() if raw.size else raw


def _decisions(
    grid: Grid,
    tasks: Sequence[str],
    weights: Floats,
    arms: Sequence[str],
    scaled: Floats,
    spread: tuple[Floats, Floats],
    design: Design,
) -> tuple[Decision, ...]:
    pairs = _pairs(arms, design)
    units = np.array([grid.unit(task) for task in tasks])
    columns = [grid.arms.index(arm) for arm in arms]
    scaled = scaled[:, columns]
    samples = [[grid.cells[task][arm] for arm in arms] for task in tasks]
    # an arm's own part of the variance of a difference, and its degrees of freedom, by task
    own = np.array([[s.sd**2 / s.n for s in row] for row in samples]) / units[:, None] ** 2
    own *= weights[:, None] ** 2
    spread_df, unbiased = spread
    estimated = grid.scale == "sd"
    grows = unbiased**2 * spread_df / (spread_df - 2.0) if estimated else np.ones(len(tasks))
    own *= grows[:, None]
    freedom = np.array([[s.n - 1.0 for s in row] for row in samples])
    mean, sd, n = [], [], []
    for a, b in pairs:
        # what both arms share: that the spread they are divided by is an estimate
        common = weights**2 * (grows - 1.0) * (scaled[:, a] - scaled[:, b]) ** 2
        for arm in (a, b):
            parts = np.concatenate([own[:, arm], common / 2.0])
            of = np.concatenate([freedom[:, arm], spread_df])
            total = float(parts.sum())
            df = total**2 / float((parts**2 / of).sum()) if total > 0.0 else float(of.sum())
            mean.append(float(weights @ scaled[:, arm]))
            sd.append(math.sqrt(total * (df + 1.0)))
            n.append(df + 1.0)
    first = np.arange(0, 2 * len(pairs), 2)
    numbers = (np.array(mean), np.array(sd), np.array(n), first, first + 1)
    if design.grouped:
        family = all_pairs(*numbers, alpha=design.alpha, k=len(arms))
    else:
        family = holm_pairs(*numbers, alpha=design.alpha)
    diverged = [sum(row[arm].diverged for row in samples) for arm in range(len(arms))]
    turned = design if len(set(grid.signs.values())) == 1 else replace(design, direction="maximize")
    return tuple(
        judged(
            Decision(
                a=a, b=b, difference=float(family.difference[i]), se=_known(family.se[i]),
                df=_known(family.df[i]), calibrated=_known(family.calibrated[i]),
                p=_known(family.p[i]), low=_known(family.low[i]), high=_known(family.high[i]),
            ),
            turned,
            (diverged[a], diverged[b]),
        )
        for i, (a, b) in enumerate(pairs)
    )  # fmt: skip


def _spread_df(grid: Grid, task: str) -> float:
    """Return Satterthwaite's degrees of freedom of the spread of a task."""
    own = [s for s in grid.cells[task].values() if s.n > 1]
    variances = np.array([s.sd**2 for s in own])
    freedom = np.array([s.n - 1.0 for s in own])
    total = float((variances**2 / freedom).sum())
    found = float(variances.sum()) ** 2 / total if total > 0.0 else float(freedom.sum())
    return max(found, _LEAST_DF)


def _unbiased(df: Floats) -> Floats:
    half = df / 2.0
    factor: Floats = np.exp(special.gammaln(half) - special.gammaln(half - 0.5)) / np.sqrt(half)
    return factor


def _pairs(arms: Sequence[str], design: Design) -> list[tuple[int, int]]:
    everyone = range(len(arms))
    if design.control is None:
        return [(a, b) for a in everyone for b in everyone if a < b]
    control = arms.index(design.control)
    return [(a, control) for a in everyone if a != control]


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
