"""Training what the trials of a search are made of: runs, or parts of them."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from attnstudy.redaction import without_passwords
from attnstudy.running import jobs
from attnstudy.running.dispatch import Dispatch, RunEvent, RunFailed, RunObserver, RunTask
from attnstudy.runs import Result
from attnstudy.study import RunSpec


class SearchObserver(RunObserver, Protocol):
    """Whoever shows the user what happens to the runs of a search."""

    def run_ended(self, worker: int, spec: RunSpec) -> None:
        """Show that a run ended, or came to where it was to pause."""


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """What became of a task."""

    result: Result | None = None
    """None if it failed, or if it only came to its pause."""
    failure: str | None = None
    """Why it failed."""


@dataclass(frozen=True, slots=True)
class Trainer:
    """Has runs trained as far as a search wants them."""

    dispatch: Dispatch
    observer: SearchObserver

    def train(self, tasks: Sequence[RunTask]) -> Mapping[RunSpec, TaskOutcome]:
        """Train each run up to the point that its task names; what exists is not trained again.

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
        held: list[RunTask] = []
        if not pending:
            return held
        with contextlib.closing(self.dispatch.events(pending, wait=wait)) as events:
            for event in events:
                if (outcome := _outcome(event, held)) is not None:
                    ended[event.task.spec] = outcome
                    self.observer.run_ended(event.row, event.task.spec)
        return held


def _outcome(event: RunEvent, held: list[RunTask]) -> TaskOutcome | None:
    """Return what an event says of the end of a task; one that others hold is noted."""
    match event.about:
        case jobs.Elsewhere():
            held.append(event.task)
        case jobs.Kept(result=result):
            return TaskOutcome(result)
        case jobs.AlreadyDone():
            return TaskOutcome(event.task.folder.result())
        case jobs.Paused():
            return TaskOutcome()
        case RunFailed(reason=reason):
            return TaskOutcome(failure=without_passwords(reason))
    return None
