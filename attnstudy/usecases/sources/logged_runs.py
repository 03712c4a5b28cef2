"""Which runs of an MLflow experiment count, and why the others do not."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from attnstudy.errors import UsageError
from attnstudy.tables.headings import is_bookkeeping, is_fold, is_of_groups
from attnstudy.tables.layouts.shape import JOINT
from attnstudy.tables.points import Point, mirrored, mirrors
from attnstudy.tables.seeds import whole_seed
from attnstudy.tables.words import listed
from attnstudy.tracking import (
    Address,
    LoggedRun,
    Tracker,
    read_history,
)
from attnstudy.usecases.sources.collected import (
    is_finite,
)

EXPERIMENT = "experiment"  # what a run's experiment is called as a field
_PARENT = "mlflow.parentRunId"
_OTHERS = ("mlflow.", "attnstudy.")  # begin the names of tags that programs write of themselves


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
class Counted:
    """A run that counts."""

    run: LoggedRun
    arm: str
    value: float
    """Not finite where the run diverged."""


@dataclass(frozen=True, slots=True)
class Left:
    """A run that does not count."""

    run: LoggedRun
    reason: str
    """As in "it has no metric acc"."""
    phrase: str
    """The same after "a run", as in "without the metric acc"."""
    lacks_value: bool = False
    """Whether it is left out for want of a finite value, or of an end."""


class Reader:
    """Tells which runs count, and with which value."""

    def __init__(
        self, request: ExperimentRequest, tracker: Tracker, names: Mapping[str, str]
    ) -> None:
        self._request = request
        self._tracker = tracker
        self._names = names
        self.at = "" if request.point.rule == "last" else request.point.words
        """Which point of the curves counts; empty where there are no curves."""
        self._mirrored: list[bool] = []
        """Of each run, whether what chooses the point mirrors the ranked metric."""

    def sorted_out(self, logged: Sequence[LoggedRun]) -> tuple[list[Counted], list[Left]]:
        """Return the runs that count and those that do not, with the reason."""
        kept: list[Counted] = []
        left: list[Left] = []
        for run in logged:
            one = self._judged(run)
            if isinstance(one, Left):
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
            Left(
                one.run,
                f"it is the parent of runs that count, such as {above[one.run.run_id]}",
                "above others that count",
            )
            for one in parents
        ]
        return [one for one in kept if one.run.run_id not in above], left

    def _judged(self, run: LoggedRun) -> Counted | Left:
        request = self._request
        values = [self.value(run, name) for name in request.by]
        for name, value in zip(request.by, values, strict=True):
            if value is None:
                return Left(run, f"it has no {name}", f"without {name}")
        arm = JOINT.join(map(str, values))
        ended = run.status == "FINISHED"
        if not ended and not (run.status == "FAILED" and request.missing == "diverged"):
            return _without(run, f"its status is {run.status}", f"whose status is {run.status}")
        found = self._result(run)
        if isinstance(found, Left):
            return Counted(run, arm, math.nan) if request.missing == "diverged" else found
        if not ended and is_finite(found):
            return _without(run, f"its status is {run.status}", f"whose status is {run.status}")
        if not is_finite(found) and request.missing in ("absent", "refuse"):
            return _without(
                run, f"its {request.metric} is not finite", f"whose {request.metric} is not finite"
            )
        return Counted(run, arm, found)

    def _result(self, run: LoggedRun) -> float | Left:
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
        shared = ((curve[step], of[step]) for step in curve if step in of)
        self._mirrored.append(of is not curve and mirrors(shared))
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

    def differing(self, kept: Sequence[Counted]) -> dict[str, dict[str, list[str]]]:
        """Return the params with several values, other than those that make arms and seeds.

        The experiment is one of them where the runs of an arm come from several, and so are tags
        that part the runs of an arm into groups, as those of datasets and folds do.
        """
        request = self._request
        asked = (*request.by, request.seed_by)
        own = {field_of(name) for name in asked if name not in (None, EXPERIMENT)}
        params = {name for one in kept for name in one.run.params}
        found: dict[str, dict[str, list[str]]] = {}
        for name in sorted(params - {name for _, name in own}):
            values = _by_value(kept, [one.run.params.get(name, "(none)") for one in kept])
            if len(values) > 1:
                found[name] = values
        tags = {("tags", name) for one in kept for name in one.run.tags}
        for _, name in sorted(tags - own):
            told = [one.run.tags.get(name, "(none)") for one in kept]
            if name.startswith(_OTHERS) or is_bookkeeping(name) or is_of_groups(name):
                continue
            folds = request.seed_by is None and is_fold(name, set(told))
            if folds or _parts_arms(kept, told):
                found[f"tags.{name}"] = _by_value(kept, told)
        homes = [self._names[one.run.experiment] for one in kept]
        if len({(one.arm, home) for one, home in zip(kept, homes, strict=True)}) > len(
            {one.arm for one in kept}
        ):
            found[EXPERIMENT] = _by_value(kept, homes)
        return found

    def curve_notes(self, kept: Sequence[Counted]) -> tuple[str, ...]:
        """Return what has to be said of a metric with several steps whose last one counts."""
        metric = self._request.metric
        if self.at:
            of = self._request.point.of
            return (mirrored(metric, of),) if of and all(self._mirrored) else ()
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
        if name == EXPERIMENT:
            return self._names[run.experiment]
        return _logged(run, name)


def _by_value(kept: Sequence[Counted], values: Sequence[str]) -> dict[str, list[str]]:
    """Return the names of runs by a value that each has."""
    found: dict[str, list[str]] = {}
    for one, value in zip(kept, values, strict=True):
        found.setdefault(value, []).append(one.run.name)
    return found


def _parts_arms(kept: Sequence[Counted], values: Sequence[str]) -> bool:
    """Whether values differ within an arm, and neither name single runs nor number them."""
    told = [(one.arm, value) for one, value in zip(kept, values, strict=True) if value != "(none)"]
    numbers = len(set(told)) == len(told) and all(whole_seed(v) is not None for _, v in told)
    pairs = {(one.arm, value) for one, value in zip(kept, values, strict=True)}
    within = len(pairs) > len({arm for arm, _ in pairs})
    return within and not numbers and len(set(values)) < len(kept)


def _without(run: LoggedRun, reason: str, phrase: str) -> Left:
    return Left(run, reason, phrase, lacks_value=True)


def field_of(name: str) -> tuple[str, str]:
    """Return the kind and the name of a field that is written ``params.NAME``."""
    if name == EXPERIMENT:
        return name, name
    kind, dot, key = name.partition(".")
    if kind not in ("params", "tags") or not dot or not key:
        raise UsageError(
            f"{name!r} names no field of a run: write params.NAME, tags.NAME or experiment"
        )
    return kind, key


def _logged(run: LoggedRun, name: str) -> str | None:
    kind, key = field_of(name)
    return (run.params if kind == "params" else run.tags).get(key)


def seed_of(run: LoggedRun, name: str) -> int:
    """Return the seed of a run, which a param or a tag holds."""
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
