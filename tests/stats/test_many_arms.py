"""Rankings of many arms: what is computed for all pairs at once is what each pair has alone."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from attnstudy.errors import UsageError
from attnstudy.render import comparison
from attnstudy.render.comparison import advice_words
from attnstudy.stats import Ranking, rank
from attnstudy.stats.comparisons import pair_test
from attnstudy.stats.comparisons.pair_test import PairTest
from attnstudy.stats.evidence import effects, robust
from attnstudy.stats.evidence.resampling import permutation_tests
from attnstudy.stats.samples import Sample, read_samples

ARMS = 60
"""They have 1,770 pairs, more than are tested one by one."""


def drawn(arms: int, runs: tuple[int, ...] = (3,)) -> dict[str, dict[int, float]]:
    """Return arms whose spreads differ a hundredfold, and some of whose runs are equal."""
    draw = np.random.default_rng(arms)
    return {
        f"v{arm:03d}": {
            seed: round(float(draw.normal(60 + arm / 8, 10.0 ** draw.uniform(-1, 1))), 1)
            for seed in range(runs[arm % len(runs)])
        }
        for arm in range(arms)
    }


@pytest.fixture(scope="module")
def ranking() -> Ranking:
    return rank(drawn(ARMS))


@pytest.mark.parametrize("family", [None, ARMS])
@pytest.mark.parametrize("runs", [(3,), (3, 5), (12,)])
def test_critical_values_of_many_pairs_are_those_of_each(family, runs, monkeypatch):
    arms = read_samples(drawn(ARMS, runs))
    error = np.array([arm.sd / arm.n**0.5 for arm in arms])
    n = np.array([float(arm.n) for arm in arms])
    a, b = np.triu_indices(ARMS, 1)
    test = PairTest((error[a] / np.hypot(error[a], error[b])) ** 2, n[a], n[b], family)
    steps = Counter[str]()
    log_p = PairTest._log_p

    def counted(own, log_t, chosen):
        steps["pairs"] += log_t.size
        return log_p(own, log_t, chosen)

    monkeypatch.setattr(PairTest, "_log_p", counted)
    together = test.critical(0.05)
    few = steps.pop("pairs")
    monkeypatch.setattr(pair_test, "_MANY", a.size)
    assert together == pytest.approx(test.critical(0.05), rel=1e-13)
    if runs == (3,):  # those of unequal runs are fewer to a kind, and tested as they are
        assert few - 6 * pair_test._GRID < 0.7 * steps["pairs"]


@pytest.mark.parametrize("runs", [(3,), (4, 9), (12, 30)])
def test_tests_without_a_distribution_are_those_of_each_pair(runs):
    pairs = list(combinations(read_samples(drawn(12, runs)), 2))
    permutation, smallest = permutation_tests(pairs, alpha=0.05, seed=3)
    ranks = robust.mann_whitney(pairs)
    for place, pair in enumerate(pairs):
        assert robust.mann_whitney([pair])[0] == ranks[place]
        if max(pair[0].n, pair[1].n) < 9:  # else the splits drawn depend on the number of pairs
            alone, least = permutation_tests([pair], alpha=0.05, seed=3)
            assert (alone[0], least[0]) == (permutation[place], smallest[place])


def test_seeds_in_common_are_found_whether_they_are_all_or_some():
    a = Sample("a", np.array([1.0, 2.0, 4.0, 3.0]), (0, 1, 2, 3))
    b = Sample("b", np.array([2.0, 3.0, 9.0, 5.0]), (0, 1, 2, 3))
    c = Sample("c", np.array([2.0, 3.0, 9.0, 7.0]), (0, 1, 2, 9))
    for one in (b, c):
        shared = len({*(one.seeds or ())} & {0, 1, 2, 3})
        expected = np.corrcoef(a.values[:shared], one.values[:shared])[0, 1]
        assert effects.seed_correlation(a, one) == pytest.approx(expected)
    assert effects.seed_correlation(a, Sample("d", a.values, None)) is None


def test_what_many_undecided_pairs_are_told_is_made_once(ranking, monkeypatch):
    """The sentence that all of them share was made, from all pairs, for each of them."""
    asked = Counter[str]()

    def counting(name: str) -> Any:
        made = getattr(comparison, name)

        def counted(*given):
            asked[name] += 1
            return made(*given)

        return counted

    for name in ("_needed_words", "_needed"):
        monkeypatch.setattr(comparison, name, counting(name))
    lines = advice_words(ranking)
    assert asked["_needed_words"] == 1
    assert asked["_needed"] <= comparison._NAMED * len(lines)


def test_more_arms_than_can_be_compared_are_refused_at_once_but_for_a_control():
    many = {f"v{arm:03d}": {0: 1000 + arm, 1: 1001 + arm} for arm in range(640)}
    with pytest.raises(UsageError, match="640 arms are 204,480 pairs, and no more than 200,000"):
        rank(many, metric="score")
    ranking = rank(many, metric="score", control="v000", robust=False)
    assert len(ranking.pairs) == 639
