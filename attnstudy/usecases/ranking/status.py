"""Why a ranking is confirmatory or exploratory, and what a reader is told beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from attnstudy.stats import Provenance, Ranking
from attnstudy.studyplan import Analysis
from attnstudy.tables.directions import assumed, way_of
from attnstudy.usecases.declaring import fairness, judge
from attnstudy.usecases.ranking.asked import RankRequest, Source
from attnstudy.usecases.ranking.earlier import later
from attnstudy.usecases.sources import Collected, ExperimentRequest, TableRequest
from attnstudy.usecases.sources.collected import direction_of


def provenance_of(
    request: RankRequest, found: Collected, analysis: Analysis, notes: tuple[str, ...]
) -> Provenance:
    """Return what is reported with the ranking; above all whether the plan was followed."""
    judged = judge(found.plans, found.seen, analysis)
    return replace(
        judged,
        study=found.study,
        config=found.config,
        deviations=(*judged.deviations, *deviations(request, found), *found.doubts),
        excluded=found.excluded,
        notes=notes,
        source=found.source,
    )


def notes_of(
    request: RankRequest, found: Collected, tunings: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    """Give the remarks that are known before anything is ranked."""
    yield from found.notes
    if found.other_tasks:
        others = ", ".join(found.other_tasks)
        yield f"ranked on the task {found.task} alone; the study has {others} as well"
    yield from guesses(request.source, found)
    yield from later(found)
    yield from fairness(tunings)


def reason_of(reason: str, found: Collected) -> str:
    """Return why a ranking is what it is, with what the plan of one configuration cannot know."""
    if found.pooled_plans:
        return "several configurations are pooled, and a plan is for one"
    if found.plans and found.configurations > 1:
        return (
            f"{reason}; this is one of {found.configurations} configurations that were trained in "
            "this study, and alpha is for this one alone"
        )
    return reason


def doubted(ranking: Ranking, found: Collected) -> str:
    """Return why a ranking is what it is, where the plan was kept and the store is in doubt."""
    reason, plan = ranking.status_reason, ranking.plan
    if plan is None or not found.doubts:
        return reason
    doubts = "; ".join(found.doubts)
    if reason != f"the plan {plan.hash} of {plan.date} was not followed: {doubts}":
        return reason
    return f"the plan {plan.hash} of {plan.date} was followed, as far as can be seen, but {doubts}"


def deviations(request: RankRequest, found: Collected) -> tuple[str, ...]:
    """Return what a plan never declares and the request asks for."""
    deviations = []
    if found.damaged_plans:
        deviations.append("a plan's record in the tracking store was altered")
    if found.trained_before:
        names, studies = list(found.trained_before), sorted(set(found.trained_before.values()))
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        deviations.append(
            f"{names[0]}{more} had been trained before it was recorded, in the study {studies[0]!r}"
        )
    if found.plans and request.look is not None:
        deviations.append(f"look {request.look[0]} of {request.look[1]} was not planned")
    asked = request.source.direction
    if found.plans and asked not in (None, direction_of(found.metric, _declared_direction(found))):
        deviations.append(f"the direction, {asked}, was not planned")
    return tuple(deviations)


def guesses(source: Source, found: Collected) -> Iterator[str]:
    """Give what the names of the metrics decide about which way is better."""
    known = source.direction or _declared_direction(found)
    if known is None and (said := assumed(found.metric)):
        yield said
    of = source.point.of if isinstance(source, TableRequest | ExperimentRequest) else None
    if of is not None and of != found.metric:
        yield _best_of(of)


def _best_of(of: str) -> str:
    """Return which value of a metric is its best, where it chooses the point of a curve."""
    way = way_of(of)
    if way is None:
        return f"{of} does not say which way is better, and its highest value is taken as the best"
    extreme = "lowest" if way == "falls" else "highest"
    return f"the {extreme} value of {of} is taken as the best, because of its name"


def _declared_direction(found: Collected) -> str | None:
    """Return which way the ranked metric is better by the plan; None if that does not say."""
    analysis = found.plans[-1].plan.analysis if found.plans else None
    return analysis.direction if analysis is not None and analysis.metric == found.metric else None
