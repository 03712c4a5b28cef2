"""Permutation, rank and sign tests against scipy."""

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from attnstudy.stats.evidence import resampling
from attnstudy.stats.evidence.resampling import permutation_tests, sign_flip_tests
from attnstudy.stats.evidence.robust import mann_whitney, robustness
from attnstudy.stats.samples import Sample, read_samples


def arms(*values: object) -> tuple[Sample, ...]:
    return read_samples({str(i): v for i, v in enumerate(values)})  # type: ignore[misc]


def welch_t(a: np.ndarray, b: np.ndarray, axis: int = -1) -> np.ndarray:
    return np.asarray(stats.ttest_ind(a, b, equal_var=False, axis=axis).statistic)


def mean_gap(a: np.ndarray, b: np.ndarray, axis: int = -1) -> np.ndarray:
    return np.asarray(a.mean(axis=axis) - b.mean(axis=axis))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([60.1, 61.9, 59.0, 62.2], [58.0, 60.0, 59.5, 57.7]),
        ([60.1, 61.9, 59.0, 62.2, 60.0], [58.0, 60.0, 59.5]),
        ([1.0, 2.0, 2.0, 3.0], [2.0, 2.5, 4.0, 5.0, 5.0]),  # ties
    ],
)
def test_exact_permutation_agrees_with_scipy(first: list[float], second: list[float]) -> None:
    p, smallest = permutation_tests([arms(first, second)], alpha=0.05, seed=0)  # type: ignore[list-item]
    expected = stats.permutation_test((first, second), welch_t, vectorized=True, n_resamples=10**6)
    assert p[0] == pytest.approx(expected.pvalue)
    assert smallest[0] == pytest.approx(2 / len(expected.null_distribution))


def test_unequal_sizes_are_studentised() -> None:
    first, second = [60.2, 60.5, 59.9, 60.7, 59.7, 60.2], [62.7, 61.1, 59.4]
    p, _ = permutation_tests([arms(first, second)], alpha=0.05, seed=0)  # type: ignore[list-item]
    expected = stats.permutation_test((first, second), welch_t, vectorized=True, n_resamples=10**6)
    plain = stats.permutation_test((first, second), mean_gap, vectorized=True, n_resamples=10**6)
    assert p[0] == pytest.approx(expected.pvalue)
    assert abs(plain.pvalue - expected.pvalue) > 0.01


@pytest.mark.parametrize(("n", "p"), [(3, 0.1), (4, 0.0286), (5, 0.0079)])
def test_smallest_possible_p(n: int, p: float) -> None:
    low, high = list(range(n)), list(range(100, 100 + n))
    got, smallest = permutation_tests([arms(low, high)], alpha=0.05, seed=0)  # type: ignore[list-item]
    assert got[0] == smallest[0] == pytest.approx(p, abs=5e-5)


def test_monte_carlo_permutation_is_seeded_and_close_to_exact() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(0.0, 1.0, 8), rng.normal(0.9, 2.0, 10)
    pair = arms(a, b)
    p, smallest = permutation_tests([pair], alpha=0.05, seed=1)  # type: ignore[list-item]
    again, _ = permutation_tests([pair], alpha=0.05, seed=1)  # type: ignore[list-item]
    other, _ = permutation_tests([pair], alpha=0.05, seed=2)  # type: ignore[list-item]
    exact = stats.permutation_test((a, b), welch_t, vectorized=True, n_resamples=10**6, batch=9999)
    assert p[0] == again[0] != other[0]
    # four standard errors of 9,999 draws of one tail
    tail = float(exact.pvalue) / 2
    assert p[0] / 2 == pytest.approx(tail, abs=4 * np.sqrt(tail * (1 - tail) / 9999))
    assert smallest[0] == pytest.approx(2 / 10_000)
    apart = arms(np.arange(10.0), np.arange(50.0, 62.0))
    extreme, _ = permutation_tests([apart], alpha=0.05, seed=1)  # type: ignore[list-item]
    assert extreme[0] == pytest.approx(2 / 10_000)  # never zero: the data are one of the draws


def test_other_arms_do_not_change_a_pair() -> None:
    rng = np.random.default_rng(4)
    a, b, c = arms(*(rng.normal(0, 1, n) for n in (9, 9, 11)))
    alone, _ = permutation_tests([(a, b)], alpha=0.05, seed=7)
    among, _ = permutation_tests([(a, c), (a, b), (b, c)], alpha=0.05, seed=7)
    assert alone[0] == among[1]


def test_many_pairs_get_enough_draws() -> None:
    rng = np.random.default_rng(5)
    a, b = arms(rng.normal(0, 1, 10), rng.normal(9, 1, 10))
    _, smallest = permutation_tests([(a, b)] * 780, alpha=0.05, seed=0)
    assert smallest[0] * 780 <= 0.05


@pytest.mark.parametrize("test", [permutation_tests, sign_flip_tests])
def test_many_pairs_do_not_need_much_memory(test: Callable[..., object]) -> None:
    rng = np.random.default_rng(10)
    pair = arms(rng.normal(0, 1, 14), rng.normal(0, 1, 14))
    tracemalloc.start()
    test([pair] * 1000, alpha=0.05, seed=0)  # 80,000 draws: all at once would be 640 MB
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 250e6


def test_sign_flips_agree_with_scipy() -> None:
    first, second = [60.1, 61.9, 59.0, 62.2, 61.0], [58.0, 62.0, 58.5, 60.7, 60.9]
    p, smallest = sign_flip_tests([arms(first, second)], alpha=0.05, seed=0)  # type: ignore[list-item]
    expected = stats.permutation_test(
        (np.subtract(first, second),), np.sum, permutation_type="samples", n_resamples=10**6
    )
    assert p[0] == pytest.approx(expected.pvalue)
    assert smallest[0] == pytest.approx(2 / 32)


def test_drawn_sign_flips_are_close_to_all_of_them() -> None:
    rng = np.random.default_rng(6)
    first = rng.normal(0.5, 1.0, 15)
    pair = arms(first, np.zeros(15))
    p, smallest = sign_flip_tests([pair], alpha=0.05, seed=0)  # type: ignore[list-item]
    exact = stats.permutation_test(
        (first,), np.sum, permutation_type="samples", n_resamples=10**6, vectorized=True
    )
    tail = float(exact.pvalue) / 2
    assert p[0] / 2 == pytest.approx(tail, abs=4 * np.sqrt(tail * (1 - tail) / 9999))
    assert smallest[0] == pytest.approx(2 / 10_000)
    extreme, _ = sign_flip_tests(
        [arms(np.arange(1.0, 31.0), np.zeros(30))],  # type: ignore[list-item]
        alpha=0.05,
        seed=0,
    )
    assert extreme[0] == pytest.approx(2 / 10_000)  # never zero: the data are one of the draws


@pytest.mark.parametrize(("n", "m"), [(3, 3), (5, 4), (8, 8)])
def test_exact_mann_whitney(n: int, m: int) -> None:
    rng = np.random.default_rng(n)
    a, b = arms(rng.normal(0, 1, n), rng.normal(1, 1, m))
    expected = stats.mannwhitneyu(a.values, b.values, method="exact")
    assert mann_whitney([(a, b)])[0] == pytest.approx(expected.pvalue)


def test_exact_mann_whitney_with_ties() -> None:
    a, b = arms([1.0, 2.0, 2.0, 3.0, 1.0], [2.0, 3.0, 3.0, 4.0])
    every_split = stats.PermutationMethod(n_resamples=10**6)
    expected = stats.mannwhitneyu(a.values, b.values, method=every_split)
    assert mann_whitney([(a, b)])[0] == pytest.approx(expected.pvalue)


@pytest.mark.parametrize("decimals", [8, 0])
def test_large_mann_whitney(decimals: int) -> None:
    rng = np.random.default_rng(8)
    a, b = arms(rng.normal(0, 3, 14).round(decimals), rng.normal(1, 3, 20).round(decimals))
    expected = stats.mannwhitneyu(a.values, b.values, method="asymptotic")
    assert mann_whitney([(a, b)])[0] == pytest.approx(expected.pvalue)
    a, b = arms([5.0] * 20, [5.0] * 20)
    assert mann_whitney([(a, b)])[0] == 1.0


def test_brunner_munzel_from_ten_runs() -> None:
    rng = np.random.default_rng(9)
    a, b = arms(rng.normal(0, 1, 10), rng.normal(1, 2, 12))
    (line,) = robustness([(a, b)], [False], alpha=0.05, seed=0)
    expected = stats.brunnermunzel(a.values, b.values).pvalue
    assert line.brunnermunzel_p == pytest.approx(expected)
    (line,) = robustness([(a.first(9), b)], [False], alpha=0.05, seed=0)
    assert line.brunnermunzel_p is None
    (line,) = robustness([arms(range(10), range(50, 60))], [True], alpha=0.05, seed=0)  # type: ignore[list-item]
    assert (line.brunnermunzel_p, line.answer) == (None, "agrees")


def test_three_answers() -> None:
    low, high, middle = arms(range(5), range(10, 15), [3.5, 2.5, 9.5, 10.5, 8.5])
    few = arms(range(4), range(10, 14))

    def answers(pairs: object, different: list[bool]) -> list[str | None]:
        lines = robustness(pairs, different, alpha=0.05, seed=0)  # type: ignore[arg-type]
        return [line.answer for line in lines]

    assert answers([(low, high)], [True]) == ["agrees"]
    assert answers([(low, high)], [False]) == ["disagrees"]
    assert answers([(low, middle)], [True]) == ["disagrees"]
    # six pairs need .0083: five runs can just decide one of them, four cannot decide any
    assert answers([(low, high), *[(low, middle)] * 5], [True] + [False] * 5) == ["agrees"] * 6
    assert answers([few] * 6, [True] * 6) == ["cannot decide"] * 6


@pytest.mark.parametrize("shift", [0.0, 0.03, 0.1])
@pytest.mark.parametrize("paired", [False, True])
def test_of_large_arms_the_normal_limit_is_what_drawn_splits_come_to(shift, paired, monkeypatch):
    draw = np.random.default_rng(5)
    a = Sample("a", draw.exponential(1.0, 1200) + shift, tuple(range(1200)))
    b = Sample("b", draw.exponential(0.7, 1200 if paired else 1700) + 0.3, None)
    test = sign_flip_tests if paired else permutation_tests
    drawn, least = test([(a, b)], alpha=0.05, seed=1)
    assert least[0] == 2e-4
    monkeypatch.setattr(resampling, "_DRAWS", 2**20)  # too few for these
    limit, least = test([(a, b)], alpha=0.05, seed=1)
    assert least[0] == 0.0
    # of 10,000 draws, and of a skewed distribution
    assert limit[0] == pytest.approx(drawn[0], abs=4 * np.sqrt(drawn[0] / 1e4) + 0.005)


def test_large_arms_without_spread_are_the_same_or_not(monkeypatch):
    monkeypatch.setattr(resampling, "_DRAWS", 2**20)
    one, other = (
        Sample(name, np.full(1500, value), None) for name, value in (("a", 1.0), ("b", 2))
    )
    same = Sample("c", np.full(1500, 1.0), None)
    p, _ = permutation_tests([(one, other), (one, same)], alpha=0.05, seed=1)
    assert p.tolist() == [0.0, 1.0]
