"""Dispatching the runs of a search to an executor's workers."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from attnstudy.errors import EXIT_ENVIRONMENT, AttnstudyError
from attnstudy.executors import Died, Event, Executor, Retried, Started
from attnstudy.runs import Result, RunFolder
from attnstudy.study import RunSpec
from attnstudy.usecases import jobs
from attnstudy.usecases.entry_points import search_together
from attnstudy.usecases.planning import fused_groups


class RunObserver(Protocol):
    """Whoever shows the user what happens to runs."""

    def warn(self, text: str) -> None:
        """Show a line that must not be missed."""

    def started(self, worker: int, spec: RunSpec) -> None:
        """Show that a worker started a run."""

    def progress(self, worker: int, spec: RunSpec, progress: jobs.Progress) -> None:
        """Show that a run got further."""

    def run_ended(self, worker: int, spec: RunSpec) -> None:
        """Show that a run ended, or came to where it was to pause."""


@dataclass(frozen=True, slots=True)
class RunTask:
    """A run, and how far it is to be trained."""

    spec: RunSpec
    folder: RunFolder
    until: int | None = None
    """Epochs after which it pauses; None trains it to its end."""


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """What became of a task."""

    result: Result | None = None
    """None if it failed, or if it only came to its pause."""
    failure: str | None = None
    """Why it failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatcher:
    """Has runs trained: how many at once, and with what."""

    executor: Executor
    """Keeps its workers from one part of the search to the next."""
    fused: int
    """Seeds of a variant that are trained together."""
    device: str
    threads: int
    dataset_folder: Path
    """Holds no test images."""
    code_revision: str
    checkpoint_seconds: float
    command: str
    """The command that the workers belong to, see ``runs.command_at_work``."""
    observer: RunObserver

    def train(self, tasks: Sequence[RunTask]) -> Mapping[RunSpec, TaskOutcome]:
        """Have runs trained as far as they are to be; what is there already is not trained again.

        Returns:
            What became of each; a run that failed does not stop the others.

        Raises:
            StoreError: a run folder cannot be written; what is complete is kept.
            DataError: the decoded images were damaged meanwhile.

        """
        ended: dict[RunSpec, TaskOutcome] = {}
        pending = []
        for one in tasks:
            result = one.folder.result()
            if result is not None:
                ended[one.spec] = TaskOutcome(result)
            elif one.until is not None and one.until in one.folder.pauses():
                ended[one.spec] = TaskOutcome()
            else:
                pending.append(one)
        held = self._pass(pending, ended, wait=False)
        # nobody else works on this search: it is a worker of a command that was killed, which
        # releases the run after its iteration
        self._pass(held, ended, wait=True)
        return ended

    def _pass(
        self, pending: Sequence[RunTask], ended: dict[RunSpec, TaskOutcome], *, wait: bool
    ) -> list[RunTask]:
        """Have runs trained once; return those that another process holds."""
        if not pending:
            return []
        groups = fused_groups(pending, 1 if wait else self.fused)
        ordered = [[self._job(one, len(group), wait) for one in group] for group in groups]
        dispatch = _Dispatch(self, ended)
        with contextlib.closing(self.executor.execute(ordered, search_together)) as events:
            for event in events:
                dispatch.note_group(groups[event.job], event)
        return dispatch.held

    def _job(self, one: RunTask, fused: int, wait: bool) -> jobs.Job:
        return jobs.Job(
            spec=one.spec,
            folder=one.folder.path,
            dataset_folder=self.dataset_folder,
            device=self.device,
            threads=self.threads,
            code_revision=self.code_revision,
            command=self.command,
            checkpoint_seconds=self.checkpoint_seconds,
            wait=wait,
            fused=fused,
            until=one.until,
        )


@dataclass(slots=True)
class _Dispatch:
    """Handles the events of one call of an executor."""

    dispatcher: Dispatcher
    ended: dict[RunSpec, TaskOutcome]
    held: list[RunTask] = field(default_factory=list)

    def note_group(self, group: Sequence[RunTask], event: Event) -> None:
        """Pass an event on to the run that it is about, or to all that have not ended."""
        about, places = jobs.addressed(event, [one.spec for one in group], self.ended)
        for place in places:
            self._note(group[place], event.worker * self.dispatcher.fused + place, about)

    def _note(self, one: RunTask, row: int, about: object) -> None:
        spec, observer = one.spec, self.dispatcher.observer
        ended: TaskOutcome | None = None
        match about:
            case Started():
                observer.started(row, spec)
            case jobs.Progress() as progress:
                observer.progress(row, spec, progress)
            case jobs.Notice(text=text):
                observer.warn(f"{spec.name}: {text}")
            case jobs.Elsewhere():
                self.held.append(one)
            case jobs.Kept(result=result):
                ended = TaskOutcome(result)
            case jobs.AlreadyDone():
                ended = TaskOutcome(one.folder.result())
            case jobs.Paused():
                ended = TaskOutcome()
            case Retried(reason=reason):
                observer.warn(f"{spec.name}: {reason}; it is tried once more")
            case Died(error=AttnstudyError(exit_code=code) as error) if code == EXIT_ENVIRONMENT:
                raise error  # it will meet every run: nothing is a failure of this one
            case Died(reason=reason, details=details):
                one.folder.fail(reason, details)
                ended = TaskOutcome(failure=reason)
        if ended is not None:
            self.ended[spec] = ended
            observer.run_ended(row, spec)
