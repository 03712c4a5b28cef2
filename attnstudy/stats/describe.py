"""Arms and pairs as the result shows them: descriptive statistics, groups, effects, advice."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from attnstudy.stats.comparisons.decisions import Decision
from attnstudy.stats.comparisons.design import Design
from attnstudy.stats.evidence import effects
from attnstudy.stats.evidence.pair_power import Needed
from attnstudy.stats.evidence.robust import Robust, robustness
from attnstudy.stats.results import Arm, Pair
from attnstudy.stats.samples import Sample
from attnstudy.stats.wording.letters import compact_letters, rank_ranges
from attnstudy.stats.wording.verdicts import advice


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


def describe_pairs(
    samples: Sequence[Sample],
    decisions: Sequence[Decision],
    design: Design,
    *,
    needed: Mapping[tuple[int, int], Needed],
    seed: int | None,
) -> tuple[Pair, ...]:
    """Return every pair with effects and advice, from the runs that its decision used.

    Args:
        samples: the arms, best first.
        decisions: the pairs.
        design: the whole procedure.
        needed: seeds that would settle each pair that is undecided.
        seed: of the robustness lines; None leaves them out.

    """
    single = design.at_each_look()
    used = [d.tested_of(samples) for d in decisions]
    robust: dict[int, Robust] = {}
    # permutation and rank tests take runs to be independent, as folds are not
    if seed is not None and design.folds is None:
        tested = [i for i, d in enumerate(decisions) if d.p is not None]
        lines = robustness(
            [used[i] for i in tested],
            [(decisions[i].p or 0.0) <= single.alpha for i in tested],
            alpha=single.alpha,
            seed=seed,
            paired=design.paired,
        )
        robust = dict(zip(tested, lines, strict=True))
    return tuple(
        _pair(
            *used[i],
            d,
            single,
            family=len(decisions),
            advice=advice(samples, d, single, needed.get((d.a, d.b))),
            needed=needed.get((d.a, d.b)),
            robust=robust.get(i),
        )
        for i, d in enumerate(decisions)
    )


def _pair(
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
    """Return a pair of ``family`` pairs with its effects."""
    probability = superiority = None
    if not (a.flat and b.flat):  # of two constants it would tell how they were rounded
        probability = effects.prob_superiority(a, b, maximize=design.maximize)
        if design.folds is None:  # its variance is that of independent runs
            superiority = effects.prob_superiority_interval(
                a, b, alpha=design.alpha / family, maximize=design.maximize
            )
    return Pair(
        a=a.arm,
        b=b.arm,
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
        name=sample.arm,
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
