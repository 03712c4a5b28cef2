"""The whole sequential procedure: batches of the simulation decide as ``rank`` does."""

from __future__ import annotations

import numpy as np
import pytest

from attnstudy.stats import rank
from attnstudy.stats.comparisons.batch import Summary
from benchmarks.calibration.until_decided import (
    BOUND,
    Procedure,
    measure_procedure,
    procedures,
    verdicts_until_decided,
)

LOOKS = (3, 5, 9)
NAMES = ("a", "b", "c", "d")
CODES = {"better": 1, "worse": -1, "equivalent": 2, "undecided": 0}


@pytest.mark.parametrize("procedure", procedures(), ids=lambda procedure: procedure.name)
def test_wrong_verdicts_are_as_rare_as_promised(procedure: Procedure) -> None:
    assert BOUND == 0.05
    assert measure_procedure(procedure, replications=10_000, seed=6).at_most(BOUND)


@pytest.mark.rest
@pytest.mark.parametrize("margin", [None, 1.2])
def test_batches_decide_as_rank_does_look_by_look(margin: float | None) -> None:
    """``rank`` is given what the procedure would have trained: arms that are decided stop."""
    procedure = Procedure(sds=(1.0,) * 4, looks=LOOKS, margin=margin)
    rng = np.random.default_rng(3)
    drawn = [rng.normal(mean, sd, (40, 9)) for mean, sd in ((0, 1), (0.1, 0.2), (2, 1), (6, 0.5))]
    at = [Summary.of([arm[:, :n] for arm in drawn]) for n in LOOKS]
    verdicts = verdicts_until_decided(procedure, at)
    stopped_early = 0
    for row in range(40):
        values = {name: arm[row] for name, arm in zip(NAMES, drawn, strict=True)}
        have = dict.fromkeys(NAMES, 0)
        needed = set(NAMES)
        for look in LOOKS:
            have |= dict.fromkeys(needed, look)
            samples = {name: values[name][:n].tolist() for name, n in have.items()}
            ranking = rank(samples, metric="m", margin=margin, looks=LOOKS, robust=False)
            needed = {
                name
                for pair in ranking.pairs
                if pair.verdict.value == "undecided"
                for name in (pair.a, pair.b)
            }
            if not needed:
                break
        stopped_early += min(have.values()) < LOOKS[-1]
        found = {}
        for pair in ranking.pairs:
            code = CODES[pair.verdict.value]
            found[pair.a, pair.b] = code
            found[pair.b, pair.a] = -code if abs(code) == 1 else code
        pairs = [(NAMES[i], NAMES[j]) for i, j in zip(*np.triu_indices(4, 1), strict=True)]
        assert verdicts[row].tolist() == [found[pair] for pair in pairs]
    assert stopped_early
    assert set(np.unique(verdicts)) >= {-1, 0} | ({2} if margin else set())


def test_a_procedure_that_spends_alpha_at_every_look_would_be_caught() -> None:
    broken = Procedure(sds=(1.0,) * 4, looks=(5, 10, 20), alpha=0.15)
    assert not measure_procedure(broken, replications=4000).at_most(BOUND)
