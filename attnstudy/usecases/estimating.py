"""How long it will take: from runs already made, else from a few timed iterations."""

from __future__ import annotations

import contextlib
import heapq
import platform
import statistics
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from attnstudy.runs import run_folders
from attnstudy.study import CONTROLS, VALIDATE_EVERY, RunSpec, is_factory
from attnstudy.usecases.planning import RunPlan, fused_groups

LONG = 30 * 60
"""Seconds from which on a spatial study is told what channel attention would take."""

ITERATIONS_BEFORE_ESTIMATE = 20
_TIMED = 3  # iterations
_SHARED_AFTER = 3.0
"""Seconds of a training after which the others that share its GPU have begun too."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """The time that a plan's pending runs will take."""

    runs: int
    workers: int
    seconds: float
    channel_seconds: float | None
    """What it would be with ``--attention channel``, where that is worth knowing."""
    of_a_gpu_by_cpu: bool = False
    """Whether it was timed on this CPU while a GPU will train: that takes a part of it."""


def logged_seconds(plan: RunPlan) -> dict[str, float]:
    """Return the median seconds of a finished run, by variant, in this study and configuration.

    Only runs with the same threads on a machine of the same name count.
    """
    seconds: dict[str, list[float]] = {}
    config = plan.runs[0].spec.config_id
    for folder in run_folders(plan.request.address.store_dir, plan.request.study):
        started, result = folder.started(), folder.result()
        if started is None or result is None or started.spec.config_id != config:
            continue
        here = (
            result.environment.get("machine") == platform.node()
            and result.environment.get("threads") == str(plan.threads)
            and result.environment.get("fused", "1") == str(plan.fused)
            and result.environment.get("device") == plan.device
        )
        if here and result.status.value == "complete":
            seconds.setdefault(started.spec.arm_name, []).append(result.train_seconds)
    return {variant: statistics.median(values) for variant, values in seconds.items()}


def _timed(plan: RunPlan, spec: RunSpec, go_on: Callable[[], None]) -> float:
    """Return the seconds of an iteration, measured here and now."""
    go_on()
    # only where something is timed: torch takes seconds to import
    import torch

    from attnstudy.models import build_model
    from attnstudy.training import time_iterations

    torch.set_num_threads(plan.threads)
    shape, classes = plan.dataset.image_shape, plan.dataset.num_classes
    model = build_model(
        spec.variant,
        attention=spec.attention,
        image_shape=shape,
        num_classes=classes,
        channels=spec.channels,
    )
    return time_iterations(spec, model, shape, classes, _TIMED, go_on)


def estimate(
    plan: RunPlan,
    iteration_seconds: Mapping[str, float] | None = None,
    go_on: Callable[[], None] = lambda: None,
) -> Estimate:
    """Return the time for the pending runs.

    Args:
        plan: what is to be run.
        iteration_seconds: seconds of an iteration, by variant, as measured in running trainings.
        go_on: called again and again while others are timed; may raise, to end it.

    """
    measured = dict(iteration_seconds or {})
    logged = logged_seconds(plan)
    specs = [run.spec for run in plan.pending]
    elsewhere = _beside_this_cpu(plan, measured, logged, go_on) if plan.device != "cpu" else 1.0
    by_variant: dict[str, float] = {}
    """Seconds of runs of a variant that are trained together."""
    for spec in specs:
        if spec.arm_name in by_variant:
            continue
        if spec.arm_name in logged and spec.arm_name not in measured:
            by_variant[spec.arm_name] = logged[spec.arm_name]
        else:
            one = measured.get(spec.arm_name)
            if one is None:
                one = plan.fused * _timed(plan, spec, go_on) * (elsewhere or 1.0)
            by_variant[spec.arm_name] = one * _iterations_worth(plan, spec)
    total = _schedule([by_variant[variant] for variant in _groups(plan)], plan.workers)
    with_channel = _with_channel(plan, specs, by_variant, total, go_on)
    return Estimate(len(specs), plan.workers, total, with_channel, elsewhere is None)


def _beside_this_cpu(
    plan: RunPlan,
    measured: Mapping[str, float],
    logged: Mapping[str, float],
    go_on: Callable[[], None],
) -> float | None:
    """Return how many times as long an iteration takes where a plan is trained as on this CPU.

    Only this CPU can be timed while others train; how variants compare is much the same anywhere.
    None where no variant is known from there.
    """
    if {run.spec.arm_name for run in plan.pending} <= {*measured, *logged}:
        return 1.0  # nothing needs to be timed
    for run in (*plan.pending, *plan.done):
        spec = run.spec
        there = measured.get(spec.arm_name)
        if there is None and spec.arm_name in logged:
            there = logged[spec.arm_name] / _iterations_worth(plan, spec)
        if there is not None:
            return there / (plan.fused * _timed(plan, spec, go_on))
    return None


def _with_channel(
    plan: RunPlan,
    specs: list[RunSpec],
    by_variant: Mapping[str, float],
    total: float,
    go_on: Callable[[], None],
) -> float | None:
    if total <= LONG or plan.request.settings["attention"] != "spatial" or plan.device != "cpu":
        return None
    seconds: dict[str, float] = {}
    for spec in specs:
        if spec.arm_name in seconds:
            continue
        if spec.variant in ("vanilla", *CONTROLS) or is_factory(spec.variant):
            seconds[spec.arm_name] = by_variant[spec.arm_name]
        else:
            other = replace(spec, settings={**spec.settings, "attention": "channel"})
            one = plan.fused * _timed(plan, other, go_on)
            seconds[spec.arm_name] = one * _iterations_worth(plan, other)
    return _schedule([seconds[variant] for variant in _groups(plan)], plan.workers)


def _groups(plan: RunPlan) -> list[str]:
    """Return the variant of each group of runs that are trained together."""
    return [group[0].spec.arm_name for group in fused_groups(plan.pending, plan.fused)]


def _iterations_worth(plan: RunPlan, spec: RunSpec) -> float:
    """Return the run's work in training iterations; a forward pass is a third of one."""
    validations = spec.epochs * -(-spec.iterations_per_epoch // VALIDATE_EVERY) + 1
    scored = validations * spec.val_size + len(plan.dataset.test)
    trained = spec.epochs * spec.train_size
    return float((trained + scored / 3) / min(spec.batch_size, spec.train_size))


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
        self._from: dict[RunSpec, tuple[int, float]] = {}
        self._ended = threading.Event()
        # In a thread: variants that have not run yet are timed, and progress must not wait.
        self._thread = threading.Thread(target=self._estimate, name="estimate")

    def note(self, spec: RunSpec, updates: int, seconds: float) -> None:
        """Note how long a run has taken for its latest updates."""
        if self.measured or updates < ITERATIONS_BEFORE_ESTIMATE:
            return
        if self.plan.device != "cpu":  # where the first are made slowly, to be recorded
            if self.plan.workers > 1 and seconds < _SHARED_AFTER:
                return
            before = self._from.setdefault(spec, (updates, seconds))
            updates, seconds = updates - before[0], seconds - before[1]
            if updates < ITERATIONS_BEFORE_ESTIMATE:
                return
        self.measured[spec.arm_name] = seconds / updates
        self._thread.start()

    def end(self) -> None:
        """Tell nothing from here on; waits for an iteration that is being timed.

        A process that ends in the middle of what torch computes in a thread is aborted.
        """
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _estimate(self) -> None:
        with contextlib.suppress(_EndedError):
            found = estimate(self.plan, self.measured, self._go_on)
            self._go_on()
            self.tell(found)

    def _go_on(self) -> None:
        if self._ended.is_set():
            raise _EndedError
