"""Whether a run is as it was written: the one answer that all commands give.

Read are the seals of the record and the result, whether the files that the result names are there,
and the content of each that was written after the result, for then somebody altered it. A file that
changed under its old time, as on a failing disk, is found only where every byte is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from attnstudy.errors import StoreError, cause
from attnstudy.files import file_digest, read_sealed
from attnstudy.runs.checkpoint_folder import PACKED
from attnstudy.runs.checkpoints import CHECKPOINTS, is_whole
from attnstudy.runs.folder import JOURNAL, PAUSES, RESULT, START, MisplacedRunError, RunFolder
from attnstudy.runs.records import DONE, Result, Start, Status
from attnstudy.runs.repeating import REPLACES
from attnstudy.study import TUNING

_LOOKS = 10
"""Looks at a run that others work on, before it is taken as the last one has seen it."""


class Remedy(Enum):
    """What mends a run."""

    RECORD = "its record is written anew, as its result tells it"
    TRAINED = "the run is trained: it has no whole result, or nobody knows whose"
    REPEATED = "the run is repeated, or the file put back"
    RESUMED = "the run goes on from the checkpoint before it, or begins anew"
    READABLE = "somebody gives the right to read it, or repairs the disk"
    MOVED = "the folder is put back where it was, or moved out of the store"
    OTHER_VERSION = "nothing: it is used with the version that made it"
    NOTED = "the file is not needed, and is written anew"


_ADVICE = {
    Remedy.RECORD: "'attnstudy sync {study}' writes it anew from result.json",
    Remedy.TRAINED: "put it back from a copy, or train the run again by '{run}'",
    Remedy.REPEATED: ("put it back from a copy, or repeat the run by '{rerun}'"),
    Remedy.RESUMED: "'attnstudy run' goes on from what is whole",
    Remedy.NOTED: "'attnstudy sync {study}' finds out anew what it told",
    Remedy.READABLE: "give read access there, or put it back from a copy",
    Remedy.MOVED: "put {folder} back where it was, or move it out of the store",
    Remedy.OTHER_VERSION: "use that version, or choose another store with --store",
}
_MENDED_BY_RUN = (Remedy.RECORD, Remedy.TRAINED, Remedy.RESUMED, Remedy.NOTED)
_TUNE = "'attnstudy tune' with the same options mends it"
_MOVE = "move {folder} away and run 'attnstudy tune' again"


@dataclass(frozen=True, slots=True)
class Damage:
    """A file of a run that is not as it was written, or is gone."""

    path: Path
    remedy: Remedy
    how: str = "is damaged"

    def __str__(self) -> str:
        """Return what is wrong, as a part of a sentence."""
        return f"{self.path} {self.how}"


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a look at a run's folder found."""

    folder: RunFolder
    started: Start | None
    """As the record tells it, else as the result does."""
    result: Result | None
    damage: tuple[Damage, ...]
    status: Status = Status.ABSENT
    files: int = 0
    """Files of which all bytes were read."""
    size: int = 0
    """Of these, in bytes."""

    @property
    def name(self) -> str:
        """What people call the run; its fingerprint where nothing tells its specification."""
        return self.folder.path.name if self.started is None else self.started.spec.name

    def lost(self, name: str) -> bool:
        """Whether a file that was there is gone."""
        path = self.folder.path / name
        return any(one.path == path for one in self.damage) and not path.exists()

    def advice(self, damage: Damage) -> str:
        """Return what to do about a damage, as the end of a sentence."""
        study = self.folder.path.parent.name
        run, rerun = "attnstudy run", "attnstudy run --rerun"
        if self.started is not None:
            run, rerun = self.started.spec.command_line(), self.started.spec.command_line("--rerun")
        known = _ADVICE
        if study.endswith(TUNING):
            known = _ADVICE | dict.fromkeys(_MENDED_BY_RUN, _TUNE) | {Remedy.REPEATED: _MOVE}
        text = known[damage.remedy]
        return text.format(study=study, run=run, rerun=rerun, folder=self.folder.path)

    def sentences(self) -> tuple[str, ...]:
        """Return what is wrong with the run and what to do, a sentence each."""
        return tuple(f"{self.name}: {one}: {self.advice(one)}" for one in self.damage)


def inspect(folder: RunFolder, *, thorough: bool = False) -> Inspection:
    """Look at a run; one that somebody works on is as it is meant to be.

    Args:
        folder: of the run.
        thorough: whether every byte is read.

    Raises:
        StoreError: its record is one of another version of attnstudy.

    """
    found = _look(folder, thorough)
    for _ in range(_LOOKS):
        if not found.damage:
            return found
        # What looks like damage may be a run that another command has begun or ended meanwhile.
        before = _marks(folder)
        found = _look(folder, thorough)
        if _marks(folder) == before:
            return found
    return found


def _marks(folder: RunFolder) -> tuple[tuple[int, int] | None, ...]:
    """Return what is another once something was written, replaced or moved in a run's folder."""
    marks: list[tuple[int, int] | None] = []
    for path in (folder.path, folder.path / START, folder.path / RESULT):
        try:
            state = path.stat()
        except OSError:
            marks.append(None)
        else:
            marks.append((state.st_ino, state.st_mtime_ns))
    return tuple(marks)


def _look(folder: RunFolder, thorough: bool) -> Inspection:
    try:
        return _Look(folder, thorough).inspection()
    except OSError as error:
        return _unreadable(folder, error)
    except MisplacedRunError:
        how = "describes another run"
        return Inspection(folder, None, None, (Damage(folder.path / START, Remedy.MOVED, how),))
    except StoreError as error:
        if isinstance(error.__cause__, OSError):
            return _unreadable(folder, error.__cause__)
        raise
    except (KeyError, TypeError, ValueError, AttributeError):
        return of_another_version(folder)


def of_another_version(folder: RunFolder) -> Inspection:
    """Return what is to be said of a run of which this version does not understand the files."""
    how = "was made by another version of attnstudy"
    return Inspection(folder, None, None, (Damage(folder.path, Remedy.OTHER_VERSION, how),))


def _unreadable(folder: RunFolder, error: OSError) -> Inspection:
    how = f"cannot be read ({cause(error)})"
    return Inspection(folder, None, None, (Damage(folder.path, Remedy.READABLE, how),))


class _Look:
    def __init__(self, folder: RunFolder, thorough: bool) -> None:
        self.folder, self.thorough = folder, thorough
        self.files = self.size = 0

    def inspection(self) -> Inspection:
        folder = self.folder
        busy = folder.claimed and not folder.orphaned
        started, result = folder.started(), folder.result()
        if busy:
            return Inspection(folder, started, result, (), Status.RUNNING)
        found = []
        if started is None:
            started = None if result is None else folder.sealed_start()
            remedy = Remedy.TRAINED if started is None else Remedy.RECORD
            found.append(_lost_or_damaged(folder.path / START, remedy))
        if result is None:
            if folder.nameless:
                how = "is that of another run"
                found.append(Damage(folder.path / RESULT, Remedy.TRAINED, how))
            elif (folder.path / RESULT).exists() or _was_confirmed(folder):
                found.append(_lost_or_damaged(folder.path / RESULT, Remedy.TRAINED))
        else:
            if started is not None and folder.sealed_start() not in (None, started):
                how = "is that of another training of this run"
                found.append(Damage(folder.path / RESULT, Remedy.REPEATED, how))
            sealed_at = (folder.path / RESULT).stat().st_mtime_ns
            found += [
                Damage(folder.path / name, Remedy.REPEATED)
                for name, digest in result.files.items()
                if self._bad(name, digest, sealed_at)
            ]
        if self.thorough:
            found += self._notes()
            found += [] if result is not None else self._begun()
        status = folder.standing(result)
        return Inspection(folder, started, result, tuple(found), status, self.files, self.size)

    def _bad(self, name: str, digest: str, sealed_at: int) -> bool:
        path = self.folder.path / name
        if not path.is_file():
            return True
        state = path.stat()
        if not self.thorough and state.st_mtime_ns <= sealed_at:
            return False
        self._count(path)
        return file_digest(path) != digest

    def _notes(self) -> Iterator[Damage]:
        """Look at what is sealed beside record and result."""
        path = self.folder.path
        for one in (path / START, path / RESULT):
            self._count(one)
        notes = sorted((path / "published").glob("*.json"))
        for one in (path / PAUSES, path / REPLACES, *notes):
            if one.exists() and not (self._count(one) and read_sealed(one) is not None):
                yield Damage(one, Remedy.NOTED)

    def _begun(self) -> Iterator[Damage]:
        """Look at what a run without a result would be gone on with."""
        path = self.folder.path
        for one in sorted(path.glob(CHECKPOINTS)):
            if one.name != PACKED and self._count(one) and not is_whole(one):
                yield Damage(one, Remedy.RESUMED)
        # the last line of a run that was killed may be a part of one
        lines = path / JOURNAL
        if self._count(lines) and len(self.folder.journal()) < lines.read_bytes().count(b"\n"):
            yield Damage(lines, Remedy.RESUMED)

    def _count(self, path: Path) -> bool:
        """Count a file of which all bytes are read; tell whether it is there."""
        if there := path.is_file():
            self.files += 1
            self.size += path.stat().st_size
        return there


def _lost_or_damaged(path: Path, remedy: Remedy) -> Damage:
    return Damage(path, remedy, "is damaged" if path.exists() else "is lost")


def _was_confirmed(folder: RunFolder) -> bool:
    """Whether a store has confirmed a result that is not here any more."""
    notes = (folder.path / "published").glob("*.json")
    return any((read_sealed(note) or {}).get("status") in DONE for note in notes)
