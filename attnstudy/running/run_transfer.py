"""Runs on machines that share no files with this one: their folders are sent, and come back.

The command holds the run and its folder. What a worker needs of the folder is its payload; it
trains in a folder of its own, and sends what changed there with every message that matters. Only
the command writes to the run folder, so that a worker that was given up for lost cannot.
"""

from __future__ import annotations

import contextlib
import functools
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from attnstudy.errors import ClusterError, StoreError
from attnstudy.executors import Busy, Channel, RemoteWork, Work
from attnstudy.files import is_temporary
from attnstudy.running.claiming import claimed_run
from attnstudy.running.jobs import (
    Checkpointed,
    Claimed,
    Failed,
    Job,
    Kept,
    Member,
    Notice,
    Of,
    Paused,
)
from attnstudy.running.kept_folder import SentFolder
from attnstudy.runs import (
    CHECKPOINT,
    FILE_NAME,
    JOURNAL,
    OF_THE_MACHINE,
    PACKED,
    PREVIOUS_CHECKPOINT,
    REPLACES,
    RESULT,
    START,
    RunFolder,
    check_packed,
    has_folder,
    packed_folder,
    put_checkpoint,
)
from attnstudy.runs.temporary import temporary_folder
from attnstudy.trainings.modules import use_modules
from attnstudy.trainings.registry import find

_STAY = {*OF_THE_MACHINE, REPLACES}
_OURS = {*_STAY, START}
"""What the command writes itself."""
_LAST = (PACKED, CHECKPOINT, RESULT)
"""What counts only once the others are there, in the order of taking it over."""


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file of a run folder, or what was added to it."""

    name: str
    content: bytes
    kept: int = 0
    """Bytes of the existing file that stay in front of it; only for the journal."""


@dataclass(frozen=True, slots=True)
class Payload:
    """What a worker is given."""

    jobs: tuple[Job, ...]
    places: tuple[int, ...]
    """Of each among those that were to be trained together."""
    folders: tuple[tuple[FilePart, ...], ...]
    """Of each what it goes on from."""
    modules: Mapping[str, bytes]
    """Sources of the user's own modules, by relative path."""


@dataclass(frozen=True, slots=True)
class RunUpdate:
    """What comes back: files, and a message."""

    parts: Mapping[int, tuple[FilePart, ...]]
    """By place."""
    message: Of | None = None


@dataclass(frozen=True, slots=True)
class RunTransport:
    """Sends runs of a study or of a search; see ``executors.Transport``."""

    shared: Any
    """The data, see ``trainings.contract.Materials``; those of a search hold none for testing."""

    def remote_work(self, work: Work) -> RemoteWork:
        """Return the function that trains from a payload."""
        return functools.partial(train_remotely, work)

    def submit(self, jobs: Sequence[Job], channel: Channel) -> RunTransfer | None:
        """Claim the runs, of those that are to be trained together, that still need training.

        Raises:
            Busy: another process holds one that is to be waited for.
            StoreError: a run folder cannot be written.

        """
        if any(job.wait and RunFolder(job.folder).claimed for job in jobs):
            raise Busy
        with contextlib.ExitStack() as stack:
            holds: dict[int, contextlib.ExitStack] = {}
            for place, job in enumerate(jobs):
                hold = stack.enter_context(contextlib.ExitStack())
                told = Member(channel, place)
                claim = claimed_run(replace(job, wait=False, data=self.shared), told)
                if hold.enter_context(claim) is None:
                    hold.close()
                else:
                    holds[place] = hold
            if not holds:
                return None
            payload = Payload(
                jobs=tuple(jobs[place] for place in holds),
                places=tuple(holds),
                folders=tuple(tuple(_file_parts(jobs[place].folder)) for place in holds),
                modules=find(jobs[0].spec.training).code(
                    [jobs[place].spec for place in holds], self.shared
                ),
            )
            folders = {place: RunFolder(jobs[place].folder) for place in holds}
            stack.pop_all()
            return RunTransfer(payload, folders, holds)


def _file_parts(folder: Path) -> Iterator[FilePart]:
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.name not in _STAY and not is_temporary(path):
            yield FilePart(path.name, path.read_bytes())
    if has_folder(folder) and not (folder / PACKED).exists():
        yield FilePart(PACKED, packed_folder(folder))


@dataclass(slots=True)
class RunTransfer:
    """Runs that are trained elsewhere, each held until it has ended."""

    payload: Payload
    folders: Mapping[int, RunFolder]
    """By place."""
    holds: dict[int, contextlib.ExitStack]

    def receive(self, update: RunUpdate) -> Of | None:
        """Keep the files of an update, and release a run that has ended.

        Raises:
            StoreError: it cannot be kept, or is not as it was made.

        """
        for place, parts in update.parts.items():
            if place in self.holds:
                _keep(self.folders[place], parts)
        message = update.message
        if message is not None and isinstance(message.message, Kept | Paused | Failed):
            self.holds.pop(message.member, contextlib.ExitStack()).close()
        return message

    def close(self) -> None:
        """Release all runs."""
        while self.holds:
            _, hold = self.holds.popitem()
            hold.close()


def _keep(folder: RunFolder, parts: Sequence[FilePart]) -> None:
    for part in parts:
        if not FILE_NAME.fullmatch(part.name) or part.name in _OURS:
            raise ClusterError(f"a worker sent a file called {part.name!r}, which no run has")

    def late(part: FilePart) -> int:
        return _LAST.index(part.name) if part.name in _LAST else -1

    for part in sorted(parts, key=late):
        if part.name == CHECKPOINT:
            put_checkpoint(folder.path, part.content)
            continue
        if part.name == PACKED:
            _require_whole(folder, part.content)
        folder.take_over(part.name, part.content, part.kept)


def _require_whole(folder: RunFolder, content: bytes) -> None:
    try:
        check_packed(io.BytesIO(content))
    except ValueError as error:
        raise StoreError(
            f"checkpoint/ of {folder.path} did not come back as it was made ({error}): run the "
            "same command again"
        ) from error


def train_remotely(work: Work, payload: Payload, data: Any, channel: Channel) -> None:
    """Do ``work`` in a folder of this machine, and send what comes of it.

    Raises:
        Stopped: the channel asked for it; every run's checkpoint was sent.

    """
    use_modules(payload.modules)
    with temporary_folder() as temporary:
        jobs, folders = [], {}
        for job, place, parts in zip(payload.jobs, payload.places, payload.folders, strict=True):
            folder = temporary / job.folder.name
            folder.mkdir()
            for part in parts:
                (folder / part.name).write_bytes(part.content)
            folders[place] = _FolderChanges(folder)
            jobs.append(replace(job, folder=folder, data=data, command=None, wait=False))
        remote_channel = _RemoteChannel(channel, payload.places, folders)
        try:
            find(jobs[0].spec.training).require_same_code([job.spec for job in jobs])
            work(jobs, remote_channel)
        finally:
            remote_channel.send_rest()


@dataclass(slots=True)
class _FolderChanges:
    """Knows what of a folder was sent."""

    folder: Path
    seen: dict[str, _Stamp] = field(default_factory=dict)
    """By name."""
    kept: SentFolder = field(init=False)
    """What a command keeps in ``checkpoint/``."""

    def __post_init__(self) -> None:
        # the files of the payload exist already
        self.seen = {path.name: _Stamp.of(path) for path in self.folder.iterdir()}
        self.kept = SentFolder(self.folder)

    def changed(self) -> Iterator[FilePart]:
        """Yield what was not sent yet."""
        for path in sorted(self.folder.iterdir()):
            if path.name in _STAY or path.name == PREVIOUS_CHECKPOINT or is_temporary(path):
                continue
            if not (path.is_file() and FILE_NAME.fullmatch(path.name)):
                continue  # a command leaves what it likes, and no result has it
            before, now = self.seen.get(path.name), _Stamp.of(path)
            if now == before:
                continue
            self.seen[path.name] = now
            kept = 0
            if path.name == JOURNAL and before is not None and before.file == now.file:
                kept = before.size  # it was only added to; where it is cut back it is made anew
            with path.open("rb") as file:
                file.seek(kept)
                yield FilePart(path.name, file.read(now.size - kept), kept)


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
class _RemoteChannel:
    """The channel of a remote worker: files are sent with the messages that are about them."""

    channel: Channel
    places: Sequence[int]
    folders: Mapping[int, _FolderChanges]

    def report(self, message: object) -> None:
        """Send a message about one of the runs."""
        assert isinstance(message, Of)
        about = Of(self.places[message.member], message.message)
        parts: dict[int, tuple[FilePart, ...]] = {}
        if isinstance(about.message, Claimed | Checkpointed | Kept | Paused | Failed):
            parts = {about.member: self._changed(about.member)}
        self.channel.report(RunUpdate(parts, about))

    def stopping(self) -> bool:
        """Whether the work is to come to an end."""
        return self.channel.stopping()

    def send_rest(self) -> None:
        """Send what no message was about."""
        parts = {place: self._changed(place) for place in self.folders}
        rest = {place: some for place, some in parts.items() if some}
        if rest:
            self.channel.report(RunUpdate(rest))

    def _changed(self, place: int) -> tuple[FilePart, ...]:
        """Return what of a run was not sent yet.

        What a command keeps is read before the curves, which then have all that came before it.
        """
        changes = self.folders[place]
        kept: tuple[FilePart, ...] = ()
        try:
            if (content := changes.kept.changed()) is not None:
                kept = (FilePart(PACKED, content),)
        except StoreError as error:  # the run goes on; its next attempt begins anew
            self.channel.report(RunUpdate({}, Of(place, Notice(str(error)))))
        return (*changes.changed(), *kept)
