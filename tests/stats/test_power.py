"""Power against statsmodels, closed forms and simulation."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower

from attnstudy.stats import Verdict, rank
from attnstudy.stats.comparisons.critical import Family
from attnstudy.stats.comparisons.decisions import Decision
from attnstudy.stats.comparisons.design import Design
from attnstudy.stats.comparisons.pair_test import PairTest
from attnstudy.stats.evidence.pair_power import MOST_SEEDS, Needed, PairPower
from attnstudy.stats.evidence.power import break_even_correlation
from attnstudy.stats.samples import read_samples
from attnstudy.stats.wording.numbers import pairing_words, runs_words
from attnstudy.stats.wording.verdicts import advice

DRAWS = 40_000


def simulated(
    family: Family, sds: tuple[float, float], gap: float, runs: tuple[int, int], margin: float = 0.0
) -> float:
    """Return how often a pair is shown different, or with a margin equivalent."""
    rng = np.random.default_rng(7)
    mean = [rng.normal(0.0, sd / math.sqrt(n), DRAWS) for sd, n in zip(sds, runs, strict=True)]
    error = [
        sd**2 / n * rng.chisquare(n - 1, DRAWS) / (n - 1) for sd, n in zip(sds, runs, strict=True)
    ]
    se, difference = np.sqrt(error[0] + error[1]), np.abs(mean[0] - mean[1] + gap)
    threshold = family.critical(error[0] / se**2, *runs) * se
    return float(np.mean(difference + threshold < margin if margin else difference > threshold))


@pytest.mark.parametrize("runs", [(3, 3), (5, 5), (12, 12), (5, 30)])
@pytest.mark.parametrize("sds", [(1.0, 1.0), (0.3, 2.0)])
@pytest.mark.parametrize(
    "family", [Family(2, 0.05), Family(4, 0.01), Family(9, 0.05), Family(None, 0.007)]
)
def test_a_detectable_difference_is_shown_in_80_percent(
    family: Family, sds: tuple[float, float], runs: tuple[int, int]
) -> None:
    power = PairPower(family, np.array(sds[:1]), np.array(sds[1:]))
    gap = float(power.detectable(*runs)[0])
    assert power.different(np.array([gap]), *runs)[0] == pytest.approx(0.8, abs=1e-6)
    assert simulated(family, sds, gap, runs) == pytest.approx(0.8, abs=0.015)


def test_critical_values_are_those_of_the_pair_test() -> None:
    shares = np.array([0.002, 0.2, 0.5, 0.77, 0.9999])
    for family in (Family(2, 0.05), Family(4, 0.05), Family(12, 0.01), Family(None, 0.004)):
        for runs in ((3, 3), (4, 9), (30, 30)):
            test = PairTest(shares, *(np.full(5, n) for n in runs), family.arms)  # type: ignore[arg-type, call-arg]
            exact = test.critical(family.level)
            np.testing.assert_allclose(family.critical(shares, *runs), exact, rtol=3e-3)


@pytest.mark.parametrize("n", [4, 9, 30])
def test_paired_power_agrees_with_statsmodels(n: int) -> None:
    power = PairPower(Family(None, 0.05 / 6), np.array([2.0]), np.zeros(1), paired=True)
    expected = TTestPower().power(0.7, n, 0.05 / 6)
    assert power.different(np.array([1.4]), n, n)[0] == pytest.approx(expected, rel=1e-2)


@pytest.mark.parametrize("arms", [None, 3, 4, 8])
def test_seeds_are_the_fewest(arms: int | None) -> None:
    gaps = np.geomspace(0.15, 20.0, 25)
    power = PairPower(Family(arms, 0.05), np.full(25, 1.0), np.full(25, 0.4))
    for place, n in enumerate(power.seeds(gaps)):
        assert n is not None
        alone = power.of([place])
        assert alone.different(gaps[place : place + 1], n, n)[0] >= 0.795
        assert n == 3 or alone.different(gaps[place : place + 1], n - 1, n - 1)[0] < 0.805
    assert power.of([0, 1]).seeds(np.array([0.0, 1e-4])) == [None, None]
    assert power.of([0]).seeds(gaps[-1:], least=7) == [7]
    assert MOST_SEEDS == 1000


def test_equivalence_has_a_power_of_its_own() -> None:
    """Seeds that detect the margin are too few to show equivalence within it."""
    power = PairPower(Family(4, 0.05), np.array([0.5]), np.array([0.7]))
    (detect,), (n,) = power.seeds(np.array([0.5])), power.seeds_for_equivalence(0.5)
    assert detect is not None
    assert n is not None
    assert n > detect
    assert simulated(power.family, (0.5, 0.7), 0.0, (n, n), 0.5) == pytest.approx(0.8, abs=0.03)
    assert simulated(power.family, (0.5, 0.7), 0.0, (detect, detect), 0.5) < 0.7


def test_a_pair_is_judged_by_its_own_spreads() -> None:
    """An arm with a large spread says nothing of two others: 25 seeds do, as simulated."""
    rng = np.random.default_rng(3)

    def exactly(mean: float, sd: float) -> list[float]:
        values = rng.normal(size=6)
        return (mean + sd * (values - values.mean()) / values.std(ddof=1)).tolist()

    samples = {"a": exactly(90.0, 0.1), "b": exactly(89.907, 0.1), "wild": exactly(80.0, 8.0)}
    power = rank(samples).power
    assert power is not None
    assert (power.a, power.b, power.seeds_for_observed) == ("a", "b", 25)
    assert simulated(Family(3, 0.05), (0.1, 0.1), 0.093, (25, 25)) == pytest.approx(0.8, abs=0.02)


def test_with_a_control_power_is_for_a_pair_that_is_tested(
    notebook: dict[str, list[float]],
) -> None:
    power = rank(notebook, control="vanilla").power
    assert power is not None
    assert (power.a, power.b) == ("double", "vanilla")
    assert power.observed_gap == pytest.approx(4.175)


def test_figures_of_a_ranking(notebook: dict[str, list[float]]) -> None:
    power = rank(notebook, margin=1.0, seconds_per_run=1800.0).power
    assert power is not None
    assert (power.a, power.b, power.n) == ("double", "early", 4)
    variance = np.mean([np.var(notebook[arm], ddof=1) for arm in ("double", "early")])
    assert power.sd == pytest.approx(math.sqrt(variance))
    one, other = (np.var(notebook[arm], ddof=1) for arm in ("double", "early"))
    bound = 3 / stats.chi2.ppf(0.2, 3) - 1
    upper = variance + math.hypot(one * bound, other * bound) / 2  # Graybill and Wang
    assert power.sd_upper == pytest.approx(math.sqrt(upper))
    assert power.observed_gap == pytest.approx(63.6875 - 60.525)
    assert power.seeds_for_margin is not None
    assert power.seeds_for_observed is not None
    assert power.seeds_for_equivalence is not None
    assert power.seeds_for_equivalence > power.seeds_for_margin > power.seeds_for_observed > 4
    assert power.hours == power.hours_for_margin == 4 * (power.seeds_for_margin - 4) / 2
    each = {"vanilla": 3600.0, "early": 7200.0, "late": 0.0, "double": 0.0}
    without = rank(notebook, seconds_per_run=each).power
    assert without is not None
    assert without.hours == without.hours_for_observed == 3 * (power.seeds_for_observed - 4)
    assert (without.seeds_for_margin, without.hours_for_margin) == (None, None)


def test_no_power_without_a_test_or_spread() -> None:
    assert rank({"a": [1.0, 2.0, 3.0]}, metric="m").power is None
    assert rank({"a": [1.0] * 3, "b": [2.0] * 3}, metric="m").power is None


@pytest.mark.rest
def test_the_bound_of_the_spread_covers_it() -> None:
    """In eight of ten studies, also where one of the two arms has few runs or a large spread."""
    rng = np.random.default_rng(4)
    for sds, runs in (((1.0, 1.0), (3, 30)), ((0.2, 3.0), (30, 5)), ((1.0, 5.0), (5, 5))):
        truth = math.hypot(*sds) / math.sqrt(2.0)
        covered = 0
        for _ in range(200):
            a, b = (rng.normal(0.0, sd, n) for sd, n in zip(sds, runs, strict=True))
            power = rank({"a": a, "b": b}, metric="m", robust=False).power
            covered += power is not None and power.sd_upper >= truth
        assert covered / 200 == pytest.approx(0.8, abs=0.1)


def test_independent_seeds_are_rarely_advised_to_be_paired() -> None:
    rng = np.random.default_rng(6)
    advised = 0
    for _ in range(200):
        arms = {name: dict(enumerate(rng.normal(0.0, 1.0, 8))) for name in "ab"}
        advised += pairing_words(rank(arms, metric="m", robust=False).power) != ""
    assert advised / 200 < 0.1


def test_runs_of_both_arms_are_told_where_they_differ() -> None:
    rng = np.random.default_rng(2)
    samples = {"few": rng.normal(60.2, 1.0, 3), "many": rng.normal(60.0, 1.0, 30)}
    power = rank(samples).power
    assert power is not None
    assert {power.a: power.n_a, power.b: power.n_b} == {"few": 3, "many": 30}
    assert "3 runs per arm" not in runs_words(power)
    assert "30" in runs_words(power)


def test_one_pair_has_one_p_however_it_is_asked_for(notebook: dict[str, list[float]]) -> None:
    two = {name: notebook[name] for name in ("vanilla", "double")}
    p = {
        rank(two, **options).pairs[0].p_adjusted  # type: ignore[arg-type]
        for options in ({}, {"correction": "holm"}, {"control": "vanilla"}, {"control": "double"})
    }
    assert max(p) == pytest.approx(min(p), rel=1e-12)


def test_pairing_is_advised_for_the_next_study_where_seeds_go_together() -> None:
    rng = np.random.default_rng(1)
    shared = rng.normal(0.0, 1.0, 10)
    one, other = (dict(enumerate(m + shared + rng.normal(0.0, 0.1, 10))) for m in (60.3, 60.1))
    power = rank({"a": one, "b": other}).power
    assert power is not None
    assert power.seeds_if_paired is not None
    assert power.seeds_for_observed is not None
    assert power.seeds_if_paired < power.seeds_for_observed / 5
    text = pairing_words(power)
    assert f"about {power.seeds_if_paired} seeds per arm instead of" in text
    assert "must be declared before fresh seeds are run" in text
    apart = dict(enumerate(60.1 + rng.normal(0.0, 1.0, 10)))
    assert pairing_words(rank({"a": one, "b": apart}).power) == ""
    assert pairing_words(rank({"a": list(one.values()), "b": list(other.values())}).power) == ""


@pytest.mark.parametrize("seeds", [5, 10, 30])
def test_pairing_pays_from_a_correlation_on(seeds: int) -> None:
    """There both designs show the same difference equally often, by a literal simulation."""
    correlation = break_even_correlation(Design(), arms=4, seeds=seeds)
    gap = float(PairPower(Family(4, 0.05), np.ones(1), np.ones(1)).detectable(seeds, seeds)[0])
    rng = np.random.default_rng(seeds)
    covariance = [[1.0, correlation], [correlation, 1.0]]
    runs = rng.multivariate_normal([gap, 0.0], covariance, size=(DRAWS, seeds))
    p = stats.ttest_rel(runs[:, :, 0], runs[:, :, 1], axis=1).pvalue
    assert np.mean(p <= 0.05 / 6) == pytest.approx(0.8, abs=0.02)
    assert {5: 0.45, 10: 0.2, 30: 0.08}[seeds] < correlation < {5: 0.6, 10: 0.32, 30: 0.13}[seeds]


def in_points(margin: float) -> Design:
    return Design(margin=margin, unit="points")


def test_advice_counts_seeds(notebook: dict[str, list[float]]) -> None:
    ranking = rank(notebook)
    assert ranking.power is not None
    best, second = ranking.arms[0].name, ranking.arms[1].name
    pair = next(p for p in ranking.pairs if (p.a, p.b) == (best, second))
    assert pair.seeds_for_observed == ranking.power.seeds_for_observed
    assert f"about {pair.seeds_for_observed} seeds per arm" in pair.advice
    open_ = Decision(a=0, b=1, difference=1.0, p=0.3, verdict=Verdict.UNDECIDED)
    arms = read_samples(notebook)
    # a count that the study already has would say that its own outcome was unlikely
    assert "about 5 seeds" in advice(arms, open_, Design(), Needed(observed=4, equivalence=None))
    far = advice(arms, open_, in_points(1.5), Needed(observed=None, equivalence=None))
    assert "Detecting the observed difference would need over 1,000 seeds per arm." in far
    assert "equivalence within 1.5 points would need over 1,000 seeds per arm if nothing" in far
    near = advice(arms, open_, in_points(1.5), Needed(observed=80, equivalence=32))
    assert near.endswith("1.5 points would need about 32 seeds per arm if nothing differs.")
    # what is observed, 1, speaks against equivalence
    beyond = advice(arms, open_, in_points(1.0), Needed(observed=80, equivalence=900))
    assert "quivalence within" not in beyond
    # four runs are there, and did not show it
    there = advice(arms, open_, in_points(2.0), Needed(observed=80, equivalence=4))
    assert "within 2 points would need about 5 seeds per arm if nothing differs" in there
