"""A worker on a machine of the cluster: does one job at a time, and keeps what it says until heard.

Messages are numbered and kept until they are known to have arrived: what carries them may break
in between, and whoever listens then asks again.
"""

from __future__ import annotations

import platform
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from attnstudy.errors import EXIT_ENVIRONMENT, AttnstudyError
from attnstudy.executors.base import ASKED, AbroadWork, Stopped, died
from attnstudy.executors.cluster import import_ray
from attnstudy.executors.same_code import code_digest

_LONGEST = 10.0  # seconds for which a question is left unanswered


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a worker says of itself."""

    machine: str
    """Its name in the network."""
    node: str
    """Ray's id of the machine."""
    code: str
    """See ``code_digest``."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a job ended; without a reason it was done."""

    reason: str | None = None
    details: str = ""
    error: AttnstudyError | None = None


@dataclass(slots=True)
class _Talk:
    """What is said during one job: its channel."""

    order: int = 0
    """Which job of this worker's it is, counted from 1; 0 is none."""
    asked: threading.Event = field(default_factory=threading.Event)
    said: deque[tuple[int, object]] = field(default_factory=deque)
    """Numbered from 1."""
    spoken: int = 0
    news: threading.Condition = field(default_factory=threading.Condition)

    def report(self, message: object) -> None:
        with self.news:
            self.spoken += 1
            self.said.append((self.spoken, message))
            self.news.notify_all()

    def stopping(self) -> bool:
        return self.asked.is_set()

    def after(self, heard: int) -> list[tuple[int, object]]:
        """Forget what was heard; return what was not, waiting for it a while."""
        with self.news:
            while self.said and self.said[0][0] <= heard:
                self.said.popleft()
            self.news.wait_for(lambda: bool(self.said), _LONGEST)
            return list(self.said)


class RemoteWorker:
    """An actor: Ray calls its methods, several at a time, each in a thread of its own."""

    def __init__(self) -> None:
        self._talk = _Talk()
        self._ending = False

    def greet(self) -> Greeting:
        """Say who this is."""
        node = import_ray().get_runtime_context().get_node_id()
        return Greeting(platform.node(), node, code_digest())

    def begin(
        self, order: int, work: AbroadWork, parcel: Any, shared: Any
    ) -> list[tuple[int, object]]:
        """Begin a job, the ``order``-th; the one before has ended. Nothing is said of it yet."""
        self._talk = talk = _Talk(order)
        if self._ending:
            talk.asked.set()
        threading.Thread(target=_do, args=(work, parcel, shared, talk), daemon=True).start()
        return []

    def listen(self, order: int, heard: int) -> list[tuple[int, object]] | None:
        """Return what was said after message ``heard`` of a job; at last an ``Ending``.

        None if that job has not begun: what was said of another must not be taken for its own.
        """
        talk = self._talk
        return talk.after(heard) if talk.order == order else None

    def stop(self) -> None:
        """Ask the job to come to a place where it can go on later; there will be no other."""
        self._ending = True
        self._talk.asked.set()


def _do(work: AbroadWork, parcel: Any, shared: Any, talk: _Talk) -> None:
    try:
        work(parcel, shared, talk)
    except Stopped:
        ending = Ending(ASKED)
    except BaseException as error:  # a sys.exit() too: whoever listens waits for an ending
        told = died(0, 0, error)
        ending = Ending(told.reason, told.details, _placed(told.error))
    else:
        ending = Ending()
    talk.report(ending)


def _placed(error: AttnstudyError | None) -> AttnstudyError | None:
    """Have a problem with the surroundings say whose they are."""
    if error is None or error.exit_code != EXIT_ENVIRONMENT:
        return error
    return type(error)(f"on {platform.node()}: {error}")
