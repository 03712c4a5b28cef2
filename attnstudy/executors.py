"""Ways to carry out jobs: one after the other here, or several at once in processes.

An executor knows nothing about training. It is given jobs and a function that does one, and
yields what happens, in the order in which it happens. Closing the iterator early stops the work.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext
from multiprocessing.process import BaseProcess
from typing import Any, Protocol

Report = Callable[[object], None]
Work = Callable[[Any, Report], None]
"""Does one job, given the job and a function that reports; must be importable by name."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened to a job."""

    job: int
    """Index of the job in the sequence that was given."""
    worker: int
    """Which worker it happened on, counted from 0."""


@dataclass(frozen=True, slots=True)
class Started(Event):
    """A worker took the job up."""


@dataclass(frozen=True, slots=True)
class Reported(Event):
    """The work said something."""

    message: object


@dataclass(frozen=True, slots=True)
class Finished(Event):
    """The work returned."""


@dataclass(frozen=True, slots=True)
class Died(Event):
    """The work raised, or its process ended without a word."""

    reason: str
    details: str = ""


class Executor(Protocol):
    """The one interface of all executors."""

    def execute(self, jobs: Sequence[Any], work: Work) -> Iterator[Event]:
        """Do every job once; one that dies does not stop the others."""
        ...


class Inline:
    """Does the jobs in this process, one after the other: for debugging and for tests."""

    def execute(self, jobs: Sequence[Any], work: Work) -> Iterator[Event]:
        """Yield the events of each job; its reports come when it has ended."""
        for index, job in enumerate(jobs):
            yield Started(index, 0)
            messages: list[object] = []
            try:
                work(job, messages.append)
                ending: Event = Finished(index, 0)
            except Exception as error:
                ending = Died(index, 0, _sentence(error), traceback.format_exc())
            yield from (Reported(index, 0, message) for message in messages)
            yield ending


@dataclass(slots=True)
class _Worker:
    number: int
    process: BaseProcess
    pipe: Connection
    job: int | None = None


@dataclass(frozen=True, slots=True)
class Processes:
    """Does up to ``workers`` jobs at once, each worker a process of its own.

    Workers are spawned, not forked, because a forked torch may dead-lock. A worker that is
    killed takes only its own job with it and is replaced.
    """

    workers: int
    import_paths: tuple[str, ...] = field(default_factory=lambda: tuple(sys.path))
    """Where the workers look for modules: the user's own variants may be beside a study."""

    def execute(self, jobs: Sequence[Any], work: Work) -> Iterator[Event]:
        """Yield events as they come from the workers."""
        context = multiprocessing.get_context("spawn")
        waiting = deque(range(len(jobs)))
        team = [self._hire(context, n, work) for n in range(min(self.workers, len(jobs)))]
        try:
            for worker in team:
                yield from self._assign(worker, waiting, jobs)
            while busy := {worker.pipe: worker for worker in team if worker.job is not None}:
                for pipe in wait(list(busy)):
                    worker = busy[pipe]  # type: ignore[index]
                    event = self._receive(worker)
                    yield event
                    if isinstance(event, Finished | Died):
                        worker.job = None
                        if waiting and not self._alive(worker):
                            team[worker.number] = worker = self._hire(context, worker.number, work)
                        yield from self._assign(worker, waiting, jobs)
        finally:
            for worker in team:
                worker.pipe.close()  # an idle worker ends by itself
                if worker.job is not None:
                    worker.process.terminate()
            for worker in team:
                worker.process.join(timeout=5)
                if worker.process.is_alive():
                    worker.process.kill()

    def _hire(self, context: SpawnContext, number: int, work: Work) -> _Worker:
        ours, theirs = context.Pipe()
        process = context.Process(
            target=_serve, args=(theirs, work, self.import_paths), name=f"attnstudy-worker-{number}"
        )
        process.start()
        theirs.close()  # so that the pipe ends when the worker does
        return _Worker(number, process, ours)

    def _assign(
        self, worker: _Worker, waiting: deque[int], jobs: Sequence[Any]
    ) -> Iterator[Started]:
        if not waiting:
            return
        worker.job = waiting.popleft()
        # a worker that died while idle is noticed when its pipe is read
        with contextlib.suppress(BrokenPipeError):
            worker.pipe.send(jobs[worker.job])
        yield Started(worker.job, worker.number)

    def _receive(self, worker: _Worker) -> Event:
        job = -1 if worker.job is None else worker.job
        try:
            kind, *content = worker.pipe.recv()
        except (EOFError, ConnectionResetError):
            worker.process.join(timeout=5)
            return Died(job, worker.number, _ending(worker.process.exitcode))
        if kind == "report":
            return Reported(job, worker.number, content[0])
        if kind == "died":
            return Died(job, worker.number, content[0], content[1])
        return Finished(job, worker.number)

    @staticmethod
    def _alive(worker: _Worker) -> bool:
        return worker.process.exitcode is None


def _serve(pipe: Connection, work: Work, import_paths: tuple[str, ...]) -> None:
    """Be a worker: do jobs until the pipe closes or the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches us too; the parent decides
    sys.path[:] = import_paths
    try:
        while True:
            job = pipe.recv()
            try:
                work(job, lambda message: pipe.send(("report", message)))
            except (BrokenPipeError, ConnectionResetError):
                raise
            except Exception as error:
                pipe.send(("died", _sentence(error), traceback.format_exc()))
            else:
                pipe.send(("finished",))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        os._exit(0)  # the parent is gone or done with us; nothing here is worth tidying


def _sentence(error: BaseException) -> str:
    text = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _ending(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        name = signal.Signals(-exit_code).name
        guess = ", perhaps because memory ran out" if -exit_code == signal.SIGKILL else ""
        return f"its process was killed by {name}{guess}"
    return f"its process ended with exit code {exit_code}"
