"""rliable: a claim is read from its 95 % bootstrap intervals, as one task of n runs.

Two ways to read them: the intervals of the interquartile mean of two arms do not overlap; the
interval of the probability of improvement of a pair does not contain .5. rliable computes
intervals, and leaves it to the reader to compare them.

It draws from NumPy's global state whatever ``random_state`` it is given, so that is seeded for
every study.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from benchmarks.peers.counting import Claims, Floats, Peer, one_by_one
from benchmarks.peers.studies import FIRST, NOISE, PAIRS, SECOND

BOOTSTRAPS = 2000
"""As its README's for the probability of improvement; 50,000 move a limit by less than 1 %."""


def interquartile_mean(scores: Floats) -> Floats:
    """Return what rliable's ``aggregate_iqm`` returns, without the cost of scipy's checks."""
    ordered = np.sort(scores, axis=None)
    cut = ordered.size // 4
    return np.array([ordered[cut : ordered.size - cut].mean()])


def probability_of_improvement(x: Floats, y: Floats) -> Floats:
    """Return what rliable's function of that name returns for one task."""
    wins = np.count_nonzero(x > y.T) + 0.5 * np.count_nonzero(x == y.T)
    return np.array([wins / (x.size * y.size)])


def _limits(
    scores: Mapping[Any, Any], statistic: Callable[..., Any], seed: int, reps: int = BOOTSTRAPS
) -> Floats:
    from rliable import library

    np.random.seed(seed)  # noqa: NPY002 - it is what rliable draws from
    _, intervals = library.get_interval_estimates(scores, statistic, reps=reps)
    return np.array([np.ravel(interval) for interval in intervals.values()]).T


def _decide(study: Floats, number: int) -> Claims:
    arms = dict(enumerate(study[:, :, None]))
    low, high = _limits(arms, interquartile_mean, number)
    apart = (low[FIRST] > high[SECOND]) | (low[SECOND] > high[FIRST])
    pairs = {pair: (arms[pair[0]], arms[pair[1]]) for pair in PAIRS}
    low, high = _limits(pairs, probability_of_improvement, number)
    return np.array([apart, (low > 0.5) | (high < 0.5)])


def _check() -> None:
    from rliable import metrics

    for setting in NOISE:
        study = setting.draw(1)[0]
        arms = dict(enumerate(study[:, :, None]))
        pair = {0: (arms[0], arms[1])}
        for scores, ours, theirs in (
            (arms, interquartile_mean, lambda x: np.array([metrics.aggregate_iqm(x)])),
            (pair, probability_of_improvement, metrics.probability_of_improvement),
        ):
            fast, plain = (_limits(scores, statistic, 1, 100) for statistic in (ours, theirs))
            np.testing.assert_allclose(fast, plain, rtol=1e-12, err_msg=setting.name)


RLIABLE = Peer(
    "rliable",
    (
        "two intervals of the interquartile mean do not overlap",
        "an interval of the probability of improvement does not contain .5",
    ),
    one_by_one(_decide),
    150,
    _check,
)
