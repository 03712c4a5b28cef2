"""Packing one run into an archive: is it whole, and which of its files go along."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from attnstudy.archives import ArchiveWriter
from attnstudy.errors import AttnstudyError, StoreError
from attnstudy.files import reported, sealed, temporary_name
from attnstudy.runs import (
    CHECKPOINTS,
    JOURNAL,
    PACKED,
    PAUSES,
    REPLACES,
    RESULT,
    START,
    Damage,
    Inspection,
    Remedy,
    RunFolder,
    check_packed,
    has_folder,
    inspect,
    may_have,
    of_another_version,
    pack_folder,
)
from attnstudy.study import RunSpec

RUNS, FACTS = "runs", "study.json"
EMBEDDED = "embedded"
"""The embedded store's key; the ids of its runs mean nothing in another store."""


class Packed(Enum):
    """What an export made of a run."""

    FINISHED = "finished"
    UNFINISHED = "unfinished"
    LEFT_UNFINISHED = "left out: unfinished"
    LEFT_HELD = "left out: being trained"
    LEFT_DAMAGED = "left out: damaged"

    @property
    def left(self) -> bool:
        """Whether the run is not in the archive."""
        return self not in (Packed.FINISHED, Packed.UNFINISHED)


@dataclass(frozen=True, slots=True)
class ExportedRun:
    """One run of the study, and whether it went along."""

    name: str
    """As people know it, ``double/seed=3``; the fingerprint when its specification is lost."""
    fingerprint: str
    packed: Packed


def damaged(folder: RunFolder) -> tuple[Inspection, Damage] | None:
    """Return what is wrong with a run that is to go along; None if it is whole.

    A run without a result is whole when its specification is: a checkpoint carries a checksum of
    its own, and a damaged one costs time and nothing else.
    """
    try:
        found = inspect(folder, thorough=True)
    except StoreError:
        found = of_another_version(folder)
    harm = [one for one in found.damage if one.remedy not in (Remedy.NOTED, Remedy.RESUMED)]
    spec = None if found.started is None else found.started.spec
    if not harm and spec is not None and spec.fingerprint != folder.path.name:
        return found, of_another_version(folder).damage[0]  # it would not be taken elsewhere
    return (found, harm[0]) if harm else None


def pack(archive: ArchiveWriter, folder: RunFolder, *, unfinished: bool) -> Packed:
    """Add a run that we hold to an archive, unless it is unfinished and not wanted.

    Raises:
        StoreError: a file cannot be read, or is not as the result states it.

    """
    result = folder.result()
    if result is None and not (folder.path / START).exists():
        return Packed.LEFT_HELD  # an import is putting it in the place of another at this moment
    names = {START, JOURNAL, PAUSES}
    if result is not None:
        names |= {RESULT, *result.files}
    elif unfinished:
        names |= {path.name for path in folder.path.glob(CHECKPOINTS)}
        if PACKED in names and not _whole(folder.path / PACKED):
            names.remove(PACKED)  # it would not be used here either
        if has_folder(folder.path) or PACKED in names:  # of a command, which may have left curves
            names |= {path.name for path in folder.path.iterdir() if _goes_along(path)}
    else:
        return Packed.LEFT_UNFINISHED
    where = f"{RUNS}/{folder.path.name}"
    for name in sorted(names):
        path = folder.path / name
        if name in (JOURNAL, PAUSES) and not path.exists():
            continue  # of a run that ended before its first interval, or that never paused
        digest = archive.add(f"{where}/{name}", path)
        if result is not None and result.files.get(name, digest) != digest:
            raise StoreError(f"{path} changed while it was read: run the same command again")
    if result is None and PACKED not in names and has_folder(folder.path):
        _add_folder(archive, f"{where}/{PACKED}", folder)
    if replaces := _still_to_tell(folder):
        archive.add_bytes(f"{where}/{REPLACES}", sealed(replaces))
    return Packed.FINISHED if result is not None else Packed.UNFINISHED


def _whole(packed: Path) -> bool:
    try:
        with packed.open("rb") as file:
            check_packed(file)
    except ValueError:
        return False
    return True


def _goes_along(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and may_have(path.name)


def _add_folder(archive: ArchiveWriter, name: str, folder: RunFolder) -> None:
    """Add what a command keeps in ``checkpoint/``, by way of a file: its digest comes first."""
    packed = temporary_name(folder.path / PACKED)
    with reported(folder.path):
        try:
            with packed.open("x+b") as file:
                pack_folder(folder.path, file)
            archive.add(name, packed)
        finally:
            packed.unlink(missing_ok=True)


def _still_to_tell(folder: RunFolder) -> dict[str, list[str]]:
    """Return the published runs that this one replaces and whose store was not told yet.

    Without them, a server would take the repetition for the run that it has.
    """
    return {
        key: ids
        for key, ids in folder.all_replaced().items()
        if ids and key != EMBEDDED and "run_id" not in folder.published(key)
    }


def run_name(folder: RunFolder) -> str:
    """Return what people call a run; its fingerprint when its specification cannot be read."""
    spec = specification(folder)
    return folder.path.name if spec is None else spec.name


def specification(folder: RunFolder) -> RunSpec | None:
    """Return a run's specification if it can be read."""
    try:
        started = folder.started()
    except AttnstudyError:
        return None
    return None if started is None else started.spec
