"""Runs on machines that share no files with this one: they leave with their folder and come back.

The command holds the run and its folder. What a worker needs of the folder goes along; it trains in
a folder of its own, and with every message that matters comes what changed there. Only the command
writes to the run folder, so that a worker that was given up for lost cannot.
"""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from attnstudy.data import TrainingData
from attnstudy.errors import ClusterError
from attnstudy.executors import AbroadWork, Busy, Channel, Work
from attnstudy.files import is_temporary
from attnstudy.runs import (
    CHECKPOINT,
    JOURNAL,
    OF_THE_MACHINE,
    PREVIOUS_CHECKPOINT,
    REPLACES,
    RESULT,
    START,
    RunFolder,
    put_checkpoint,
)
from attnstudy.study import factory_source_digest, is_factory
from attnstudy.usecases.jobs import Checkpointed, Claimed, Failed, Job, Kept, Member, Of, Paused
from attnstudy.usecases.modules import module_sources, use_modules
from attnstudy.usecases.scratch import scratch_folder
from attnstudy.usecases.taking_up import taken_up

_STAY = {*OF_THE_MACHINE, REPLACES}
_OURS = {*_STAY, START}
"""What the command writes itself."""
_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9]+)+")
_LAST = (CHECKPOINT, RESULT)
"""What counts only once the others are there, in the order of taking it over."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A file of a run folder, or what was added to it."""

    name: str
    content: bytes
    kept: int = 0
    """How many bytes of what is there already stay in front of it; only of the journal."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a worker is given."""

    jobs: tuple[Job, ...]
    places: tuple[int, ...]
    """Of each among those that were to be trained together."""
    folders: tuple[tuple[Piece, ...], ...]
    """Of each what it goes on from."""
    modules: Mapping[str, bytes]
    """Sources of the user's own variants, by relative path."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What comes back: files, and a message."""

    pieces: Mapping[int, tuple[Piece, ...]]
    """By place."""
    message: Of | None = None


@dataclass(frozen=True, slots=True)
class RunCarrier:
    """Carries runs of a study or of a search; see ``executors.Carrier``."""

    shared: TrainingData
    """The images; those of a search have no test images."""

    def abroad(self, work: Work) -> AbroadWork:
        """Return what trains from a parcel."""
        return functools.partial(train_abroad, work)

    def depart(self, jobs: Sequence[Job], channel: Channel) -> RunJourney | None:
        """Take up runs that are to be trained together, those of them that need it.

        Raises:
            Busy: somebody holds one that is to be waited for.
            StoreError: a run folder cannot be written.

        """
        if any(job.wait and RunFolder(job.folder).claimed for job in jobs):
            raise Busy
        with contextlib.ExitStack() as stack:
            holds: dict[int, contextlib.ExitStack] = {}
            for place, job in enumerate(jobs):
                hold = stack.enter_context(contextlib.ExitStack())
                told = Member(channel, place)
                taken = taken_up(replace(job, wait=False), told, lambda _: self.shared)
                if hold.enter_context(taken) is None:
                    hold.close()
                else:
                    holds[place] = hold
            if not holds:
                return None
            parcel = Parcel(
                jobs=tuple(jobs[place] for place in holds),
                places=tuple(holds),
                folders=tuple(tuple(_packed(jobs[place].folder)) for place in holds),
                modules=module_sources({jobs[place].spec.variant for place in holds}),
            )
            folders = {place: RunFolder(jobs[place].folder) for place in holds}
            stack.pop_all()
            return RunJourney(parcel, folders, holds)


def _packed(folder: Path) -> Iterator[Piece]:
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.name not in _STAY and not is_temporary(path):
            yield Piece(path.name, path.read_bytes())


@dataclass(slots=True)
class RunJourney:
    """Runs that are trained elsewhere, each held until it has ended."""

    parcel: Parcel
    folders: Mapping[int, RunFolder]
    """By place."""
    holds: dict[int, contextlib.ExitStack]

    def arrive(self, brought: Brought) -> Of | None:
        """Keep what was brought, and let go of a run that has ended.

        Raises:
            StoreError: it cannot be kept, or is not as it was made.

        """
        for place, pieces in brought.pieces.items():
            if place in self.holds:
                _keep(self.folders[place], pieces)
        message = brought.message
        if message is not None and isinstance(message.message, Kept | Paused | Failed):
            self.holds.pop(message.member, contextlib.ExitStack()).close()
        return message

    def close(self) -> None:
        """Let go of all runs."""
        while self.holds:
            _, hold = self.holds.popitem()
            hold.close()


def _keep(folder: RunFolder, pieces: Sequence[Piece]) -> None:
    for piece in pieces:
        if not _NAME.fullmatch(piece.name) or piece.name in _OURS:
            raise ClusterError(f"a worker sent a file called {piece.name!r}, which no run has")

    def late(piece: Piece) -> int:
        return _LAST.index(piece.name) if piece.name in _LAST else -1

    for piece in sorted(pieces, key=late):
        if piece.name == CHECKPOINT:
            put_checkpoint(folder.path, piece.content)
        else:
            folder.take_over(piece.name, piece.content, piece.kept)


def train_abroad(work: Work, parcel: Parcel, images: TrainingData, channel: Channel) -> None:
    """Do ``work`` in a folder of this machine, and send what comes of it.

    Raises:
        Stopped: the channel asked for it; every run's checkpoint was sent.

    """
    use_modules(parcel.modules)
    with scratch_folder() as scratch:
        jobs, folders = [], {}
        for job, place, pieces in zip(parcel.jobs, parcel.places, parcel.folders, strict=True):
            folder = scratch / job.folder.name
            folder.mkdir()
            for piece in pieces:
                (folder / piece.name).write_bytes(piece.content)
            folders[place] = _Outbox(folder)
            jobs.append(replace(job, folder=folder, images=images, command=None, wait=False))
        post = _Post(channel, parcel.places, folders)
        try:
            _require_same_variants(jobs)
            work(jobs, post)
        finally:
            post.send_rest()


def _require_same_variants(jobs: Sequence[Job]) -> None:
    for job in jobs:
        here = factory_source_digest(job.spec.variant) if is_factory(job.spec.variant) else None
        if here != job.spec.variant_source:
            raise ImportError(
                f"{job.spec.variant} is another one on this machine: remove what is installed "
                "under that name"
            )


@dataclass(slots=True)
class _Outbox:
    """Knows what of a folder was sent."""

    folder: Path
    seen: dict[str, _Stamp] = field(default_factory=dict)
    """By name."""

    def __post_init__(self) -> None:
        # what came in the parcel is there already
        self.seen = {path.name: _Stamp.of(path) for path in self.folder.iterdir()}

    def changed(self) -> Iterator[Piece]:
        """Yield what was not sent yet."""
        for path in sorted(self.folder.iterdir()):
            if path.name in _STAY or path.name == PREVIOUS_CHECKPOINT or is_temporary(path):
                continue
            before, now = self.seen.get(path.name), _Stamp.of(path)
            if now == before:
                continue
            self.seen[path.name] = now
            kept = 0
            if path.name == JOURNAL and before is not None and before.file == now.file:
                kept = before.size  # it was only added to; where it is cut back it is made anew
            with path.open("rb") as file:
                file.seek(kept)
                yield Piece(path.name, file.read(now.size - kept), kept)


@dataclass(frozen=True, slots=True)
class _Stamp:
    """What tells that a file changed."""

    file: int
    """Its number in the file system: one that is replaced gets another."""
    changed_at: int
    size: int

    @classmethod
    def of(cls, path: Path) -> _Stamp:
        found = path.stat()
        return cls(found.st_ino, found.st_mtime_ns, found.st_size)


@dataclass(frozen=True, slots=True)
class _Post:
    """The channel of a worker abroad: files go along with messages that are about them."""

    channel: Channel
    places: Sequence[int]
    folders: Mapping[int, _Outbox]

    def report(self, message: object) -> None:
        """Send a message about one of the runs."""
        assert isinstance(message, Of)
        about = Of(self.places[message.member], message.message)
        pieces: dict[int, tuple[Piece, ...]] = {}
        if isinstance(about.message, Claimed | Checkpointed | Kept | Paused | Failed):
            pieces = {about.member: tuple(self.folders[about.member].changed())}
        self.channel.report(Brought(pieces, about))

    def stopping(self) -> bool:
        """Whether the work is to come to an end."""
        return self.channel.stopping()

    def send_rest(self) -> None:
        """Send what no message was about."""
        pieces = {place: tuple(box.changed()) for place, box in self.folders.items()}
        rest = {place: some for place, some in pieces.items() if some}
        if rest:
            self.channel.report(Brought(rest))
