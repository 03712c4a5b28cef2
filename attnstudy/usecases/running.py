"""``attnstudy run``: train what is missing, each run exactly once, and publish it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from attnstudy.errors import UsageError
from attnstudy.executors import Died, Event, Executor, Inline, Processes, Reported, Started
from attnstudy.runs import Result, Status
from attnstudy.study import TrialSpec
from attnstudy.tracking import Figures, Publisher, open_store
from attnstudy.usecases import worker as work
from attnstudy.usecases.estimating import Estimate, estimate
from attnstudy.usecases.planning import Plan, PlannedRun, code_revision, remember
from attnstudy.usecases.publishing import BackgroundPublisher, backlog

ITERATIONS_BEFORE_ESTIMATE = 20


class Observer(Protocol):
    """Whoever shows the user what happens."""

    def say(self, text: str) -> None:
        """Show a line."""

    def warn(self, text: str) -> None:
        """Show a line that must not be missed."""

    def begin(self, specs: Sequence[TrialSpec], workers: int) -> None:
        """Show how much there is to do."""

    def started(self, worker: int, spec: TrialSpec) -> None:
        """Show that a worker took up a run."""

    def progress(self, worker: int, spec: TrialSpec, progress: work.Progress) -> None:
        """Show that a run got further."""

    def ended(self, worker: int, spec: TrialSpec, outcome: Outcome) -> None:
        """Show that a run ended."""

    def estimated(self, estimate: Estimate) -> None:
        """Show the time for the whole command."""

    def end(self) -> None:
        """Show that no training is going on any more."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one run in this command."""

    spec: TrialSpec
    status: Status
    trained: bool
    """Whether it was trained by this command."""
    result: Result | None = None
    reason: str | None = None
    """Why it failed."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a command did."""

    plan: Plan
    outcomes: tuple[Outcome, ...]
    """In the order of the plan."""
    undelivered: int
    """Runs that the tracking store has not confirmed."""

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """Runs that ended without a result."""
        return tuple(o for o in self.outcomes if o.status is Status.FAILED)

    @property
    def elsewhere(self) -> tuple[Outcome, ...]:
        """Runs that another process was working on."""
        return tuple(o for o in self.outcomes if o.status is Status.RUNNING)


def make_executor(name: str, workers: int) -> Executor:
    """Return the executor called ``name``.

    Raises:
        UsageError: there is none of that name.

    """
    if name == "processes":
        return Processes(workers)
    if name == "inline":
        return Inline()
    raise UsageError(f"unknown executor {name!r}: use processes or inline")


def run_study(plan: Plan, observer: Observer, figures: Figures) -> RunReport:
    """Train the plan's pending runs and publish all of its runs."""
    remember(plan)
    publisher = BackgroundPublisher(lambda: connect(plan, figures), observer.warn)
    outcomes: dict[TrialSpec, Outcome] = {}
    for run in plan.runs:
        if run not in plan.pending:
            outcomes[run.spec] = Outcome(run.spec, run.status, False, run.folder.result())
            publisher.submit(run.folder)
    planned = {run.folder for run in plan.runs}
    publisher.submit_all(backlog(plan.request.address.home, plan.request.study, planned))
    try:
        if plan.pending:
            _train(plan, observer, publisher, outcomes)
    except KeyboardInterrupt:
        publisher.hurry()
        raise
    finally:
        observer.end()
        undelivered = publisher.close()
    return RunReport(plan, tuple(outcomes[run.spec] for run in plan.runs), undelivered)


def connect(plan: Plan, figures: Figures) -> Publisher:
    """Open the tracking store for this plan's runs."""
    request = plan.request
    return Publisher(
        open_store(request.address), request.study, request.question, figures, request.republish
    )


def _train(
    plan: Plan,
    observer: Observer,
    publisher: BackgroundPublisher,
    outcomes: dict[TrialSpec, Outcome],
) -> None:
    pending = plan.pending
    revision = code_revision()
    jobs = []
    for run in pending:
        if plan.request.rerun:
            with run.folder.claim() as mine:  # else the worker will find it busy, and say so
                if mine:
                    run.folder.repeat()
        jobs.append(
            work.Job(
                spec=run.spec,
                folder=run.folder.path,
                dataset_folder=plan.dataset_folder,
                device=plan.request.device,
                threads=plan.threads,
                code_revision=revision,
            )
        )
    observer.begin([run.spec for run in pending], plan.workers)
    estimator = _Estimator(plan, observer)
    executor = make_executor(plan.request.executor, plan.workers)
    for event in executor.execute(jobs, work.train_one):
        run = pending[event.job]
        _note(run, event, observer, publisher, outcomes, estimator)


def _note(
    run: PlannedRun,
    event: Event,
    observer: Observer,
    publisher: BackgroundPublisher,
    outcomes: dict[TrialSpec, Outcome],
    estimator: _Estimator,
) -> None:
    """Pass on what one event means: to the user, to the store, to the report."""
    spec = run.spec
    outcome: Outcome | None = None
    match event:
        case Started():
            observer.started(event.worker, spec)
        case Reported(message=work.Progress() as progress):
            observer.progress(event.worker, spec, progress)
            estimator.note(spec, progress)
        case Reported(message=work.EpochDone() | work.Claimed()):
            publisher.submit(run.folder)
        case Reported(message=work.Notice(text=text)):
            observer.warn(f"{spec.name}: {text}")
        case Reported(message=work.Elsewhere()):
            outcome = Outcome(spec, Status.RUNNING, False)
        case Reported(message=work.AlreadyDone()):
            result = run.folder.result()
            status = Status.RUNNING if result is None else result.status
            outcome = Outcome(spec, status, False, result)
        case Reported(message=work.Kept(result=result)):
            outcome = Outcome(spec, result.status, True, result)
        case Died(reason=reason, details=details):
            run.folder.fail(reason, details)
            outcome = Outcome(spec, Status.FAILED, True, reason=reason)
    if outcome is not None:
        outcomes[spec] = outcome
        observer.ended(event.worker, spec, outcome)
        publisher.submit(run.folder)


class _Estimator:
    """Tells, once, how long the command will take, after the first measured iterations."""

    def __init__(self, plan: Plan, observer: Observer) -> None:
        self.plan, self.observer = plan, observer
        self.measured: dict[str, float] = {}
        self.told = False

    def note(self, spec: TrialSpec, progress: work.Progress) -> None:
        if self.told or progress.updates < ITERATIONS_BEFORE_ESTIMATE:
            return
        self.told = True
        self.measured[spec.variant] = progress.seconds / progress.updates
        # In a thread: variants that have not run yet are timed, and progress must not wait.
        threading.Thread(target=self._tell, daemon=True).start()

    def _tell(self) -> None:
        self.observer.estimated(estimate(self.plan, self.measured))


def sync_warning(report: RunReport) -> str | None:
    """Return what to do about runs that the tracking store has not confirmed."""
    if not report.undelivered:
        return None
    address = report.plan.request.address
    count = report.undelivered
    return (
        f"{count} run{'s are' if count != 1 else ' is'} kept in {address.home / 'runs'} but not "
        f"whole in {address.shown}: 'attnstudy sync' delivers what is missing"
    )
