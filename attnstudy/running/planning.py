"""From options to a plan: which runs are meant, where each stands, how they will be trained."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from attnstudy import __version__, runs
from attnstudy.arms import Arm
from attnstudy.errors import UsageError
from attnstudy.running.resources import find_resources
from attnstudy.running.training_request import TrainingRequest
from attnstudy.runs import RunFolder, Status
from attnstudy.study import RunSpec
from attnstudy.trainings.contract import Materials
from attnstudy.trainings.registry import find
from attnstudy.usecases.declaring import Declaration


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest(TrainingRequest):
    """What ``attnstudy run`` was asked for."""

    seeds: tuple[int, ...]
    task: str | None = None
    """The task on which they are trained; None in a study without tasks."""
    declared: Declaration | None = None
    """What the study declares; None for a command that declares nothing."""
    rerun: bool
    wait: bool
    """Whether to wait for runs that other commands are training."""
    strict: bool
    """Whether to refuse what could change the bits of an interrupted study."""
    republish: bool = False
    """Whether runs that were deleted in the MLflow UI are brought back."""
    no_models: bool = False
    """Whether runs end without weights and model."""

    @property
    def metric(self) -> str:
        """The metric that the study is ranked by."""
        return "test_accuracy" if self.declared is None else self.declared.analysis.metric

    @property
    def required(self) -> str | None:
        """The metric that every run has to have; None where the training says what it has."""
        return self.metric if find(self.training).metrics is None else None


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One run and where it stands at the moment of planning."""

    spec: RunSpec
    folder: RunFolder
    status: Status


@dataclass(frozen=True, slots=True)
class RunPlan:
    """The runs that a request means, in the order in which they would be trained."""

    request: RunRequest
    runs: tuple[PlannedRun, ...]
    materials: Materials
    """What its training prepared."""
    device: str
    """``cpu`` or ``cuda``."""
    threads: int
    workers: int
    fused: int
    """Seeds of an arm that are trained together."""
    notices: tuple[str, ...] = ()
    """What the user should read before anything is trained."""

    @property
    def pending(self) -> tuple[PlannedRun, ...]:
        """Runs that are neither done nor in somebody else's hands."""
        if self.request.rerun:
            return tuple(run for run in self.runs if run.status is not Status.RUNNING)
        return tuple(
            run for run in self.runs if not run.status.done and run.status is not Status.RUNNING
        )

    @property
    def done(self) -> tuple[PlannedRun, ...]:
        """Runs that need no training."""
        return tuple(run for run in self.runs if run.status.done)


class HasSpec(Protocol):
    """Whatever stands for a run."""

    @property
    def spec(self) -> RunSpec:
        """What it trains."""
        ...


Run = TypeVar("Run", bound=HasSpec)


def fused_groups(runs: Sequence[Run], size: int) -> list[list[Run]]:
    """Return groups of up to ``size`` runs that differ in their seeds alone, in order."""
    groups: list[list[Run]] = []
    filling: dict[str, list[Run]] = {}
    for run in runs:
        arm = run.spec.arm_name
        group = filling.get(arm)
        if group is None or not find(run.spec.training).may_fuse(run.spec) or len(group) == size:
            groups.append(group := [])
            filling[arm] = group
        group.append(run)
    return groups


def make_plan(request: RunRequest, progress: Callable[[int, int], None] | None = None) -> RunPlan:
    """Check a request and find out what is left to do. Nothing is trained or written.

    Raises:
        UsageError: the request makes no sense.
        DataError: the dataset cannot be used.

    """
    check_request(request)
    training = find(request.training)
    threads, notices = _threads(request)
    request = replace(request, executor=request.executor.for_threads(threads))
    resources = find_resources(
        request.executor, request.device, lambda name: training.device(name, request.settings)
    )
    materials = training.prepare(request.asked, sealed=False, progress=progress)
    planned = []
    for seed in request.seeds:  # seeds first: an interrupted study is still balanced
        for arm in request.arms:
            spec = _spec(request, arm, seed, materials.facts)
            run = runs.run_folder(request.address.store_dir, spec)
            planned.append(PlannedRun(spec, run, _status(run)))
    fused = request.fuse
    unfinished = [run for run in planned if not run.status.done]
    groups = fused_groups(unfinished or planned, fused)
    if request.strict and not request.executor.remote:  # elsewhere, whoever trains it has to look
        for group in groups:
            _refuse_other_bits(group, resources.device, threads)
    return RunPlan(
        request=request,
        runs=tuple(planned),
        materials=materials,
        device=resources.device,
        threads=threads,
        workers=request.workers or resources.workers(threads, len(groups)),
        fused=fused,
        notices=(*resources.notices, *notices),
    )


def _status(run: RunFolder) -> Status:
    """Return how a run stands; one whose result nobody can tell the start of is made again."""
    status = run.status
    if status.done and run.nameless:
        return Status.INTERRUPTED
    return status


def check_request(request: RunRequest) -> None:
    """Make specifications with what is known already: a mistake must not cost a download.

    Raises:
        UsageError: a value makes no sense.

    """
    known = find(request.training).known_facts(request.asked)
    for arm in request.arms:
        _spec(request, arm, request.seeds[0], known)


def _spec(request: RunRequest, arm: Arm, seed: int, facts: Mapping[str, Any]) -> RunSpec:
    return RunSpec(
        study=request.study,
        training=request.training,
        task=request.task,
        arm=None if arm.name == arm.variant else arm.name,
        arm_fields=tuple(sorted(arm.settings)),
        tuned_by=arm.tuned_by,
        seed=seed,
        facts={**facts, **find(request.training).arm_facts(arm)},
        settings={**request.settings, **arm.settings},
    )


def _threads(request: RunRequest) -> tuple[int, tuple[str, ...]]:
    """Return the threads per run, and a notice if they are not those of the study so far.

    They are fixed at the study's first run, 1 unless told otherwise: one and two threads give
    different bits, so they must not depend on how many runs are left.
    """
    fixed = runs.study_facts(request.address.store_dir, request.study).threads
    if fixed is None:
        return request.threads or 1, ()
    if request.threads in (None, fixed):
        return int(fixed), ()
    other = (
        f"the study {request.study!r} trains with {fixed} thread{'s' * (fixed != 1)} per run since "
        f"its first run, and {request.threads} will give other bits"
    )
    if request.strict:
        raise UsageError(f"{other}: leave --threads out, or choose another name with --study")
    return request.threads or 1, (f"{other}; the threads of each run are recorded",)


def _refuse_other_bits(group: Sequence[PlannedRun], device: str, threads: int) -> None:
    """Refuse to go on with trainings that were begun with something that decides the bits."""
    from attnstudy.running.resuming import refuse_other_bits

    for run in group:
        if not run.status.done and run.status is not Status.RUNNING:
            refuse_other_bits(run.folder, run.spec, device, threads, fused=len(group))


def code_revision() -> str:
    """Return the commit that this code is at, where it runs from a checkout, or its version."""
    folder = Path(__file__).parent
    try:
        answer = subprocess.run(
            ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=12"],
            capture_output=True, text=True, timeout=5, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return __version__
    return answer.stdout.strip() or __version__
