"""Effect sizes against scipy and statsmodels."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.meta_analysis import effectsize_smd
from statsmodels.stats.nonparametric import rank_compare_2indep

from attnstudy.stats import rank
from attnstudy.stats.evidence.effects import (
    brunner_munzel,
    hedges_g,
    prob_superiority,
    prob_superiority_interval,
    seed_correlation,
)
from attnstudy.stats.samples import Sample, read_samples


def pair(a: object, b: object) -> tuple[Sample, Sample]:
    first, second = read_samples({"a": a, "b": b})  # type: ignore[dict-item]
    return first, second


def test_hedges_g_agrees_with_statsmodels() -> None:
    a, b = pair([67.7, 62.88, 61.76, 62.41], [59.77, 60.81, 57.70, 59.77, 60.3])
    # statsmodels uses the approximation 1 - 3 / (4 df - 1) of the exact factor
    approximate, _ = effectsize_smd(a.mean, a.sd, a.n, b.mean, b.sd, b.n)
    assert hedges_g(a, b) == pytest.approx(approximate, rel=1e-3)
    # the exact factor for df = 4 is sqrt(2 / pi) = 0.7978846 in closed form
    a, b = pair([1.0, 2.0, 3.0], [2.0, 3.0, 4.0])
    assert hedges_g(a, b) == pytest.approx(-0.7978846, abs=1e-7)


@pytest.mark.parametrize("maximize", [True, False])
def test_superiority_is_mann_whitney_u(maximize: bool) -> None:
    a, b = pair([3.0, 1.0, 4.0, 1.0, 5.0], [2.0, 4.0, 1.0, 8.0])
    u = stats.mannwhitneyu(a.values, b.values).statistic / 20
    assert prob_superiority(a, b, maximize=maximize) == pytest.approx(u if maximize else 1 - u)


def test_superiority_interval_agrees_with_statsmodels() -> None:
    rng = np.random.default_rng(5)
    a, b = pair(rng.normal(1.0, 1.0, 12).round(1), rng.normal(0.0, 2.0, 15).round(1))
    expected = rank_compare_2indep(a.values, b.values)
    assert brunner_munzel(a, b)[0] == pytest.approx(expected.prob1)
    assert brunner_munzel(a, b)[2] == pytest.approx(expected.df)
    # delta method on the logit scale, as statsmodels' conf_int on its own scale is linear
    se = np.sqrt(expected.var_prob)
    logit = np.log(expected.prob1 / (1 - expected.prob1))
    half = stats.t.ppf(0.975, expected.df) * se / (expected.prob1 * (1 - expected.prob1))
    ends = 1 / (1 + np.exp(-(logit + np.array([-half, half]))))
    assert prob_superiority_interval(a, b, alpha=0.05) == pytest.approx(tuple(ends))
    mirrored = prob_superiority_interval(a, b, alpha=0.05, maximize=False)
    assert mirrored == pytest.approx(tuple(1 - ends[::-1]))


def test_superiority_intervals_hold_for_the_family() -> None:
    rng = np.random.default_rng(7)
    samples = {name: rng.normal(mean, 1.0, 12) for name, mean in (("a", 1.0), ("b", 0.5), ("c", 0))}
    for pair in rank(samples, metric="m").pairs:
        (first, second) = read_samples({"a": samples[pair.a], "b": samples[pair.b]})
        expected = prob_superiority_interval(first, second, alpha=0.05 / 3)
        assert (pair.prob_superiority_low, pair.prob_superiority_high) == expected


def test_superiority_interval_only_where_it_holds() -> None:
    rng = np.random.default_rng(6)
    few, many = pair(rng.normal(size=9), rng.normal(size=30))
    assert prob_superiority_interval(few, many, alpha=0.05) is None
    low, high = pair(np.arange(10.0), np.arange(10.0) + 50)
    assert prob_superiority_interval(low, high, alpha=0.05) is None


def test_seed_correlation_over_shared_seeds() -> None:
    a, b = pair({1: 1.0, 2: 4.0, 3: 2.0, 9: 7.0}, {3: 3.5, 2: 6.0, 1: 2.0, 5: 0.0})
    expected = np.corrcoef([1.0, 4.0, 2.0], [2.0, 6.0, 3.5])[0, 1]
    assert seed_correlation(a, b) == pytest.approx(expected)
    assert seed_correlation(*pair([1.0, 4.0, 2.0], [2.0, 6.0, 3.0])) is None
    assert seed_correlation(*pair({1: 1.0, 2: 1.0, 3: 1.0}, {1: 1.0, 2: 2.0, 3: 1.0})) is None
