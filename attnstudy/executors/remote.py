"""Jobs on a Ray cluster, several at once, whose machines need not share files with this one."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from attnstudy.errors import AttnstudyError, ClusterError
from attnstudy.executors import base, cluster
from attnstudy.executors.at_home import AtHome
from attnstudy.executors.base import (
    Busy,
    Carrier,
    Died,
    Event,
    Finished,
    Notes,
    Reported,
    Retried,
    Started,
    Work,
)
from attnstudy.executors.cluster import ClusterRequest
from attnstudy.executors.remote_worker import Ending, Greeting
from attnstudy.executors.same_code import code_digest
from attnstudy.executors.seats import TURN, Seat, Seats
from attnstudy.executors.watch import Watch

KILLED_BEFORE = 1
"""Times that a job is tried again whose process was killed: it may be what needs too much."""
LOST_BEFORE = 5
"""Times that it is tried again after its machine was lost, which is no fault of the job."""
STILLBORN = 5
"""Times, for each worker, that another is hired for one that has not come to life."""


def _say_nothing(_: str) -> None:
    pass


@dataclass(slots=True)
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
    _kept: Seats | None = field(default=None, init=False)
    """The workers, where they stay between calls of ``execute``."""

    def __enter__(self) -> Self:
        """Keep the workers between calls of ``execute``."""
        self._kept = Seats(self.request)
        return self

    def __exit__(self, *_: object) -> None:
        """Have the workers end."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def execute(self, jobs: Sequence[Any], work: Work) -> Generator[Event]:
        """Yield events as they come from the workers."""
        if not jobs:
            return
        cluster.connect(self.request)
        cluster.require_room(self.request)
        seats = self._kept or Seats(self.request)
        shift = _Shift(self, seats, jobs, work, keeps=self._kept is not None)
        try:
            yield from shift.work_off()
        finally:
            shift.end()


class _Shift:
    """One call of ``execute``."""

    def __init__(
        self, executor: Ray, seats: Seats, jobs: Sequence[Any], work: Work, *, keeps: bool
    ) -> None:
        self.ray: Any = cluster.import_ray()
        self.executor, self.seats, self.jobs, self.keeps = executor, seats, jobs, keeps
        self.carrier = executor.carrier
        self.work = self.carrier.abroad(work)
        self.waiting = deque(range(len(jobs)))
        self.killed: Counter[int] = Counter()
        self.lost: Counter[int] = Counter()
        if seats.shared is None:
            seats.shared = self.ray.put(self.carrier.shared)
        self.stillborn = 0
        """Workers in succession that ended before they had greeted."""
        self.closing = False
        self.watch = Watch(executor.request, executor.say)
        seats.fill(min(executor.workers, len(jobs)))

    def work_off(self) -> Iterator[Event]:
        """Yield what happens until every job has ended."""
        while True:
            for seat in list(self.seats.taken.values()):
                yield from self._assign(seat)
                if not (self.waiting or self.keeps or seat.job is not None):
                    self.seats.send_home(seat)  # others may need its room
            if not self.waiting and all(s.job is None for s in self.seats.taken.values()):
                return
            for seat in self.seats.answered():
                yield from self._hear(seat)
            self.watch.look(at_work=any(s.greeting is not None for s in self.seats.taken.values()))

    def _assign(self, seat: Seat) -> Iterator[Event]:
        """Give an idle worker the next job that needs one."""
        for _ in range(len(self.waiting)):
            if seat.greeting is None or seat.job is not None:
                return
            job = self.waiting.popleft()
            notes = Notes()
            try:
                journey = self.carrier.depart(self.jobs[job], notes)
            except Busy:
                self.waiting.append(job)
                continue
            if journey is not None:  # before it is told: whoever hears it may end us
                seat.order += 1
                seat.job, seat.journey, seat.heard = job, journey, 0
                seat.question = seat.actor.begin.remote(
                    seat.order, self.work, journey.parcel, self.seats.shared
                )
            yield Started(job, seat.number)
            for message in notes.messages:
                yield Reported(job, seat.number, message)
            if journey is None:
                yield Finished(job, seat.number)

    def _hear(self, seat: Seat) -> Iterator[Event]:
        """Take in an answer."""
        reference, seat.question = seat.question, None
        exceptions = self.ray.exceptions
        try:
            answer = self.ray.get(reference)
        except exceptions.ActorUnavailableError:
            # a connection broke, or a machine is gone: Ray will know
            seat.ask_again = time.monotonic() + TURN
            if seat.greeting is None:
                yield from self._replace(seat, "")
            return
        except (exceptions.RayTaskError, exceptions.RaySystemError) as error:
            # the parcel, or a message, could not be opened
            if seat.job is None:
                yield from self._replace(seat, str(error))
                return
            self.seats.send_home(seat)
            self.seats.hire(seat.number)
            yield from self._end(seat, Ending(base.died(0, 0, error).reason, str(error)))
            return
        except exceptions.RayError as error:  # it is gone, or what it said is: with its machine
            yield from self._replace(seat, str(error))
            return
        if isinstance(answer, Greeting):
            self._welcome(seat, answer)
        elif answer is None:  # the order was lost on its way
            yield from self._replace(seat, "")
        else:
            yield from self._take_in(seat, answer)

    def _welcome(self, seat: Seat, greeting: Greeting) -> None:
        if greeting.code != code_digest():
            raise ClusterError(
                f"the machine {greeting.machine} of the Ray cluster has another attnstudy than "
                "this one: install the same version on both"
            )
        seat.greeting = greeting
        self.stillborn = 0

    def _take_in(self, seat: Seat, answer: Sequence[tuple[int, object]]) -> Iterator[Event]:
        job, journey = seat.job, seat.journey
        assert job is not None
        assert journey is not None
        for number, message in answer:
            if number <= seat.heard:
                continue
            if isinstance(message, Ending):
                seat.heard = number
                yield from self._end(seat, message)
                return
            told = journey.arrive(message)
            seat.heard = number  # only now: a signal in the midst of it must not lose it
            if told is not None:
                yield Reported(job, seat.number, told)
        seat.ask()

    def _end(self, seat: Seat, ending: Ending) -> Iterator[Event]:
        job = seat.let_go()
        if ending.reason is None:
            yield Finished(job, seat.number)
        else:
            yield Died(job, seat.number, ending.reason, ending.details, ending.error)

    def _replace(self, seat: Seat, said: str) -> Iterator[Event]:
        """Hire another worker in place of one that is gone; its job gets another try."""
        if "No module named 'attnstudy'" in said:
            raise ClusterError(
                "a machine of the Ray cluster has no attnstudy: install the version of this "
                "machine there, or start the cluster from an image that has it"
            )
        if seat.greeting is None:
            self._note_stillborn(said)
        job = None if seat.job is None else seat.let_go()
        event = None if job is None else self._gone(seat, job)
        if isinstance(event, Retried):
            self.waiting.append(event.job)
        self.seats.send_home(seat)
        if not self.closing:
            self.seats.hire(seat.number)
        if event is not None:
            yield event

    def _note_stillborn(self, said: str) -> None:
        """Give up when no worker at all comes to life, or they would be hired for ever."""
        self.stillborn += 1
        if self.stillborn >= STILLBORN * len(self.seats.taken):
            last = said.strip().rpartition("\n")[2] or "Ray does not say why"
            raise ClusterError(
                f"workers on the Ray cluster end before they have begun ({last}): put that right "
                "on its machines, then run the same command again; what is complete is kept"
            )

    def _gone(self, seat: Seat, job: int) -> Event:
        assert seat.greeting is not None
        machine = seat.greeting.machine
        if seat.greeting.node in cluster.machines():
            reason = f"its process on {machine} was killed, perhaps because memory ran out"
            times, most = self.killed, KILLED_BEFORE
        else:
            reason = f"the machine {machine} is gone"
            times, most = self.lost, LOST_BEFORE
        times[job] += 1
        if times[job] <= most:
            return Retried(job, seat.number, reason)
        return Died(job, seat.number, reason)

    def end(self) -> None:
        """Have the workers end, unless they are kept: the busy where they can go on later."""
        self.closing = True
        deadline = time.monotonic() + base.GRACE
        busy = [seat for seat in self.seats.taken.values() if seat.job is not None]
        try:
            for seat in busy:
                seat.actor.stop.remote()
                if seat.question is None:  # whoever heard it last has ended us at that
                    seat.ask()
            while time.monotonic() < deadline and any(s.job is not None for s in busy):
                for seat in self.seats.answered():
                    self._hear_last(seat)
        finally:  # also when the user does not want to wait
            for seat in busy:
                if seat.journey is not None:
                    seat.journey.close()
            if busy or not self.keeps:
                self.seats.close()

    def _hear_last(self, seat: Seat) -> None:
        """Keep what is still brought; why we end is said by whoever ends us."""
        try:
            for _ in self._hear(seat):
                pass
        except AttnstudyError:  # it cannot be kept: those of the others may be
            if seat.job is not None:
                seat.let_go()
