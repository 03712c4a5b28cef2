"""The workers of a Ray executor: started, asked, stopped."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from typing import Any

from attnstudy.executors import cluster
from attnstudy.executors.base import Transfer
from attnstudy.executors.cluster import ClusterRequest
from attnstudy.executors.remote_worker import Greeting, RemoteWorker

POLL_SECONDS = 1.0
"""Seconds between looks at what Ray does not tell of itself."""


@dataclass(slots=True, eq=False)
class PoolWorker:
    """A worker, from its start on."""

    number: int
    actor: Any
    question: Any
    """Reference to the answer to the last question it was asked; None while it has nothing to
    do."""
    greeting: Greeting | None = None
    """None as long as it waits for a machine with room."""
    job: int | None = None
    transfer: Transfer | None = None
    order: int = 0
    """How many jobs it was given: the number by which both sides name a job."""
    received: int = 0
    """Number of the last message of this job that was received."""
    ask_again: float | None = None
    """When, after the connection broke."""

    def release(self) -> int:
        """Release its job; return which one it was."""
        job, transfer = self.job, self.transfer
        assert job is not None
        assert transfer is not None
        self.job = self.transfer = self.ask_again = None
        transfer.close()
        return job

    def ask(self) -> None:
        """Ask what it has to say."""
        self.ask_again = None
        self.question = self.actor.listen.remote(self.order, self.received)


@dataclass(slots=True)
class WorkerPool:
    """Workers by number, each an actor that waits for a machine with room and then for jobs."""

    request: ClusterRequest
    workers: dict[int, PoolWorker] = field(default_factory=dict)
    shared: Any = None
    """A reference to what all jobs need."""

    def fill(self, count: int) -> None:
        """Start workers until there are so many."""
        for number in range(count):
            if number not in self.workers:
                self.start(number)

    def start(self, number: int) -> None:
        """Start a worker, in place of the one that had the number."""
        ray = cluster.import_ray()
        wanted = self.request.resources
        cpus, gpus = wanted["CPU"], wanted.get("GPU", 0)
        actor = (
            ray.remote(RemoteWorker)
            .options(num_cpus=cpus, num_gpus=gpus, max_restarts=0, max_concurrency=3)
            .remote()
        )
        self.workers[number] = PoolWorker(number, actor, actor.greet.remote())

    def stop(self, worker: PoolWorker) -> None:
        """Stop a worker."""
        del self.workers[worker.number]
        ray = cluster.import_ray()
        with contextlib.suppress(ray.exceptions.RayError):
            ray.kill(worker.actor)

    def answered(self) -> list[PoolWorker]:
        """Return the workers that have answered, waiting for one for a while."""
        now = time.monotonic()
        for worker in self.workers.values():
            if worker.ask_again is not None and now >= worker.ask_again:
                worker.ask()
        asked = {worker.question: worker for worker in self.workers.values() if worker.question}
        if not asked:
            time.sleep(POLL_SECONDS)
            return []
        ray = cluster.import_ray()
        done, rest = ray.wait(list(asked), num_returns=1, timeout=POLL_SECONDS)
        if done and rest:  # others that have answered too are not to be kept waiting by the first
            more, _ = ray.wait(rest, num_returns=len(rest), timeout=0)
            done += more
        return [asked[reference] for reference in done]

    def close(self) -> None:
        """Stop every worker."""
        for worker in list(self.workers.values()):
            self.stop(worker)
        self.shared = None
