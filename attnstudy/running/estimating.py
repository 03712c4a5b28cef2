"""How long it will take: from runs already made, else from a few timed iterations."""

from __future__ import annotations

import contextlib
import heapq
import math
import statistics
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from attnstudy.running.environment import same_machine
from attnstudy.running.jobs import Progress
from attnstudy.running.planning import RunPlan, fused_groups
from attnstudy.runs import run_folders
from attnstudy.study import RunSpec
from attnstudy.trainings.registry import find

LONG = 30 * 60
"""Seconds from which on a spatial study is told what channel attention would take."""

ITERATIONS_BEFORE_ESTIMATE = 20
WORTH_AN_ESTIMATE = 30.0
"""Seconds, if all runs are like the first, below which a command does not say how long it takes."""
TIMED_BY_DRY_RUN = 20
"""Arms that a dry run times; it has to end soon, and to time one takes up to seconds."""
_SHARED_AFTER = 3.0
"""Seconds of a training after which the others that share its GPU have begun too."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """The time that a plan's pending runs will take."""

    runs: int
    workers: int
    seconds: float | None
    """None if nothing is known of it yet."""
    channel_seconds: float | None
    """What it would be with ``--attention channel``, where that is worth knowing."""
    of_a_gpu_by_cpu: bool = False
    """Whether it was timed on this CPU while a GPU will train: that takes a part of it."""


def logged_seconds(plan: RunPlan) -> dict[str, float]:
    """Return the median seconds of a finished run, by arm, in this study and configuration.

    Only runs with the same threads on the same machine count.
    """
    seconds: dict[str, list[float]] = {}
    config = plan.runs[0].spec.config_id
    for folder in run_folders(plan.request.address.store_dir, plan.request.study):
        started, result = folder.started(), folder.result()
        if started is None or result is None or started.spec.config_id != config:
            continue
        here = (
            same_machine(result.environment.get("machine"))
            and result.environment.get("threads") == str(plan.threads)
            and result.environment.get("fused", "1") == str(plan.fused)
            and result.environment.get("device") == plan.device
        )
        if here and result.status.value == "complete":
            seconds.setdefault(started.spec.arm_name, []).append(result.train_seconds)
    return {arm: statistics.median(values) for arm, values in seconds.items()}


def _timed(plan: RunPlan, spec: RunSpec, go_on: Callable[[], None]) -> float | None:
    """Return the seconds of a step, measured here and now; None if its training cannot tell."""
    go_on()
    return find(spec.training).step_seconds(spec, plan.materials, plan.threads, go_on)


def estimate(
    plan: RunPlan,
    step_seconds: Mapping[str, float] | None = None,
    totals: Mapping[str, int] | None = None,
    go_on: Callable[[], None] = lambda: None,
    *,
    most: float = math.inf,
) -> Estimate:
    """Return the time for the pending runs.

    Args:
        plan: what is to be run.
        step_seconds: seconds of a step, by arm, as measured in running trainings.
        totals: steps of a run, by arm, as running trainings tell them.
        go_on: called again and again while others are timed; may raise, to end it.
        most: arms that are timed; where there are more to time, nothing is known.

    """
    measured, totals = dict(step_seconds or {}), totals or {}
    logged = logged_seconds(plan)
    specs = [run.spec for run in plan.pending]
    if len({spec.arm_name for spec in specs} - measured.keys() - logged.keys()) > most:
        return Estimate(len(specs), plan.workers, None, None)
    elsewhere = _beside_this_cpu(plan, measured, logged, go_on) if plan.device != "cpu" else 1.0
    now = _pace(plan, specs, measured, logged, totals)
    by_arm: dict[str, float] = {}
    """Seconds of runs of an arm that are trained together."""
    for spec in specs:
        if spec.arm_name in by_arm:
            continue
        if spec.arm_name in logged and spec.arm_name not in measured:
            by_arm[spec.arm_name] = now * logged[spec.arm_name]
            continue
        one, steps = measured.get(spec.arm_name), _steps(plan, spec, totals)
        if one is None and steps is not None:
            alone = _timed(plan, spec, go_on)
            one = None if alone is None else plan.fused * alone * (elsewhere or 1.0)
        if one is None or steps is None:
            return Estimate(len(specs), plan.workers, None, None)
        by_arm[spec.arm_name] = one * steps
    total = _schedule([by_arm[arm] for arm in _groups(plan)], plan.workers)
    with_channel = _with_channel(plan, specs, by_arm, total, go_on)
    return Estimate(len(specs), plan.workers, total, with_channel, elsewhere is None)


def _pace(
    plan: RunPlan,
    specs: Iterable[RunSpec],
    measured: Mapping[str, float],
    logged: Mapping[str, float],
    totals: Mapping[str, int],
) -> float:
    """Return how many times as long runs take now as finished ones did: machines are shared."""
    times: dict[str, float] = {}
    for spec in specs:
        arm, steps = spec.arm_name, _steps(plan, spec, totals)
        if arm in measured and arm in logged and steps is not None:
            times[arm] = measured[arm] * steps / logged[arm]
    return statistics.median(times.values()) if times else 1.0


def _steps(plan: RunPlan, spec: RunSpec, totals: Mapping[str, int]) -> float | None:
    """Return the steps of a run; None if nobody knows."""
    known = find(spec.training).steps(spec, plan.materials)
    return totals.get(spec.arm_name) if known is None else known


def _beside_this_cpu(
    plan: RunPlan,
    measured: Mapping[str, float],
    logged: Mapping[str, float],
    go_on: Callable[[], None],
) -> float | None:
    """Return how many times as long an iteration takes where a plan is trained as on this CPU.

    Only this CPU can be timed while others train; how arms compare is much the same anywhere.
    None where no arm is known from there.
    """
    if {run.spec.arm_name for run in plan.pending} <= {*measured, *logged}:
        return 1.0  # nothing needs to be timed
    for run in (*plan.pending, *plan.done):
        spec = run.spec
        there = measured.get(spec.arm_name)
        steps = find(spec.training).steps(spec, plan.materials)
        if there is None and spec.arm_name in logged and steps is not None:
            there = logged[spec.arm_name] / steps
        here = None if there is None else _timed(plan, spec, go_on)
        if there is not None and here is not None:
            return there / (plan.fused * here)
    return None


def _with_channel(
    plan: RunPlan,
    specs: list[RunSpec],
    by_arm: Mapping[str, float],
    total: float,
    go_on: Callable[[], None],
) -> float | None:
    if total <= LONG or plan.device != "cpu":
        return None
    seconds = dict(by_arm)
    quicker = {spec.arm_name: find(spec.training).quicker(spec) for spec in specs}
    for arm, spec in quicker.items():
        if spec is not None:
            one, steps = _timed(plan, spec, go_on), _steps(plan, spec, {})
            if one is None or steps is None:
                return None
            seconds[arm] = plan.fused * one * steps
    if not any(quicker.values()):
        return None
    return _schedule([seconds[arm] for arm in _groups(plan)], plan.workers)


def _groups(plan: RunPlan) -> list[str]:
    """Return the arm of each group of runs that are trained together."""
    return [group[0].spec.arm_name for group in fused_groups(plan.pending, plan.fused)]


def _schedule(seconds: Iterable[float], workers: int) -> float:
    """Return when the last run ends if each goes to the worker that is free first."""
    free = [0.0] * workers
    for duration in seconds:
        heapq.heapreplace(free, free[0] + duration)
    return max(free)


class _EndedError(Exception):
    """Nobody waits for the estimate any more."""


class FirstMeasure:
    """Tells, once, how long a command will take, after its first measured iterations."""

    def __init__(self, plan: RunPlan, tell: Callable[[Estimate], None]) -> None:
        self.plan, self.tell = plan, tell
        self.measured: dict[str, float] = {}
        self.totals: dict[str, int] = {}
        self._from: dict[RunSpec, tuple[int, float]] = {}
        self._ended = threading.Event()
        # In a thread: arms that have not run yet are timed, and progress must not wait.
        self._thread = threading.Thread(target=self._estimate, name="estimate")

    def note(self, spec: RunSpec, progress: Progress) -> None:
        """Note how long a run has taken for its latest steps."""
        updates, seconds = progress.updates, progress.seconds
        if self.measured or updates < ITERATIONS_BEFORE_ESTIMATE:
            return
        if progress.total is not None:
            self.totals[spec.arm_name] = progress.total
        if self.plan.device != "cpu":  # where the first are made slowly, to be recorded
            if self.plan.workers > 1 and seconds < _SHARED_AFTER:
                return
            before = self._from.setdefault(spec, (updates, seconds))
            updates, seconds = updates - before[0], seconds - before[1]
            if updates < ITERATIONS_BEFORE_ESTIMATE:
                return
        self.measured[spec.arm_name] = seconds / updates
        if self._takes_long(spec):
            self._thread.start()

    def _takes_long(self, spec: RunSpec) -> bool:
        """Whether anybody would read the estimate: to make one takes a core for some seconds."""
        steps = _steps(self.plan, spec, self.totals)
        if steps is None:
            return False
        rounds = len(self.plan.pending) / self.plan.workers
        return steps * self.measured[spec.arm_name] * rounds >= WORTH_AN_ESTIMATE

    def end(self) -> None:
        """Tell nothing from here on; waits for an iteration that is being timed.

        A process that ends in the middle of what torch computes in a thread is aborted.
        """
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _estimate(self) -> None:
        with contextlib.suppress(_EndedError):
            found = estimate(self.plan, self.measured, self.totals, self._go_on)
            self._go_on()
            if found.seconds is not None:
                self.tell(found)

    def _go_on(self) -> None:
        if self._ended.is_set():
            raise _EndedError
