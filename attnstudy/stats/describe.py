"""Arms and pairs as the result shows them: descriptive statistics, groups, effects, advice."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from attnstudy.stats import effects
from attnstudy.stats.decisions import Decision
from attnstudy.stats.design import Design
from attnstudy.stats.letters import compact_letters, rank_ranges
from attnstudy.stats.power import Needed
from attnstudy.stats.results import Arm, Pair, Robust
from attnstudy.stats.samples import Sample


def describe_arms(
    samples: Sequence[Sample], decisions: Sequence[Decision], design: Design
) -> tuple[Arm, ...]:
    """Return the arms with letters and rank ranges, which only Games-Howell has.

    Arms of which no pair was tested have neither.
    """
    tested = sorted({arm for d in decisions if d.p is not None for arm in (d.a, d.b)})
    letters: dict[int, str] = {}
    ranges: dict[int, tuple[int, int]] = {}
    if design.grouped and len(tested) > 1:
        place = {arm: index for index, arm in enumerate(tested)}
        winners = [d.winner_first() for d in decisions if d.different]
        different = [(place[winner], place[loser]) for winner, loser in winners]
        letters = dict(zip(tested, compact_letters(len(tested), different), strict=True))
        ranges = dict(zip(tested, rank_ranges(len(tested), different), strict=True))
    return tuple(
        _arm(sample, design, letters.get(index), ranges.get(index))
        for index, sample in enumerate(samples)
    )


def describe_pair(
    a: Sample,
    b: Sample,
    decision: Decision,
    design: Design,
    *,
    family: int,
    advice: str,
    needed: Needed | None,
    robust: Robust | None,
) -> Pair:
    """Return a pair with its effects.

    Args:
        a: the first arm, as far as it was used for the decision.
        b: the second arm.
        decision: what was decided.
        design: for alpha, margin and direction.
        family: pairs in the family.
        advice: what to do.
        needed: seeds that would settle the pair; None where it is decided.
        robust: the robustness line; None where nothing was tested.

    """
    probability = superiority = None
    if not (a.flat and b.flat):  # of two constants it would tell how they were rounded
        probability = effects.prob_superiority(a, b, maximize=design.maximize)
        if design.folds is None:  # its variance is that of independent runs
            superiority = effects.prob_superiority_interval(
                a, b, alpha=design.alpha / family, maximize=design.maximize
            )
    return Pair(
        a=a.variant,
        b=b.variant,
        difference=decision.difference,
        ci_low=decision.low,
        ci_high=decision.high,
        se=decision.se,
        df=decision.df,
        calibrated=decision.calibrated,
        p_adjusted=decision.p,
        hedges_g=effects.hedges_g(a, b),
        prob_superiority=probability,
        prob_superiority_low=superiority[0] if superiority else None,
        prob_superiority_high=superiority[1] if superiority else None,
        verdict=decision.verdict,
        seeds_for_observed=needed.observed if needed else None,
        seeds_for_equivalence=needed.equivalence if needed else None,
        within_margin=decision.within(design.margin),
        advice=advice,
        look=decision.look,
        seed_correlation=effects.seed_correlation(a, b),
        robust=robust,
    )


def _arm(sample: Sample, design: Design, group: str | None, ranks: tuple[int, int] | None) -> Arm:
    values = tuple(sample.values.tolist())
    # the mean of an arm's own folds is as much more uncertain as that of their differences
    interval = sample.interval(design.alpha, design.overlap) if design.compared else None
    return Arm(
        variant=sample.variant,
        n=sample.n,
        mean=sample.mean if values else None,
        sd=sample.sd if len(values) > 1 else None,
        median=statistics.median(values) if values else None,
        min=min(values, default=None),
        max=max(values, default=None),
        values=values,
        seeds=sample.seeds,
        ci_low=interval[0] if interval else None,
        ci_high=interval[1] if interval else None,
        rank_low=ranks[0] if ranks else None,
        rank_high=ranks[1] if ranks else None,
        group=group,
        diverged=sample.diverged,
    )
