"""Seed and image variance of differences, from the correctness of every image in every run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from attnstudy.errors import UsageError
from attnstudy.stats.comparisons.critical import Family
from attnstudy.stats.comparisons.decisions import Decision
from attnstudy.stats.comparisons.design import Design
from attnstudy.stats.evidence.scope import Scope, ScopePair, image_noise
from attnstudy.stats.measurements import Measurements
from attnstudy.stats.samples import Floats, Sample

MIN_RUNS_BOOTSTRAP = 20
"""Runs that an arm needs for the crossed bootstrap: with five it is wrong one time in eleven."""

_BOOTSTRAPS = 2000


@dataclass(frozen=True, slots=True, eq=False)
class _Scores:
    """One arm: a table of runs and test items, and its analysis of variance."""

    table: Floats  # (runs, items), 0 or what a right answer adds to the metric: 100 or 1
    image_means: Floats  # (items,)
    seed_variance: float  # of the arm's mean, from its runs: seeds and interaction
    interaction: float  # of the arm's mean, from the interaction of seed and image alone

    @classmethod
    def of(cls, table: Floats) -> _Scores:
        runs, images = table.shape
        run_means, image_means = table.mean(axis=1), table.mean(axis=0)
        residual = table - run_means[:, None] - image_means + table.mean()
        mean_square = float((residual**2).sum()) / ((runs - 1) * (images - 1))
        seed_variance = float(run_means.var(ddof=1)) / runs
        return cls(table, image_means, seed_variance, mean_square / (runs * images))


def find_scope(
    samples: Sequence[Sample],
    decisions: Sequence[Decision],
    design: Design,
    measured: Measurements,
    *,
    seed: int,
) -> Scope | None:
    """Return what the result says of new images, as far as is known; None where nothing is."""
    tested = [(d.a, d.b) for d in decisions if d.p is not None]
    if design.folds is not None:  # every fold has test items of its own
        return None
    if measured.correct is not None and tested:
        if design.paired:  # its components of variance take the seeds of two arms as independent
            return None
        return scope_on_images(samples, measured.correct, design, tested, seed=seed)
    if measured.items is None or design.unit != "points":
        return None
    return image_noise(samples, measured.items)


def scope_on_images(
    samples: Sequence[Sample],
    correct: Mapping[str, ArrayLike],
    design: Design,
    pairs: Sequence[tuple[int, int]],
    *,
    seed: int,
) -> Scope:
    """Return whether differences would hold for new seeds and new images.

    For a pair of arms with n and m runs on N shared images,

        var(difference) = seeds_a / n + seeds_b / m + images / N
                          + interaction_a / (n N) + interaction_b / (m N).

    The variance over runs estimates the seeds' terms with the interaction, the variance over
    images of the arms' mean difference the images' term with the interaction: their sum less
    the interaction, which it holds twice (the two-way estimator of Cameron, Gelbach and Miller,
    "Robust inference with multiway clustering", J. Bus. Econ. Stat. 29 (2011) 238-249).
    Degrees of freedom by Satterthwaite; thresholds of the family as in the ranking: ``_threshold``.

    Args:
        samples: the arms, best first; accuracies, in percent or from 0 to 1.
        correct: arm -> shape (runs, items), 1 or true where a run was right. The items
            are the same, in the same order, for all arms; the order of the runs is free.
        design: the whole procedure; every pair has the alpha of one look.
        pairs: indices of the pairs that were tested.
        seed: seed of the crossed bootstrap.

    Raises:
        UsageError: the arrays do not fit each other or the runs.

    """
    arms = sorted({arm for pair in pairs for arm in pair})
    scores = {arm: _Scores.of(_read(samples[arm], correct)) for arm in arms}
    sizes = sorted({score.table.shape[1] for score in scores.values()})
    if len(sizes) != 1:
        raise UsageError(
            f"the predictions are for {' and '.join(map(str, sizes)) or 'no'} test items: give "
            "those of one test set for the arms that are compared"
        )
    single = design.at_each_look()
    family = single.family(arms=len(arms), pairs=len(pairs))
    resampled = _bootstrap(scores, np.random.default_rng([seed, sizes[0]]))
    tail = 0.5 * single.alpha / len(pairs)
    rows = tuple(
        _scope_pair(
            (samples[a], samples[b]),
            (scores[a], scores[b]),
            family,
            _percentiles(resampled.get(a), resampled.get(b), tail),
        )
        for a, b in pairs
    )
    holding = sum(row.holds for row in rows)
    rate = f"{design.alpha:g}"
    if single.alpha < design.alpha:
        rate += f" over all looks ({single.alpha:g} at this one)"
    spread = float(scores[arms[0]].image_means.std(ddof=1)) / math.sqrt(sizes[0])
    return Scope(
        images=sizes[0],
        image_se=spread,
        pairs=rows,
        message=(
            f"for new seeds and new test items {holding:,} of {len(rows):,} differences are "
            f"shown, family-wise error rate {rate}; no claim beyond items like "
            f"these {sizes[0]:,}"
        ),
    )


def _read(sample: Sample, correct: Mapping[str, ArrayLike]) -> Floats:
    name = sample.arm
    if name not in correct:
        raise UsageError(f"there are no predictions of {name!r}: give them for every arm")
    table = np.asarray(correct[name], dtype=np.float64)
    if table.ndim != 2 or table.shape[0] != sample.n or table.shape[1] < 2:
        raise UsageError(
            f"the predictions of {name!r} have shape {table.shape}: give one row for each of its "
            f"{sample.n} runs and one column for each test item"
        )
    if not np.isin(table, (0.0, 1.0)).all():
        raise UsageError(f"the predictions of {name!r} are not all right (1) or wrong (0)")
    shares, values = np.sort(table.mean(axis=1)), np.sort(sample.values)
    for scale in (100.0, 1.0):
        # recorded with two decimals of a percentage at least
        if np.abs(scale * shares - values).max() <= 0.00011 * scale:
            return scale * table
    raise UsageError(
        f"the predictions of {name!r} do not give the accuracies of its runs: give those of "
        "the same runs"
    )


def _scope_pair(
    arms: tuple[Sample, Sample],
    scores: tuple[_Scores, _Scores],
    family: Family,
    ends: tuple[float, float] | None,
) -> ScopePair:
    gaps = scores[0].image_means - scores[1].image_means
    images = gaps.size
    freedom = np.array([arm.n - 1.0 for arm in arms])
    seeds = np.array([score.seed_variance for score in scores])
    interaction = np.array([score.interaction for score in scores])
    over_images = float(gaps.var(ddof=1)) / images
    from_images = max(over_images - float(interaction.sum()), 0.0)
    total = float(seeds.sum()) + from_images
    squares = float((seeds**2 / freedom).sum())
    if from_images > 0.0:
        squares += over_images**2 / (images - 1)
        squares += float((interaction**2 / (freedom * (images - 1))).sum())
    df = total**2 / squares if squares > 0.0 else math.inf
    difference = float(gaps.mean())
    half = _threshold(family, seeds, [arm.n for arm in arms], df) * math.sqrt(total)
    low, high = difference - half, difference + half
    return ScopePair(
        a=arms[0].arm,
        b=arms[1].arm,
        difference=difference,
        se_seeds=math.sqrt(float(seeds.sum())),
        se_images=math.sqrt(from_images),
        se=math.sqrt(total),
        df=df if math.isfinite(df) else None,
        ci_low=low,
        ci_high=high,
        holds=total > 0.0 and (low > 0.0 or high < 0.0),
        bootstrap_low=ends[0] if ends else None,
        bootstrap_high=ends[1] if ends else None,
    )


def _threshold(family: Family, seeds: Floats, runs: Sequence[int], df: float) -> float:
    """Return the |t| from which a difference holds on new images.

    Satterthwaite's degrees of freedom, from all terms, are too many in the same cases and for the
    same reason as in the ranking: the threshold is raised as much as the ranking's is.
    """
    own = float(family.own(np.array([max(df, 2.0)]))[0])
    if not seeds.sum() > 0.0:
        return own
    share = np.array([seeds[0] / seeds.sum()])
    freedom = 1.0 / (share**2 / (runs[0] - 1.0) + (1.0 - share) ** 2 / (runs[1] - 1.0))
    ratio = family.critical(share, runs[0], runs[1]) / family.own(freedom)
    return own * max(float(ratio[0]), 1.0)


def _bootstrap(scores: Mapping[int, _Scores], rng: np.random.Generator) -> dict[int, Floats]:
    """Return resampled means, shape (resamples,), of the arms with enough runs.

    Owen, "The pigeonhole bootstrap", Ann. Appl. Stat. 1 (2007) 386-411: images and runs are
    resampled independently, the images in common for all arms. It holds the interaction three
    times, hence is rather too wide than too narrow.
    """
    large = {arm: s.table for arm, s in scores.items() if len(s.table) >= MIN_RUNS_BOOTSTRAP}
    means = {arm: np.empty(_BOOTSTRAPS) for arm in large}
    if not large:
        return means
    images = next(iter(large.values())).shape[1]
    for draw in range(_BOOTSTRAPS):
        weights = np.bincount(rng.integers(images, size=images), minlength=images) / images
        for arm, table in large.items():
            by_run = table @ weights
            means[arm][draw] = by_run[rng.integers(by_run.size, size=by_run.size)].mean()
    return means


def _percentiles(a: Floats | None, b: Floats | None, tail: float) -> tuple[float, float] | None:
    if a is None or b is None:
        return None
    low, high = np.quantile(a - b, [tail, 1.0 - tail])
    return float(low), float(high)
