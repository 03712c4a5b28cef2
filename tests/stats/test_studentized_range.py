"""The studentised range against scipy, Student's t and high-precision values."""

import time

import numpy as np
import pytest
from scipy import stats

from attnstudy.stats.comparisons import _studentized_range as studentized_range

GROUPS = (2, 3, 4, 6, 10, 20, 40)
DEGREES = (2.0, 2.3, 3.0, 4.7, 8.0, 15.0, 60.0, 300.0, 2000.0)


@pytest.mark.parametrize("k", GROUPS)
@pytest.mark.parametrize("df", DEGREES)
def test_agrees_with_scipy(k: int, df: float) -> None:
    p = np.array([0.9, 0.5, 0.1, 0.05, 0.01])
    q = studentized_range.isf(p, k, df)
    # scipy's own error is a few 1e-13 in the cdf, hence not relative to a small tail
    np.testing.assert_allclose(
        studentized_range.sf(q, k, df), stats.studentized_range.sf(q, k, df), rtol=1e-9, atol=2e-12
    )
    np.testing.assert_allclose(
        studentized_range.cdf(q, k, df), stats.studentized_range.cdf(q, k, df), rtol=1e-9
    )


@pytest.mark.parametrize(("k", "df"), [(2, 2.0), (4, 4.3), (10, 30.0), (40, 6.0), (40, 1500.0)])
def test_quantiles_agree_with_scipy(k: int, df: float) -> None:
    ours = studentized_range.isf([0.05, 0.01], k, df)
    np.testing.assert_allclose(ours, stats.studentized_range.ppf([0.95, 0.99], k, df), rtol=1e-8)


# mpmath 1.4.1, 30 digits, the double integral of the module's docstring by nested mpmath.quad
@pytest.mark.parametrize(
    ("k", "df", "q", "expected"),
    [
        (4, 10.0, 16.0, 2.5492972510941e-6),
        (10, 3.0, 250.0, 3.1139007446024e-6),
        (40, 30.0, 11.5, 2.6882070334038e-6),
        (3, 1000.0, 7.3, 8.8238161963864e-7),
        (6, 5.0, 4.5, 0.1392981076151),
    ],
)
def test_tail_keeps_its_relative_accuracy(k: int, df: float, q: float, expected: float) -> None:
    assert studentized_range.sf(q, k, df) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("df", [2.0, 3.0, 7.7, 40.0, 1000.0, 10_000.0])
def test_two_groups_are_student_t(df: float) -> None:
    q = np.array([1e-3, 0.1, 1.0, 3.0, 7.0, 15.0, 40.0])
    expected = 2.0 * stats.t.sf(q / np.sqrt(2.0), df)
    np.testing.assert_allclose(studentized_range.sf(q, 2, df), expected, rtol=1e-11)


@pytest.mark.parametrize("k", GROUPS)
def test_quantile_inverts_the_tail(k: int) -> None:
    p = np.array([0.999, 0.5, 0.05, 1e-3, 1e-6, 1e-12])[:, None]
    df = np.array([2.0, 3.3, 20.0, 1000.0])
    np.testing.assert_allclose(
        studentized_range.sf(studentized_range.isf(p, k, df), k, df),
        np.broadcast_to(p, (6, 4)),
        rtol=1e-10,
    )


@pytest.mark.parametrize(
    ("k", "df", "published"),
    # upper 5 % points as every printed table has them
    [(3, 10, 3.877), (4, 20, 3.958), (2, 5, 3.635), (10, 30, 4.824), (6, 60, 4.163)],
)
def test_printed_tables(k: int, df: int, published: float) -> None:
    assert studentized_range.isf(0.05, k, df) == pytest.approx(published, abs=6e-4)


def test_edges() -> None:
    np.testing.assert_array_equal(studentized_range.sf([0.0, np.inf], 4, 5.0), [1.0, 0.0])
    assert studentized_range.sf(1e6, 4, 400.0) == 0.0
    assert studentized_range.isf(0.05, 4, np.array([[3.0, 4.0]])).shape == (1, 2)


def test_the_780_pairs_of_forty_arms_take_less_than_five_of_scipys() -> None:
    df = np.linspace(4.0, 58.0, 780)
    studentized_range.isf(0.05, 40, df[:1])  # the table of k = 40 is made once
    start = time.process_time()
    studentized_range.isf(0.05, 40, df)
    between = time.process_time()
    stats.studentized_range.isf(0.05, 40, df[:5])
    assert between - start < time.process_time() - between
