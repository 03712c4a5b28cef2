"""What is believed of a new task: the Bayesian signed-rank test, as a description."""

from __future__ import annotations

import numpy as np

from attnstudy.stats.samples import Floats
from attnstudy.stats.tasks.results import Posterior

_DRAWS = 20_000
_MOST = 60  # tasks; the sums of all pairs of tasks are weighed in each draw
_AT_ONCE = 2_000


def signed_rank_posterior(gaps: Floats, margin: float, *, seed: int) -> Posterior | None:
    """Return how probable it is that a is better, both are equivalent, or b is better.

    The weights of the tasks follow a Dirichlet process with prior strength 1/2 at a difference of
    zero. In each draw, the weight of all sums of two differences above 2 margin, within, and
    below decides which of the three holds; a sum at the border counts half (Benavoli, Corani,
    Demsar and Zaffalon, "Time for a change", J. Mach. Learn. Res. 18 (2017) 1-36, section 4.2;
    baycomp's ``SignedRankTest`` is the reference).

    Args:
        gaps: shape (tasks,), more is better for a.
        margin: half the width of the region of practical equivalence; 0 without one.
        seed: of the draws.

    Returns:
        None without tasks, and for more of them than are weighed in pairs.

    """
    if not 0 < gaps.size <= _MOST:
        return None
    points = np.concatenate([[0.0], gaps])
    sums = points[:, None] + points[None, :]
    above, below = _beyond(sums, 2.0 * margin), _beyond(-sums, 2.0 * margin)
    strength = np.where(np.arange(points.size) == 0, 0.5, 1.0)
    rng = np.random.default_rng([seed, gaps.size])
    counts = np.zeros(3)
    for _ in range(_DRAWS // _AT_ONCE):
        weights = rng.dirichlet(strength, size=_AT_ONCE)
        better = np.einsum("di,ij,dj->d", weights, above, weights, optimize=True)
        worse = np.einsum("di,ij,dj->d", weights, below, weights, optimize=True)
        shares = np.stack([better, 1.0 - better - worse, worse], axis=1)
        if margin == 0.0:
            shares[:, 1] = -1.0  # a single point: nothing is within it
        counts += np.bincount(shares.argmax(axis=1), minlength=3)
    a, same, b = (counts / counts.sum()).tolist()
    return Posterior(a_better=a, equivalent=same, b_better=b)


def _beyond(sums: Floats, border: float) -> Floats:
    return np.asarray((sums > border) + 0.5 * (sums == border), dtype=np.float64)
