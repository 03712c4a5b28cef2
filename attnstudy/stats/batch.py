"""Many data sets at once: the family's decisions for every replication of a simulation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import special

from attnstudy.stats.critical import games_howell_critical
from attnstudy.stats.design import Design
from attnstudy.stats.pairwise import Indices
from attnstudy.stats.samples import Floats


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
    testable = se > 1e-12 * np.abs(np.concatenate(values, axis=1)).max()
    t = np.divide(np.abs(difference), se, out=np.zeros_like(se), where=testable)
    df = np.where(testable, df, 2.0)
    if design.grouped:
        threshold = games_howell_critical(design.alpha, len(values))(df)
        beyond: NDArray[np.bool_] = t > threshold
        return beyond
    # Holm: the smallest p-values are rejected up to the first that fails
    p = 2.0 * special.stdtr(df, -t)
    order = np.argsort(p, axis=1)
    steps = np.arange(p.shape[1], 0, -1)
    passed = np.take_along_axis(p, order, axis=1) * steps <= design.alpha
    shown = np.empty(p.shape, dtype=np.bool_)
    np.put_along_axis(shown, order, np.logical_and.accumulate(passed, axis=1), axis=1)
    return shown
