"""``rank``: from samples to a ranking with error control."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

from attnstudy.stats.alternatives import find_flags, with_chance
from attnstudy.stats.comparisons.design import Design
from attnstudy.stats.comparisons.looks import decide_at_looks
from attnstudy.stats.comparisons.margins import check_margin
from attnstudy.stats.comparisons.matching import match_seeds
from attnstudy.stats.describe import describe_arms, describe_pairs
from attnstudy.stats.evidence.images import find_scope
from attnstudy.stats.evidence.power import study_power
from attnstudy.stats.measurements import Measurements
from attnstudy.stats.provenance import Provenance
from attnstudy.stats.results import SCHEMA, Ranking
from attnstudy.stats.samples import Sample, Values, best_first, read_samples
from attnstudy.stats.units import unit_of
from attnstudy.stats.wording.chain import chain
from attnstudy.stats.wording.notes import find_notes, pairing_notes
from attnstudy.stats.wording.sentences import sentence
from attnstudy.stats.wording.verdicts import verdict_text

Given = TypeVar("Given", Measurements, Design, Provenance)


def rank(
    samples: Mapping[str, Values] | Measurements,
    design: Design | None = None,
    provenance: Provenance | None = None,
    *,
    robust: bool = True,
    seed: int = 0,
    **named: Any,
) -> Ranking:
    """Rank arms by the distribution of one metric over seeds.

    Args:
        samples: arm -> values, or arm -> {seed: value}, one number per run; alone, or with
            what else is known of the runs.
        design: how to test, and which way the metric is better.
        provenance: what is reported with the ranking, such as its plan.
        robust: whether every pair gets its robustness line, which takes most of the time where
            there are many pairs.
        seed: seed of the Monte Carlo permutations beyond eight runs per arm, and of bootstraps.
        named: fields of ``Measurements``, ``Design`` and ``Provenance`` by their names, in place
            of those or in addition: ``rank(samples, margin=0.5, items=10_000)``.

    Raises:
        UsageError: the samples or the options make no sense; the message says what to do.

    """
    measured = samples if isinstance(samples, Measurements) else Measurements(samples=samples)
    measured = _with_fields(measured, named)
    design = _with_fields(design or Design(), named)
    provenance = _with_fields(provenance or Provenance(), named)
    if named:
        raise TypeError(f"rank() got an unexpected keyword argument {next(iter(named))!r}")

    given = read_samples(measured.samples, measured.diverged)
    design = replace(design, unit=unit_of(given, design.metric, design.unit))
    measured.check(design.unit)
    check_margin(given, design)

    matched = match_seeds(given, design.repetition) if design.paired else given
    arms = best_first(matched, design.direction)
    provenance = _with_late_runs(provenance, arms, design)
    decisions, looks = decide_at_looks(arms, design)
    power, needed = study_power(arms, decisions, design.at_each_look(), measured.seconds_per_run)
    pairs = describe_pairs(arms, decisions, design, needed=needed, seed=seed if robust else None)
    flags = find_flags(arms, decisions, design, measured)
    planned = provenance.confirmatory
    return Ranking(
        schema=SCHEMA,
        study=provenance.study,
        config=provenance.config,
        metric=design.metric,
        unit=design.unit or "",
        direction=design.direction,
        alpha=design.alpha,
        method=design.method,
        interval=design.interval,
        control=design.control,
        margin=design.margin,
        status="confirmatory" if planned else "exploratory",
        status_reason=_status_reason(provenance, design),
        plan=provenance.plan,
        looks=looks,
        arms=describe_arms(arms, decisions, design),
        pairs=pairs,
        power=power,
        scope=find_scope(arms, decisions, design, measured, seed=seed),
        with_chance=with_chance(arms, design, measured.chance),
        flags=flags,
        notes=(
            *provenance.notes,
            *find_notes(arms, decisions, design, measured, pairs=pairs, flags=flags),
            *pairing_notes(
                given, design, planned=planned, predictions=measured.correct is not None
            ),
        ),
        excluded=provenance.excluded,
        verdict=verdict_text(arms, decisions, design),
        sentence=sentence(arms, decisions, design, confirmatory=planned, looks=looks),
        source=provenance.source,
        folds=None if design.folds == "unknown" else design.folds,
        order=chain([arm.arm for arm in arms], decisions),
    )


def _with_fields(given: Given, named: dict[str, Any]) -> Given:
    """Return ``given`` with the fields of its own that are named; they are taken out of ``named``.

    Raises:
        UsageError: a value makes no sense.

    """
    own = {one.name: named.pop(one.name) for one in fields(given) if one.name in named}
    return replace(given, **own) if own else given


def _with_late_runs(provenance: Provenance, arms: Sequence[Sample], design: Design) -> Provenance:
    """Return the provenance; runs beyond the last declared look deviate from the plan."""
    most = max(arm.n + arm.diverged for arm in arms)
    if design.looks is None or most <= design.looks[-1]:
        return provenance
    late = f"there are {most} seeds in an arm, and the last declared look is at {design.looks[-1]}"
    return replace(provenance, deviations=(*provenance.deviations, late))


def _status_reason(provenance: Provenance, design: Design) -> str:
    """Return why a ranking is confirmatory or exploratory."""
    plan, deviations = provenance.plan, provenance.deviations
    if plan is None:
        reason = "no plan was recorded before the first run"
        if design.paired and design.folds is None:
            reason += ", so the choice to compare seed by seed was not declared before it"
        if design.looks is not None:
            reason += ", so the looks were not declared before it"
        return "; ".join((reason, *deviations))
    if deviations:
        return f"the plan {plan.hash} of {plan.date} was not followed: {'; '.join(deviations)}"
    return f"the plan {plan.hash} was recorded on {plan.date}, before the first run, and followed"
