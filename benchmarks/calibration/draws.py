"""Simulated studies of normal runs.

All that the tests see of normal runs is their means and variances, which are independent: those are
drawn, not the runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from attnstudy.stats.comparisons.batch import Summary
from attnstudy.stats.samples import Floats

_NUMBERS = 100_000  # drawn at once: they stay in a processor's cache


def chunks(replications: int, arms: int) -> Iterator[int]:
    """Yield how many studies to draw at once until there are as many as asked for."""
    at_once = max(_NUMBERS // arms, 1000)
    for start in range(0, replications, at_once):
        yield min(at_once, replications - start)


def draw(
    rng: np.random.Generator,
    rows: int,
    runs: Sequence[int],
    sds: Sequence[float],
    means: Sequence[float] | float = 0.0,
) -> Summary:
    """Return the summary of ``rows`` studies of arms with these runs and true values."""
    n, sd = np.array(runs, dtype=np.float64), np.array(sds)
    mean = rng.standard_normal((rows, n.size)) * (sd / np.sqrt(n)) + np.array(means)
    squares = 2.0 * rng.standard_gamma(0.5 * (n - 1.0), (rows, n.size))
    return Summary(mean, squares * (sd**2 / (n * (n - 1.0))), tuple(runs))


def draw_looks(
    rng: np.random.Generator,
    rows: int,
    looks: Sequence[int],
    sds: Sequence[float],
    means: Sequence[float] | float = 0.0,
) -> list[Summary]:
    """Return the summary at each look of ``rows`` studies whose arms grow alike."""
    sd, found = np.array(sds), []
    mean, squares = np.zeros((rows, sd.size)), np.zeros((rows, sd.size))
    before = 0
    for runs in looks:
        more = runs - before
        new = rng.standard_normal((rows, sd.size)) / np.sqrt(more)
        squares = squares + _squares(rng, more, squares.shape)
        squares = squares + (new - mean) ** 2 * before * more / runs
        mean = mean + (new - mean) * more / runs
        error = squares * sd**2 / (runs * (runs - 1.0))
        found.append(Summary(mean * sd + np.array(means), error, (runs,) * sd.size))
        before = runs
    return found


def _squares(rng: np.random.Generator, runs: int, shape: tuple[int, ...]) -> Floats:
    """Return sums of squared deviations from the mean of so many standard normal runs."""
    if runs == 1:
        return np.zeros(shape)
    return 2.0 * rng.standard_gamma(0.5 * (runs - 1.0), shape)
