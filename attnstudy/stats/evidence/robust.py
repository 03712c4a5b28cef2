"""The robustness line: the same pairs by tests that assume no distribution.

It never replaces the primary analysis. It says whether permutation, Mann-Whitney and
Brunner-Munzel tests, each with Holm's correction over the same family, decide a pair the same
way, or that with so few runs they could not decide it whatever the data.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from attnstudy.stats.comparisons.pairwise import holm
from attnstudy.stats.evidence.effects import MIN_RUNS_SUPERIORITY, brunner_munzel
from attnstudy.stats.evidence.resampling import (
    Pairing,
    count_tails,
    exact_splits,
    few_splits,
    of_equal_shape,
    permutation_tests,
    sign_flip_tests,
    values_of,
)
from attnstudy.stats.samples import Floats, Sample
from attnstudy.stats.vocabulary import Answer

_ENTRIES = 2**20  # of a matrix of splits by pairs, held at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Robust:
    """The same pair by tests that assume no normal distribution."""

    permutation_p: float | None
    """Two-sided permutation test of the difference, not adjusted."""
    mannwhitney_p: float | None
    """Mann-Whitney, two-sided, not adjusted."""
    brunnermunzel_p: float | None
    """Brunner-Munzel, two-sided, not adjusted; from ten runs per arm on."""
    smallest_possible_p: float | None
    """Smallest p that permutation and rank tests can give at these n, not adjusted."""
    answer: Answer | None
    """Whether these tests, each adjusted by Holm, decide the pair as the primary analysis."""


def robustness(
    pairs: Sequence[Pairing],
    different: Sequence[bool],
    *,
    alpha: float,
    seed: int,
    paired: bool = False,
) -> tuple[Robust, ...]:
    """Return the robustness line of every tested pair of one family.

    Args:
        pairs: the two arms of each pair; in paired mode with the same seeds in both.
        different: for each pair whether the primary analysis tells the two apart.
        alpha: family-wise error rate.
        seed: seed of the Monte Carlo permutations, which are used beyond eight runs per arm.
        paired: whether runs are compared seed by seed; rank tests of two samples have no place
            then.

    """
    if not pairs:
        return ()
    if paired:
        permutation, smallest = sign_flip_tests(pairs, alpha=alpha, seed=seed)
        rank_sum = brunner = np.full(len(pairs), np.nan)
    else:
        permutation, smallest = permutation_tests(pairs, alpha=alpha, seed=seed)
        rank_sum = mann_whitney(pairs)
        brunner = np.array([_brunner_munzel_p(a, b) for a, b in pairs])
    answers = _answers([permutation, rank_sum, brunner], smallest, different, alpha)
    columns = (one.tolist() for one in (permutation, rank_sum, brunner, smallest))
    return tuple(
        Robust(
            permutation_p=by_splits,
            mannwhitney_p=_number(by_ranks),
            brunnermunzel_p=_number(by_placements),
            smallest_possible_p=least,
            answer=answer,
        )
        for by_splits, by_ranks, by_placements, least, answer in zip(*columns, answers, strict=True)
    )


def mann_whitney(pairs: Sequence[Pairing]) -> Floats:
    """Return the two-sided p-value of the Mann-Whitney test of each pair.

    Exact, with midranks for ties, while every split can be tried; beyond it normal with
    corrections for ties and continuity: Lehmann, "Nonparametrics" (1975), chapter 1.
    """
    p = np.empty(len(pairs))
    for (n, m), members in of_equal_shape(pairs).items():
        splits = exact_splits(n, m) if few_splits(n, m) else None
        rows = max(_ENTRIES // (n + m if splits is None else len(splits)), 1)
        for start in range(0, len(members), rows):
            chosen = members[start : start + rows]
            below, within = _tied(values_of(pairs, chosen))
            ranks = 0.5 * (below + within + 1.0)
            rank_sum = ranks[:, :n].sum(axis=1)
            if splits is not None:
                low, high = count_tails(splits @ ranks.T, rank_sum)
                p[chosen] = np.minimum(1.0, 2.0 * np.minimum(low, high) / len(splits))
                continue
            size = n + m
            # of c equal values each adds c^2 - 1, all of them c^3 - c
            ties = ((within - below) ** 2 - 1.0).sum(axis=1) / (size * (size - 1.0))
            variance = n * m / 12.0 * (size + 1.0 - ties)
            distance = np.maximum(np.abs(rank_sum - n * (size + 1.0) / 2.0) - 0.5, 0.0)
            able = variance > 0.0  # else every value is the same
            deviate = distance / np.sqrt(np.where(able, variance, 1.0))
            p[chosen] = np.where(able, 2.0 * special.ndtr(-deviate), 1.0)
    return p


def _tied(values: Floats) -> tuple[Floats, Floats]:
    """Return how many of its row are less than each value, and how many are no more than it."""
    order = np.argsort(values, axis=1)
    ordered = np.take_along_axis(values, order, axis=1)
    place = np.arange(values.shape[1])
    begins = np.ones(values.shape, dtype=np.bool_)
    begins[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    ends = np.ones(values.shape, dtype=np.bool_)
    ends[:, :-1] = begins[:, 1:]
    first = np.maximum.accumulate(np.where(begins, place, 0), axis=1)
    last = np.where(ends, place + 1, values.shape[1])[:, ::-1]
    last = np.minimum.accumulate(last, axis=1)[:, ::-1]
    less, no_more = np.empty(values.shape), np.empty(values.shape)
    np.put_along_axis(less, order, first.astype(np.float64), axis=1)
    np.put_along_axis(no_more, order, last.astype(np.float64), axis=1)
    return less, no_more


def _brunner_munzel_p(a: Sample, b: Sample) -> float:
    """Return the two-sided p-value; NaN below ten runs, and where the arms do not overlap."""
    if min(a.n, b.n) < MIN_RUNS_SUPERIORITY:
        return math.nan
    p, se, df = brunner_munzel(a, b)
    # without overlap its variance estimate is zero and says nothing
    return 2.0 * float(special.stdtr(df, -abs(p - 0.5) / se)) if se > 0.0 else math.nan


def _answers(
    tests: Sequence[Floats], smallest: Floats, different: Sequence[bool], alpha: float
) -> list[Answer]:
    adjusted = [holm(p).tolist() for p in tests]
    answers: list[Answer] = []
    for i, primary in enumerate(different):
        said = {p[i] <= alpha for p in adjusted if not math.isnan(p[i])}
        if smallest[i] * len(different) > alpha:
            answers.append("cannot decide")
        else:
            answers.append("agrees" if said == {primary} else "disagrees")
    return answers


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
