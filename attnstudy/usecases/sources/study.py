"""Samples from a study that attnstudy ran: the finished runs of one configuration."""

from __future__ import annotations

import csv
import io
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attnstudy.errors import UsageError, near_miss
from attnstudy.runs import RunFolder, study_folder
from attnstudy.stats import Exclusion
from attnstudy.tracking import (
    Address,
    TrackedRun,
    Tracker,
    open_store,
    read_artifact,
    read_history,
    read_runs,
    tracked_studies,
)
from attnstudy.usecases.sources.advising import advice
from attnstudy.usecases.sources.collected import (
    Collected,
    Curve,
    RunReference,
    direction_of,
    is_finite,
    settle_differences,
)

# what a config id stands for, as MLflow params; labels and the run's own fields are left out
_NOT_CONFIG = frozenset({"study", "dataset", "variant", "variant_source", "seed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRequest:
    """A study to rank."""

    study: str | None
    """None takes the only study there is."""
    config: str | None
    """None takes the only configuration there is."""
    metric: str
    direction: str | None
    allowed: tuple[str, ...]
    """Fields in which configurations may differ and be ranked together all the same."""
    address: Address
    with_curves: bool = False
    """Whether the learning curves are read as well, a request a run."""


def collect_study(
    request: StudyRequest, progress: Callable[[int], None] = lambda read: None
) -> Collected:
    """Read a study's runs from the tracking store and return their samples.

    Raises:
        UsageError: no such study, several configurations, or nothing to rank.
        StoreError: the store is unreachable or not there.
    """
    tracker = open_store(request.address, create=False)
    study = _choose_study(request, tracked_studies(tracker))
    tracked = read_runs(tracker, study, progress)
    if not tracked:
        raise UsageError(
            f"the study {study!r} has no runs in {request.address.shown} yet: "
            f"'attnstudy run --study {study}' makes some, 'attnstudy sync' delivers finished ones"
        )
    chosen, differences = _choose_config(request, study, tracked)
    kept, excluded = _sort_out(chosen, request.metric)
    _refuse_twice(kept)
    if not kept:
        raise UsageError(_nothing(request.metric, study, chosen))
    samples: dict[str, dict[int, float]] = {}
    diverged: dict[str, int] = {}
    for run in kept:
        values = samples.setdefault(run.variant, {})
        if run.status == "diverged" or not is_finite(run.metrics[request.metric]):
            diverged[run.variant] = diverged.get(run.variant, 0) + 1
        else:
            values[run.seed] = run.metrics[request.metric]
    finished = [run for run in kept if run.seed in samples[run.variant]]
    on_test = request.metric == "test_accuracy"
    return Collected(
        samples=samples,
        metric=request.metric,
        direction=direction_of(request.metric, request.direction),
        study=study,
        config=",".join(dict.fromkeys(run.config for run in chosen)),
        question=tracker.note(study),
        items=_common(finished, "attnstudy.test_images") if on_test else None,
        chance=_chance(finished) if request.metric.endswith("accuracy") else None,
        diverged=diverged,
        correct=_correct(tracker, study, finished) if on_test else None,
        seconds=_seconds(finished),
        excluded=excluded,
        notes=(*differences, *advice(study, kept)),
        runs=tuple(
            RunReference(name=run.name, run_id=run.run_id, value=run.metrics.get(request.metric))
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
        rows = csv.DictReader(io.StringIO(content.decode()))
        right = [row["label"] == row["predicted"] for row in rows]
    except (UnicodeDecodeError, KeyError, csv.Error):
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


def _choose_study(request: StudyRequest, known: Sequence[str]) -> str:
    if request.study is not None:
        if request.study not in known:
            listed = ", ".join(known) if known else "none"
            raise UsageError(
                f"there is no study {request.study!r} in {request.address.shown}"
                f"{near_miss(request.study, known)} (there: {listed})"
            )
        return request.study
    if not known:
        raise UsageError(f"there is no study in {request.address.shown}: 'attnstudy run' makes one")
    if len(known) > 1:
        raise UsageError(f"several studies are here, name the one to rank: {', '.join(known)}")
    return known[0]


def _choose_config(
    request: StudyRequest, study: str, tracked: Sequence[TrackedRun]
) -> tuple[list[TrackedRun], tuple[str, ...]]:
    """Return the runs of one configuration, or say how the configurations differ.

    Configurations that differ in nothing but allowed fields are taken together, with a remark.
    """
    configs: dict[str, list[TrackedRun]] = {}
    for run in tracked:
        configs.setdefault(run.config, []).append(run)
    if request.config is not None:
        matching = [config for config in configs if config.startswith(request.config)]
        if len(matching) != 1:
            raise UsageError(
                f"--config {request.config} is not one configuration of {study!r}: it has "
                f"{', '.join(configs)}"
            )
        return configs[matching[0]], ()
    if len(configs) == 1:
        return next(iter(configs.values())), ()
    fields = _differing_fields(tracked)
    if request.allowed and set(fields) <= set(request.allowed):
        return list(tracked), settle_differences(fields, request.allowed, study)
    lines = []
    for config, runs in configs.items():
        telling = ", ".join(f"{name}={runs[0].params.get(name)}" for name in fields)
        lines.append(f"  --config {config}  ({len(runs)} run{'s' * (len(runs) != 1)}): {telling}")
    raise UsageError(
        f"the study {study!r} holds {len(configs)} configurations, and runs of different "
        "configurations are never pooled; choose one:\n" + "\n".join(lines)
    )


def _differing_fields(runs: Sequence[TrackedRun]) -> dict[str, dict[str, list[str]]]:
    """Return the fields of the configuration with several values, and who has which."""
    names = sorted({name for run in runs for name in run.params} - _NOT_CONFIG)
    fields: dict[str, dict[str, list[str]]] = {}
    for name in names:
        values: dict[str, list[str]] = {}
        for run in runs:
            values.setdefault(run.params.get(name, "(none)"), []).append(run.name)
        if len(values) > 1:
            fields[name] = values
    return fields


def _sort_out(
    runs: Sequence[TrackedRun], metric: str
) -> tuple[list[TrackedRun], tuple[Exclusion, ...]]:
    kept: list[TrackedRun] = []
    excluded: list[Exclusion] = []
    for run in runs:
        if run.superseded:
            reason = "repeated by a later run"
        elif run.status not in ("complete", "diverged"):
            reason = f"its status is {run.status}"
        elif run.status == "complete" and metric not in run.metrics:
            reason = f"it has no metric {metric}"
        else:
            kept.append(run)
            continue
        excluded.append(Exclusion(run=run.name, reason=reason))
    return kept, tuple(excluded)


def _refuse_twice(runs: Sequence[TrackedRun]) -> None:
    seen: dict[tuple[str, int], TrackedRun] = {}
    for run in runs:
        other = seen.setdefault((run.variant, run.seed), run)
        if other is run:
            continue
        if run.params.get("variant_source") != other.params.get("variant_source"):
            why = "the source of its factory changed in between: delete the runs of one version"
        else:
            why = "delete one of the two in the MLflow UI"
        raise UsageError(f"{run.name} stands twice ({other.run_id}, {run.run_id}): {why}")


def _nothing(metric: str, study: str, runs: Sequence[TrackedRun]) -> str:
    metrics = sorted({name for run in runs for name in run.metrics})
    if metrics and metric not in metrics:
        return (
            f"no run of {study!r} has a metric {metric!r}{near_miss(metric, metrics)} "
            f"(there: {', '.join(metrics)})"
        )
    return f"no run of {study!r} is complete yet: 'attnstudy status {study}' shows how they stand"
