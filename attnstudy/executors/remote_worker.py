"""A worker on a machine of the cluster: one job at a time, each message kept until received.

Messages are numbered and kept until they are known to have arrived: the connection may break in
between, and the driver then asks again.
"""

from __future__ import annotations

import platform
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from attnstudy.errors import EXIT_ENVIRONMENT, AttnstudyError
from attnstudy.executors.base import ASKED, RemoteWork, Stopped, died
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
class _JobChannel:
    """The channel of one job: its messages, numbered."""

    order: int = 0
    """Which job of this worker's it is, counted from 1; 0 is none."""
    asked: threading.Event = field(default_factory=threading.Event)
    unreceived: deque[tuple[int, object]] = field(default_factory=deque)
    """Numbered from 1."""
    sent: int = 0
    news: threading.Condition = field(default_factory=threading.Condition)

    def report(self, message: object) -> None:
        with self.news:
            self.sent += 1
            self.unreceived.append((self.sent, message))
            self.news.notify_all()

    def stopping(self) -> bool:
        return self.asked.is_set()

    def after(self, received: int) -> list[tuple[int, object]]:
        """Forget the messages that were received; return the others, waiting for them a while."""
        with self.news:
            while self.unreceived and self.unreceived[0][0] <= received:
                self.unreceived.popleft()
            self.news.wait_for(lambda: bool(self.unreceived), _LONGEST)
            return list(self.unreceived)


class RemoteWorker:
    """An actor: Ray calls its methods, several at a time, each in a thread of its own."""

    def __init__(self) -> None:
        self._channel = _JobChannel()
        self._ending = False

    def greet(self) -> Greeting:
        """Say who this is."""
        node = import_ray().get_runtime_context().get_node_id()
        return Greeting(platform.node(), node, code_digest())

    def begin(
        self, order: int, work: RemoteWork, payload: Any, shared: Any
    ) -> list[tuple[int, object]]:
        """Begin a job, the ``order``-th; the one before has ended. Nothing is said of it yet."""
        self._channel = channel = _JobChannel(order)
        if self._ending:
            channel.asked.set()
        threading.Thread(target=_do, args=(work, payload, shared, channel), daemon=True).start()
        return []

    def listen(self, order: int, received: int) -> list[tuple[int, object]] | None:
        """Return what was said after message ``received`` of a job; at last an ``Ending``.

        None if that job has not begun: what was said of another must not be taken for its own.
        """
        channel = self._channel
        return channel.after(received) if channel.order == order else None

    def stop(self) -> None:
        """Ask the job to come to a place where it can go on later; there will be no other."""
        self._ending = True
        self._channel.asked.set()


def _do(work: RemoteWork, payload: Any, shared: Any, channel: _JobChannel) -> None:
    try:
        work(payload, shared, channel)
    except Stopped:
        ending = Ending(ASKED)
    except BaseException as error:  # a sys.exit() too: whoever listens waits for an ending
        told = died(0, 0, error)
        ending = Ending(told.reason, told.details, _placed(told.error))
    else:
        ending = Ending()
    channel.report(ending)


def _placed(error: AttnstudyError | None) -> AttnstudyError | None:
    """Have a problem with the surroundings say whose they are."""
    if error is None or error.exit_code != EXIT_ENVIRONMENT:
        return error
    return type(error)(f"on {platform.node()}: {error}")
