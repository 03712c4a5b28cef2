"""Samples from a study that attnstudy ran: the finished runs of one configuration."""

from __future__ import annotations

import csv
import io
import math
import statistics
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from attnstudy.errors import UsageError, near_miss
from attnstudy.runs import RunFolder, studies, study_folder
from attnstudy.stats import Exclusion
from attnstudy.studyplan import RecordedPlan, StudyPlan
from attnstudy.tracking import (
    TrackedRun,
    Tracker,
    open_store,
    param_texts,
    read_artifact,
    read_history,
    read_plans,
    read_runs,
    tracked_studies,
)
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
    refuse_twice,
)

_FINISHED = ("complete", "diverged")


def collect_study(
    request: StudyRequest, progress: Callable[[int], None] = lambda read: None
) -> Collected:
    """Read a study's runs from the tracking store and return their samples.

    Raises:
        UsageError: no such study, several configurations, or nothing to rank.
        StoreError: the store is unreachable or not there.
    """
    tracker = open_store(request.address, create=False)
    study = choose_study(request, tracked_studies(tracker))
    everything = read_runs(tracker, study, progress, deleted=True)
    tracked = [run for run in everything if not run.deleted]
    if not tracked:
        raise UsageError(
            f"the study {study!r} has no runs in {request.address.shown} yet: "
            f"'attnstudy run --study {study}' makes some, 'attnstudy sync' delivers finished ones"
        )
    chosen, differences = choose_config(request, study, tracked)
    recorded, damaged = read_plans(tracker, study)
    configs = {run.config for run in chosen}
    plans = tuple(one for one in recorded if {one.plan.config} == configs)
    pooled = sum(one.plan.config in configs for one in recorded) if len(configs) > 1 else 0
    metric = request.metric or (plans[-1].plan.analysis.metric if plans else "test_accuracy")
    kept, excluded = _sort_out(chosen, metric, plans[-1].plan if plans else None)
    refuse_twice(kept)
    if not kept:
        raise UsageError(_nothing(metric, study, chosen))
    samples: dict[str, dict[int, float]] = {}
    diverged: dict[str, set[int]] = {}
    for run in kept:
        values = samples.setdefault(run.variant, {})
        if run.status == "diverged" or not is_finite(run.metrics[metric]):
            diverged.setdefault(run.variant, set()).add(run.seed)
        else:
            values[run.seed] = run.metrics[metric]
    finished = [run for run in kept if run.seed in samples[run.variant]]
    on_test = metric == "test_accuracy"
    counted = {run.run_id for run in kept}
    return Collected(
        samples=samples,
        metric=metric,
        direction=direction_of(metric, request.direction),
        study=study,
        config=",".join(dict.fromkeys(run.config for run in chosen)),
        question=tracker.note(study),
        items=_common(finished, "attnstudy.test_images") if on_test else None,
        chance=_chance(finished) if metric.endswith("accuracy") else None,
        diverged=diverged,
        plans=plans,
        damaged_plans=damaged,
        seen=tuple(
            Seen(
                run.variant,
                run.seed,
                run.started_at,
                counted=run.run_id in counted,
                value=run.metrics.get(metric),
                deleted=run.deleted,
            )
            for run in everything
            if run.config in configs
        ),
        trained_before=_trained_before(tracker, study, kept, plans),
        configurations=len({run.config for run in tracked if run.status in _FINISHED}),
        pooled_plans=pooled,
        correct=_correct(tracker, study, finished) if on_test else None,
        seconds=_seconds(finished),
        excluded=excluded,
        notes=(*differences, *advice(study, kept)),
        runs=tuple(
            RunReference(name=run.name, run_id=run.run_id, value=run.metrics.get(metric))
            for run in kept
        ),
        curves=_curves(tracker, finished) if request.with_curves else {},
    )


def _common(runs: Sequence[TrackedRun], tag: str) -> int | None:
    """Return the number that all runs carry in a tag; none if they do not agree or have none."""
    values = {run.tags.get(tag) for run in runs}
    only = values.pop() if len(values) == 1 else None
    return int(only) if only is not None and only.isdigit() else None


def _chance(runs: Sequence[TrackedRun]) -> float | None:
    classes = _common(runs, "attnstudy.classes")
    return None if not classes else 100.0 / classes


def _seconds(runs: Sequence[TrackedRun]) -> dict[str, float] | None:
    seconds: dict[str, list[float]] = {}
    for run in runs:
        if "train_seconds" in run.metrics:
            seconds.setdefault(run.variant, []).append(run.metrics["train_seconds"])
    if not runs or set(seconds) != {run.variant for run in runs}:
        return None
    return {variant: statistics.median(values) for variant, values in seconds.items()}


def _correct(
    tracker: Tracker, study: str, runs: Sequence[TrackedRun]
) -> Mapping[str, npt.NDArray[np.uint8]] | None:
    """Return which test images each run got right; none unless every run's are known."""
    rows: dict[str, list[npt.NDArray[np.uint8]]] = {}
    home = study_folder(tracker.address.home, study)
    for run in runs:
        folder = RunFolder(home / run.tags["attnstudy.fingerprint"])
        path = folder.path / "predictions.csv"
        content = path.read_bytes() if path.is_file() else None
        if content is None:
            content = read_artifact(tracker, run.run_id, "predictions.csv")
        row = None if content is None else _right(content)
        # the file of another run, or a damaged one, must not get into the scope
        if row is None or not math.isclose(100.0 * row.mean(), run.metrics["test_accuracy"]):
            return None
        rows.setdefault(run.variant, []).append(row)
    if not rows or len({row.size for own in rows.values() for row in own}) != 1:
        return None
    return {variant: np.stack(own) for variant, own in rows.items()}


def _right(content: bytes) -> npt.NDArray[np.uint8] | None:
    try:
        # not by name in each row: this is read for every run, ten thousand lines each
        rows = csv.reader(io.StringIO(content.decode()))
        names = next(rows)
        label, predicted = names.index("label"), names.index("predicted")
        right = [row[label] == row[predicted] for row in rows if row]
    except (UnicodeDecodeError, StopIteration, ValueError, IndexError, csv.Error):
        return None
    return np.array(right, dtype=np.uint8) if right else None


def _curves(tracker: Tracker, runs: Sequence[TrackedRun]) -> dict[str, list[Curve]]:
    curves: dict[str, list[Curve]] = {}
    for run in runs:
        points = read_history(tracker, run.run_id, "val_accuracy")
        if points:
            steps, values = zip(*points, strict=True)
            curves.setdefault(run.variant, []).append((steps, values))
    return curves


def _sort_out(
    runs: Sequence[TrackedRun], metric: str, plan: StudyPlan | None
) -> tuple[list[TrackedRun], tuple[Exclusion, ...]]:
    kept: list[TrackedRun] = []
    excluded: list[Exclusion] = []
    for run in runs:
        if run.superseded:
            reason = "repeated by a later run"
        elif run.status not in _FINISHED:
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


def _trained_before(
    tracker: Tracker, study: str, runs: Sequence[TrackedRun], plans: Sequence[RecordedPlan]
) -> dict[str, str]:
    """Return the runs whose like was trained in another study before the plan was recorded.

    A run's fingerprint does not know its study's name, and training is repeatable: whoever has
    seen the other has seen this one. Only what was trained in this home is known here.
    """
    if not plans:
        return {}
    home = tracker.address.home
    others = [name for name in studies(home) if name != study]
    found = {}
    for run in runs:
        for name in others:
            folder = RunFolder(study_folder(home, name) / run.tags["attnstudy.fingerprint"])
            started = folder.started()
            if started is not None and started.at < plans[0].at:
                found[run.name] = name
    return found


def _declared_otherwise(run: TrackedRun, plan: StudyPlan | None) -> str | None:
    """Return the field in which a run differs from what the plan says of its arm, if any."""
    if plan is None or run.variant not in plan.arms:
        return None
    declared = dict(plan.arms[run.variant])
    tuning = declared.pop("tuning", None)
    declared["tuned_by"] = None if tuning is None else tuning["identity"]
    texts = {name: param_texts({name: value}).get(name) for name, value in declared.items()}
    return next((name for name, text in texts.items() if run.params.get(name) != text), None)


def _nothing(metric: str, study: str, runs: Sequence[TrackedRun]) -> str:
    metrics = sorted({name for run in runs for name in run.metrics})
    if metrics and metric not in metrics:
        return (
            f"no run of {study!r} has a metric {metric!r}{near_miss(metric, metrics)} "
            f"(there: {', '.join(metrics)})"
        )
    return f"no run of {study!r} is complete yet: 'attnstudy status {study}' shows how they stand"
