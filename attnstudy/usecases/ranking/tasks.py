"""``attnstudy rank`` over several tasks: from any source to the answers of three questions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from attnstudy.errors import UsageError, near_miss
from attnstudy.stats import (
    ClaimCheck,
    Components,
    Conduct,
    Design,
    Exclusion,
    Measurements,
    Provenance,
    find_components,
)
from attnstudy.stats.tasks import (
    QUESTIONS,
    Question,
    TaskMeasurements,
    TaskRanking,
    check_task_claims,
    rank_tasks,
)
from attnstudy.studyplan import DIRECTIONS, Analysis
from attnstudy.tables.directions import assumed
from attnstudy.tables.words import alike
from attnstudy.usecases.declaring import judge
from attnstudy.usecases.sources import Collected
from attnstudy.usecases.sources.collected import direction_of, values_of
from attnstudy.usecases.sources.tasks import TaskSource, collect_by_task, source_of


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRankRequest:
    """What ``attnstudy rank`` was asked for, over several tasks."""

    source: TaskSource
    """Of a study, a request a task."""
    said: Mapping[str, Any]
    """Fields of ``Analysis`` that the user gave; a plan fills in the others."""
    task_by: str | None
    """What says on which task a run was made; None for a study, which knows it."""
    question: str | None = None
    """``each``, ``average`` or ``new``; None takes what a plan says, else all three."""
    scale: str | None = None
    """See ``stats.tasks.rank_tasks``."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """Of the tasks in the average; none weighs all alike."""
    directions: Mapping[str, str] = field(default_factory=dict)
    """Which way is better on a task, where that differs."""
    claims: tuple[str, ...] = ()
    components: bool = False
    """Whether the components of variance are asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReport:
    """A ranking over several tasks, what it was made from, and what was asked about it."""

    ranking: TaskRanking
    collected: Mapping[str, Collected]
    claims: tuple[ClaimCheck, ...]
    components: Components | None = None


def rank_by_task(
    request: TaskRankRequest, progress: Callable[[int], None] = lambda read: None
) -> TaskReport:
    """Collect the samples of all tasks, rank over them, check the claims.

    Raises:
        UsageError: the request makes no sense for these samples.
        DataError: a table cannot be read.
        StoreError: the store is unreachable or not there.
    """
    Analysis(**request.said)  # before anything is read
    found, untold = collect_by_task(request.source, request.task_by, progress)
    _check_names(request, found)
    first = next(iter(found.values()))
    planned = first.plans[-1].plan.analysis if first.plans else Analysis()
    asked: dict[str, Any] = {"tasks": request.question} if request.question else {}
    analysis = replace(planned, **request.said, **asked, metric=first.metric)
    judged = {task: _judged(one, analysis) for task, one in found.items()}
    plans = {task: one.plan for task, one in judged.items() if one.plan is not None}
    ranking = rank_tasks(
        {task: _measured(task, one, request) for task, one in found.items()},
        Design.of(analysis, direction=first.direction),
        Provenance(
            study=first.study,
            plan=next(iter(plans.values())) if len(plans) == len(found) else None,
            deviations=tuple(
                f"{task}: {what}" for task, one in judged.items() for what in one.deviations
            ),
            excluded=(*untold, *_excluded(found)),
            notes=tuple(dict.fromkeys(_notes(request, found))),
            source=source_of(found, request.task_by),
        ),
        plans=plans,
        question=_question(analysis),
        scale=request.scale,
        weights=request.weights or None,
    )
    claims = check_task_claims(ranking, request.claims)
    components = _components(found, ranking) if request.components else None
    return TaskReport(ranking=ranking, collected=found, claims=claims, components=components)


def _components(found: Mapping[str, Collected], ranking: TaskRanking) -> Components:
    """Return the components of variance over all tasks.

    Raises:
        UsageError: the values of the tasks have no common unit.

    """
    if ranking.scale != "metric":
        raise UsageError(
            "--components compares variances in one unit, and the tasks have several: rank one "
            "task for its components"
        )
    rows = [row for task, one in found.items() for row in values_of(one, task)]
    splits = {one.split for one in found.values()}
    return find_components(rows, split=splits.pop() if len(splits) == 1 else None)


def _question(analysis: Analysis) -> Question | None:
    return next((one for one in QUESTIONS if one == analysis.tasks), None)


def _judged(found: Collected, analysis: Analysis) -> Provenance:
    """Return what one task's plan says of what was done."""
    if not found.plans:
        return Provenance()
    own = found.plans[-1].plan.analysis
    used = replace(analysis, metric=found.metric, direction=own.direction)
    judged = judge(found.plans, found.seen, used)
    doubts = list(found.doubts)
    if found.damaged_plans:
        doubts.append("a plan's record in the tracking store was altered")
    return replace(judged, deviations=(*judged.deviations, *doubts))


def _measured(task: str, found: Collected, request: TaskRankRequest) -> TaskMeasurements:
    way = request.directions.get(task)
    return TaskMeasurements(
        measured=Measurements(
            samples=found.samples,
            diverged=found.diverged,
            items=found.items,
            chance=found.chance,
            conduct=Conduct(best_of_itself=found.best_of_itself),
        ),
        direction=found.direction if way is None else direction_of(found.metric, way),
        metric=found.metric,
    )


def _check_names(request: TaskRankRequest, found: Mapping[str, Collected]) -> None:
    for option, given in (
        ("--task-direction", request.directions),
        ("--task-weight", request.weights),
    ):
        for task in given:
            if task not in found:
                raise UsageError(
                    f"{option} names {task!r}, which is no task{near_miss(task, found)} (there: "
                    f"{', '.join(found)})"
                )
    for task, way in request.directions.items():
        if way not in DIRECTIONS:
            raise UsageError(
                f"--task-direction {task}={way}: use maximize or minimize"
                f"{near_miss(way, DIRECTIONS)}"
            )
    folds = next((one.folds for one in found.values() if one.folds), None)
    if folds is not None:
        raise UsageError(
            f"the repetitions are folds of a cross-validation (the field {folds}), whose training "
            "data overlap: over several tasks, give a row for the mean of each task and arm, and "
            "ask for a new task (--tasks new)"
        )


def _excluded(found: Mapping[str, Collected]) -> Iterator[Exclusion]:
    for task, one in found.items():
        for left in one.excluded:
            yield Exclusion(run=f"{task}: {left.run}", reason=left.reason)


def _notes(request: TaskRankRequest, found: Mapping[str, Collected]) -> Iterator[str]:
    # an arm may be written in one way on one task and in another on the next
    spelled = alike(arm for one in found.values() for arm in one.samples)
    yield from spelled
    for task, one in found.items():
        for note in one.notes:
            if note not in spelled:
                yield f"{task}: {note}"
    if isinstance(request.source, Mapping):
        return
    if request.source.direction is None and not request.directions:
        for metric in dict.fromkeys(one.metric for one in found.values()):
            if said := assumed(metric):
                yield said
