"""Samples from any MLflow experiments, also those that attnstudy did not make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from attnstudy.errors import DataError, UsageError, near_miss
from attnstudy.stats import Exclusion, Source
from attnstudy.tables.headings import is_fold
from attnstudy.tables.words import alike, left_out, read_as
from attnstudy.tracking import (
    LoggedRun,
    Tracker,
    metric_conditions,
    open_for_reading,
    read_experiments,
)
from attnstudy.usecases.sources.chosen import settle_choice
from attnstudy.usecases.sources.collected import (
    Collected,
    RunReference,
    direction_of,
    is_finite,
    settle_differences,
)
from attnstudy.usecases.sources.impossible import refuse_impossible
from attnstudy.usecases.sources.logged_runs import (
    EXPERIMENT,
    Counted,
    ExperimentRequest,
    Left,
    Reader,
    field_of,
    seed_of,
)
from attnstudy.usecases.sources.task_checks import TaskNames, refuse_unlike_tasks

_LOAD = "system/"
"""Begins the names under which MLflow logs the load of a machine."""


def collect_experiment(
    request: ExperimentRequest, progress: Callable[[int], None] = lambda read: None
) -> Collected:
    """Read the finished runs of experiments and return their samples.

    Raises:
        UsageError: a name is wrong, runs differ in a param that nobody allowed to differ, or two
            runs of an arm have the same seed.
        DataError: a run has no finite value, and ``missing`` refuses that.
        StoreError: the store is unreachable or not there.
    """
    return _collected(*_read(request, progress))


def collect_experiment_by_task(
    request: ExperimentRequest, name: str, progress: Callable[[int], None] = lambda read: None
) -> tuple[dict[str, Collected], tuple[Exclusion, ...]]:
    """Read the finished runs of experiments and return the samples of each task.

    Args:
        request: what to rank.
        name: what says on which task a run was made, as ``params.NAME``.
        progress: told how many runs were read.

    Returns:
        The samples by task, and the runs that name no task.

    Raises:
        UsageError: no run names a task, a task sums up the others or is in another unit, or as
            ``collect_experiment`` does; the task is named.
        DataError: a run has no finite value, and ``missing`` refuses that.
        StoreError: the store is unreachable or not there.
    """
    field_of(name)
    request, tracker, names, logged = _read(request, progress)
    reader = Reader(request, tracker, names)
    by_task: dict[str, list[LoggedRun]] = {}
    for run in sorted(logged, key=lambda run: run.started_at):
        by_task.setdefault((reader.value(run, name) or "").strip(), []).append(run)
    untold = by_task.pop("", [])
    if not by_task:
        there = sorted({f"params.{key}" for run in logged for key in run.params})
        raise UsageError(
            f"no run of {request.named} has {name}{near_miss(name, there)}: name what says on "
            "which task a run was made with --task-by"
        )
    task_names = TaskNames(name, request.named, f"\"{name} != '{{}}'\"")
    task_names.check(by_task)
    found = {}
    for task, own in by_task.items():
        try:
            found[task] = _collected(request, tracker, names, own)
        except (UsageError, DataError) as error:
            raise type(error)(f"{name} {task}: {error}") from error
    refuse_unlike_tasks(task_names, found)
    return found, tuple(Exclusion(run=run.name, reason=f"it has no {name}") for run in untold)


_Logged = tuple[ExperimentRequest, Tracker, Mapping[str, str], Sequence[LoggedRun]]


def _read(request: ExperimentRequest, progress: Callable[[int], None]) -> _Logged:
    request = replace(request, experiments=tuple(dict.fromkeys(request.experiments)))
    for name in request.by:
        field_of(name)
    if request.seed_by is not None and field_of(request.seed_by)[0] == EXPERIMENT:
        raise UsageError("an experiment numbers no repetitions: name params.NAME or tags.NAME")
    tracker = open_for_reading(request.address)
    logged, names = read_experiments(tracker, request.experiments, request.filters, progress)
    return request, tracker, names, logged


def _collected(
    request: ExperimentRequest,
    tracker: Tracker,
    names: Mapping[str, str],
    logged: Sequence[LoggedRun],
) -> Collected:
    reader = Reader(request, tracker, names)
    kept, left = reader.sorted_out(logged)
    if request.missing == "refuse" and (lacking := [one for one in left if one.lacks_value]):
        others = f", and {len(lacking) - 1} more have none" if len(lacking) > 1 else ""
        raise DataError(
            f"the run {lacking[0].run.name} has no finite {request.metric}, as "
            f"{lacking[0].reason}{others}: run again what is missing, or choose another rule with "
            "--missing"
        )
    if not kept:
        raise UsageError(_nothing(request, logged, left))
    numbered = [
        (one, None if request.seed_by is None else seed_of(one.run, request.seed_by))
        for one in kept
    ]
    chosen_by = metric_conditions(request.filters)
    notes = (
        *settle_differences(reader.differing(kept), request.allowed, request.named),
        *alike(one.arm for one in kept),
        *settle_choice(chosen_by, {request.metric}, {one.column for one in chosen_by}),
        *reader.curve_notes(kept),
    )
    samples: dict[str, dict[int, float] | list[float]] = {}
    diverged: Counter[str] = Counter()
    taken: dict[tuple[str, int], LoggedRun] = {}
    for one, seed in numbered:
        own = samples.setdefault(one.arm, [] if seed is None else {})
        if seed is not None:
            other = taken.setdefault((one.arm, seed), one.run)
            if other is not one.run:
                raise UsageError(
                    f"{one.arm} has two finished runs with {request.seed_by} {seed} ({other.name} "
                    f"and {one.run.name}): narrow the runs down with --filter, or delete one"
                )
        if not is_finite(one.value):  # a result, and none to leave out
            diverged[one.arm] += 1
        elif isinstance(own, list):
            own.append(one.value)
        elif seed is not None:
            own[seed] = one.value
    refuse_impossible(request.metric, request.direction, samples)
    return Collected(
        samples=samples,
        metric=request.metric,
        direction=direction_of(request.metric, request.direction),
        source=_source(request, kept, left, curves=bool(reader.at)),
        folds=_folds(request, kept),
        best_of_itself=request.point.rule == "best" and request.point.of == request.metric,
        study=request.experiments[0] if len(request.experiments) == 1 else None,
        items=request.items,
        diverged=diverged,
        excluded=tuple(Exclusion(run=one.run.name, reason=one.reason) for one in left),
        notes=notes,
        runs=tuple(
            RunReference(
                name=one.run.name,
                run_id=one.run.run_id,
                value=one.value if is_finite(one.value) else None,
                arm=one.arm,
            )
            for one in kept
        ),
    )


def _source(
    request: ExperimentRequest, kept: Sequence[Counted], left: Sequence[Left], *, curves: bool
) -> Source:
    reasons: dict[str, list[str]] = {}
    for one in left:
        reasons.setdefault(one.phrase, []).append(one.run.name)
    several = len(request.experiments) > 1
    return Source(
        name=f"experiment{'s' * several} {', '.join(request.experiments)}",
        read_as=read_as(
            Counter(one.arm for one in kept),
            by=", ".join(request.by),
            metric=request.metric,
            seed_by=request.seed_by,
            repetition="seed" if _folds(request, kept) is None else "fold",
            at=request.point.words if curves else None,
        ),
        by=request.by,
        seed_by=request.seed_by,
        left_out=left_out(reasons),
    )


def _folds(request: ExperimentRequest, kept: Sequence[Counted]) -> str | None:
    """Return what numbers the repetitions, where by its name or its values they are folds."""
    if request.seed_by is None:
        return None
    kind, key = field_of(request.seed_by)
    labels = {(one.run.params if kind == "params" else one.run.tags)[key] for one in kept}
    return request.seed_by if is_fold(key, labels) else None


def _nothing(request: ExperimentRequest, logged: Sequence[LoggedRun], left: Sequence[Left]) -> str:
    if not logged:
        return f"the {request.named} has no runs that match"
    metrics = sorted({name for run in logged for name in run.metrics})
    for metric in (request.metric, request.point.of or request.metric):
        if metric not in metrics:
            results = [name for name in metrics if not name.startswith(_LOAD)]
            return (
                f"no run has a metric {metric!r}{near_miss(metric, results)} "
                f"(there: {', '.join(results) or 'none'})"
            )
    for name in request.by:
        kind, key = field_of(name)
        keys = sorted({k for run in logged for k in (run.params if kind == "params" else run.tags)})
        if key not in keys and kind != EXPERIMENT:
            shown = [k for k in keys if not k.startswith("mlflow.")]
            return f"no run has {name}{near_miss(key, shown)} (there: {', '.join(shown) or 'none'})"
    return f"no run of the {request.named} can be ranked: {left[0].run.name}: {left[0].reason}"
