"""What every executor is given and what it tells."""

from __future__ import annotations

import math
import signal
import time
import traceback
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

from attnstudy.errors import AttnstudyError

ENDING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""Signals by which a user or the system asks a command to end."""

GRACE = 60.0
"""Seconds that workers are given to come to a place where they can stop."""


class Channel(Protocol):
    """What a piece of work has to do with whoever ordered it."""

    def report(self, message: object) -> None:
        """Say something."""

    def stopping(self) -> bool:
        """Whether the work is to stop at the next place where it can go on later."""
        ...


class Stopped(Exception):
    """Raised by a piece of work that stopped because it was asked to."""


class TimeIsUpError(Exception):
    """The time that jobs were given has passed; what was at work was asked to stop."""


Work = Callable[[Any, Channel], None]
"""Does one job, given the job and a channel; must be importable by name."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened to a job."""

    job: int
    """Index of the job in the sequence that was given."""
    worker: int
    """Which worker it happened on, counted from 0."""


@dataclass(frozen=True, slots=True)
class Started(Event):
    """A worker started the job."""


@dataclass(frozen=True, slots=True)
class Reported(Event):
    """The work said something."""

    message: object


@dataclass(frozen=True, slots=True)
class Finished(Event):
    """The work returned."""


@dataclass(frozen=True, slots=True)
class Retried(Event):
    """The process was killed; the job waits for a second try, behind the others."""

    reason: str


@dataclass(frozen=True, slots=True)
class Died(Event):
    """The work raised, or its process ended without a word."""

    reason: str
    details: str = ""
    error: AttnstudyError | None = None
    """What was raised, where it is meant for the reader."""


class Executor(Protocol):
    """The one interface of all executors.

    As a context manager it keeps its workers between calls of ``execute``, and has them end with
    the block.
    """

    def __enter__(self) -> Self:
        """Begin to keep workers."""
        ...

    def __exit__(self, *_: object) -> None:
        """Have kept workers end."""

    def execute(
        self, jobs: Sequence[Any], work: Work, *, until: float = math.inf
    ) -> Generator[Event]:
        """Do every job once; one that dies does not stop the others.

        Raises:
            TimeIsUpError: ``until``, of ``time.monotonic``, has passed.

        """
        ...


@dataclass(slots=True)
class Notes:
    """A channel that keeps what is said."""

    messages: list[object] = field(default_factory=list)
    signals: list[int] = field(default_factory=list)
    """That asked for an end, by number."""
    until: float = math.inf
    """When the work is to stop, of ``time.monotonic``."""

    def report(self, message: object) -> None:
        """Keep a message."""
        self.messages.append(message)

    def stopping(self) -> bool:
        """Whether a signal came, or the time is up."""
        return bool(self.signals) or time.monotonic() > self.until


class Busy(Exception):
    """Raised by ``submit`` where another process holds the job, which is to be waited for."""


class Transfer(Protocol):
    """A job that runs on another machine, as this process sees it."""

    @property
    def payload(self) -> Any:
        """What the remote work is given in place of the job."""
        ...

    def receive(self, message: Any) -> object | None:
        """Keep the content of a message; return what it says to the caller, if anything."""
        ...

    def close(self) -> None:
        """Release the job, done or not."""


RemoteWork = Callable[[Any, Any, Channel], None]
"""Does one job, given its payload, what all jobs share, and a channel; importable by name."""


class Transport(Protocol):
    """Sends jobs to machines that share no files with this one, and brings back their results."""

    @property
    def shared(self) -> Any:
        """What every job needs. It is sent to each machine once."""
        ...

    def remote_work(self, work: Work) -> RemoteWork:
        """Return the function that does on another machine what ``work`` does here."""
        ...

    def submit(self, job: Any, channel: Channel) -> Transfer | None:
        """Claim a job for a transfer; None if nothing is to be done, which the channel was told.

        Raises:
            Busy: come back later.

        """
        ...


ASKED = "its process was asked to end"


def died(job: int, worker: int, error: BaseException) -> Died:
    """Return the event of a job whose work raised ``error``; called while it is handled."""
    known = error if isinstance(error, AttnstudyError) else None
    reason = str(error) if known else _sentence(error)
    return Died(job, worker, reason, traceback.format_exc(), known)


def _sentence(error: BaseException) -> str:
    text = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
