"""The calibrated p-value of a pair against its definition, its limits and a Monte Carlo."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from scipy import integrate, special, stats

from attnstudy.stats.comparisons import _behrens_fisher as calibrated
from benchmarks.calibration import behrens_fisher as classical

CASES = [
    (2.0, 0.5, 3, 3), (4.0, 0.9, 3, 30), (4.0, 0.1, 3, 30), (2.8, 0.3, 5, 10), (1.0, 0.5, 4, 7),
    (6.0, 0.7, 10, 10), (12.0, 0.02, 3, 5), (3.0, 0.999, 5, 1000),
]  # fmt: skip


def tail(t: float, share: float, n_a: int, n_b: int) -> float:
    columns = (np.array([value], dtype=float) for value in (math.log(t), share, n_a - 1, n_b - 1))
    return float(calibrated.tail(*columns)[0][0])


def prior_odds(x, y, share, n_a, n_b):
    """Return the prior (1) over 1 / (sigma_a sigma_b), at sigma^2 = f s^2 / chi-square.

    With the standard error of the difference as the unit, s_a^2 = n_a r, s_b^2 = n_b (1 - r).
    """
    f_a, f_b = n_a - 1, n_b - 1
    variance_a, variance_b = f_a * n_a * share / x, f_b * n_b * (1 - share) / y
    return 1 / (n_a * f_a**2 * variance_b) + 1 / (n_b * f_b**2 * variance_a)


def literal(t: float, share: float, n_a: int, n_b: int) -> float:
    """Return p by a double integral over both chi-squares, by the rule in their logarithms."""
    f_a, f_b = n_a - 1, n_b - 1
    steps = np.linspace(-45.0, math.log(f_a + f_b + 200.0) + 4.0, 1500)
    x, y = np.exp(steps)[:, None], np.exp(steps)[None, :]
    mass = stats.chi2.pdf(x, f_a) * x * stats.chi2.pdf(y, f_b) * y
    mass = mass * prior_odds(x, y, share, n_a, n_b)
    variance = share * f_a / x + (1 - share) * f_b / y
    return float((mass * 2 * special.ndtr(-t / np.sqrt(variance))).sum() / mass.sum())


@pytest.mark.parametrize(("t", "share", "n_a", "n_b"), CASES)
def test_it_is_the_mean_over_both_variances(t: float, share: float, n_a: int, n_b: int) -> None:
    assert tail(t, share, n_a, n_b) == pytest.approx(literal(t, share, n_a, n_b), rel=1e-9)


@pytest.mark.rest
def test_a_double_integral_by_mpmath() -> None:
    t, share, n_a, n_b = 3.0, 0.6, 4, 6

    def weight(x, y):
        density = x**0.5 * mpmath.exp(-x / 2) * y**1.5 * mpmath.exp(-y / 2)
        return density * prior_odds(x, y, share, n_a, n_b)

    def beyond(x, y):
        return weight(x, y) * mpmath.erfc(
            t / mpmath.sqrt(2 * (share * 3 / x + (1 - share) * 5 / y))
        )

    ranges = ([0, 4, 20, 90], [0, 4, 20, 90])
    expected = mpmath.quad(beyond, *ranges, maxdegree=3) / mpmath.quad(weight, *ranges, maxdegree=3)
    assert tail(t, share, n_a, n_b) == pytest.approx(float(expected), rel=1e-4)


@pytest.mark.parametrize(("t", "share", "n_a", "n_b"), CASES[:5])
def test_a_monte_carlo_of_the_posterior(t: float, share: float, n_a: int, n_b: int) -> None:
    rng = np.random.default_rng(9)
    x, y = rng.chisquare(n_a - 1, 400_000), rng.chisquare(n_b - 1, 400_000)
    odds = prior_odds(x, y, share, n_a, n_b)
    variance = share * (n_a - 1) / x + (1 - share) * (n_b - 1) / y
    beyond = np.abs(rng.standard_normal(x.size)) * np.sqrt(variance) >= t
    expected = np.average(beyond, weights=odds)
    error = np.sqrt(np.sum((odds * (beyond - expected)) ** 2)) / odds.sum()
    assert tail(t, share, n_a, n_b) == pytest.approx(expected, abs=4 * error)


@pytest.mark.parametrize("t", [0.5, 2.0, 5.0, 40.0])
@pytest.mark.parametrize(("n_a", "n_b"), [(3, 3), (3, 30), (8, 5)])
def test_one_arm_alone_is_students_t(t: float, n_a: int, n_b: int) -> None:
    assert tail(t, 1 - 1e-13, n_a, n_b) == pytest.approx(2 * stats.t.sf(t, n_a - 1), rel=1e-5)
    assert tail(t, 1e-13, n_a, n_b) == pytest.approx(2 * stats.t.sf(t, n_b - 1), rel=1e-5)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.8])
def test_many_runs_are_normal(share: float) -> None:
    assert tail(2.5, share, 10**6, 10**6) == pytest.approx(2 * stats.norm.sf(2.5), rel=1e-4)


def test_the_arms_can_be_exchanged() -> None:
    assert tail(3.0, 0.2, 4, 9) == pytest.approx(tail(3.0, 0.8, 9, 4), rel=1e-12)


@pytest.mark.parametrize(("t", "share", "n_a", "n_b"), CASES)
def test_the_derivative_is_that_of_differences(t: float, share: float, n_a: int, n_b: int) -> None:
    step = 1e-4
    log_t = math.log(t) + step * np.array([-1.0, 0.0, 1.0])
    columns = (np.full(3, float(value)) for value in (share, n_a - 1, n_b - 1))
    p, slope = calibrated.tail(log_t, *columns)
    assert slope[1] == pytest.approx((p[2] - p[0]) / (2 * step), rel=1e-6)


def test_many_pairs_are_as_each_alone() -> None:
    rng = np.random.default_rng(2)
    t, share = rng.uniform(0.2, 9.0, 600), rng.uniform(0.001, 0.999, 600)
    n_a, n_b = rng.integers(3, 40, 600), rng.integers(3, 40, 600)
    together = calibrated.tail(np.log(t), share, n_a - 1.0, n_b - 1.0)[0]  # type: ignore[arg-type]
    alone = [tail(*row) for row in zip(t[::97], share[::97], n_a[::97], n_b[::97], strict=True)]
    assert together[::97] == pytest.approx(alone, rel=1e-12)


@pytest.mark.parametrize(("t", "share", "n_a", "n_b"), CASES[:6])
def test_the_classical_distribution_of_the_benchmark(
    t: float, share: float, n_a: int, n_b: int
) -> None:
    """Against the convolution of both Student's t."""

    def beyond(x: float) -> float:
        rest = math.sqrt(1 - share)
        upper = stats.t.sf((t - math.sqrt(share) * x) / rest, n_b - 1)
        lower = stats.t.cdf((-t - math.sqrt(share) * x) / rest, n_b - 1)
        return float(stats.t.pdf(x, n_a - 1) * (upper + lower))

    expected = 2 * integrate.quad(beyond, 0, np.inf, epsrel=1e-10, limit=400)[0]
    found = classical.p_value(np.array([t]), np.array([share]), n_a, n_b)[0]
    assert found == pytest.approx(expected, rel=1e-7)


def test_tabulated_critical_values_of_the_classical_distribution() -> None:
    for level in (0.05, 1e-4):
        for n_a, n_b in ((3, 30), (5, 5)):
            t = np.exp(classical.log_critical(level, n_a, n_b))
            p = classical.p_value(t, special.expit(classical.GRID), n_a, n_b)
            assert p == pytest.approx(np.full(t.shape, level), rel=2e-3)
