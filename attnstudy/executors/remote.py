"""Jobs on a Ray cluster, several at once, whose machines need not share files with this one."""

from __future__ import annotations

import math
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from attnstudy.errors import AttnstudyError, ClusterError
from attnstudy.executors import base, cluster
from attnstudy.executors.base import (
    Busy,
    Died,
    Event,
    Finished,
    Notes,
    Reported,
    Retried,
    Started,
    TimeIsUpError,
    Transport,
    Work,
)
from attnstudy.executors.cluster import ClusterRequest
from attnstudy.executors.local_transport import LocalTransport
from attnstudy.executors.remote_worker import Ending, Greeting
from attnstudy.executors.same_code import code_digest
from attnstudy.executors.watch import Watch
from attnstudy.executors.worker_pool import POLL_SECONDS, PoolWorker, WorkerPool

KILLED_BEFORE = 1
"""Times that a job is tried again whose process was killed: it may be what needs too much."""
LOST_BEFORE = 5
"""Times that it is tried again after its machine was lost, which is no fault of the job."""
FAILED_STARTS = 5
"""How often, for each worker, another is started for one that failed to start."""


def _say_nothing(_: str) -> None:
    pass


@dataclass(slots=True)
class Ray:
    """Does up to ``workers`` jobs at once, each worker an actor somewhere in the cluster.

    A worker that is killed, or lost with its machine, takes only its own job with it: the job is
    done again by another, from what had come back. Messages of a worker that was given up are
    ignored, so every job has one outcome.
    """

    workers: int
    request: ClusterRequest = field(default_factory=ClusterRequest)
    transport: Transport = field(default_factory=LocalTransport)
    say: Callable[[str], None] = _say_nothing
    """Shows a line that must not be missed."""
    _kept: WorkerPool | None = field(default=None, init=False)
    """The workers, where they stay between calls of ``execute``."""

    def __enter__(self) -> Self:
        """Keep the workers between calls of ``execute``."""
        self._kept = WorkerPool(self.request)
        return self

    def __exit__(self, *_: object) -> None:
        """Have the workers end."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def execute(
        self, jobs: Sequence[Any], work: Work, *, until: float = math.inf
    ) -> Generator[Event]:
        """Yield events as they come from the workers."""
        if not jobs:
            return
        cluster.connect(self.request)
        cluster.require_room(self.request)
        pool = self._kept or WorkerPool(self.request)
        execution = _Execution(self, pool, jobs, work, keeps=self._kept is not None)
        try:
            yield from execution.run(until)
        finally:
            execution.end()


class _Execution:
    """One call of ``execute``."""

    def __init__(
        self, executor: Ray, pool: WorkerPool, jobs: Sequence[Any], work: Work, *, keeps: bool
    ) -> None:
        self.ray: Any = cluster.import_ray()
        self.executor, self.pool, self.jobs, self.keeps = executor, pool, jobs, keeps
        self.transport = executor.transport
        self.work = self.transport.remote_work(work)
        self.waiting = deque(range(len(jobs)))
        self.killed: Counter[int] = Counter()
        self.lost: Counter[int] = Counter()
        if pool.shared is None:
            pool.shared = self.ray.put(self.transport.shared)
        self.failed_starts = 0
        """Workers in succession that ended before their greeting."""
        self.closing = False
        self.watch = Watch(executor.request, executor.say)
        pool.fill(min(executor.workers, len(jobs)))

    def run(self, until: float) -> Iterator[Event]:
        """Yield what happens until every job has ended, or the time is up."""
        while True:
            if time.monotonic() > until:
                raise TimeIsUpError
            for worker in list(self.pool.workers.values()):
                yield from self._assign(worker)
                if not (self.waiting or self.keeps or worker.job is not None):
                    self.pool.stop(worker)  # others may need its room
            if not self.waiting and all(s.job is None for s in self.pool.workers.values()):
                return
            for worker in self.pool.answered():
                yield from self._receive(worker)
            self.watch.look(at_work=any(s.greeting is not None for s in self.pool.workers.values()))

    def _assign(self, worker: PoolWorker) -> Iterator[Event]:
        """Give an idle worker the next job that needs one."""
        for _ in range(len(self.waiting)):
            if worker.greeting is None or worker.job is not None:
                return
            job = self.waiting.popleft()
            notes = Notes()
            try:
                transfer = self.transport.submit(self.jobs[job], notes)
            except Busy:
                self.waiting.append(job)
                continue
            if transfer is not None:  # before the event is told: its reader may close us
                worker.order += 1
                worker.job, worker.transfer, worker.received = job, transfer, 0
                worker.question = worker.actor.begin.remote(
                    worker.order, self.work, transfer.payload, self.pool.shared
                )
            yield Started(job, worker.number)
            for message in notes.messages:
                yield Reported(job, worker.number, message)
            if transfer is None:
                yield Finished(job, worker.number)

    def _receive(self, worker: PoolWorker) -> Iterator[Event]:
        """Handle a worker's answer."""
        reference, worker.question = worker.question, None
        exceptions = self.ray.exceptions
        try:
            answer = self.ray.get(reference)
        except exceptions.ActorUnavailableError:
            # a connection broke, or a machine is gone: Ray will know
            worker.ask_again = time.monotonic() + POLL_SECONDS
            if worker.greeting is None:
                yield from self._replace(worker, "")
            return
        except (exceptions.RayTaskError, exceptions.RaySystemError) as error:
            # the payload, or a message, could not be unpickled
            if worker.job is None:
                yield from self._replace(worker, str(error))
                return
            self.pool.stop(worker)
            self.pool.start(worker.number)
            yield from self._end(worker, Ending(base.died(0, 0, error).reason, str(error)))
            return
        except exceptions.RayError as error:  # it is gone, or what it said is: with its machine
            yield from self._replace(worker, str(error))
            return
        if isinstance(answer, Greeting):
            self._register(worker, answer)
        elif answer is None:  # the order was lost on its way
            yield from self._replace(worker, "")
        else:
            yield from self._handle_messages(worker, answer)

    def _register(self, worker: PoolWorker, greeting: Greeting) -> None:
        if greeting.code != code_digest():
            raise ClusterError(
                f"the machine {greeting.machine} of the Ray cluster has another attnstudy than "
                "this one: install the same version on both"
            )
        worker.greeting = greeting
        self.failed_starts = 0

    def _handle_messages(
        self, worker: PoolWorker, answer: Sequence[tuple[int, object]]
    ) -> Iterator[Event]:
        job, transfer = worker.job, worker.transfer
        assert job is not None
        assert transfer is not None
        for number, message in answer:
            if number <= worker.received:
                continue
            if isinstance(message, Ending):
                worker.received = number
                yield from self._end(worker, message)
                return
            told = transfer.receive(message)
            worker.received = number  # only now: a signal in the midst of it must not lose it
            if told is not None:
                yield Reported(job, worker.number, told)
        worker.ask()

    def _end(self, worker: PoolWorker, ending: Ending) -> Iterator[Event]:
        job = worker.release()
        if ending.reason is None:
            yield Finished(job, worker.number)
        else:
            yield Died(job, worker.number, ending.reason, ending.details, ending.error)

    def _replace(self, worker: PoolWorker, said: str) -> Iterator[Event]:
        """Start another worker in place of one that is gone; its job gets another try."""
        if "No module named 'attnstudy'" in said:
            raise ClusterError(
                "a machine of the Ray cluster has no attnstudy: install the version of this "
                "machine there, or start the cluster from an image that has it"
            )
        if worker.greeting is None:
            self._count_failed_start(said)
        job = None if worker.job is None else worker.release()
        event = None if job is None else self._retry_or_give_up(worker, job)
        if isinstance(event, Retried):
            self.waiting.append(event.job)
        self.pool.stop(worker)
        if not self.closing:
            self.pool.start(worker.number)
        if event is not None:
            yield event

    def _count_failed_start(self, said: str) -> None:
        """Give up when every worker fails to start, or others would be started for ever."""
        self.failed_starts += 1
        if self.failed_starts >= FAILED_STARTS * len(self.pool.workers):
            last = said.strip().rpartition("\n")[2] or "Ray does not say why"
            raise ClusterError(
                f"workers on the Ray cluster end before they have begun ({last}): put that right "
                "on its machines, then run the same command again; what is complete is kept"
            )

    def _retry_or_give_up(self, worker: PoolWorker, job: int) -> Event:
        assert worker.greeting is not None
        machine = worker.greeting.machine
        if worker.greeting.node in cluster.machines():
            reason = f"its process on {machine} was killed, perhaps because memory ran out"
            times, most = self.killed, KILLED_BEFORE
        else:
            reason = f"the machine {machine} is gone"
            times, most = self.lost, LOST_BEFORE
        times[job] += 1
        if times[job] <= most:
            return Retried(job, worker.number, reason)
        return Died(job, worker.number, reason)

    def end(self) -> None:
        """Have the workers end, unless they are kept: the busy where they can go on later."""
        self.closing = True
        deadline = time.monotonic() + base.GRACE
        busy = [worker for worker in self.pool.workers.values() if worker.job is not None]
        try:
            for worker in busy:
                worker.actor.stop.remote()
                if worker.question is None:  # its last answer made the caller close us
                    worker.ask()
            while time.monotonic() < deadline and any(s.job is not None for s in busy):
                for worker in self.pool.answered():
                    self._receive_last(worker)
        finally:  # also when the user does not want to wait
            for worker in busy:
                if worker.transfer is not None:
                    worker.transfer.close()
            if busy or not self.keeps:
                self.pool.close()

    def _receive_last(self, worker: PoolWorker) -> None:
        """Keep what still comes back; the caller says why it ends us."""
        try:
            for _ in self._receive(worker):
                pass
        except AttnstudyError:  # it cannot be kept: those of the others may be
            if worker.job is not None:
                worker.release()
