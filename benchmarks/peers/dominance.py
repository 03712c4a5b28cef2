"""deepsig: a claim is an eps_min of ``multi_aso`` below the threshold, in either direction.

Its README calls a model better below .5, and recommends to check .2 because .5 has many false
positives. ``multi_aso`` corrects for the number of comparisons unless told otherwise: by six
comparisons to a confidence level of .95 + .05/6 = .958. Bonferroni's is 1 - .05/6 = .992, which
is counted as well, given by hand.

It seeds NumPy's global state for every bootstrap sample, from the seed it is given; the seeds
of two studies are so far apart that no sample has the same one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from unittest import mock

import numpy as np

from benchmarks.peers.counting import Claims, Floats, Peer, one_by_one
from benchmarks.peers.studies import ALPHA, FIRST, NOISE, PAIRS, SECOND

_APART = 10_000
_BY_HAND = 1.0 - ALPHA / len(PAIRS)
_RULES = (
    ("`multi_aso(x)` below .2", 1.0 - ALPHA, True, 0.2),
    ("`multi_aso(x, use_bonferroni=False)` below .2", 1.0 - ALPHA, False, 0.2),
    ("`multi_aso(x, .992, use_bonferroni=False)` below .2", _BY_HAND, False, 0.2),
    ("`multi_aso(x)` below .5", 1.0 - ALPHA, True, 0.5),
)


def quantile_function(scores: Floats) -> Callable[[Floats], Floats]:
    """Return what deepsig's function of the same task returns, for all p at once."""
    ordered = np.sort(scores)

    def quantiles(p: Floats) -> Floats:
        return ordered[np.maximum(np.ceil(len(ordered) * p).astype(int) - 1, 0)]

    return quantiles


def _least(study: Floats, level: float, bonferroni: bool, seed: int, **options: int) -> Floats:
    from deepsig import multi_aso

    eps_min = multi_aso(
        study, level, use_bonferroni=bonferroni, seed=seed, show_progress=False, **options
    )
    return np.minimum(eps_min[FIRST, SECOND], eps_min[SECOND, FIRST])


def _decide(study: Floats, number: int) -> Claims:
    import deepsig

    module = sys.modules[deepsig.multi_aso.__module__]
    drawn: dict[tuple[bytes, bytes], list[float]] = {}
    draw = module.get_bootstrapped_violation_ratios

    def draw_once(a: Floats, b: Floats, *rest: object) -> list[float]:
        # at every level the same seed gives the same bootstrap samples
        key = (a.tobytes(), b.tobytes())
        if key not in drawn:
            drawn[key] = draw(a, b, *rest)
        return drawn[key]

    with (
        mock.patch.object(module, "get_quantile_function", quantile_function),
        mock.patch.object(module, "get_bootstrapped_violation_ratios", draw_once),
    ):
        return np.array(
            [
                _least(study, level, bonferroni, _APART * number) < threshold
                for _, level, bonferroni, threshold in _RULES
            ]
        )


def _check() -> None:
    import deepsig

    module = sys.modules[deepsig.multi_aso.__module__]
    for setting in NOISE:
        study = setting.draw(1)[0]
        plain = _least(study, 0.95, True, 1, num_bootstrap_iterations=20)
        with mock.patch.object(module, "get_quantile_function", quantile_function):
            fast = _least(study, 0.95, True, 1, num_bootstrap_iterations=20)
        assert np.array_equal(plain, fast), setting.name


DEEPSIG = Peer("deepsig", tuple(rule[0] for rule in _RULES), one_by_one(_decide), 150, _check)
