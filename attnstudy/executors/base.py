"""What every executor is given and what it tells."""

from __future__ import annotations

import signal
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
    """A worker took the job up."""


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

    def execute(self, jobs: Sequence[Any], work: Work) -> Generator[Event]:
        """Do every job once; one that dies does not stop the others."""
        ...


@dataclass(slots=True)
class Notes:
    """A channel that keeps what is said."""

    messages: list[object] = field(default_factory=list)
    signals: list[int] = field(default_factory=list)
    """That asked for an end, by number."""

    def report(self, message: object) -> None:
        """Keep a message."""
        self.messages.append(message)

    def stopping(self) -> bool:
        """Whether a signal came."""
        return bool(self.signals)


class Busy(Exception):
    """Raised instead of a departure: somebody else holds the job, and it is to be waited for."""


class Journey(Protocol):
    """A job that is done on another machine, seen from here."""

    @property
    def parcel(self) -> Any:
        """What the work abroad is given in place of the job."""
        ...

    def arrive(self, message: Any) -> object | None:
        """Keep what a message brought; return what it says to whoever listens, if anything."""
        ...

    def close(self) -> None:
        """Let go of the job, done or not."""


AbroadWork = Callable[[Any, Any, Channel], None]
"""Does one job from its parcel, what all jobs share, and a channel; importable by name."""


class Carrier(Protocol):
    """Takes jobs to machines that share no files with this one, and brings back what they make."""

    @property
    def shared(self) -> Any:
        """What every job needs. It is sent to each machine once."""
        ...

    def abroad(self, work: Work) -> AbroadWork:
        """Return what does there what ``work`` does here."""
        ...

    def depart(self, job: Any, channel: Channel) -> Journey | None:
        """Take a job into our hands; none if it needs nobody, which the channel was told.

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
