"""Dispatching runs, of a study or of a search, to an executor's workers."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from attnstudy.errors import EXIT_ENVIRONMENT, AttnstudyError
from attnstudy.executors import Died, Executor, Retried, Started
from attnstudy.running import jobs
from attnstudy.running.entry_points import train_together
from attnstudy.running.planning import fused_groups
from attnstudy.runs import RunFolder
from attnstudy.study import RunSpec


class RunObserver(Protocol):
    """Whoever shows the user what happens to runs."""

    def warn(self, text: str) -> None:
        """Show a line that must not be missed."""

    def started(self, worker: int, spec: RunSpec) -> None:
        """Show that a worker started a run."""

    def progress(self, worker: int, spec: RunSpec, progress: jobs.Progress) -> None:
        """Show that a run got further."""


@dataclass(frozen=True, slots=True)
class RunTask:
    """A run, and how far it is to be trained."""

    spec: RunSpec
    folder: RunFolder
    until: int | None = None
    """Epochs or steps after which it pauses; None trains it to its end."""


@dataclass(frozen=True, slots=True)
class RunFailed:
    """A run has failed; its folder says so."""

    reason: str


@dataclass(frozen=True, slots=True)
class RunEvent:
    """Something happened to a run."""

    task: RunTask
    row: int
    """Of the display: one for each run that is trained at the same time."""
    about: object
    """A message of ``jobs``, or ``RunFailed``."""


ENDS = (jobs.Elsewhere, jobs.AlreadyDone, jobs.Kept, jobs.Paused, RunFailed)
"""What is the last that is told of a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """Has runs trained: how many at once, and with what."""

    executor: Executor
    fused: int
    """Runs of an arm that are trained together."""
    device: str
    threads: int
    place: Any
    """Of the data, see ``trainings.contract.Materials``."""
    sealed: bool
    """Whether they are runs of a search."""
    metric: str | None
    """What runs are judged by; None where their training knows."""
    code_revision: str
    checkpoint_seconds: float
    command: str
    """The command that the workers belong to, see ``runs.command_at_work``."""
    strict: bool = False
    models: bool = True
    until: float = math.inf
    """When to stop, of ``time.monotonic``."""
    observer: RunObserver

    def events(self, tasks: Sequence[RunTask], *, wait: bool = False) -> Generator[RunEvent]:
        """Have runs trained; yield what happens to them, the end of each last.

        Args:
            tasks: the runs.
            wait: whether to wait for those that other processes hold. They are not held up by one
                another, so each is trained alone.

        Raises:
            StoreError: a run folder cannot be written; what is complete is kept.
            DataError: the data were damaged meanwhile.
            TimeIsUpError: the time is up; every run has its checkpoint.

        """
        groups = fused_groups(tasks, 1 if wait else self.fused)
        ordered = [[self._job(one, len(group), wait) for one in group] for group in groups]
        ended: set[RunSpec] = set()
        executed = self.executor.execute(ordered, train_together, until=self.until)
        with contextlib.closing(executed) as events:
            for event in events:
                group = groups[event.job]
                about, places = jobs.addressed(event, [one.spec for one in group], ended)
                for place in places:
                    row = event.worker * self.fused + place
                    told = self._told(RunEvent(group[place], row, about))
                    if isinstance(told.about, ENDS):
                        ended.add(told.task.spec)
                    yield told

    def _job(self, one: RunTask, fused: int, wait: bool) -> jobs.Job:
        return jobs.Job(
            spec=one.spec,
            folder=one.folder.path,
            device=self.device,
            threads=self.threads,
            code_revision=self.code_revision,
            place=self.place,
            sealed=self.sealed,
            command=self.command,
            checkpoint_seconds=self.checkpoint_seconds,
            wait=wait,
            fused=fused,
            until=one.until,
            metric=self.metric,
            strict=self.strict,
            models=self.models,
        )

    def _told(self, event: RunEvent) -> RunEvent:
        """Show an event to the user; return it, or what it means for the run."""
        spec, observer = event.task.spec, self.observer
        match event.about:
            case Started():
                observer.started(event.row, spec)
            case jobs.Progress() as progress:
                observer.progress(event.row, spec, progress)
            case jobs.Notice(text=text):
                observer.warn(f"{spec.name}: {text}")
            case Retried(reason=reason):
                observer.warn(f"{spec.name}: {reason}; it is tried once more")
            case Died(error=AttnstudyError(exit_code=code) as error) if code == EXIT_ENVIRONMENT:
                raise error  # it will meet every run: nothing is a failure of this one
            case Died(reason=reason, details=details):
                event.task.folder.fail(reason, details)
                return RunEvent(event.task, event.row, RunFailed(reason))
        return event
