"""Permutation tests of pairs: every split of the runs while that is possible, else a sample."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import combinations
from typing import TypeAlias

import numpy as np
from scipy import special

from attnstudy.stats.samples import Floats, Sample

Pairing: TypeAlias = tuple[Sample, Sample]

EXACT_SPLITS = math.comb(16, 8)
"""Up to as many splits of a pair's runs (eight and eight) every one is tried."""

_RESAMPLES = 9999
_DRAWS = 2**28  # runs shuffled for one ranking at most
_LONG = 1_000  # runs of a pair from which on its splits are shuffled one by one
_MANY = 1_000  # runs of an arm from which on its mean over random splits is normal
_CHUNK = 2**22  # entries of a matrix of splits, or of their statistics, held at once


def permutation_tests(
    pairs: Sequence[Pairing], *, alpha: float, seed: int
) -> tuple[Floats, Floats]:
    """Return the two-sided p-value of each pair's permutation test and the smallest possible one.

    The statistic is Welch's t: with unequal sizes and spreads the plain difference does not
    keep the level even for large samples (Janssen, "Studentized permutation tests for non-i.i.d.
    hypotheses", Stat. Probab. Lett. 36 (1997) 9-21). The p-value is twice the smaller tail. Of arms
    so large that too few splits can be drawn, it is that of the normal limit (the same source).

    Args:
        pairs: the two arms of each pair.
        alpha: family-wise error rate; with many pairs more splits are drawn, so that a p-value
            can pass Bonferroni's threshold.
        seed: seed of the splits drawn when there are too many to try all.

    """
    p = np.empty(len(pairs))
    smallest = np.empty(len(pairs))
    shapes = of_equal_shape(pairs)
    resamples, enough = _resamples(len(pairs), alpha, sum(n + m for n, m in shapes))
    for (n, m), members in shapes.items():
        if not enough and min(n, m) >= _MANY:
            p[members] = [_limit(*_welch(*pairs[index])) for index in members]
            smallest[members] = 0.0
            continue
        pooled = _pooled(pairs, members)
        as_observed = np.repeat([[1.0, 0.0]], [n, m], axis=1)
        observed = _statistic(as_observed, pooled, n, m)[0]
        exact = few_splits(n, m)
        # among drawn splits the observed one counts as drawn: Phipson and Smyth, "Permutation
        # p-values should never be zero", Stat. Appl. Genet. Mol. Biol. 9 (2010) 39
        low, high = (np.full(len(members), 0.0 if exact else 1.0) for _ in range(2))
        total = 0 if exact else 1
        batches = [exact_splits(n, m)] if exact else _drawn_splits(n, m, resamples, seed)
        for splits in _blocks(batches, len(members)):
            below, above = count_tails(_statistic(splits, pooled, n, m), observed)
            low, high, total = low + below, high + above, total + len(splits)
        p[members] = np.minimum(2.0 * np.minimum(low, high) / total, 1.0)
        smallest[members] = 2.0 / total
    return p, smallest


def sign_flip_tests(pairs: Sequence[Pairing], *, alpha: float, seed: int) -> tuple[Floats, Floats]:
    """Return the same as ``permutation_tests`` for arms compared seed by seed.

    If the two are exchangeable, every seed difference is as likely with the opposite sign
    (Fisher, "The Design of Experiments" (1935), section 21).
    """
    n = pairs[0][0].n
    differences = np.stack([a.values - b.values for a, b in pairs], axis=1)
    scale = np.abs(differences).max(axis=0)
    differences = differences / np.where(scale > 0.0, scale, 1.0)
    observed = differences.sum(axis=0)
    resamples, enough = _resamples(len(pairs), alpha, n)
    if not enough and n >= _MANY:
        spread = np.sqrt((differences**2).sum(axis=0))  # over random signs
        return np.array(list(map(_limit, observed, spread))), np.zeros(len(pairs))
    signs: Floats
    if 2**n <= EXACT_SPLITS:
        signs = np.where(np.arange(2**n)[:, None] >> np.arange(n) & 1, -1.0, 1.0)
        drawn = 0
    else:
        rng = np.random.default_rng([seed, n])
        signs = rng.choice([-1.0, 1.0], size=(resamples, n))
        drawn = 1  # the observed signs count as drawn: see permutation_tests
    low, high = (np.full(len(pairs), float(drawn)) for _ in range(2))
    for block in _blocks([signs], len(pairs)):
        below, above = count_tails(block @ differences, observed)
        low, high = low + below, high + above
    total = len(signs) + drawn
    p = np.minimum(2.0 * np.minimum(low, high) / total, 1.0)
    return p, np.full(len(pairs), 2.0 / total)


def count_tails(statistic: Floats, observed: Floats) -> tuple[Floats, Floats]:
    """Return for (splits, pairs) how many are at most and at least ``observed``, shape (pairs,).

    Values that differ by rounding alone are equal.
    """
    slack = 1e-10 * np.maximum(np.abs(observed), 1.0)
    low = (statistic <= observed + slack).sum(axis=0).astype(np.float64)
    high = (statistic >= observed - slack).sum(axis=0).astype(np.float64)
    return low, high


def few_splits(n: int, m: int) -> bool:
    """Tell whether every split of n + m runs can be tried."""
    # from nine runs in the smaller arm on there are more, and their number may be of any length
    return min(n, m) <= 8 and math.comb(n + m, n) <= EXACT_SPLITS


@lru_cache(maxsize=16)
def exact_splits(n: int, m: int) -> Floats:
    """Return every split of n + m runs, shape (splits, n + m): 1 for the first arm, else 0."""
    chosen = np.array(list(combinations(range(n + m), n)))
    splits = np.zeros((len(chosen), n + m))
    np.put_along_axis(splits, chosen, 1.0, axis=1)
    splits.setflags(write=False)
    return splits


def _blocks(batches: Iterable[Floats], pairs: int) -> Iterator[Floats]:
    """Yield the rows of all batches, so few at once that the statistics of all pairs fit."""
    rows = max(_CHUNK // pairs, 1)
    for batch in batches:
        for start in range(0, len(batch), rows):
            yield batch[start : start + rows]


def _drawn_splits(n: int, m: int, resamples: int, seed: int) -> Iterator[Floats]:
    # a stream of its own for each shape: what other arms look like changes nothing here
    rng = np.random.default_rng([seed, n, m])
    rows = max(_CHUNK // (n + m), 1)
    for start in range(0, resamples, rows):
        splits = np.zeros((min(rows, resamples - start), n + m), dtype=np.int8)
        splits[:, :n] = 1
        if n + m < _LONG:
            splits = rng.permuted(splits, axis=1)
        else:  # the same draws in half the time, but for the call of each row
            for split in splits:
                rng.shuffle(split)
        yield splits.astype(np.float64)


def _resamples(family: int, alpha: float, size: int) -> tuple[int, bool]:
    """Return how many splits of ``size`` runs are drawn, and whether these are enough."""
    wanted = max(_RESAMPLES, math.ceil(4 * family / alpha) - 1)
    return max(min(wanted, _DRAWS // size), 999), wanted <= _DRAWS // size


def _welch(a: Sample, b: Sample) -> tuple[float, float]:
    """Return the difference of two means and its standard error."""
    return a.mean - b.mean, math.hypot(a.sd / math.sqrt(a.n), b.sd / math.sqrt(b.n))


def _limit(difference: float, spread: float) -> float:
    """Return the two-sided p-value of a statistic that is normal with that standard deviation."""
    if spread == 0.0:
        return 1.0 if difference == 0.0 else 0.0
    return 2.0 * float(special.ndtr(-abs(difference) / spread))


def of_equal_shape(pairs: Sequence[Pairing]) -> dict[tuple[int, int], list[int]]:
    """Return the places of the pairs by the runs of their two arms."""
    shapes: dict[tuple[int, int], list[int]] = {}
    for index, (a, b) in enumerate(pairs):
        shapes.setdefault((a.n, b.n), []).append(index)
    return shapes


def values_of(pairs: Sequence[Pairing], members: Sequence[int]) -> Floats:
    """Return the runs of pairs of one shape, each arm's ascending: (members, n + m)."""
    sides = []
    for side in (0, 1):
        # an arm stands in many pairs: its values are put into an array once
        arms = {id(pairs[index][side]): pairs[index][side] for index in members}
        place = {arm: row for row, arm in enumerate(arms)}
        rows = [place[id(pairs[index][side])] for index in members]
        sides.append(np.stack([arm.ordered for arm in arms.values()])[rows])
    return np.concatenate(sides, axis=1)


def _pooled(pairs: Sequence[Pairing], members: Sequence[int]) -> Floats:
    """Return the runs of pairs of one shape, centred and scaled, shape (n + m, members).

    They are in an order that the input's cannot change.
    """
    values = values_of(pairs, members)
    values -= values.mean(axis=1, keepdims=True)
    scale = np.abs(values).max(axis=1, keepdims=True)
    return np.ascontiguousarray((values / np.where(scale > 0.0, scale, 1.0)).T)


def _statistic(splits: Floats, pooled: Floats, n: int, m: int) -> Floats:
    """Return shape (splits, pairs): Welch's t, or what orders the splits as it does."""
    total = splits @ pooled
    if n == m:  # then t grows with the first arm's sum, as the sum of squares is fixed
        return total
    squares = splits @ pooled**2
    mean_a, mean_b = total / n, (pooled.sum(axis=0) - total) / m
    spread_a = squares - n * mean_a**2
    spread_b = (pooled**2).sum(axis=0) - squares - m * mean_b**2
    variance = spread_a / (n * (n - 1.0)) + spread_b / (m * (m - 1.0))
    # without any spread left a split is as extreme as can be; rounding leaves some 1e-16
    t: Floats = (mean_a - mean_b) / np.sqrt(np.maximum(variance, 1e-15))
    return t
