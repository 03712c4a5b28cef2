"""Families of comparisons against scipy, statsmodels and scikit-posthocs."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multicomp import pairwise_tukeyhsd
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import ttost_ind

from attnstudy.errors import UsageError
from attnstudy.stats import rank
from attnstudy.stats.comparisons.pair_test import PairTest
from attnstudy.stats.comparisons.pairwise import holm

Samples = dict[str, list[float]]


def long_form(samples: Samples) -> pd.DataFrame:
    rows = [(name, value) for name, values in samples.items() for value in values]
    return pd.DataFrame(rows, columns=["variant", "value"])


def test_games_howell_agrees_with_scikit_posthocs(balanced: Samples) -> None:
    import scikit_posthocs

    frame = long_form(balanced)
    expected = scikit_posthocs.posthoc_games_howell(frame, val_col="value", group_col="variant")
    for pair in rank(balanced).pairs:
        assert pair.p_adjusted == pytest.approx(expected.loc[pair.a, pair.b], rel=1e-6, abs=1e-9)


def test_games_howell_agrees_with_statsmodels(balanced: Samples) -> None:
    frame = long_form(balanced)
    result = pairwise_tukeyhsd(frame["value"], frame["variant"], use_var="unequal")
    expected = {
        (b, a): (difference, *interval, p)  # statsmodels subtracts the first of a pair
        for (a, b), difference, interval, p in zip(
            combinations(result.groupsunique, 2),
            result.meandiffs,
            result.confint,
            result.pvalues,
            strict=True,
        )
    }
    for pair in rank(balanced).pairs:
        if (pair.a, pair.b) in expected:
            difference, low, high, p = expected[pair.a, pair.b]
        else:
            difference, high, low, p = (
                sign * number
                for sign, number in zip((-1, -1, -1, 1), expected[pair.b, pair.a], strict=True)
            )
        assert pair.difference == pytest.approx(difference)
        assert pair.ci_low == pytest.approx(low, rel=1e-5)
        assert pair.ci_high == pytest.approx(high, rel=1e-5)
        assert pair.p_adjusted == pytest.approx(p, rel=1e-5, abs=1e-9)


def test_two_arms_are_welch() -> None:
    a, b = [70.0, 71.5, 69.0, 72.0, 70.2], [68.0, 69.5, 66.1, 68.4, 67.0]
    (pair,) = rank({"a": a, "b": b}).pairs
    expected = stats.ttest_ind(a, b, equal_var=False)
    interval = expected.confidence_interval(0.95)
    assert pair.p_adjusted == pytest.approx(expected.pvalue, rel=1e-10)
    assert (pair.ci_low, pair.ci_high) == pytest.approx((interval.low, interval.high), rel=1e-10)
    assert pair.df == pytest.approx(expected.df)


@pytest.mark.parametrize("margin", [0.3, 0.5, 0.6, 0.7, 0.8, 1.0])
def test_equivalence_is_two_one_sided_tests(margin: float) -> None:
    """By the interval at 1 - alpha, hence each one-sided test at alpha / 2."""
    a = [60.1, 60.6, 59.9, 60.4, 60.2]
    b = [60.0, 60.1, 60.5, 59.6, 60.0, 60.3]
    (pair,) = rank({"a": a, "b": b}, margin=margin).pairs
    p = ttost_ind(a, b, -margin, margin, usevar="unequal")[0]
    assert (pair.verdict == "equivalent") == (p < 0.025)


@pytest.mark.parametrize("control", [None, "c"])
def test_holm_families(control: str | None) -> None:
    """With many runs and spreads alike each pair is Welch's own."""
    rng = np.random.default_rng(8)
    samples = {
        name: rng.normal(mean, 1.0, 30).tolist()
        for name, mean in zip("abcde", (60.0, 60.7, 61.0, 62.1, 60.2), strict=True)
    }
    ranking = rank(samples, correction="holm", control=control)
    assert {pair.calibrated for pair in ranking.pairs} == {0.0}
    raw, intervals = [], []
    for pair in ranking.pairs:
        test = stats.ttest_ind(samples[pair.a], samples[pair.b], equal_var=False)
        raw.append(test.pvalue)
        intervals.append(test.confidence_interval(1 - 0.05 / len(ranking.pairs)))
    expected = multipletests(raw, method="holm")[1]
    assert len(ranking.pairs) == (10 if control is None else 4)
    assert [pair.p_adjusted for pair in ranking.pairs] == pytest.approx(expected, rel=1e-9)
    for pair, interval in zip(ranking.pairs, intervals, strict=True):
        assert (pair.ci_low, pair.ci_high) == pytest.approx(tuple(interval), rel=1e-9)
    assert ranking.method == ("holm" if control is None else "control")
    assert ranking.interval == "bonferroni"
    assert {arm.group for arm in ranking.arms} == {None}
    assert {arm.rank_low for arm in ranking.arms} == {None}


@pytest.mark.parametrize("control", [None, "c"])
def test_holm_adjusts_calibrated_pairs(unequal: Samples, control: str | None) -> None:
    ranking = rank(unequal, correction="holm", control=control)
    raw = []
    for pair in ranking.pairs:
        a, b = np.array(unequal[pair.a]), np.array(unequal[pair.b])
        errors = a.var(ddof=1) / a.size, b.var(ddof=1) / b.size
        test = PairTest(
            np.array([errors[0] / sum(errors)]), np.array([a.size]), np.array([b.size]), None
        )
        t = abs(a.mean() - b.mean()) / sum(errors) ** 0.5
        raw.append(float(test.p(np.array([t]))[0]))
    expected = multipletests(raw, method="holm")[1]
    assert [pair.p_adjusted for pair in ranking.pairs] == pytest.approx(expected, rel=1e-9)


def test_control_is_always_b_and_may_lose_or_win(unequal: Samples) -> None:
    ranking = rank(unequal, control="b")
    assert {pair.b for pair in ranking.pairs} == {"b"}
    verdicts = {pair.a: pair.verdict for pair in ranking.pairs}
    assert verdicts == {"a": "better", "c": "undecided", "d": "worse", "e": "worse"}


def test_paired_family() -> None:
    samples = {
        "a": {0: 61.0, 1: 62.5, 2: 60.1, 3: 63.0, 4: 61.9},
        "b": {4: 60.9, 3: 61.9, 2: 59.2, 1: 61.0, 0: 60.2},
        "c": {0: 60.7, 1: 62.9, 2: 59.9, 3: 62.4, 4: 62.2},
    }
    ranking = rank(samples, paired=True)
    raw = []
    for pair in ranking.pairs:
        a = [samples[pair.a][seed] for seed in range(5)]
        b = [samples[pair.b][seed] for seed in range(5)]
        test = stats.ttest_rel(a, b)
        raw.append(test.pvalue)
        interval = test.confidence_interval(1 - 0.05 / 3)
        assert (pair.ci_low, pair.ci_high) == pytest.approx((interval.low, interval.high))
        assert pair.seed_correlation == pytest.approx(np.corrcoef(a, b)[0, 1])
    expected = multipletests(raw, method="holm")[1]
    assert [pair.p_adjusted for pair in ranking.pairs] == pytest.approx(expected, rel=1e-9)
    assert ranking.method == "paired"
    assert {(p.a, p.b): str(p.verdict) for p in ranking.pairs}["a", "b"] == "better"


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({0: 1.0, 1: 2.0, 3: 1.5}, r"'a' has no run of seed 3"),
        ({0: 1.0, 1: 2.0, 4: 1.5, 2: 1.0, 5: 1.1}, r"'a' has no run of seed 4"),
        ({0: 1.0, 1: 2.0, 2: 1.5, 3: 1.1}, r"'a' has no run of seed 3"),
        ([1.0, 2.0, 1.5], r"arm 'b' has none"),
    ],
)
def test_paired_refuses_other_seeds(other: object, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        rank({"a": {0: 1.2, 1: 2.2, 2: 1.4}, "b": other}, paired=True, metric="score")  # type: ignore[dict-item]


def test_holm_agrees_with_statsmodels_and_keeps_undefined() -> None:
    p = np.array([0.04, 0.001, 0.3, 0.012, 0.9, 0.012])
    np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1])
    adjusted = holm(np.array([0.01, np.nan, 0.02]))
    np.testing.assert_allclose(adjusted, [0.03, np.nan, 0.04])
