"""Power against statsmodels, closed forms and simulation."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower

from attnstudy.stats import Verdict, rank
from attnstudy.stats.critical import bonferroni_critical, games_howell_critical
from attnstudy.stats.decisions import Decision
from attnstudy.stats.design import Design
from attnstudy.stats.power import MOST_SEEDS, PowerCurve, power_curve
from attnstudy.stats.samples import read_samples
from attnstudy.stats.wording import advice


@pytest.mark.parametrize(("k", "n"), [(2, 3), (4, 3), (4, 5), (4, 10), (10, 6)])
def test_power_is_what_games_howell_has(k: int, n: int) -> None:
    curve = PowerCurve(1.0, 1.0, games_howell_critical(0.05, k), False)
    difference = curve.detectable(n)
    rng = np.random.default_rng(k * n)
    draws = 40_000
    a, b = rng.normal(difference, 1.0, (draws, n)), rng.normal(0.0, 1.0, (draws, n))
    va, vb = a.var(axis=1, ddof=1) / n, b.var(axis=1, ddof=1) / n
    t = np.abs(a.mean(axis=1) - b.mean(axis=1)) / np.sqrt(va + vb)
    df = (va + vb) ** 2 * (n - 1) / (va**2 + vb**2)
    p = stats.studentized_range.sf(np.sqrt(2) * curve.critical(np.array([3.7])), k, 3.7)
    assert p == pytest.approx(0.05)
    shown = np.mean(t > curve.critical(df))
    assert shown == pytest.approx(0.8, abs=4 * math.sqrt(0.16 / draws))


@pytest.mark.parametrize("n", [4, 9, 30])
def test_paired_power_agrees_with_statsmodels(n: int) -> None:
    curve = PowerCurve(2.0, 2.0, bonferroni_critical(0.05, 6), True)
    expected = TTestPower().power(0.7, n, 0.05 / 6)
    assert curve.power(np.array(1.4), np.array(n)) == pytest.approx(expected, rel=1e-6)


def test_seeds_are_the_fewest() -> None:
    curve = PowerCurve(1.0, 1.0, games_howell_critical(0.05, 4), False)
    differences = np.geomspace(0.01, 20.0, 40)
    for difference, n in zip(differences, curve.seeds(differences.tolist()), strict=True):
        assert n is not None
        assert curve.power(np.array(difference), np.array(n)) >= 0.8
        assert n == 3 or curve.power(np.array(difference), np.array(n - 1)) < 0.8
    assert curve.seeds([0.0, 1e-4]) == [None, None]
    assert MOST_SEEDS == 1_000_000


def test_detectable_and_seeds_invert_each_other() -> None:
    curve = PowerCurve(1.3, 1.7, games_howell_critical(0.05, 5), False)
    for n in (3, 4, 12, 200):
        assert curve.seeds([curve.detectable(n)]) == [n]


def test_spread_and_its_bound() -> None:
    samples = read_samples({"a": [1.0, 2.0, 4.0], "b": [3.0, 3.5, 9.0, 5.0]})
    curve = power_curve(samples, Design(), pairs=1)
    assert curve is not None
    variance = (2 * samples[0].sd ** 2 + 3 * samples[1].sd ** 2) / 5
    assert curve.sd == pytest.approx(math.sqrt(variance))
    assert curve.sd_upper == pytest.approx(math.sqrt(variance * 5 / stats.chi2.ppf(0.2, 5)))


def test_figures_of_a_ranking(notebook: dict[str, list[float]]) -> None:
    power = rank(notebook, margin=1.0, seconds_per_run=1800.0).power
    assert power is not None
    variance = np.mean([np.var(values, ddof=1) for values in notebook.values()])
    assert power.sd == pytest.approx(math.sqrt(variance))
    assert power.observed_gap == pytest.approx(63.6875 - 60.525)
    assert power.seeds_for_margin is not None
    assert power.seeds_for_observed is not None
    assert power.seeds_for_margin > power.seeds_for_observed > 4
    assert power.hours == power.hours_for_margin == 4 * (power.seeds_for_margin - 4) / 2
    each = {"vanilla": 3600.0, "early": 7200.0, "late": 0.0, "double": 0.0}
    without = rank(notebook, seconds_per_run=each).power
    assert without is not None
    assert without.hours == without.hours_for_observed == 3 * (power.seeds_for_observed - 4)
    assert (without.seeds_for_margin, without.hours_for_margin) == (None, None)


@pytest.mark.parametrize(
    ("options", "pairs"), [({"control": "vanilla"}, 3), ({"correction": "holm"}, 6)]
)
def test_holm_families_use_their_first_threshold(
    notebook: dict[str, list[float]], options: dict[str, str], pairs: int
) -> None:
    power = rank(notebook, **options).power  # type: ignore[arg-type]
    assert power is not None
    curve = PowerCurve(power.sd, power.sd_upper, bonferroni_critical(0.05, pairs), False)
    assert power.detectable_difference == pytest.approx(curve.detectable(4))


def test_no_power_without_a_test_or_spread() -> None:
    assert rank({"a": [1.0, 2.0, 3.0]}, metric="m").power is None
    assert rank({"a": [1.0] * 3, "b": [2.0] * 3}, metric="m").power is None


def test_advice_counts_seeds(notebook: dict[str, list[float]]) -> None:
    ranking = rank(notebook)
    assert ranking.power is not None
    best, second = ranking.arms[0].variant, ranking.arms[1].variant
    pair = next(p for p in ranking.pairs if (p.a, p.b) == (best, second))
    assert f"about {ranking.power.seeds_for_observed} seeds per variant" in pair.advice
    # a count that the study already has would say that its own outcome was unlikely
    unlucky = Decision(a=0, b=1, difference=1.0, p=0.3, verdict=Verdict.UNDECIDED)
    arms = read_samples(notebook)
    assert "5 seeds" in advice(arms, unlucky, Design(), 5)
    assert "seeds" not in advice(arms, unlucky, Design(), 4)
