"""Many data sets at once: the family's decisions for every replication of a simulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from attnstudy.stats.critical import (
    Critical,
    bonferroni_critical,
    critical_value,
    games_howell_critical,
)
from attnstudy.stats.design import Design
from attnstudy.stats.many_arms import needs_sidak
from attnstudy.stats.pairwise import Indices
from attnstudy.stats.samples import ROUNDING, Floats


def pair_indices(arms: int, control: int | None = None) -> tuple[Indices, Indices]:
    """Return the first and second arm of each pair: all pairs, or all against ``control``."""
    if control is None:
        first, second = np.triu_indices(arms, 1)
        return first, second
    others = np.array([arm for arm in range(arms) if arm != control], dtype=np.intp)
    return others, np.full(others.shape, control, dtype=np.intp)


def welch_statistics(
    values: Sequence[Floats], a: Indices, b: Indices
) -> tuple[Floats, Floats, Floats]:
    """Return difference, standard error and degrees of freedom, each (replications, pairs).

    Args:
        values: for each arm an array (replications, runs).
        a: shape (pairs,), index of the first arm.
        b: shape (pairs,), index of the second arm.

    """
    mean = np.stack([arm.mean(axis=1) for arm in values], axis=1)
    error = np.stack([arm.var(axis=1, ddof=1) / arm.shape[1] for arm in values], axis=1)
    runs = np.array([arm.shape[1] for arm in values], dtype=np.float64)
    total = error[:, a] + error[:, b]
    with np.errstate(invalid="ignore"):  # without spread nothing is claimed: see shown_different
        df = total**2 / (error[:, a] ** 2 / (runs[a] - 1) + error[:, b] ** 2 / (runs[b] - 1))
    return mean[:, a] - mean[:, b], np.sqrt(total), df


def shown_different(
    values: Sequence[Floats], design: Design, *, control: int | None = None
) -> NDArray[np.bool_]:
    """Return (replications, pairs): whether the design shows the pair different.

    Args:
        values: for each arm an array (replications, runs); in paired mode a column is a seed.
        design: method and alpha.
        control: index of the control, where the design has one.

    """
    a, b = pair_indices(len(values), control)
    if design.paired:
        gap = np.stack([values[i] - values[j] for i, j in zip(a, b, strict=True)], axis=1)
        runs = gap.shape[2]
        difference, se = gap.mean(axis=2), gap.std(axis=2, ddof=1) / np.sqrt(runs)
        df = np.full(se.shape, runs - 1.0)
    else:
        difference, se, df = welch_statistics(values, a, b)
    testable = se > ROUNDING * np.abs(np.concatenate(values, axis=1)).max()
    t = np.divide(np.abs(difference), se, out=np.zeros_like(se), where=testable)
    df = np.where(testable, df, 2.0)
    if design.grouped:
        runs = min(arm.shape[1] for arm in values)
        settled = replace(design, sidak=design.sidak or needs_sidak(len(values), runs))
        return _beyond(t, df, critical_value(settled, k=len(values), pairs=t.shape[1]))
    # Holm: the smallest p-values are rejected up to the first that fails, hence none in a
    # data set whose largest t does not pass Bonferroni
    shown = np.zeros(t.shape, dtype=np.bool_)
    rows = _beyond(t, df, bonferroni_critical(design.alpha, t.shape[1])).any(axis=1)
    p = 2.0 * special.stdtr(df[rows], -t[rows])
    order = np.argsort(p, axis=1)
    steps = np.arange(p.shape[1], 0, -1)
    passed = np.take_along_axis(p, order, axis=1) * steps <= design.alpha
    rejected = np.empty(p.shape, dtype=np.bool_)
    np.put_along_axis(rejected, order, np.logical_and.accumulate(passed, axis=1), axis=1)
    shown[rows] = rejected
    return shown


def beyond_range(values: Sequence[Floats], alpha: float) -> NDArray[np.bool_]:
    """Return (replications, pairs): what Games-Howell claims, however many the arms are."""
    difference, se, df = welch_statistics(values, *pair_indices(len(values)))
    return _beyond(np.abs(difference) / se, df, games_howell_critical(alpha, len(values)))


def _beyond(t: Floats, df: Floats, critical: Critical) -> NDArray[np.bool_]:
    """Return where t exceeds its threshold, which falls with df: few need their own."""
    beyond: NDArray[np.bool_] = t > critical(np.array(df.max()))
    beyond[beyond] = t[beyond] > critical(df[beyond])
    return beyond
