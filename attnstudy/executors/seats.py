"""The workers of a Ray executor: hired, asked, sent home."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from typing import Any

from attnstudy.executors import cluster
from attnstudy.executors.base import Journey
from attnstudy.executors.cluster import ClusterRequest
from attnstudy.executors.remote_worker import Greeting, RemoteWorker

TURN = 1.0
"""Seconds between looks at what Ray does not tell of itself."""


@dataclass(slots=True, eq=False)
class Seat:
    """A worker, from its hiring on."""

    number: int
    actor: Any
    question: Any
    """What it was asked last, a reference to the answer; none if it has nothing to do."""
    greeting: Greeting | None = None
    """None as long as it waits for a machine with room."""
    job: int | None = None
    journey: Journey | None = None
    order: int = 0
    """How many jobs it was given: by that number both sides know which one is spoken of."""
    heard: int = 0
    """Number of the last message of this job that was taken in."""
    ask_again: float | None = None
    """When, after the connection broke."""

    def let_go(self) -> int:
        """Take its job from it; return which it was."""
        job, journey = self.job, self.journey
        assert job is not None
        assert journey is not None
        self.job = self.journey = self.ask_again = None
        journey.close()
        return job

    def ask(self) -> None:
        """Ask what it has to say."""
        self.ask_again = None
        self.question = self.actor.listen.remote(self.order, self.heard)


@dataclass(slots=True)
class Seats:
    """Workers by number, each an actor that waits for a machine with room and then for jobs."""

    request: ClusterRequest
    taken: dict[int, Seat] = field(default_factory=dict)
    shared: Any = None
    """A reference to what all jobs need."""

    def fill(self, count: int) -> None:
        """Hire until there are so many."""
        for number in range(count):
            if number not in self.taken:
                self.hire(number)

    def hire(self, number: int) -> None:
        """Hire a worker, in place of the one that had the number."""
        ray = cluster.import_ray()
        wanted = self.request.resources
        cpus, gpus = wanted["CPU"], wanted.get("GPU", 0)
        actor = (
            ray.remote(RemoteWorker)
            .options(num_cpus=cpus, num_gpus=gpus, max_restarts=0, max_concurrency=3)
            .remote()
        )
        self.taken[number] = Seat(number, actor, actor.greet.remote())

    def send_home(self, seat: Seat) -> None:
        """Have a worker end."""
        del self.taken[seat.number]
        ray = cluster.import_ray()
        with contextlib.suppress(ray.exceptions.RayError):
            ray.kill(seat.actor)

    def answered(self) -> list[Seat]:
        """Return the workers that have answered, waiting for one for a while."""
        now = time.monotonic()
        for seat in self.taken.values():
            if seat.ask_again is not None and now >= seat.ask_again:
                seat.ask()
        asked = {seat.question: seat for seat in self.taken.values() if seat.question}
        if not asked:
            time.sleep(TURN)
            return []
        ray = cluster.import_ray()
        done, rest = ray.wait(list(asked), num_returns=1, timeout=TURN)
        if done and rest:  # others that have answered too are not to be kept waiting by the first
            more, _ = ray.wait(rest, num_returns=len(rest), timeout=0)
            done += more
        return [asked[reference] for reference in done]

    def close(self) -> None:
        """Have every worker end."""
        for seat in list(self.taken.values()):
            self.send_home(seat)
        self.shared = None
