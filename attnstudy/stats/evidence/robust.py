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
    permutation_tests,
    sign_flip_tests,
)
from attnstudy.stats.samples import Floats, Sample
from attnstudy.stats.vocabulary import Answer


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
        rank_sum = np.array([mann_whitney(a, b) for a, b in pairs])
        brunner = np.array([_brunner_munzel_p(a, b) for a, b in pairs])
    answers = _answers([permutation, rank_sum, brunner], smallest, different, alpha)
    return tuple(
        Robust(
            permutation_p=float(permutation[i]),
            mannwhitney_p=_number(rank_sum[i]),
            brunnermunzel_p=_number(brunner[i]),
            smallest_possible_p=float(smallest[i]),
            answer=answers[i],
        )
        for i in range(len(pairs))
    )


def mann_whitney(a: Sample, b: Sample) -> float:
    """Return the two-sided p-value of the Mann-Whitney test.

    Exact, with midranks for ties, while every split can be tried; beyond it normal with
    corrections for ties and continuity: Lehmann, "Nonparametrics" (1975), chapter 1.
    """
    pooled = np.concatenate([a.values, b.values])
    ordered = np.sort(pooled)
    ranks = 0.5 * (
        np.searchsorted(ordered, pooled, "left") + np.searchsorted(ordered, pooled, "right") + 1.0
    )
    rank_sum = ranks[: a.n].sum()
    if few_splits(a.n, b.n):
        splits = exact_splits(a.n, b.n)
        low, high = count_tails(splits @ ranks[:, None], np.array([rank_sum]))
        return min(1.0, 2.0 * float(min(low[0], high[0])) / len(splits))
    size = a.n + b.n
    counts = np.unique(pooled, return_counts=True)[1].astype(np.float64)
    ties = float((counts**3 - counts).sum()) / (size * (size - 1.0))
    variance = a.n * b.n / 12.0 * (size + 1.0 - ties)
    if variance <= 0.0:  # every value the same
        return 1.0
    distance = max(abs(float(rank_sum) - a.n * (size + 1.0) / 2.0) - 0.5, 0.0)
    return 2.0 * float(special.ndtr(-distance / math.sqrt(variance)))


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
    adjusted = [holm(p) for p in tests]
    answers: list[Answer] = []
    for i, primary in enumerate(different):
        said = {bool(p[i] <= alpha) for p in adjusted if not math.isnan(p[i])}
        if smallest[i] * len(different) > alpha:
            answers.append("cannot decide")
        else:
            answers.append("agrees" if said == {primary} else "disagrees")
    return answers


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
