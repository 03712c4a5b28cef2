"""One pair's test: Games-Howell and Welch where they hold, the calibrated p-value elsewhere."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from scipy import special, stats
from statsmodels.stats.multitest import multipletests

from attnstudy.stats import rank
from attnstudy.stats.comparisons import _behrens_fisher as behrens_fisher
from attnstudy.stats.comparisons.design import Design
from attnstudy.stats.comparisons.pair_test import PairTest
from attnstudy.stats.comparisons.pairwise import all_pairs

Samples = dict[str, list[float]]
LOGITS = np.linspace(-14.0, 14.0, 281)


def pair_test(share, n_a, n_b, arms: int | None) -> PairTest:
    columns = np.broadcast_arrays(*(np.asarray(x, dtype=float) for x in (share, n_a, n_b)))
    return PairTest(*(np.atleast_1d(column).astype(float) for column in columns), arms)  # type: ignore[arg-type, call-arg]


def study(seed: int, counts: list[int], sds: list[float] | None = None) -> Samples:
    rng = np.random.default_rng(seed)
    spreads = sds or [1.0] * len(counts)
    return {
        f"v{i}": (60.0 + 0.8 * i + rng.normal(0, sd, n)).tolist()
        for i, (n, sd) in enumerate(zip(counts, spreads, strict=True))
    }


@pytest.mark.parametrize("arms", [None, 2, 3, 4, 5, 12, 40])
@pytest.mark.parametrize("level", [0.2, 0.05, 0.001, 1e-6])
def test_p_and_critical_invert_each_other(arms: int | None, level: float) -> None:
    share = np.array([1e-9, 0.03, 0.4, 0.5, 0.9, 0.5, 0.2, 0.7])
    n_a = np.array([3, 3, 3, 5, 30, 10, 1000, 4])
    n_b = np.array([3, 30, 5, 5, 3, 10, 3, 6])
    test = pair_test(share, n_a, n_b, arms)
    assert test.p(test.critical(level)) == pytest.approx(np.full(8, level), rel=1e-7)
    t = np.array([0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])
    p = test.p(t)
    for i, own in enumerate(p):
        if 1e-12 < own < 0.5:
            assert test.critical(own)[i] == pytest.approx(t[i], rel=1e-6)


def test_p_falls_with_t_from_one_to_nothing() -> None:
    test = pair_test(np.full(200, 0.7), 4, 12, 4)
    p = test.p(np.geomspace(1e-3, 1e6, 200))
    assert np.all(np.diff(p) <= 0.0)
    assert p[0] == pytest.approx(1.0, abs=1e-2)
    assert p[-1] < 1e-9
    assert pair_test([0.5, 0.5], 4, 4, 4).p(np.array([0.0, np.inf])).tolist() == [1.0, 0.0]


@pytest.mark.parametrize("arms", [2, 3, 4])
@pytest.mark.parametrize("n", [5, 7, 10])
def test_few_arms_of_enough_runs_are_games_howell_by_scipy(arms: int, n: int) -> None:
    samples = study(100 + arms * n, [n] * arms, [1.0, 1.3, 1.1, 0.9][:arms])
    expected = stats.tukey_hsd(*samples.values(), equal_var=False)
    place = {name: i for i, name in enumerate(samples)}
    for pair in rank(samples).pairs:
        p = expected.pvalue[place[pair.a], place[pair.b]]
        assert pair.p_adjusted == pytest.approx(p, rel=1e-8, abs=1e-8)
        assert pair.calibrated == 0.0


def test_the_notebook_keeps_its_headline(notebook: Samples) -> None:
    expected = stats.tukey_hsd(*notebook.values(), equal_var=False)
    (pair,) = (p for p in rank(notebook).pairs if {p.a, p.b} == {"double", "vanilla"})
    assert pair.p_adjusted == pytest.approx(expected.pvalue[3, 0], rel=1e-8)
    assert pair.p_adjusted == pytest.approx(0.145, abs=5e-4)
    assert (pair.ci_low, pair.ci_high) == pytest.approx((-1.74, 10.09), abs=5e-3)


@pytest.mark.parametrize("control", [None, "v0"])
def test_holm_over_welch_by_scipy(control: str | None) -> None:
    samples = study(4, [40, 40, 41, 42])
    ranking = rank(samples, correction="holm", control=control)
    raw = [
        stats.ttest_ind(samples[pair.a], samples[pair.b], equal_var=False).pvalue
        for pair in ranking.pairs
    ]
    expected = multipletests(raw, method="holm")[1]
    assert [pair.p_adjusted for pair in ranking.pairs] == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("arms", [5, 8, 20])
def test_many_arms_refer_to_the_range_of_known_normals(arms: int) -> None:
    samples = study(arms, [30] * arms)
    ranking = rank(samples, robust=False)
    for pair in ranking.pairs[:6]:
        welch = stats.ttest_ind(samples[pair.a], samples[pair.b], equal_var=False).pvalue
        range_ = np.sqrt(2.0) * stats.norm.isf(0.5 * welch)
        expected = stats.studentized_range.sf(range_, arms, np.inf)
        assert pair.p_adjusted == pytest.approx(expected, rel=1e-5, abs=1e-9)
    assert (ranking.method, ranking.interval) == ("games-howell", "simultaneous")
    assert all(arm.group is not None for arm in ranking.arms)


@pytest.mark.parametrize("correction", ["games-howell", "holm"])
@pytest.mark.parametrize("counts", [[5, 5, 5, 5], [3, 3, 30, 30], [6, 4, 5, 8, 3, 10]])
def test_losing_a_run_changes_no_other_pair(correction: str, counts: list[int]) -> None:
    samples = study(8, counts)
    mean, sd = (
        np.array([getattr(np, what)(v) for v in samples.values()]) for what in ("mean", "std")
    )
    n = np.array(counts, dtype=float)
    first, second = np.triu_indices(len(counts), 1)
    apart = (first != 1) & (second != 1)
    before = all_pairs(mean, sd, n, first, second, alpha=0.05, k=len(counts))
    lost = n.copy()
    lost[1] = max(counts[1] - 1, 3)
    sd[1] *= 1.3
    after = all_pairs(mean, sd, lost, first, second, alpha=0.05, k=len(counts))
    assert after.p[apart].tolist() == before.p[apart].tolist()
    assert (after.p[~apart] != before.p[~apart]).any()
    if correction == "games-howell":  # Holm's steps depend on all p by definition
        whole = {frozenset((p.a, p.b)): p.p_adjusted for p in rank(samples, robust=False).pairs}
        samples["v3"] = samples["v3"][:-1]
        less = {frozenset((p.a, p.b)): p.p_adjusted for p in rank(samples, robust=False).pairs}
        assert all(less[pair] == whole[pair] for pair in whole if "v3" not in pair)


def test_a_third_arm_changes_no_weight() -> None:
    mean, sd = np.array([60.0, 62.0, 61.0, 64.0]), np.array([1.0, 2.4, 0.3, 9.0])
    n, pair = np.array([4.0, 4.0, 3.0, 30.0]), (np.array([0]), np.array([1]))
    weights = [
        all_pairs(mean[:k], sd[:k], n[:k], *pair, alpha=0.05, k=k).calibrated[0] for k in (2, 3, 4)
    ]
    assert 0.0 < weights[0] < 1.0
    assert set(weights) == {weights[0]}


def test_weights_lie_between_none_and_all() -> None:
    share = special.expit(LOGITS)
    for n_a, n_b in combinations((3, 4, 5, 10, 30, 1000), 2):
        for arms in (None, 2, 4, 5, 40):
            weight = pair_test(share, n_a, n_b, arms).weight
            assert np.all((weight >= 0.0) & (weight <= 1.0))
            assert weight[0] == pytest.approx(1.0) or min(n_a, n_b) > 10


@pytest.mark.parametrize("arms", [None, 4, 9])
def test_weights_grow_with_what_makes_welch_wrong(arms: int | None) -> None:
    unlike = pair_test(special.expit(np.linspace(0, 14, 60)), 6, 6, arms).weight
    assert np.all(np.diff(unlike) >= 0.0)
    assert unlike[-1] > unlike[0]
    assert pair_test(0.8, 6, 6, arms).weight == pytest.approx(pair_test(0.2, 6, 6, arms).weight)
    runs = pair_test(0.8, np.arange(3, 60), np.arange(3, 60), arms).weight
    assert np.all(np.diff(runs) <= 0.0)
    assert runs[0] > runs[-1]
    beside = pair_test(0.5, 5, np.arange(5, 200), arms).weight
    assert np.all(np.diff(beside) >= 0.0)
    assert beside[-1] > beside[0]
    assert pair_test(0.5, 3, 30, arms).weight[0] == 1.0
    few, many, holm = (pair_test(0.8, 4, 4, k).weight[0] for k in (4, 5, None))
    assert few < many < holm


def true_size(log_critical: np.ndarray, n_a: int, n_b: int) -> float:
    """Return the largest true size over the ratios of the variances.

    B, the share of arm a in the sum of both chi-squares, decides the share of arm a in the squared
    standard error, and with it the critical value; the sum itself is integrated in closed form.

    Args:
        log_critical: at the shares whose logits are ``LOGITS``.
        n_a: runs of arm a.
        n_b: runs of arm b.

    """
    a, b, df = 0.5 * (n_a - 1), 0.5 * (n_b - 1), n_a + n_b - 2
    x = np.linspace(-60.0, 60.0, 4001)
    part, rest = special.expit(x), special.expit(-x)
    mass = np.exp(special.xlogy(a, part) + special.xlogy(b, rest) - special.betaln(a, b))
    mass *= x[1] - x[0]
    sizes = []
    for true in np.linspace(-9.0, 9.0, 37):
        error_a = special.expit(true) * part / (2 * a)
        error_b = special.expit(-true) * rest / (2 * b)
        critical = np.exp(np.interp(np.log(error_a / error_b), LOGITS, log_critical))
        t = critical * np.sqrt(df * (error_a + error_b))
        sizes.append(float(2 * stats.t.sf(t, df) @ mass))
    return max(sizes)


def test_the_size_of_welch_alone_is_known() -> None:
    """What the test of sizes finds for Welch's t with 3 runs beside 30: it is not blind."""
    share = special.expit(LOGITS)
    df = pair_test(share, 3, 30, None).df
    assert true_size(np.log(stats.t.isf(0.005, df)), 3, 30) > 0.02


@pytest.mark.parametrize("level", [0.05, 0.01])
@pytest.mark.parametrize(
    "runs",
    [(3, 3), (4, 4), (5, 5), (10, 10), (30, 30), (3, 30), (5, 30), (10, 30), (3, 5), (3, 10)],
)
def test_the_worst_size_of_a_pair_of_its_own(runs: tuple[int, int], level: float) -> None:
    test = pair_test(special.expit(LOGITS), *runs, None)
    assert true_size(np.log(test.critical(level)), *runs) <= 1.15 * level


@pytest.mark.parametrize("n", [3, 4, 5, 10])
def test_the_worst_size_of_the_calibrated_part(n: int) -> None:
    log_t, logits = np.meshgrid(np.linspace(0.0, 8.0, 120), LOGITS[::4], indexing="ij")
    df = np.full(log_t.size, n - 1.0)
    p = behrens_fisher.tail(log_t.ravel(), special.expit(logits.ravel()), df, df)[0]
    log_p = np.log(np.maximum(p, 1e-300)).reshape(log_t.shape)
    for level in (0.05, 0.01, 0.001):
        critical = [np.interp(-np.log(level), -own, log_t[:, 0]) for own in log_p.T]
        dense = np.interp(LOGITS, LOGITS[::4], critical)
        assert true_size(dense, n, n) <= 1.15 * level


@pytest.mark.parametrize("sds", [(1.0, 1.0, 1.0), (1.0, 1.0, 0.2), (1.0, 2.0, 4.0)])
@pytest.mark.parametrize("runs", [4, 5])
def test_the_share_of_one_of_many_tasks_is_kept(sds, runs):
    """At .05 / 30 Games-Howell's own p claims up to twice too often; what is used does not."""
    rng, families, level = np.random.default_rng(runs), 60_000, 0.05 / 30
    spread = np.array(sds)
    mean = rng.standard_normal((families, 3)) * spread / math.sqrt(runs)
    error = spread**2 * rng.chisquare(runs - 1, (families, 3)) / (runs - 1) / runs
    a, b = np.array([0, 0, 1]), np.array([1, 2, 2])
    se = np.sqrt(error[:, a] + error[:, b])
    t, share = np.abs(mean[:, a] - mean[:, b]) / se, error[:, a] / se**2
    far = t > 4.0  # none below could be claimed
    n = np.full(int(far.sum()), float(runs))
    claimed = np.zeros(t.shape, dtype=bool)
    claimed[far] = PairTest(share[far], n, n, 3, cautious=True).p(t[far]) <= level
    rate = claimed.any(axis=1).mean()
    assert rate <= level + 3 * math.sqrt(level / families)


def test_an_alpha_far_below_is_tested_as_one_of_many_tasks():
    assert not Design(alpha=0.05).cautious
    assert not Design(alpha=0.05 / 5).cautious  # each of five looks
    assert Design(alpha=0.001).cautious
    assert Design(alpha=0.025, families=2).family(arms=3, pairs=3).cautious
