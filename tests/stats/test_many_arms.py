"""Many arms with few seeds: Tamhane's T2 in the place of Games-Howell."""

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from attnstudy.stats import Ranking, calibrate, rank
from attnstudy.stats.critical import sidak_critical
from attnstudy.stats.many_arms import RATES, SEEDS, TOLERATED, measured_error, needs_sidak
from attnstudy.stats.power import PowerCurve
from attnstudy.stats.scenarios import Scenario
from attnstudy.stats.simulation import simulate


def study(arms: int, runs: int, *, step: float = 0.0, seed: int = 3) -> dict[str, list[float]]:
    rng = np.random.default_rng(seed)
    return {f"v{i:02}": (60.0 + step * i + rng.normal(0, 1, runs)).tolist() for i in range(arms)}


def test_it_is_welch_with_sidaks_adjustment_over_all_pairs() -> None:
    samples = study(10, 4, step=1.0)
    ranking = rank(samples)
    assert (ranking.method, ranking.interval) == ("games-howell", "sidak")
    for pair in ranking.pairs:
        test = stats.ttest_ind(samples[pair.a], samples[pair.b], equal_var=False)
        assert pair.p_adjusted == pytest.approx(1 - (1 - test.pvalue) ** 45, rel=1e-6)
        interval = test.confidence_interval(0.95 ** (1 / 45))
        assert (pair.ci_low, pair.ci_high) == pytest.approx((interval.low, interval.high))
    assert any(arm.group != ranking.arms[0].group for arm in ranking.arms)
    assert ranking.arms[0].rank_high is not None
    assert ranking.arms[0].rank_high < 10


def test_it_says_so() -> None:
    ranking = rank(study(20, 3))
    assert "error rate was measured at .19" in " ".join(ranking.notes)
    assert "for 20 arms of 3 runs" in " ".join(ranking.notes)
    assert "Tamhane's T2 in the place of Games-Howell" in ranking.sentence
    assert "simultaneous (Sidak) 95 % interval" in ranking.sentence
    assert Ranking.from_json(ranking.to_json()) == ranking


@pytest.mark.parametrize(
    ("arms", "runs", "expected"),
    [
        (2, 3, False), (4, 3, False), (5, 3, False), (6, 3, True), (6, 4, True), (6, 5, False),
        (7, 6, True), (10, 10, True), (10, 14, True), (10, 15, False), (41, 1000, True),
    ],
)  # fmt: skip
def test_the_design_alone_decides(arms: int, runs: int, expected: bool) -> None:
    assert needs_sidak(arms, runs) == expected


def test_every_cell_is_looked_up_and_no_better_than_asked() -> None:
    for arms, runs in combinations(range(5, 41), 2):
        found = measured_error(arms, max(runs, 3))
        assert found is not None
        assert found.arms >= arms
    assert all(len(row) == len(SEEDS) for row in RATES.values())
    assert measured_error(4, 3) is None


def test_the_smallest_arm_counts_and_what_is_not_tested_does_not() -> None:
    long = study(8, 10)
    assert rank(long).interval == "simultaneous"
    assert rank({**long, "short": [60.0, 61.0]}).interval == "simultaneous"
    assert rank({**long, "short": [60.0, 61.0, 60.5]}).interval == "sidak"
    assert rank(long, correction="holm").interval == "bonferroni"
    assert rank(study(8, 3), control="v00").interval == "bonferroni"


def test_the_first_look_decides_for_all() -> None:
    samples = study(8, 10)
    assert rank(samples, looks=(3, 10)).interval == "sidak"  # 8 arms of 10 alone would not be
    assert rank(samples, looks=(10, 20)).interval == "simultaneous"


def test_power_and_calibration_follow() -> None:
    samples = study(20, 3)
    power = rank(samples).power
    assert power is not None
    curve = PowerCurve(power.sd, power.sd_upper, sidak_critical(0.05, 190), False)
    assert power.detectable_difference == pytest.approx(curve.detectable(3))
    assert calibrate(samples, replications=2000).simulated.rate < 0.04


@pytest.mark.parametrize(("arms", "n"), [(6, 3), (10, 5), (20, 3)])
def test_the_table_is_what_a_simulation_gives(arms: int, n: int) -> None:
    alone = Scenario(
        measure="family-wise error", sds=(1.0,) * arms, n=n, method="studentised range"
    )
    measured = simulate(alone, replications=20_000, seed=7)
    assert measured.rate > TOLERATED
    cell = RATES[arms][SEEDS.index(n)]
    assert measured.rate == pytest.approx(cell, abs=4.5 * measured.error)


@pytest.mark.parametrize("n", [3, 10])
def test_coverage_of_many_arms(n: int) -> None:
    covered = Scenario(measure="coverage", sds=(1.0,) * 10, n=n, low=0.94)
    assert simulate(covered, replications=5000, seed=8).within
