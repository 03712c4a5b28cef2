"""What a worker is given, and what it tells whoever ordered it."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attnstudy.executors import Channel, Died, Event, Reported, Retried
from attnstudy.runs import Result
from attnstudy.study import RunSpec


@dataclass(frozen=True, slots=True)
class Job:
    """One specification, and where and how it is to be run."""

    spec: RunSpec
    folder: Path
    """The run folder."""
    device: str
    threads: int
    code_revision: str
    """The commit of the code, or its version."""
    place: Any = None
    """Where its training finds the data here, see ``trainings.contract.Materials``."""
    data: Any = None
    """The data themselves, where they cannot be found in a place."""
    sealed: bool = False
    """Whether it is a run of a search, which never sees test data."""
    command: str | None = None
    """The command that orders it, see ``runs.command_at_work``."""
    checkpoint_seconds: float = 600.0
    """Time after which a checkpoint is due, besides those that the training makes."""
    wait: bool = False
    """Whether to wait for a run that another process holds."""
    fused: int = 1
    """How many runs it is to be trained together with, itself included."""
    until: int | None = None
    """The steps, or epochs, after which it pauses, until it is decided whether it goes on."""
    metric: str | None = None
    """What the run is judged by: it has to be among its metrics, and counts where it pauses."""
    strict: bool = False
    """Whether to refuse to go on with a training that was begun with what gives other bits."""
    models: bool = True
    """Whether models are kept at its end."""


@dataclass(frozen=True, slots=True)
class Of:
    """A message about one of the runs that are trained together."""

    member: int
    """Its place among their jobs."""
    message: object


@dataclass(frozen=True, slots=True)
class Member:
    """The channel of one of the runs that are trained together."""

    channel: Channel
    number: int
    """Its place among their jobs."""

    def report(self, message: object) -> None:
        """Say something about this run."""
        self.channel.report(Of(self.number, message))

    def stopping(self) -> bool:
        """Whether they are to stop where they can go on later."""
        return self.channel.stopping()


@dataclass(frozen=True, slots=True)
class Failed:
    """A run raised; those that it is trained together with go on."""

    ending: Died


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a training is."""

    done: int
    """Steps done."""
    total: int | None
    """Steps of the whole run; None if its training does not say."""
    seconds: float
    """Seconds since this attempt first told of its progress."""
    updates: int
    """Steps in these seconds."""
    values: Mapping[str, float]
    """The newest value of each metric that was logged; of several at once, their mean."""


@dataclass(frozen=True, slots=True)
class Checkpointed:
    """The journal and a checkpoint are on disk."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the user should read."""

    text: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """The run is ours and its folder says when it was started."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another process holds the run."""

    orphaned: bool
    """Whether that process works for a command that was killed, and so will soon release it."""


@dataclass(frozen=True, slots=True)
class AlreadyDone:
    """Another process finished the run in the meantime."""


@dataclass(frozen=True, slots=True)
class Paused:
    """The run has come to where it was to pause, and its folder says how it stood there."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The result is on disk."""

    result: Result


def addressed(
    event: Event, group: Sequence[RunSpec], ended: Container[RunSpec]
) -> tuple[object, Sequence[int]]:
    """Return what an executor's event is about, and which of the group it is about.

    Args:
        event: of the group's job.
        group: those that are trained together.
        ended: those that an end of the job no longer concerns.

    """
    match event:
        case Reported(message=Of(member=member, message=Failed(ending=ending))):
            return ending, (member,)
        case Reported(message=Of(member=member, message=message)):
            return message, (member,)
        case Retried() | Died():
            return event, [place for place, spec in enumerate(group) if spec not in ended]
    return event, range(len(group))
