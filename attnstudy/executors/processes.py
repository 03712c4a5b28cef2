"""Jobs in worker processes, several at once."""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import Any, Self

from attnstudy.executors import base
from attnstudy.executors.base import (
    ASKED,
    Died,
    Event,
    Finished,
    Reported,
    Retried,
    Started,
    Stopped,
    TimeIsUpError,
    Work,
    died,
)

METHOD = "forkserver" if sys.platform == "linux" else "spawn"
"""How workers start. A process that has run torch must not be forked: a forked torch may
dead-lock. The fork server has only imported it, once for all workers, while its parent was
busy with other things; but on macOS even that is not safe."""


_SAFE_PATH = "PYTHONSAFEPATH"


def prepare_workers(*modules: str, at_once: bool) -> None:
    """Have what workers need imported once for all of them.

    Args:
        modules: what they need.
        at_once: begin now, while this process goes on with something else; otherwise when the
            first of them is started.

    """
    if METHOD == "forkserver":
        multiprocessing.set_forkserver_preload(list(modules))
        if at_once:
            _start_server()


def _start_server() -> None:
    """Start the fork server unless it runs, deaf to Ctrl-C: it would end in a traceback.

    A signal that is blocked stays so in a new program; one that comes now reaches us afterwards.
    """
    given = os.environ.get(_SAFE_PATH)
    # as `python -c` they would look for modules in the working directory before all others
    os.environ[_SAFE_PATH] = "1"
    resource_tracker.ensure_running()  # the server's would let signals through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        os.environ.pop(_SAFE_PATH)
        if given is not None:
            os.environ[_SAFE_PATH] = given


@dataclass(slots=True)
class _Worker:
    number: int
    process: BaseProcess
    pipe: Connection
    job: int | None = None


@dataclass(slots=True)
class Processes:
    """Does up to ``workers`` jobs at once, each worker a process of its own.

    A worker that is killed takes only its own job with it and is replaced.
    """

    workers: int
    import_paths: tuple[str, ...] = field(default_factory=lambda: tuple(sys.path))
    """Where the workers look for modules: the user's own variants may be beside a study."""
    _kept: list[_Worker] | None = field(default=None, init=False)
    """The workers, where they stay between calls of ``execute``; all idle then."""

    def __enter__(self) -> Self:
        """Keep the workers between calls of ``execute``."""
        self._kept = []
        return self

    def __exit__(self, *_: object) -> None:
        """Have the workers end."""
        if self._kept is not None:
            _stop_all(self._kept)
            self._kept = None

    def execute(
        self, jobs: Sequence[Any], work: Work, *, until: float = math.inf
    ) -> Generator[Event]:
        """Yield events as they come from the workers."""
        context = multiprocessing.get_context(METHOD)
        waiting = deque(range(len(jobs)))
        retried: set[int] = set()
        pool = [] if self._kept is None else self._kept
        for number in range(min(self.workers, len(jobs))):
            if number == len(pool):
                pool.append(self._start(context, number))
            elif not self._alive(pool[number]):
                pool[number] = self._start(context, number)
        try:
            for worker in pool:
                yield from self._assign(worker, waiting, jobs, work)
            while busy := {worker.pipe: worker for worker in pool if worker.job is not None}:
                for pipe in _heard(list(busy), until):
                    worker = busy[pipe]
                    event = self._receive(worker)
                    if isinstance(event, Died) and self._was_killed(worker):
                        if event.job not in retried:
                            # at the end, when the others no longer need the memory
                            waiting.append(event.job)
                            event = Retried(event.job, event.worker, event.reason)
                        retried.add(event.job)
                    ended = isinstance(event, Finished | Died | Retried)
                    if ended:
                        worker.job = None  # before it is told: whoever hears it may end us
                    yield event
                    if ended:
                        if waiting and not self._alive(worker):
                            pool[worker.number] = worker = self._start(context, worker.number)
                        yield from self._assign(worker, waiting, jobs, work)
        finally:
            if self._kept is None or any(worker.job is not None for worker in pool):
                _stop_all(pool)
                pool.clear()

    def _start(self, context: BaseContext, number: int) -> _Worker:
        if METHOD == "forkserver":
            _start_server()
        ours, theirs = context.Pipe()
        process = context.Process(  # type: ignore[attr-defined]  # the stubs' base class lacks it
            target=_serve,
            args=(theirs, self.import_paths, dict(os.environ)),
            name=f"attnstudy-worker-{number}",
        )
        process.start()
        theirs.close()  # so that the pipe ends when the worker does
        return _Worker(number, process, ours)

    def _assign(
        self, worker: _Worker, waiting: deque[int], jobs: Sequence[Any], work: Work
    ) -> Iterator[Started]:
        if not waiting:
            return
        worker.job = waiting.popleft()
        # a worker that died while idle is noticed when its pipe is read
        with contextlib.suppress(BrokenPipeError):
            worker.pipe.send((work, jobs[worker.job]))
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
            return Died(job, worker.number, *content)
        return Finished(job, worker.number)

    @staticmethod
    def _was_killed(worker: _Worker) -> bool:
        return worker.process.exitcode == -signal.SIGKILL

    @staticmethod
    def _alive(worker: _Worker) -> bool:
        return worker.process.exitcode is None


def _heard(pipes: Sequence[Connection], until: float) -> Sequence[Connection]:
    """Wait until one of some pipes can be read; return those that can.

    Raises:
        TimeIsUpError: the time, of ``time.monotonic``, has passed.

    """
    left = until - time.monotonic()
    heard = wait(pipes, None if math.isinf(left) else max(left, 0))
    if not heard or left < 0:
        raise TimeIsUpError
    return heard  # type: ignore[return-value]


def _stop_all(pool: Sequence[_Worker]) -> None:
    """Have every worker end: the idle at once, the others where they can go on later."""
    busy = [worker for worker in pool if worker.job is not None]
    for worker in pool:
        if worker.job is None:
            worker.pipe.close()  # an idle worker ends by itself
        else:
            worker.process.terminate()
    deadline = time.monotonic() + base.GRACE
    try:
        for worker in busy:
            # what they still say is in their folders too; unread, it would hold them up
            with contextlib.suppress(EOFError, OSError):
                while (left := deadline - time.monotonic()) > 0:
                    if worker.pipe.poll(left) and worker.pipe.recv()[0] != "report":
                        break
            worker.pipe.close()
    finally:  # also when the user does not want to wait
        for worker in pool:
            worker.process.join(timeout=5 if time.monotonic() < deadline else 0)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()


class _Line:
    """A worker's channel: the pipe to its parent, and the signal by which the parent stops it."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        # not whose child the system says this is: that is the fork server
        self._parent = multiprocessing.parent_process()
        self.asked = False
        signal.signal(signal.SIGTERM, self._note)

    def _note(self, *_: object) -> None:
        self.asked = True

    def report(self, message: object) -> None:
        # without a parent the work still has to come to a good place, see ``stopping``
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._pipe.send(("report", message))

    def stopping(self) -> bool:
        return self.asked or self._parent is None or not self._parent.is_alive()


def _serve(pipe: Connection, import_paths: tuple[str, ...], environ: Mapping[str, str]) -> None:
    """Be a worker: do jobs until the pipe closes or the parent is gone."""
    os.environ.pop(_SAFE_PATH, None)  # meant for the fork server alone, not for a user's command
    os.environ.update(environ)  # a fork server may be older than a setting
    for number in set(base.ENDING) - {signal.SIGTERM}:
        signal.signal(number, signal.SIG_IGN)  # they reach us too; the parent decides
    channel = _Line(pipe)
    sys.path[:] = import_paths
    try:
        while True:
            work, job = pipe.recv()
            try:
                work(job, channel)
            except Stopped:
                channel.asked = False  # a parent that asked closes the pipe now
                pipe.send(("died", ASKED, "", None))
            except Exception as error:
                ending = died(0, 0, error)
                pipe.send(("died", ending.reason, ending.details, ending.error))
            else:
                pipe.send(("finished",))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass
    os._exit(0)  # the parent is gone or done with us; nothing here is worth tidying


def _ending(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        name = signal.Signals(-exit_code).name
        guess = ", perhaps because memory ran out" if -exit_code == signal.SIGKILL else ""
        return f"its process was killed by {name}{guess}"
    return f"its process ended with exit code {exit_code}"
