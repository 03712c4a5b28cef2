"""``rank``: from samples to a ranking with error control."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from attnstudy.errors import UsageError
from attnstudy.stats.alternatives import Alternatives
from attnstudy.stats.assumptions import assumption_notes
from attnstudy.stats.decisions import Decision, decide, decide_pairs
from attnstudy.stats.describe import describe_arms, describe_pair
from attnstudy.stats.design import Design
from attnstudy.stats.flags import Conduct, Suspect, find_suspects
from attnstudy.stats.images import scope_on_images
from attnstudy.stats.looks import at_each_look, check_looks, replay
from attnstudy.stats.margins import check_margin
from attnstudy.stats.matching import match_seeds, without_seed
from attnstudy.stats.notes import find_notes, fold_notes, pairing_notes
from attnstudy.stats.power import Needed, pair_power, seeds_needed, summarise
from attnstudy.stats.results import (
    SCHEMA,
    ChanceView,
    Exclusion,
    Flag,
    Looks,
    Pair,
    Plan,
    Power,
    Ranking,
    Robust,
)
from attnstudy.stats.robust import robustness
from attnstudy.stats.samples import Diverged, Sample, Values, best_first, read_samples, unit_of
from attnstudy.stats.scope import Scope, image_noise
from attnstudy.stats.sentences import sentence
from attnstudy.stats.vocabulary import Direction, Folds, Verdict
from attnstudy.stats.wording import advice, verdict_text


def rank(  # noqa: PLR0913 - each is a choice of the reader's, by keyword
    samples: Mapping[str, Values],
    *,
    alpha: float = 0.05,
    correction: str = "games-howell",
    control: str | None = None,
    paired: bool = False,
    folds: Folds | None = None,
    margin: float | None = None,
    study: str | None = None,
    config: str | None = None,
    metric: str = "test_accuracy",
    direction: Direction = "maximize",
    unit: str | None = None,
    items: int | None = None,
    chance: float | None = None,
    diverged: Mapping[str, Diverged] | None = None,
    conduct: Conduct | None = None,
    correct: Mapping[str, ArrayLike] | None = None,
    seconds_per_run: float | Mapping[str, float] | None = None,
    plan: Plan | None = None,
    deviations: Sequence[str] = (),
    looks: Sequence[int] | None = None,
    excluded: Sequence[Exclusion] = (),
    notes: Sequence[str] = (),
    robust: bool = True,
    seed: int = 0,
) -> Ranking:
    """Rank variants by the distribution of one metric over seeds.

    Args:
        samples: variant -> values, or variant -> {seed: value}; one number a run.
        alpha: family-wise error rate.
        correction: ``games-howell``, or ``holm`` for Welch's t with Holm.
        control: compare all variants with this one alone (Welch with Holm).
        paired: compare seed by seed; only where the plan chose it before the first run.
        folds: training and test items of a fold, where the runs are folds of one
            cross-validation, numbered as seeds are: they are compared fold by fold by the
            corrected resampled t test of Nadeau and Bengio (2003). ``unknown`` where the numbers
            are not known: the folds are described and not compared.
        margin: largest difference that does not matter, in the metric's unit.
        study: name of the study, for the record.
        config: identity of the configuration, for the record.
        metric: name of the metric.
        direction: ``maximize``, or ``minimize`` where less is better.
        unit: ``points`` for accuracies in percent, ``""`` for anything else; None means
            ``points`` where the metric is ``test_accuracy`` and the values look like percent.
        items: test items behind an accuracy in percent.
        chance: the metric of guessing, in its own unit.
        diverged: variant -> number or seeds of its runs that diverged and have no value.
        conduct: what the logs tell about how the runs were made.
        correct: variant -> shape (runs, test images), 1 where a run was right; with it the
            scope says what would hold on new images. The accuracies are in percent then.
        seconds_per_run: what a run takes, for all or for each variant.
        plan: the plan recorded before the first run.
        deviations: what was done otherwise than planned, a phrase each.
        looks: seeds an arm at each look that the plan declared; values count as collected
            ascending by seed, or in the order given.
        excluded: runs left out.
        notes: remarks to pass on.
        robust: whether every pair gets its robustness line, which takes most of the time where
            there are many pairs.
        seed: seed of the Monte Carlo permutations beyond eight runs an arm, and of bootstraps.

    Raises:
        UsageError: the samples or the options make no sense; the message says what to do.

    """
    given = read_samples(samples, diverged)
    design = Design(
        alpha=alpha,
        correction=correction,
        control=control,
        paired=paired,
        folds=folds,
        margin=margin,
        metric=metric,
        direction=direction,
        unit=unit_of(given, metric, unit),
    )
    _check_facts(items, chance, design)
    check_margin(given, design)
    matched = match_seeds(given, design.repetition) if design.paired else given
    arms = best_first(matched, direction)
    declared = check_looks(looks, design) if looks is not None else None
    single = at_each_look(design, declared) if declared else design
    replayed = replay(arms, design, declared) if declared else None
    decisions = replayed.decisions if replayed else decide(arms, design)
    looked = Looks(declared=declared, done=replayed.done) if declared and replayed else None
    broken = (*deviations, *_beyond_plan(arms, declared))
    confirmatory = plan is not None and not broken
    power, needed = _power(arms, decisions, single, seconds_per_run)
    suspects = find_suspects(arms, design, items=items, chance=chance, conduct=conduct or Conduct())
    flags = _flags(suspects, arms, decisions, design, sequential=declared is not None)
    # permutation and rank tests take runs to be independent, as folds are not
    shown = seed if robust and folds is None else None
    pairs = _pairs(arms, decisions, single, declared, needed, shown)
    return Ranking(
        schema=SCHEMA,
        study=study,
        config=config,
        metric=metric,
        unit=design.unit,
        direction=direction,
        alpha=alpha,
        method=design.method,
        interval=design.interval,
        control=control,
        margin=margin,
        status="confirmatory" if confirmatory else "exploratory",
        status_reason=_status_reason(plan, broken, design, declared),
        plan=plan,
        looks=looked,
        arms=describe_arms(arms, decisions, design),
        pairs=pairs,
        power=power,
        scope=_scope(arms, decisions, single, correct, items, seed, design.alpha),
        with_chance=None if declared or folds else _with_chance(arms, design, chance),
        flags=flags,
        notes=(
            *notes,
            *fold_notes(arms, decisions, design),
            *assumption_notes(arms, pairs, flags, single),
            *find_notes(arms, decisions, design, items=items, chance=chance, looks=declared),
            *(
                pairing_notes(given, design, planned=confirmatory, predictions=correct is not None)
                if design.paired and folds is None
                else ()
            ),
        ),
        excluded=tuple(excluded),
        verdict=verdict_text(arms, decisions, design),
        sentence=sentence(arms, decisions, design, single, confirmatory=confirmatory, looks=looked),
        folds=None if design.folds == "unknown" else design.folds,
    )


def _check_facts(items: int | None, chance: float | None, design: Design) -> None:
    if items is not None and items < 1:
        raise UsageError(f"the number of test items is {items}: give at least 1")
    if chance is None:
        return
    if not math.isfinite(chance) or (design.unit == "points" and not 0.0 <= chance <= 100.0):
        raise UsageError(f"the chance level is {chance}: give it in the unit of the metric")


def _beyond_plan(arms: Sequence[Sample], declared: Sequence[int] | None) -> tuple[str, ...]:
    if declared is None:
        return ()
    most = max(arm.n + arm.diverged for arm in arms)
    if most <= declared[-1]:
        return ()
    return (f"there are {most} seeds in an arm, and the last declared look is at {declared[-1]}",)


def _status_reason(
    plan: Plan | None, deviations: Sequence[str], design: Design, looks: Sequence[int] | None
) -> str:
    if plan is None:
        reason = "no plan was recorded before the first run"
        if design.paired and design.folds is None:
            reason += ", so the choice to compare seed by seed was not declared before it"
        if looks is not None:
            reason += ", so the looks were not declared before it"
        return "; ".join((reason, *deviations))
    if deviations:
        return f"the plan {plan.hash} of {plan.date} was not followed: {'; '.join(deviations)}"
    return f"the plan {plan.hash} was recorded on {plan.date}, before the first run, and followed"


def _power(
    arms: Sequence[Sample],
    decisions: Sequence[Decision],
    design: Design,
    seconds_per_run: float | Mapping[str, float] | None,
) -> tuple[Power | None, dict[tuple[int, int], Needed]]:
    """Return the power figures, and what would settle each pair that is still undecided."""
    tested = [d for d in decisions if d.p is not None]
    pairs = [(d.a, d.b) for d in tested]
    power = pair_power(arms, pairs, design)
    if power is None:
        return None, {}
    open_ = [i for i, d in enumerate(tested) if d.verdict is Verdict.UNDECIDED]
    asked = sorted({0, *open_})
    settled = [Needed(observed=None, equivalence=None)] * len(asked)
    if design.folds is None:  # of the same data, more folds cannot settle what more seeds can
        settled = seeds_needed(arms, [pairs[i] for i in asked], power.of(asked), design.margin)
    needed = {pairs[i]: one for i, one in zip(asked, settled, strict=True)}
    summary = summarise(arms, pairs, power, settled, design, seconds_per_run)
    return summary, {} if design.folds else {pairs[i]: needed[pairs[i]] for i in open_}


def _pairs(
    arms: Sequence[Sample],
    decisions: Sequence[Decision],
    design: Design,
    looks: Sequence[int] | None,
    needed: Mapping[tuple[int, int], Needed],
    seed: int | None,
) -> tuple[Pair, ...]:
    """Return every pair with effects and advice, from the runs it used.

    It has a robustness line unless there is no ``seed`` for that.
    """
    used = []
    for d in decisions:
        cut = looks[d.look - 1] if looks and d.look else None
        used.append((arms[d.a].first(cut), arms[d.b].first(cut)))
    tested = [i for i, d in enumerate(decisions) if d.p is not None]
    robust: dict[int, Robust] = {}
    if seed is not None:
        lines = robustness(
            [used[i] for i in tested],
            [(decisions[i].p or 0.0) <= design.alpha for i in tested],
            alpha=design.alpha,
            seed=seed,
            paired=design.paired,
        )
        robust = dict(zip(tested, lines, strict=True))
    return tuple(
        describe_pair(
            *used[i],
            d,
            design,
            family=len(decisions),
            advice=advice(arms, d, design, needed.get((d.a, d.b))),
            needed=needed.get((d.a, d.b)),
            robust=robust.get(i),
        )
        for i, d in enumerate(decisions)
    )


def _scope(
    arms: Sequence[Sample],
    decisions: Sequence[Decision],
    design: Design,
    correct: Mapping[str, ArrayLike] | None,
    items: int | None,
    seed: int,
    overall: float,
) -> Scope | None:
    tested = [(d.a, d.b) for d in decisions if d.p is not None]
    if design.folds is not None:  # every fold has test items of its own
        return None
    if correct is not None and tested:
        if design.paired:  # its components of variance take the seeds of two arms as independent
            return None
        return scope_on_images(arms, correct, design, tested, seed=seed, overall=overall)
    return image_noise(arms, items) if items and design.unit == "points" else None


def _flags(
    suspects: Sequence[Suspect],
    arms: Sequence[Sample],
    decisions: Sequence[Decision],
    design: Design,
    *,
    sequential: bool,
) -> tuple[Flag, ...]:
    """Return the flags, each with the verdict that stands without its value."""
    alternatives = Alternatives(arms, design, decisions)

    def verdict(suspect: Suspect) -> str | None:
        # a value cannot be taken out of a sequence of looks: it decided how long it went on
        if suspect.arm is None or suspect.index is None or sequential or not design.compared:
            return None
        if design.paired and suspect.flag.seed is not None:
            rest = best_first(without_seed(arms, suspect.flag.seed), design.direction)
            return verdict_text(rest, decide(rest, design), design)
        return alternatives.verdict(suspect.arm, arms[suspect.arm].without(suspect.index))

    return tuple(replace(s.flag, verdict_without=verdict(s)) for s in suspects)


def _with_chance(arms: Sequence[Sample], design: Design, chance: float | None) -> ChanceView | None:
    """Return the ranking with chance in the place of every run that diverged."""
    if chance is None or design.paired or not any(arm.diverged for arm in arms):
        return None
    filled = [
        Sample(arm.variant, np.append(arm.values, [chance] * arm.diverged), None) for arm in arms
    ]
    ordered = best_first(filled, design.direction)
    return ChanceView(
        chance=chance,
        order=tuple(arm.variant for arm in ordered),
        means=tuple(arm.mean for arm in ordered),
        verdict=verdict_text(ordered, _decide_finished(ordered, arms, design), design),
    )


def _decide_finished(
    filled: Sequence[Sample], arms: Sequence[Sample], design: Design
) -> tuple[Decision, ...]:
    """Test the arms that have a finished run: chance alone is no spread to test against."""
    finished = {arm.variant for arm in arms if arm.n}
    able = [arm.tested and arm.variant in finished for arm in filled]
    pairs = design.pairs(filled)
    return decide_pairs(filled, design, pairs, [p for p in pairs if able[p[0]] and able[p[1]]])
