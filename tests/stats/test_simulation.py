"""What the protocol promises, measured: the short form of the simulations."""

import numpy as np
import pytest
from scipy import stats

from attnstudy.stats import rank
from attnstudy.stats.batch import shown_different
from attnstudy.stats.design import Design
from attnstudy.stats.scenarios import Scenario, scenarios
from attnstudy.stats.simulation import simulate, simulate_all

REPLICATIONS = 20_000


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda scenario: scenario.name)
def test_promise(scenario: Scenario) -> None:
    measured = simulate(scenario, replications=REPLICATIONS, seed=20)
    slack = 3.0 * measured.error
    assert scenario.low - slack <= measured.rate <= scenario.high + slack
    assert measured.within
    assert measured.replications == REPLICATIONS


def test_the_bounds_are_those_asked_for() -> None:
    bounds = {(s.measure, s.n, s.method): (s.low, s.high) for s in scenarios() if len(s.sds) == 4}
    assert bounds["family-wise error", 3, "games-howell"] == (0.03, 0.065)
    assert bounds["family-wise error", 5, "games-howell"] == (0.03, 0.06)
    assert bounds["coverage", 3, "games-howell"] == (0.935, 1.0)
    assert bounds["coverage", 10, "games-howell"] == (0.94, 1.0)
    assert bounds["looks", 20, "games-howell"] == (0.0, 0.05)
    assert bounds["wrong equivalent", 5, "games-howell"] == (0.0, 0.05)


def test_a_method_without_correction_would_be_caught() -> None:
    broken = Scenario(measure="family-wise error", sds=(1.0,) * 4, n=5, alpha=0.25, high=0.06)
    assert not simulate(broken, replications=2000).within
    peeking = Scenario(
        measure="looks", sds=(1.0,) * 4, n=10, alpha=0.05 * 8, looks=tuple(range(3, 11)), high=0.05
    )
    assert not simulate(peeking, replications=2000).within


@pytest.mark.parametrize("method", ["games-howell", "holm", "control", "paired"])
def test_batches_decide_as_rank_does(method: str) -> None:
    rng = np.random.default_rng(11)
    values = [rng.normal(mean, sd, (60, 5)) for mean, sd in ((0, 1), (1.5, 1), (3, 3), (2, 0.5))]
    names = ["a", "b", "c", "d"]
    design = Design(
        correction="holm" if method == "holm" else "games-howell",
        control="a" if method == "control" else None,
        paired=method == "paired",
    )
    shown = shown_different(values, design, control=0 if method == "control" else None)
    pairs = (
        [("b", "a"), ("c", "a"), ("d", "a")]
        if method == "control"
        else [(names[i], names[j]) for i, j in zip(*np.triu_indices(4, 1), strict=True)]
    )
    for row in range(60):
        samples = {n: dict(enumerate(v[row].tolist())) for n, v in zip(names, values, strict=True)}
        ranking = rank(
            samples,
            metric="m",
            correction=design.correction,
            control=design.control,
            paired=design.paired,
        )
        verdicts = {frozenset((p.a, p.b)): str(p.verdict) for p in ranking.pairs}
        for pair, different in zip(pairs, shown[row], strict=True):
            assert different == (verdicts[frozenset(pair)] in ("better", "worse"))
    assert 0 < shown.sum() < shown.size


def test_each_scenario_has_its_own_stream_and_is_reproducible() -> None:
    chosen = scenarios()[:2]
    first = simulate_all(chosen, replications=300, seed=4)
    assert first == simulate_all(chosen, replications=300, seed=4)
    assert [m.scenario for m in first] == list(chosen)
    # coverage and family-wise error of the same draws would add up to one
    assert first[0].rate + first[1].rate != 1.0


def test_equal_arms_by_rank_itself() -> None:
    """Two hundred studies through ``rank``, against the binomial of its promised error."""
    rng = np.random.default_rng(5)
    claims = 0
    studies = 200
    for _ in range(studies):
        drawn = rng.normal(60.0, 1.0, (3, 4))
        ranking = rank(dict(zip("abc", drawn, strict=True)))
        claims += ranking.verdict != "no ranking is defensible"
    assert stats.binomtest(claims, studies, 0.05).pvalue > 1e-3
