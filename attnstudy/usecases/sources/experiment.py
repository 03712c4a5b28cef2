"""Samples from any MLflow experiment, also one that attnstudy did not make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from attnstudy.errors import UsageError, near_miss
from attnstudy.stats import Exclusion
from attnstudy.tracking import Address, LoggedRun, open_store, read_experiment
from attnstudy.usecases.sources.collected import (
    Collected,
    RunReference,
    direction_of,
    is_finite,
    settle_differences,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentRequest:
    """An experiment to rank."""

    experiment: str
    by: str
    """What makes an arm: ``params.NAME`` or ``tags.NAME``."""
    metric: str
    direction: str | None
    seed_by: str | None
    """What numbers the repetitions: ``params.NAME`` or ``tags.NAME``; none ranks without seeds."""
    filter: str | None
    """A filter in MLflow's search syntax."""
    allowed: tuple[str, ...]
    """Params that may differ between runs."""
    items: int | None
    address: Address


def collect_experiment(
    request: ExperimentRequest, progress: Callable[[int], None] = lambda read: None
) -> Collected:
    """Read an experiment's finished runs and return their samples.

    Raises:
        UsageError: a name is wrong, or runs differ in a param that nobody allowed to differ.
        StoreError: the store is unreachable or not there.
    """
    _field(request.by)
    if request.seed_by is not None:
        _field(request.seed_by)
    tracker = open_store(request.address, create=False)
    logged = read_experiment(tracker, request.experiment, request.filter, progress)
    kept, excluded = _sort_out(logged, request)
    if not kept:
        raise UsageError(_nothing(request, logged, excluded))
    if request.seed_by is not None:
        for run in kept:
            _seed(run, request.seed_by)
    notes = settle_differences(_differing(kept, request), request.allowed, request.experiment)
    samples: dict[str, dict[int, float] | list[float]] = {}
    diverged: Counter[str] = Counter()
    for run in kept:
        arm = str(_value(run, request.by))
        value = run.metrics[request.metric]
        if not is_finite(value):  # a result, and none to leave out
            diverged[arm] += 1
            samples.setdefault(arm, [] if request.seed_by is None else {})
            continue
        if request.seed_by is None:
            values = samples.setdefault(arm, [])
            if isinstance(values, list):
                values.append(value)
            continue
        seed = _seed(run, request.seed_by)
        by_seed = samples.setdefault(arm, {})
        if isinstance(by_seed, dict):
            if seed in by_seed:
                raise UsageError(
                    f"{arm} has two finished runs with {request.seed_by} {seed} (one is "
                    f"{run.name}): narrow the runs down with --filter, or delete one"
                )
            by_seed[seed] = value
    return Collected(
        samples=samples,
        metric=request.metric,
        direction=direction_of(request.metric, request.direction),
        study=request.experiment,
        items=request.items,
        diverged=diverged,
        excluded=excluded,
        notes=notes,
        runs=tuple(
            RunReference(name=r.name, run_id=r.run_id, value=value if is_finite(value) else None)
            for r in kept
            for value in (r.metrics[request.metric],)
        ),
    )


def _field(name: str) -> tuple[str, str]:
    kind, dot, key = name.partition(".")
    if kind not in ("params", "tags") or not dot or not key:
        raise UsageError(f"{name!r} names no field of a run: write params.NAME or tags.NAME")
    return kind, key


def _value(run: LoggedRun, name: str) -> str | None:
    kind, key = _field(name)
    return (run.params if kind == "params" else run.tags).get(key)


def _seed(run: LoggedRun, name: str) -> int:
    text = _value(run, name)
    try:
        return int(str(text))
    except ValueError:
        raise UsageError(
            f"the run {run.name} has {name} {text!r}, which is not a whole number: choose another "
            "field with --seed-by, or leave it out"
        ) from None


def _sort_out(
    logged: Sequence[LoggedRun], request: ExperimentRequest
) -> tuple[list[LoggedRun], tuple[Exclusion, ...]]:
    kept: list[LoggedRun] = []
    excluded: list[Exclusion] = []
    for run in logged:
        value = run.metrics.get(request.metric)
        if run.status != "FINISHED":
            reason = f"its status is {run.status}"
        elif _value(run, request.by) is None:
            reason = f"it has no {request.by}"
        elif value is None:
            reason = f"it has no metric {request.metric}"
        else:
            kept.append(run)
            continue
        excluded.append(Exclusion(run=run.name, reason=reason))
    return kept, tuple(excluded)


def _differing(
    runs: Sequence[LoggedRun], request: ExperimentRequest
) -> dict[str, dict[str, list[str]]]:
    """Return the params with several values, other than those that make arms and seeds."""
    own = {_field(name)[1] for name in (request.by, request.seed_by) if name is not None}
    names = sorted({name for run in runs for name in run.params} - own)
    found: dict[str, dict[str, list[str]]] = {}
    for name in names:
        values: dict[str, list[str]] = {}
        for run in runs:
            values.setdefault(run.params.get(name, "(none)"), []).append(run.name)
        if len(values) > 1:
            found[name] = values
    return found


def _nothing(
    request: ExperimentRequest, logged: Sequence[LoggedRun], excluded: Sequence[Exclusion]
) -> str:
    if not logged:
        return f"the experiment {request.experiment!r} has no runs that match"
    metrics = sorted({name for run in logged for name in run.metrics})
    kind, key = _field(request.by)
    keys = sorted({k for run in logged for k in (run.params if kind == "params" else run.tags)})
    if request.metric not in metrics:
        return (
            f"no run has a metric {request.metric!r}{near_miss(request.metric, metrics)} "
            f"(there: {', '.join(metrics) or 'none'})"
        )
    if key not in keys:
        shown = [k for k in keys if not k.startswith("mlflow.")]
        return (
            f"no run has {request.by}{near_miss(key, shown)} (there: {', '.join(shown) or 'none'})"
        )
    return f"no run of {request.experiment!r} can be ranked: {excluded[0].reason}"
