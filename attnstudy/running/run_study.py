"""``attnstudy run``: train what is missing, each run exactly once, and publish it."""

from __future__ import annotations

import contextlib
import importlib.util
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from attnstudy.crashpoints import reach
from attnstudy.errors import StoreError, TerminatedError
from attnstudy.executors import TimeIsUpError, make_executor
from attnstudy.redaction import without_passwords
from attnstudy.running import jobs
from attnstudy.running.dispatch import Dispatch, RunEvent, RunFailed, RunObserver, RunTask
from attnstudy.running.estimating import Estimate, FirstMeasure
from attnstudy.running.outcomes import Outcome, RunReport
from attnstudy.running.planning import (
    PlannedRun,
    RunPlan,
    code_revision,
)
from attnstudy.running.run_transfer import RunTransport
from attnstudy.running.seed_effect import seed_warning, without_effect
from attnstudy.running.study_record import record_study
from attnstudy.runs import (
    CHECKPOINTS,
    RESULT,
    START,
    Remedy,
    RunFolder,
    Status,
    command_at_work,
    inspect,
    study_folder,
)
from attnstudy.study import RunSpec
from attnstudy.tracking import (
    SYSTEM_METRICS,
    Figures,
    Publisher,
    import_mlflow,
    open_store,
    system_metrics_asked,
)
from attnstudy.usecases.publishing import BackgroundPublisher, backlog, patience
from attnstudy.usecases.recovering import recover_record


class Observer(RunObserver, Protocol):
    """Whoever shows the user what happens."""

    def say(self, text: str) -> None:
        """Show a line."""

    def begin(self, specs: Sequence[RunSpec], workers: int) -> None:
        """Show how much there is to do."""

    def ended(self, worker: int, spec: RunSpec, outcome: Outcome) -> None:
        """Show that a run ended."""

    def estimated(self, estimate: Estimate) -> None:
        """Show the time for the whole command."""

    def end(self) -> None:
        """Show that no training is going on any more."""


def run_study(
    plan: RunPlan, observer: Observer, figures: Figures, *, deadline: float = math.inf
) -> RunReport:
    """Train the plan's pending runs and publish all of its runs.

    Once the deadline, of ``time.monotonic``, has passed, it returns what there is by then.

    Raises:
        StoreError: a run folder cannot be written; what is complete is kept.
        DataError: the decoded images were damaged meanwhile.

    """
    for notice in plan.notices:
        observer.warn(notice)
    for warning in record_study(plan):
        observer.warn(warning)
    reach("study/remembered")
    trained: set[RunFolder] = set()
    measured = trained if _can_measure(plan, observer) else ()
    publisher = BackgroundPublisher[RunFolder](
        lambda: connect(plan, figures, measured),
        observer.warn,
        prepare=import_mlflow,  # seconds, in which the workers start
        patience=patience(plan.request.address),
    )
    first = FirstMeasure(plan, observer.estimated)
    outcomes: dict[RunSpec, Outcome] = {}
    time_is_up = False
    pending = plan.pending
    to_train = {run.spec for run in pending}
    for run in plan.runs:
        if run.spec not in to_train:
            _tell_of_damage(run, observer)
            outcomes[run.spec] = Outcome(run.spec, run.status, False, run.folder.result())
            publisher.submit(run.folder)
    planned = {run.folder for run in plan.runs}
    publisher.submit_all(backlog(plan.request.address.store_dir, plan.request.study, planned))
    try:
        folder = study_folder(plan.request.address.store_dir, plan.request.study)
        with command_at_work(folder) as command:
            training = _Training(
                plan, observer, publisher, first, outcomes, command, deadline, trained
            )
            if pending:
                training.begin(pending)
            training.train(pending, wait=False)
            training.train(training.held(), wait=True)
    except TimeIsUpError:
        time_is_up = True
    except (KeyboardInterrupt, TerminatedError):
        publisher.hurry()
        done = sum(outcome.status.done for outcome in outcomes.values())
        of = "" if plan.request.task is None else f"task {plan.request.task}: "
        observer.say(f"{of}{done} of {len(plan.runs)} runs are complete")
        raise
    finally:
        first.end()
        observer.end()
        undelivered = publisher.close()
    ended = [run.spec for run in plan.runs if not time_is_up or run.spec in outcomes]
    ordered = tuple(outcomes[spec] for spec in ended)
    no_effect = seed_warning(without_effect(_measured(ordered)))
    if no_effect is not None:
        observer.warn(no_effect)
    return RunReport(plan, ordered, undelivered, publisher.trouble, time_is_up)


def _tell_of_damage(run: PlannedRun, observer: Observer) -> None:
    """Say what of a finished run is damaged; its record, which is known, is written anew."""
    found = inspect(run.folder)
    recover_record(found, observer.warn)
    for one in found.damage:
        if one.remedy is not Remedy.RECORD:
            observer.warn(f"{found.name}: {one}: {found.advice(one)}")


def _measured(outcomes: Iterable[Outcome]) -> Iterator[tuple[str, int, Mapping[str, float]]]:
    for one in outcomes:
        if one.result is not None and one.status is Status.COMPLETE:
            yield one.spec.arm_name, one.spec.seed, one.result.metrics


def _can_measure(plan: RunPlan, observer: Observer) -> bool:
    """Whether MLflow is to log the load of this machine with the runs; says so if it cannot."""
    if not system_metrics_asked():
        return False
    executor = plan.request.executor
    if executor.remote:
        lack = "the runs are trained on other machines"
    elif executor.name == "inline":
        lack = "with --executor inline, nothing is told of a run before its end"
    elif importlib.util.find_spec("psutil") is None:
        lack = "install psutil, with which MLflow measures a machine"
    else:
        return True
    observer.warn(f"{SYSTEM_METRICS} has no effect: {lack}")
    return False


def connect(plan: RunPlan, figures: Figures, measured: Collection[RunFolder]) -> Publisher:
    """Open the tracking store for this plan's runs."""
    request = plan.request
    return Publisher(
        open_store(request.address),
        request.study,
        request.question,
        figures,
        request.republish,
        measured=measured,
    )


class _Training:
    """Has runs trained and passes on what happens: to the user, to the store, to the report."""

    def __init__(
        self,
        plan: RunPlan,
        observer: Observer,
        publisher: BackgroundPublisher[RunFolder],
        first: FirstMeasure,
        outcomes: dict[RunSpec, Outcome],
        command: str,
        deadline: float,
        trained: set[RunFolder],
    ) -> None:
        self.plan, self.observer, self.publisher, self.first = plan, observer, publisher, first
        self.outcomes, self.command, self.deadline = outcomes, command, deadline
        self.trained = trained
        """Those that this command trains or has trained."""
        self.revision = code_revision()
        self.orphans: set[RunSpec] = set()

    def begin(self, pending: Sequence[PlannedRun]) -> None:
        """Show how much there is to do, and move away what is to be repeated."""
        for run in pending:
            if self.plan.request.rerun:
                with run.folder.claim(command=self.command) as mine:
                    if mine:  # else the worker will find it busy, and say so
                        run.folder.repeat()
                continue
            found = inspect(run.folder)
            if misplaced := [one for one in found.damage if one.remedy is Remedy.MOVED]:
                raise StoreError(f"{run.spec.name}: {misplaced[0]}: {found.advice(misplaced[0])}")
            if run.folder.nameless:
                self._set_aside_nameless(run)
            elif found.lost(RESULT):  # of one that is damaged, who goes on with it
                self.observer.warn(
                    f"{run.spec.name}: {run.folder.path / RESULT} is lost, so the run is trained "
                    "again"
                )
        self.observer.begin([run.spec for run in pending], self.plan.workers)
        begun = sum(any(run.folder.path.glob(CHECKPOINTS)) for run in pending)
        if begun and not self.plan.request.rerun:
            self.observer.say(f"{begun} of them go on from a checkpoint")

    def _set_aside_nameless(self, run: PlannedRun) -> None:
        """Set a result aside of which nobody knows how its run was made, and say so."""
        with run.folder.claim(command=self.command) as mine:
            # asked again: another command may have begun the run and ended it since it was planned
            if not mine or not run.folder.nameless:
                return
            why = f"{run.folder.path / RESULT} is that of another run"
            if run.folder.result() is not None:
                why = (
                    f"{run.folder.path / START} is damaged, and the result does not say when the "
                    "run was started"
                )
            self.observer.warn(
                f"{run.spec.name}: {why}: it is made again, and kept aside as it was"
            )
            run.folder.repeat()

    def held(self) -> list[PlannedRun]:
        """Return the runs that others hold and that are to be waited for."""
        busy = [run for run in self.plan.runs if self.outcomes[run.spec].status is Status.RUNNING]
        if self.plan.request.wait:
            if busy:
                self.observer.say(f"waiting for {len(busy)} that another command is training")
            return busy
        orphans = [run for run in busy if run.spec in self.orphans]
        for run in orphans:
            self.observer.warn(
                f"{run.spec.name}: a worker of a command that was killed still holds it; waiting "
                "for its iteration to end"
            )
        return orphans

    def train(self, pending: Sequence[PlannedRun], *, wait: bool) -> None:
        """Have runs trained, each by whoever can claim it."""
        plan, request = self.plan, self.plan.request
        executor = make_executor(
            request.executor, plan.workers, RunTransport(plan.materials.data), self.observer.warn
        )
        dispatch = Dispatch(
            executor=executor,
            fused=plan.fused,
            device=plan.device,
            threads=plan.threads,
            place=plan.materials.place,
            sealed=False,
            metric=request.required,
            code_revision=self.revision,
            checkpoint_seconds=60 * request.checkpoint_minutes,
            command=self.command,
            strict=request.strict and request.executor.remote,
            models=not request.no_models,
            until=self.deadline,
            observer=self.observer,
        )
        if wait:  # they were somebody else's, and are ours to tell of now
            for run in pending:
                del self.outcomes[run.spec]
        tasks = [RunTask(run.spec, run.folder) for run in pending]
        with contextlib.closing(dispatch.events(tasks, wait=wait)) as events:
            for event in events:
                self._note(event)

    def _trained(self, spec: RunSpec) -> bool:
        return spec in self.outcomes and self.outcomes[spec].trained

    def _note(self, event: RunEvent) -> None:
        """Pass on what happened to a run."""
        spec, folder = event.task.spec, event.task.folder
        outcome: Outcome | None = None
        match event.about:
            case jobs.Progress() as progress:
                self.first.note(spec, progress)
            case jobs.Checkpointed() | jobs.Claimed():
                self.trained.add(folder)
                self.publisher.submit(folder)
            case jobs.Elsewhere(orphaned=orphaned):
                self.orphans |= {spec} if orphaned else set()
                outcome = Outcome(spec, Status.RUNNING, False)
            case jobs.AlreadyDone() if self._trained(spec):
                pass  # by a worker that was killed while it trained the others of its group
            case jobs.AlreadyDone():
                result = folder.result()
                status = Status.RUNNING if result is None else result.status
                outcome = Outcome(spec, status, False, result)
            case jobs.Kept(result=result):
                outcome = Outcome(spec, result.status, True, result)
            case RunFailed(reason=reason):
                outcome = Outcome(spec, Status.FAILED, True, reason=without_passwords(reason))
        if outcome is not None:
            self.outcomes[spec] = outcome
            self.observer.ended(event.row, spec, outcome)
            self.publisher.submit(folder)
