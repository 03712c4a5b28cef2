"""Samples from any MLflow experiments, also those that attnstudy did not make."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from attnstudy.errors import DataError, UsageError, near_miss
from attnstudy.stats import Exclusion, Source
from attnstudy.tables.headings import is_fold
from attnstudy.tables.layouts.shape import JOINT
from attnstudy.tables.points import Point
from attnstudy.tables.seeds import whole_seed
from attnstudy.tables.words import alike, left_out, listed, read_as
from attnstudy.tracking import (
    Address,
    LoggedRun,
    Tracker,
    open_for_reading,
    read_experiments,
    read_history,
)
from attnstudy.usecases.sources.collected import (
    Collected,
    RunReference,
    direction_of,
    is_finite,
    settle_differences,
)

_EXPERIMENT = "experiment"  # what a run's experiment is called as a field
_PARENT = "mlflow.parentRunId"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentRequest:
    """Experiments to rank together."""

    experiments: tuple[str, ...]
    by: tuple[str, ...]
    """What makes an arm: ``params.NAME``, ``tags.NAME`` or ``experiment``, one or several."""
    metric: str
    direction: str | None
    seed_by: str | None
    """What numbers the repetitions: ``params.NAME`` or ``tags.NAME``; None ranks without seeds."""
    filters: tuple[str, ...] = ()
    """Filters in MLflow's search syntax; all of them hold."""
    point: Point = field(default_factory=Point)
    """Which point of a metric's curve counts."""
    missing: str | None = None
    """``diverged``, ``absent`` or ``refuse`` for runs without a finite value; None is the usual
    rule: what is not finite diverged, what is not there or failed is left out."""
    allowed: tuple[str, ...]
    """Params that may differ between runs."""
    items: int | None
    address: Address

    @property
    def named(self) -> str:
        """The experiments in words, for a sentence."""
        several = len(self.experiments) > 1
        return f"experiment{'s' * several} {listed(map(repr, self.experiments))}"


@dataclass(frozen=True, slots=True)
class _Counted:
    """A run that counts."""

    run: LoggedRun
    arm: str
    value: float
    """Not finite where the run diverged."""


@dataclass(frozen=True, slots=True)
class _Left:
    """A run that does not count."""

    run: LoggedRun
    reason: str
    """As in "it has no metric acc"."""
    phrase: str
    """The same after "a run", as in "without the metric acc"."""
    lacks_value: bool = False
    """Whether it is left out for want of a finite value, or of an end."""


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
        UsageError: no run names a task, or as ``collect_experiment`` does; the task is named.
        DataError: a run has no finite value, and ``missing`` refuses that.
        StoreError: the store is unreachable or not there.
    """
    _field(name)
    request, tracker, names, logged = _read(request, progress)
    reader = _Reader(request, tracker, names)
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
    found = {}
    for task, own in by_task.items():
        try:
            found[task] = _collected(request, tracker, names, own)
        except (UsageError, DataError) as error:
            raise type(error)(f"{name} {task}: {error}") from error
    return found, tuple(Exclusion(run=run.name, reason=f"it has no {name}") for run in untold)


_Logged = tuple[ExperimentRequest, Tracker, Mapping[str, str], Sequence[LoggedRun]]


def _read(request: ExperimentRequest, progress: Callable[[int], None]) -> _Logged:
    request = replace(request, experiments=tuple(dict.fromkeys(request.experiments)))
    for name in request.by:
        _field(name)
    if request.seed_by is not None and _field(request.seed_by)[0] == _EXPERIMENT:
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
    reader = _Reader(request, tracker, names)
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
        (one, None if request.seed_by is None else _seed(one.run, request.seed_by)) for one in kept
    ]
    notes = (
        *settle_differences(reader.differing(kept), request.allowed, request.named),
        *alike(one.arm for one in kept),
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
    return Collected(
        samples=samples,
        metric=request.metric,
        direction=direction_of(request.metric, request.direction),
        source=_source(request, kept, left, curves=bool(reader.at)),
        folds=_folds(request),
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
            )
            for one in kept
        ),
    )


class _Reader:
    """Tells which runs count, and with which value."""

    def __init__(
        self, request: ExperimentRequest, tracker: Tracker, names: Mapping[str, str]
    ) -> None:
        self._request = request
        self._tracker = tracker
        self._names = names
        self.at = "" if request.point.rule == "last" else request.point.words
        """Which point of the curves counts; empty where there are no curves."""

    def sorted_out(self, logged: Sequence[LoggedRun]) -> tuple[list[_Counted], list[_Left]]:
        """Return the runs that count and those that do not, with the reason."""
        kept: list[_Counted] = []
        left: list[_Left] = []
        for run in logged:
            one = self._judged(run)
            if isinstance(one, _Left):
                left.append(one)
            else:
                kept.append(one)
        found = _ancestors([one.run for one in kept], logged)
        below = [one.run for one in kept if one.run.run_id not in found]
        above = _ancestors(below, logged)
        parents = [one for one in kept if one.run.run_id in above]
        left = [
            # a parent is asked for no value where its children have theirs
            replace(one, lacks_value=one.lacks_value and one.run.run_id not in above)
            for one in left
        ]
        left += [
            _Left(
                one.run,
                f"it is the parent of runs that count, such as {above[one.run.run_id]}",
                "above others that count",
            )
            for one in parents
        ]
        return [one for one in kept if one.run.run_id not in above], left

    def _judged(self, run: LoggedRun) -> _Counted | _Left:
        request = self._request
        values = [self.value(run, name) for name in request.by]
        for name, value in zip(request.by, values, strict=True):
            if value is None:
                return _Left(run, f"it has no {name}", f"without {name}")
        arm = JOINT.join(map(str, values))
        ended = run.status == "FINISHED"
        if not ended and not (run.status == "FAILED" and request.missing == "diverged"):
            return _without(run, f"its status is {run.status}", f"whose status is {run.status}")
        found = self._result(run)
        if isinstance(found, _Left):
            return _Counted(run, arm, math.nan) if request.missing == "diverged" else found
        if not ended and is_finite(found):
            return _without(run, f"its status is {run.status}", f"whose status is {run.status}")
        if not is_finite(found) and request.missing in ("absent", "refuse"):
            return _without(
                run, f"its {request.metric} is not finite", f"whose {request.metric} is not finite"
            )
        return _Counted(run, arm, found)

    def _result(self, run: LoggedRun) -> float | _Left:
        """Return the value that the point of the curve has, or why there is none."""
        metric = self._request.metric
        point = self._request.point.judged(metric, self._request.direction)
        for name in dict.fromkeys((metric, point.of or metric)):
            if name not in run.metrics:
                return _without(run, f"it has no metric {name}", f"without the metric {name}")
        if point.rule == "last":
            return run.metrics[metric]
        curve = self._curve(run, metric)
        of = curve if point.of in (None, metric) else self._curve(run, point.of or metric)
        if point.rule == "best" and not any(map(math.isfinite, of.values())):
            return math.nan  # it diverged before there was anything to choose from
        step = point.pick(curve, of)
        if step is None:
            what = f"{metric} at {point.words}"
            return _without(run, f"it has no {what}", f"without {what}")
        return curve[step]

    def _curve(self, run: LoggedRun, metric: str) -> dict[float, float]:
        """Return step -> value; of several values at a step the last logged."""
        points = read_history(self._tracker, run.run_id, metric)
        return {float(step): v if is_finite(v) else math.nan for step, v in points}

    def differing(self, kept: Sequence[_Counted]) -> dict[str, dict[str, list[str]]]:
        """Return the params with several values, other than those that make arms and seeds.

        The experiment is one of them where the runs of an arm come from several.
        """
        request = self._request
        asked = (*request.by, request.seed_by)
        own = {_field(name)[1] for name in asked if name not in (None, _EXPERIMENT)}
        names = {name for one in kept for name in one.run.params} - own
        found: dict[str, dict[str, list[str]]] = {}
        for name in sorted(names):
            values: dict[str, list[str]] = {}
            for one in kept:
                values.setdefault(one.run.params.get(name, "(none)"), []).append(one.run.name)
            if len(values) > 1:
                found[name] = values
        store_dirs: dict[str, set[str]] = {}
        for one in kept:
            store_dirs.setdefault(one.arm, set()).add(self._names[one.run.experiment])
        if any(len(several) > 1 for several in store_dirs.values()):
            by_home: dict[str, list[str]] = {}
            for one in kept:
                by_home.setdefault(self._names[one.run.experiment], []).append(one.run.name)
            found[_EXPERIMENT] = by_home
        return found

    def curve_notes(self, kept: Sequence[_Counted]) -> tuple[str, ...]:
        """Return what has to be said of a metric with several steps whose last one counts."""
        metric = self._request.metric
        if self.at:
            return ()
        steps = {one.run.run_id: one.run.steps.get(metric, 0) for one in kept}
        longest = max(steps, key=lambda run_id: steps[run_id])
        # a later step than 0 may be that of a single value; one look settles it
        if not steps[longest] or len(dict(read_history(self._tracker, longest, metric))) < 2:
            return ()
        self.at = self._request.point.words
        first, last = min(steps.values()), max(steps.values())
        where = f"step {last}" if first == last else f"from step {first} to {last} by run"
        return (f"{metric} has several steps: the last counts ({where}); --at says otherwise",)

    def value(self, run: LoggedRun, name: str) -> str | None:
        """Return a field of a run, as text; None if it has none."""
        if name == _EXPERIMENT:
            return self._names[run.experiment]
        return _logged(run, name)


def _without(run: LoggedRun, reason: str, phrase: str) -> _Left:
    return _Left(run, reason, phrase, lacks_value=True)


def _field(name: str) -> tuple[str, str]:
    if name == _EXPERIMENT:
        return name, name
    kind, dot, key = name.partition(".")
    if kind not in ("params", "tags") or not dot or not key:
        raise UsageError(
            f"{name!r} names no field of a run: write params.NAME, tags.NAME or experiment"
        )
    return kind, key


def _logged(run: LoggedRun, name: str) -> str | None:
    kind, key = _field(name)
    return (run.params if kind == "params" else run.tags).get(key)


def _seed(run: LoggedRun, name: str) -> int:
    text = _logged(run, name)
    seed = None if text is None else whole_seed(text)
    if seed is None:
        raise UsageError(
            f"the run {run.name} has {name} {text!r}, which is not a whole number: choose another "
            "field with --seed-by, or leave it out"
        )
    return seed


def _ancestors(kept: Sequence[LoggedRun], logged: Sequence[LoggedRun]) -> dict[str, str]:
    """Return the ids of the runs above those that count, each with the name of one below."""
    parents = {run.run_id: run.tags.get(_PARENT) for run in logged}
    above: dict[str, str] = {}
    for run in kept:
        parent = parents[run.run_id]
        while parent is not None and parent not in above and parent != run.run_id:
            above[parent] = run.name
            parent = parents.get(parent)
    return above


def _source(
    request: ExperimentRequest, kept: Sequence[_Counted], left: Sequence[_Left], *, curves: bool
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
            repetition="seed" if _folds(request) is None else "fold",
            at=request.point.words if curves else None,
        ),
        by=request.by,
        seed_by=request.seed_by,
        left_out=left_out(reasons),
    )


def _folds(request: ExperimentRequest) -> str | None:
    """Return what numbers the repetitions, where by its name they are folds."""
    if request.seed_by is None:
        return None
    # its values are whole numbers, or they would have been refused
    return request.seed_by if is_fold(_field(request.seed_by)[1], (0,)) else None


def _nothing(request: ExperimentRequest, logged: Sequence[LoggedRun], left: Sequence[_Left]) -> str:
    if not logged:
        return f"the {request.named} has no runs that match"
    metrics = sorted({name for run in logged for name in run.metrics})
    for metric in (request.metric, request.point.of or request.metric):
        if metric not in metrics:
            return (
                f"no run has a metric {metric!r}{near_miss(metric, metrics)} "
                f"(there: {', '.join(metrics) or 'none'})"
            )
    for name in request.by:
        kind, key = _field(name)
        keys = sorted({k for run in logged for k in (run.params if kind == "params" else run.tags)})
        if key not in keys and kind != _EXPERIMENT:
            shown = [k for k in keys if not k.startswith("mlflow.")]
            return f"no run has {name}{near_miss(key, shown)} (there: {', '.join(shown) or 'none'})"
    return f"no run of the {request.named} can be ranked: {left[0].run.name}: {left[0].reason}"
