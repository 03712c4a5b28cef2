"""Jobs on a Ray cluster, several at once, whose machines need not share files with this one."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from attnstudy.errors import AttnstudyError, ClusterError
from attnstudy.executors import base, cluster
from attnstudy.executors.base import (
    Busy,
    Carrier,
    Channel,
    Died,
    Event,
    Finished,
    Journey,
    Reported,
    Retried,
    Started,
    Work,
)
from attnstudy.executors.cluster import ClusterRequest
from attnstudy.executors.remote_worker import Ending, Greeting, RemoteWorker
from attnstudy.executors.same_code import code_digest

KILLED_BEFORE = 1
"""Times that a job is tried again whose process was killed: it may be what needs too much."""
LOST_BEFORE = 5
"""Times that it is tried again after its machine was lost, which is no fault of the job."""
PATIENCE = 300.0
"""Seconds for which a cluster is waited for that has no machine left for any job."""
_TURN = 1.0  # seconds between looks at what Ray does not tell of itself
_WAITS = 15.0  # seconds without a worker after which the user is told


def _say_nothing(_: str) -> None:
    pass


class AtHome:
    """A carrier of jobs that need nothing carried."""

    shared = None

    def abroad(self, work: Work) -> base.AbroadWork:
        """Return a function that passes the parcel, which is the job, to ``work``."""
        return _Plainly(work)

    def depart(self, job: Any, channel: Channel) -> Journey:
        """Return the job as it is."""
        return _Plain(job)


@dataclass(frozen=True, slots=True)
class _Plainly:
    work: Work

    def __call__(self, parcel: Any, shared: Any, channel: Channel) -> None:
        self.work(parcel, channel)


@dataclass(frozen=True, slots=True)
class _Plain:
    parcel: Any

    def arrive(self, message: Any) -> object | None:
        return message  # type: ignore[no-any-return]

    def close(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Ray:
    """Does up to ``workers`` jobs at once, each worker an actor somewhere in the cluster.

    A worker that is killed, or lost with its machine, takes only its own job with it: the job is
    done again by another, from what had come back. Whatever a worker that was given up may still
    do is not heard any more, so every job has one outcome.
    """

    workers: int
    request: ClusterRequest = field(default_factory=ClusterRequest)
    carrier: Carrier = field(default_factory=AtHome)
    say: Callable[[str], None] = _say_nothing
    """Shows a line that must not be missed."""

    def execute(self, jobs: Sequence[Any], work: Work) -> Generator[Event]:
        """Yield events as they come from the workers."""
        if not jobs:
            return
        cluster.connect(self.request)
        cluster.require_room(self.request)
        shift = _Shift(self, jobs, work)
        try:
            yield from shift.work_off()
        finally:
            shift.dismiss()


@dataclass(slots=True, eq=False)
class _Seat:
    """A worker, from its hiring on."""

    number: int
    actor: Any
    question: Any
    """What it was asked last, a reference to the answer; none if it has nothing to do."""
    greeting: Greeting | None = None
    """None as long as it waits for a machine with room."""
    job: int | None = None
    journey: Journey | None = None
    heard: int = 0
    """Number of the last message of this job."""
    begun: bool = False
    """Whether it has answered that the job has begun."""
    ask_again: float | None = None
    """When, after the connection broke."""


@dataclass(slots=True)
class _Notes:
    """What a carrier has to say before a job departs, or in place of it."""

    messages: list[object] = field(default_factory=list)

    def report(self, message: object) -> None:
        self.messages.append(message)

    def stopping(self) -> bool:
        return False


class _Shift:
    """One call of ``execute``."""

    def __init__(self, executor: Ray, jobs: Sequence[Any], work: Work) -> None:
        self.ray: Any = cluster.import_ray()
        self.executor, self.jobs = executor, jobs
        self.carrier = executor.carrier
        self.work = self.carrier.abroad(work)
        self.waiting = deque(range(len(jobs)))
        self.killed: dict[int, int] = {}
        self.lost: dict[int, int] = {}
        self.shared = self.ray.put(self.carrier.shared)
        wanted = executor.request
        self.actor_class = self.ray.remote(RemoteWorker).options(
            num_cpus=wanted.cpus, num_gpus=wanted.gpus, max_restarts=0, max_concurrency=3
        )
        self.closing = False
        self.room_seen = time.monotonic()
        self.told = False
        self.seats: dict[int, _Seat] = {}
        for number in range(min(executor.workers, len(jobs))):
            self._hire(number)

    def _hire(self, number: int) -> None:
        actor = self.actor_class.remote()
        self.seats[number] = _Seat(number, actor, actor.greet.remote())

    def _send_home(self, seat: _Seat) -> None:
        del self.seats[seat.number]
        self.ray.kill(seat.actor)

    def work_off(self) -> Iterator[Event]:
        """Yield what happens until every job has ended."""
        while True:
            for seat in list(self.seats.values()):
                yield from self._assign(seat)
                if not self.waiting and seat.job is None:
                    self._send_home(seat)  # others may need its room
            if not self.seats:
                return
            for seat in self._answered():
                yield from self._hear(seat)
            self._check_room()

    def _answered(self) -> list[_Seat]:
        """Return the workers that have answered, waiting for one for a while."""
        now = time.monotonic()
        for seat in self.seats.values():
            if seat.ask_again is not None and now >= seat.ask_again:
                self._ask(seat)
        asked = {seat.question: seat for seat in self.seats.values() if seat.question}
        if not asked:
            time.sleep(_TURN)
            return []
        done, rest = self.ray.wait(list(asked), num_returns=1, timeout=_TURN)
        if done and rest:  # others that have answered too are not to be kept waiting by the first
            more, _ = self.ray.wait(rest, num_returns=len(rest), timeout=0)
            done += more
        return [asked[reference] for reference in done]

    def _assign(self, seat: _Seat) -> Iterator[Event]:
        """Give an idle worker the next job that needs one."""
        for _ in range(len(self.waiting)):
            if seat.greeting is None or seat.job is not None:
                return
            job = self.waiting.popleft()
            notes = _Notes()
            try:
                journey = self.carrier.depart(self.jobs[job], notes)
            except Busy:
                self.waiting.append(job)
                continue
            if journey is not None:  # before it is told: whoever hears it may end us
                seat.job, seat.journey, seat.heard, seat.begun = job, journey, 0, False
                seat.question = seat.actor.begin.remote(self.work, journey.parcel, self.shared)
            yield Started(job, seat.number)
            for message in notes.messages:
                yield Reported(job, seat.number, message)
            if journey is None:
                yield Finished(job, seat.number)

    def _ask(self, seat: _Seat) -> None:
        seat.ask_again = None
        seat.question = seat.actor.listen.remote(seat.heard)

    def _hear(self, seat: _Seat) -> Iterator[Event]:
        """Take in an answer."""
        reference, seat.question = seat.question, None
        exceptions = self.ray.exceptions
        try:
            answer = self.ray.get(reference)
        except exceptions.ActorUnavailableError:
            # a connection broke, or a machine is gone: Ray will know
            seat.ask_again = time.monotonic() + _TURN
            if seat.greeting is None:
                yield from self._replace(seat, "")
            return
        except exceptions.RayActorError as error:
            yield from self._replace(seat, str(error))
            return
        except exceptions.RayError as error:  # the parcel, or a message, could not be opened
            self._send_home(seat)
            self._hire(seat.number)
            yield from self._end(seat, Ending(base.died(0, 0, error).reason, str(error)))
            return
        if isinstance(answer, Greeting):
            self._welcome(seat, answer)
        elif not seat.begun:
            seat.begun = True
            self._ask(seat)
        else:
            yield from self._take_in(seat, answer)

    def _welcome(self, seat: _Seat, greeting: Greeting) -> None:
        if greeting.code != code_digest():
            raise ClusterError(
                f"the machine {greeting.machine} of the Ray cluster has another attnstudy than "
                "this one: install the same version on both"
            )
        seat.greeting = greeting

    def _take_in(self, seat: _Seat, answer: Sequence[tuple[int, object]]) -> Iterator[Event]:
        job, journey = seat.job, seat.journey
        assert job is not None
        assert journey is not None
        for number, message in answer:
            if number <= seat.heard:
                continue
            seat.heard = number
            if isinstance(message, Ending):
                yield from self._end(seat, message)
                return
            told = journey.arrive(message)
            if told is not None:
                yield Reported(job, seat.number, told)
        self._ask(seat)

    def _end(self, seat: _Seat, ending: Ending) -> Iterator[Event]:
        job = self._let_go(seat)
        if ending.reason is None:
            yield Finished(job, seat.number)
        else:
            yield Died(job, seat.number, ending.reason, ending.details, ending.error)

    def _let_go(self, seat: _Seat) -> int:
        job, journey = seat.job, seat.journey
        assert job is not None
        assert journey is not None
        seat.job = seat.journey = seat.ask_again = None
        journey.close()
        return job

    def _replace(self, seat: _Seat, said: str) -> Iterator[Event]:
        """Hire another worker in place of one that is gone; its job gets another try."""
        if "No module named 'attnstudy'" in said:
            raise ClusterError(
                "a machine of the Ray cluster has no attnstudy: install the version of this "
                "machine there, or start the cluster from an image that has it"
            )
        job = None if seat.job is None else self._let_go(seat)
        event = None if job is None else self._gone(seat, job)
        if isinstance(event, Retried):
            self.waiting.append(event.job)
        if not self.closing:
            self._hire(seat.number)
        if event is not None:
            yield event

    def _gone(self, seat: _Seat, job: int) -> Event:
        assert seat.greeting is not None
        machine = seat.greeting.machine
        if seat.greeting.node in cluster.machines():
            reason = f"its process on {machine} was killed, perhaps because memory ran out"
            times, most = self.killed, KILLED_BEFORE
        else:
            reason = f"the machine {machine} is gone"
            times, most = self.lost, LOST_BEFORE
        times[job] = times.get(job, 0) + 1
        if times[job] <= most:
            return Retried(job, seat.number, reason)
        return Died(job, seat.number, reason)

    def _check_room(self) -> None:
        """Say that no machine has room for a run; give up when none ever will: Ray is silent."""
        now = time.monotonic()
        if any(seat.greeting is not None for seat in self.seats.values()):
            self.room_seen, self.told = now, False
            return
        waited = now - self.room_seen
        if waited > _WAITS and not self.told:
            self.told = True
            self.executor.say("no machine of the Ray cluster has room for a run yet; waiting")
        if waited > PATIENCE and not cluster.slots(self.executor.request):
            raise ClusterError(
                f"no machine of the Ray cluster was fit for a run for {PATIENCE:.0f} seconds: add "
                "one, then run the same command again; what is complete is kept"
            )

    def dismiss(self) -> None:
        """Have every worker end: the idle at once, the others where they can go on later."""
        self.closing = True
        deadline = time.monotonic() + base.GRACE
        busy = [seat for seat in self.seats.values() if seat.job is not None]
        try:
            for seat in busy:
                seat.actor.stop.remote()
                if seat.question is None:  # whoever heard it last has ended us at that
                    self._ask(seat)
            # what is still brought is kept; why we end is said by whoever ends us
            with contextlib.suppress(AttnstudyError):
                while time.monotonic() < deadline and any(s.job is not None for s in busy):
                    for seat in self._answered():
                        for _ in self._hear(seat):
                            pass
        finally:  # also when the user does not want to wait
            for seat in busy:
                if seat.journey is not None:
                    seat.journey.close()
            for seat in self.seats.values():
                with contextlib.suppress(self.ray.exceptions.RayError):
                    self.ray.kill(seat.actor)
