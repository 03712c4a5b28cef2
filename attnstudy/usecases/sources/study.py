"""Samples from a study that attnstudy ran: the finished runs of one configuration."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Callable, Sequence
from typing import Literal

from attnstudy.errors import UsageError, near_miss
from attnstudy.running.seed_effect import seed_warning, without_effect
from attnstudy.runs import (
    recorded_plans,
    run_folders,
    studies,
    study_facts,
)
from attnstudy.stats import Exclusion
from attnstudy.studyplan import RecordedPlan, StudyPlan
from attnstudy.tracking import (
    ExperimentDeletedError,
    TrackedRun,
    Tracker,
    open_for_reading,
    param_texts,
    read_history,
    read_plans,
    tracked_studies,
)
from attnstudy.trainings.registry import find
from attnstudy.usecases.declaring import Seen
from attnstudy.usecases.sources.advising import advice
from attnstudy.usecases.sources.collected import (
    Collected,
    Curve,
    RunReference,
    direction_of,
    is_finite,
)
from attnstudy.usecases.sources.configurations import (
    StudyRequest,
    choose_config,
    choose_study,
    choose_task,
    refuse_twice,
    task_names,
)
from attnstudy.usecases.sources.damage import damage_notes, lost_plans, named
from attnstudy.usecases.sources.predictions import correct_answers, may_have_answers
from attnstudy.usecases.sources.related import other_studies, related_studies, trained_before
from attnstudy.usecases.sources.truth import FINISHED, Known, known_runs


def collect_study(
    request: StudyRequest, progress: Callable[[int], None] = lambda read: None
) -> Collected:
    """Return the samples of a study: of its run folders, and of MLflow where those are elsewhere.

    Raises:
        UsageError: no such study, several configurations, or nothing to rank.
        StoreError: the store is unreachable or not there, or contradicts the run folders.
    """
    tracker = open_for_reading(request.address)
    study = choose_study(request, _studies(tracker, request.study))
    known = known_runs(tracker, study, progress)
    everything = known.runs
    tracked = [run for run in everything if not run.deleted]
    if not tracked:
        raise UsageError(
            f"the study {study!r} has no runs in {request.address.shown} yet: "
            f"'attnstudy run --study {study}' makes some, 'attnstudy sync' delivers finished ones"
        )
    recorded, damaged = _plans(tracker, study, known)
    tracked = choose_task(request, study, tracked, recorded)
    chosen, differences = choose_config(request, study, tracked)
    tasks = {run.params.get("task") for run in chosen}
    task = next(iter(tasks)) if len(tasks) == 1 else None
    configs = {run.config for run in chosen}
    plans = tuple(one for one in recorded if {one.plan.config} == configs)
    pooled = sum(one.plan.config in configs for one in recorded) if len(configs) > 1 else 0
    metric = request.metric or (plans[-1].plan.analysis.metric if plans else "test_accuracy")
    kept, excluded = _sort_out(chosen, metric, plans[-1].plan if plans else None)
    refuse_twice(kept)
    _refuse_curve(metric, kept)
    if not kept:
        raise UsageError(_nothing(metric, study, chosen))
    samples: dict[str, dict[int, float]] = {}
    diverged: dict[str, set[int]] = {}
    for run in kept:
        values = samples.setdefault(run.arm, {})
        if run.status == "diverged" or not is_finite(run.metrics[metric]):
            diverged.setdefault(run.arm, set()).add(run.seed)
        else:
            values[run.seed] = run.metrics[metric]
    finished = [run for run in kept if run.seed in samples[run.arm]]
    on_test = metric == "test_accuracy"
    counted = {run.identity for run in kept}
    correct, altered = None, list[str]()
    items = _common(finished, "attnstudy.test_images") if on_test else None
    on_items = not request.brief and may_have_answers(finished, metric)
    if on_items:
        correct, altered = correct_answers(tracker, finished, known, metric)
        if items is None and correct is not None:
            items = len(next(iter(correct.values()))[0])
    others = {} if request.brief else other_studies(tracker, study, configs)
    return Collected(
        samples=samples,
        metric=metric,
        direction=direction_of(metric, request.direction or _declared_direction(metric, plans)),
        study=study,
        config=",".join(dict.fromkeys(run.config for run in chosen)),
        question=tracker.note(study),
        items=items,
        chance=_chance(finished) if metric.endswith("accuracy") else None,
        diverged=diverged,
        plans=plans,
        damaged_plans=damaged,
        seen=tuple(
            Seen(
                run.arm,
                run.seed,
                run.started_at,
                counted=run.identity in counted,
                value=run.metrics.get(metric),
                deleted=run.deleted,
            )
            for run in everything
            if run.config in configs
        ),
        trained_before=trained_before(others, kept, plans[0].at) if plans else {},
        related=related_studies(others, kept),
        doubts=(
            *(lost_plans(tracker, study) if known.joined and not recorded else ()),
            *_doubts(study, kept, known, altered),
        ),
        configurations=len(
            {
                run.config
                for run in tracked
                if run.status in FINISHED and run.params.get("task") in tasks
            }
        ),
        pooled_plans=pooled,
        task=task,
        other_tasks=_others(task, task_names(everything, recorded, planned=True)),
        correct=correct,
        split=_split(finished),
        seconds=_seconds(finished),
        excluded=excluded,
        notes=(
            *known.notes,
            *damage_notes(study, known.damage, scope=correct is not None if on_items else None),
            *_seed_note(kept),
            *differences,
            *advice(study, kept),
        ),
        runs=tuple(
            RunReference(
                name=run.name, run_id=run.run_id, value=run.metrics.get(metric), arm=run.arm
            )
            for run in kept
        ),
        curves=_curves(tracker, finished, known) if request.with_curves else {},
    )


def _others(task: str | None, known: Sequence[str]) -> tuple[str, ...]:
    """Return the tasks of a study but the one that is ranked; none where there are no tasks."""
    return () if task is None else tuple(one for one in known if one != task)


def tasks_of(
    request: StudyRequest, progress: Callable[[int], None] = lambda read: None
) -> tuple[str, ...]:
    """Return the tasks that a study's runs have, as they were recorded; none without tasks.

    Raises:
        UsageError: no such study.
        StoreError: the store is unreachable or not there, or contradicts the run folders.
    """
    tracker = open_for_reading(request.address)
    study = choose_study(request, _studies(tracker, request.study))
    known = known_runs(tracker, study, progress)
    recorded, _ = _plans(tracker, study, known)
    return task_names([run for run in known.runs if not run.deleted], recorded)


def _seed_note(runs: Sequence[TrackedRun]) -> Sequence[str]:
    """Return the note that the seed has no effect, where that is so."""
    measured = (
        (
            run.arm,
            run.seed,
            {name: run.metrics[name] for name in run.measured if name in run.metrics},
        )
        for run in runs
        if run.status == "complete"
    )
    warning = seed_warning(without_effect(measured))
    return () if warning is None else (warning,)


def _declared_direction(metric: str, plans: Sequence[RecordedPlan]) -> str | None:
    """Return which way a metric is better by the plan, if it is about that metric."""
    declared = plans[-1].plan.analysis if plans else None
    return declared.direction if declared is not None and declared.metric == metric else None


def _studies(tracker: Tracker, asked: str | None) -> list[str]:
    """Return the studies of the store, and those with results here that it does not have yet.

    At a server that has others, what is only here is meant where it is asked for by name.
    """
    there, store_dir = tracked_studies(tracker), tracker.address.store_dir
    here = [name for name in studies(store_dir) if name not in there]
    if there and not tracker.address.embedded:
        here = [name for name in here if name == asked]
    return sorted([*there, *(name for name in here if _begun(tracker, name))])


def _begun(tracker: Tracker, study: str) -> bool:
    """Whether a study has a result in the local folder, and was not deleted in MLflow."""
    with contextlib.suppress(ExperimentDeletedError):
        tracker.experiment(study)
        return any(f.result() is not None for f in run_folders(tracker.address.store_dir, study))
    return False


def _plans(tracker: Tracker, study: str, known: Known) -> tuple[tuple[RecordedPlan, ...], int]:
    """Return the plans that MLflow or the folder recorded, and how many records are damaged."""
    recorded, damaged = read_plans(tracker, study)
    here = recorded_plans(study_facts(tracker.address.store_dir, study)) if known.joined else []
    plans = {(one.at, one.hash): one for one in (*here, *recorded)}
    return tuple(sorted(plans.values(), key=lambda one: one.at)), damaged


def _doubts(
    study: str, runs: Sequence[TrackedRun], known: Known, predictions: Sequence[str]
) -> tuple[str, ...]:
    """Return which runs cannot be believed without their folders, which are elsewhere."""
    elsewhere = [run for run in runs if run.identity not in known.folders]
    bare = [run.name for run in elsewhere if run.agrees is None]
    altered = [run.name for run in elsewhere if run.agrees is False]
    found = []
    for names, what, command in (
        (bare, "no digest in MLflow to be checked by", ""),
        (altered, "other numbers in MLflow than the digest there says", ""),
        (predictions, "other predictions in MLflow than the digest there says", " --republish"),
    ):
        if names:
            found.append(
                f"{named(names)} {'has' if len(names) == 1 else 'have'} {what}: 'attnstudy sync "
                f"{study}{command}' where the run folders are puts that right"
            )
    return tuple(found)


def _common(runs: Sequence[TrackedRun], tag: str) -> int | None:
    """Return the number that all runs carry in a tag; None if they do not agree or have none."""
    values = {run.tags.get(tag) for run in runs}
    only = values.pop() if len(values) == 1 else None
    return int(only) if only is not None and only.isdecimal() else None


def _split(runs: Sequence[TrackedRun]) -> Literal["fixed", "by seed"] | None:
    """Return the split that all runs have, as the setting of that name says."""
    said = {run.params.get("split") for run in runs}
    if said == {"fixed"}:
        return "fixed"
    return "by seed" if said == {"by seed"} else None


def _chance(runs: Sequence[TrackedRun]) -> float | None:
    classes = _common(runs, "attnstudy.classes")
    return None if not classes else 100.0 / classes


def _seconds(runs: Sequence[TrackedRun]) -> dict[str, float] | None:
    seconds: dict[str, list[float]] = {}
    for run in runs:
        if "train_seconds" in run.metrics:
            seconds.setdefault(run.arm, []).append(run.metrics["train_seconds"])
    if not runs or set(seconds) != {run.arm for run in runs}:
        return None
    return {arm: statistics.median(values) for arm, values in seconds.items()}


def _curves(tracker: Tracker, runs: Sequence[TrackedRun], known: Known) -> dict[str, list[Curve]]:
    curves: dict[str, list[Curve]] = {}
    for run in runs:
        one = known.folders.get(run.identity)
        if one is not None:
            points = one.folder.history("val_accuracy")
        else:
            points = read_history(tracker, run.run_id, "val_accuracy")
        if points:
            steps, values = zip(*points, strict=True)
            curves.setdefault(run.arm, []).append((steps, values))
    return curves


def _sort_out(
    runs: Sequence[TrackedRun], metric: str, plan: StudyPlan | None
) -> tuple[list[TrackedRun], tuple[Exclusion, ...]]:
    kept: list[TrackedRun] = []
    excluded: list[Exclusion] = []
    for run in runs:
        if run.superseded:
            reason = "repeated by a later run"
        elif run.status not in FINISHED:
            reason = f"its status is {run.status}"
        elif other := _declared_otherwise(run, plan):
            reason = f"its arm is declared with another {other} by now"
        elif run.status == "complete" and metric not in run.metrics:
            reason = f"it has no metric {metric}"
        else:
            kept.append(run)
            continue
        excluded.append(Exclusion(run=run.name, reason=reason))
    return kept, tuple(excluded)


def _declared_otherwise(run: TrackedRun, plan: StudyPlan | None) -> str | None:
    """Return the field in which a run differs from what the plan says of its arm, if any."""
    if plan is None or run.arm not in plan.arms:
        return None
    declared = dict(plan.arms[run.arm])
    tuning = declared.pop("tuning", None)
    declared["tuned_by"] = None if tuning is None else tuning["identity"]
    texts = {name: param_texts({name: value}).get(name) for name, value in declared.items()}
    return next((name for name, text in texts.items() if run.params.get(name) != text), None)


def _refuse_curve(metric: str, runs: Sequence[TrackedRun]) -> None:
    """Refuse what a training logs on the way and does not name as a result of its runs.

    Raises:
        UsageError: naming the results.

    """
    known = {name for run in runs for name in find(run.params.get("training")).metrics or (metric,)}
    if runs and metric not in known and not any(metric in run.measured for run in runs):
        raise UsageError(
            f"{metric} is a curve, and no result of a run{near_miss(metric, known)} (there: "
            f"{', '.join(sorted(known))})"
        )


def _nothing(metric: str, study: str, runs: Sequence[TrackedRun]) -> str:
    metrics = sorted({name for run in runs for name in run.metrics})
    if metrics and metric not in metrics:
        return (
            f"no run of {study!r} has a metric {metric!r}{near_miss(metric, metrics)} "
            f"(there: {', '.join(metrics)})"
        )
    return f"no run of {study!r} is complete yet: 'attnstudy status {study}' shows how they stand"
