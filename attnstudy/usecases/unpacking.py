"""Unpacking one run of an archive: is it what it says it is, and may it be put in place."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Mapping, Set
from dataclasses import dataclass
from enum import Enum
from errno import EEXIST, ENOTEMPTY
from pathlib import Path
from typing import Any

from attnstudy.archives import READ_WHOLE, Archive
from attnstudy.errors import AttnstudyError
from attnstudy.files import read_sealed, sync
from attnstudy.runs import (
    CHECKPOINTS,
    JOURNAL,
    OF_THE_MACHINE,
    OF_TIME,
    PACKED,
    PAUSES,
    REPLACES,
    RESULT,
    START,
    MisplacedRunError,
    Result,
    RunFolder,
    Start,
    check_packed,
    may_have,
)
from attnstudy.study import TUNING, RunSpec
from attnstudy.usecases.packing import RUNS
from attnstudy.usecases.validation import (
    impossible_record,
    impossible_result,
    impossible_start,
    valid_pauses,
    valid_replaced,
    valid_result,
    valid_start,
)

_TRIES = 5
"""To put a run into a folder that other processes make anew as soon as it is gone."""


class ImportStatus(Enum):
    """What became of a run of an archive. The value is what the user reads."""

    IMPORTED = "imported"
    REPLACED = "imported in place of the unfinished run here, which is kept aside"
    REPAIRED = "imported in place of the damaged run here, which is kept aside"
    HERE = "already here"
    AGREES = "already here, trained on its own to the same numbers"
    BEGUN = "begun here already, and gone on with here"
    HELD = "a process is working on it here: import again when it has ended"
    OTHER_THREADS = "unfinished, and begun with another number of threads than the study has here"
    CONFLICT = "another result is here, and is kept"

    @property
    def key(self) -> str:
        """What it is called in JSON, where a name is kept once it was given."""
        return "mended" if self is ImportStatus.REPAIRED else self.name.lower()

    @property
    def taken(self) -> bool:
        """Whether the run was put in place."""
        return self in (ImportStatus.IMPORTED, ImportStatus.REPLACED, ImportStatus.REPAIRED)

    @property
    def refused(self) -> bool:
        """Whether something of the archive is not here after the import."""
        return self in (ImportStatus.HELD, ImportStatus.OTHER_THREADS, ImportStatus.CONFLICT)


@dataclass(frozen=True, slots=True)
class Difference:
    """Something in which two results of one run differ."""

    field: str
    here: object
    there: object
    """In the archive."""


@dataclass(frozen=True, slots=True)
class ImportedRun:
    """One run of the archive, and what became of it."""

    name: str
    fingerprint: str
    path: Path
    """Its folder here."""
    finished: bool
    status: ImportStatus
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class UnpackedRun:
    """A run of an archive, verified."""

    spec: RunSpec
    result: Result | None
    folder: RunFolder
    """Where it is unpacked; what is here already is not unpacked to its end."""
    here: RunFolder
    """Where it belongs."""
    complete: bool
    """Whether it is unpacked."""


def unpack_run(
    archive: Archive, study: str, fingerprint: str, names: Set[str], stage: Path, here: RunFolder
) -> UnpackedRun:
    """Verify a run and unpack it, unless the same is here already.

    Raises:
        ArchiveError: it is not as it was exported.
        OSError: it cannot be unpacked.

    """
    folder = RunFolder(stage / fingerprint)
    folder.path.mkdir()
    where = f"{RUNS}/{fingerprint}"
    told = {START, RESULT, REPLACES, PAUSES} & names
    for name in sorted(told):
        if archive.members[f"{where}/{name}"].size > READ_WHOLE:
            raise archive.altered(f"{where}/{name} is too large")
        archive.unpack(f"{where}/{name}", folder.path / name)
    try:
        started = folder.started()
        result = folder.result()
        again = folder.sealed_start()
        foreign = result is None and folder.nameless
    except MisplacedRunError as error:
        raise archive.altered(f"{where}/{START} describes another run") from error
    except (
        AttnstudyError, KeyError, TypeError, ValueError, AttributeError, RecursionError,
    ) as error:  # fmt: skip
        raise archive.altered(f"{where} was made by another version") from error
    if started is None:
        raise archive.altered(f"{where}/{START} is missing or damaged")
    if foreign:
        raise archive.altered(f"{where}/{RESULT} describes another run than {START}")
    spec = started.spec
    _check_told(archive, study, names, folder, started, result)
    if again not in (None, started):
        raise archive.altered(f"{where}/{RESULT} describes another run than {START}")
    _check_names(archive, where, names, result)
    known = result is not None and here.result() == result and _whole(here)
    for name in sorted(names - told):
        if known:
            archive.check(f"{where}/{name}")
        else:
            archive.unpack(f"{where}/{name}", folder.path / name)
    _check_packed(archive, f"{where}/{PACKED}", folder.path / PACKED)
    if not known:
        _check_journal(archive, f"{where}/{JOURNAL}", folder, spec)
        if result is not None:
            os.utime(folder.path / RESULT)  # sealed last: files that are younger were altered
        for path in (*folder.path.iterdir(), folder.path):
            sync(path)
    return UnpackedRun(spec, result, folder, here, complete=not known)


def _check_told(
    archive: Archive,
    study: str,
    names: Set[str],
    folder: RunFolder,
    started: Start,
    result: Result | None,
) -> None:
    """Refuse a run that says what no run can say."""
    fingerprint = folder.path.name
    where = f"{RUNS}/{fingerprint}"
    spec = started.spec
    if not valid_start(started) or (spec.study, spec.fingerprint) != (study, fingerprint):
        raise archive.altered(f"{where}/{START} describes another run, or is of another version")
    sealed = study.endswith(TUNING)
    if (RESULT in names) != (result is not None and valid_result(spec, result, sealed=sealed)):
        raise archive.altered(f"{where}/{RESULT} is damaged")
    said = impossible_start(started)
    if said is not None:
        raise archive.altered(f"{where}/{START} cannot be right: {said}")
    if result is not None and (said := impossible_result(spec, result)) is not None:
        raise archive.altered(f"{where}/{RESULT} cannot be right: {said}")
    for name, valid in ((REPLACES, valid_replaced), (PAUSES, valid_pauses)):
        if name in names and not valid(read_sealed(folder.path / name)):
            raise archive.altered(f"{where}/{name} is damaged")


def _check_journal(archive: Archive, name: str, folder: RunFolder, spec: RunSpec) -> None:
    """Refuse curves with values that cannot be right."""
    try:
        found = (impossible_record(spec, record) for record in folder.journal())
        said = next((one for one in found if one is not None), None)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise archive.altered(f"{name} was made by another version") from error
    if said is not None:
        raise archive.altered(f"{name} cannot be right: {said}")


def _check_packed(archive: Archive, name: str, path: Path) -> None:
    """Refuse a folder ``checkpoint/``, if there is one, with links or names that lead out of it."""
    if not path.exists():
        return
    try:
        with path.open("rb") as file:
            check_packed(file)
    except ValueError as error:
        raise archive.altered(f"{name} holds what no checkpoint has: {error}") from error


def _check_names(archive: Archive, where: str, names: Set[str], result: Result | None) -> None:
    """Refuse a run that has other files than a run has, or not those of its result."""
    others = names - {START, JOURNAL, RESULT, REPLACES, PAUSES}
    if result is None:
        beside = PACKED in names  # of a command, which goes on with what it left there
        strange = {
            name
            for name in others
            if not (fnmatch.fnmatchcase(name, CHECKPOINTS) or (beside and may_have(name)))
        }
    else:
        listed = result.files.keys()
        strange = (others - listed) | (listed - names) | (others & OF_THE_MACHINE)
    if strange:
        raise archive.altered(f"{where}/{min(strange)} is missing or does not belong there")
    for name, digest in ({} if result is None else result.files).items():
        if archive.members[f"{where}/{name}"].digest != digest:
            raise archive.altered(f"{where}/{name} is not the one of the result")


def place(run: UnpackedRun, stage: Path, *, continuing: bool) -> ImportedRun:
    """Put a verified run in place by a rename, unless what is here is to stay.

    Args:
        run: the run.
        stage: the folder of the import, for what is in the way and holds nothing.
        continuing: whether an unfinished run can be gone on with here.

    Raises:
        StoreError: the store cannot be written.
        OSError: likewise.

    """
    status, differences = (
        _place(run, stage, continuing=continuing) if run.complete else (ImportStatus.HERE, ())
    )
    finished = run.result is not None
    return ImportedRun(
        run.spec.name, run.spec.fingerprint, run.here.path, finished, status, differences
    )


def _place(
    run: UnpackedRun, stage: Path, *, continuing: bool
) -> tuple[ImportStatus, tuple[Difference, ...]]:
    here = run.here
    begun = (here.path / START).exists()
    if run.result is None and not continuing and not begun:
        return ImportStatus.OTHER_THREADS, ()
    with run.folder.claim():  # the lock moves with the folder: nobody sees it unheld
        if _moved(run.folder.path, here.path):
            return ImportStatus.IMPORTED, ()
        with here.claim() as mine:
            if not mine:
                return ImportStatus.HELD, ()
            status, differences = _compare(run)
            if not status.taken:
                return status, differences
            if status is not ImportStatus.IMPORTED:
                with here.publishing():  # what is being sent at this moment is sent to its end
                    if here.replace(run.folder.path):
                        return status, ()
                    here.repeat()
        for number in range(_TRIES):
            with here.claim() as mine:  # of the empty folder that is there now
                if not mine or (here.path / START).exists():
                    break
                os.rename(here.path, stage / f"{here.path.name}.emptied-{number}")
                if _moved(run.folder.path, here.path):
                    return status, ()
                # another process was faster: what waits for a lock in the folder makes it anew
    return ImportStatus.HELD, ()


def _compare(run: UnpackedRun) -> tuple[ImportStatus, tuple[Difference, ...]]:
    """Decide about a run of which there is a folder here, which we hold."""
    here = run.here.result()
    if here is None:
        if not (run.here.path / START).exists():
            return ImportStatus.IMPORTED, ()  # claimed once, and never begun
        return (ImportStatus.BEGUN if run.result is None else ImportStatus.REPLACED), ()
    if run.result is None:
        return ImportStatus.HERE, ()
    differences = _differences(_numbers(here), _numbers(run.result))
    if here == run.result:
        return (ImportStatus.HERE if _whole(run.here) else ImportStatus.REPAIRED), ()
    if not differences:
        return ImportStatus.AGREES, ()
    surroundings = _differences(here.environment, run.result.environment)
    return ImportStatus.CONFLICT, (*differences, *sorted(surroundings, key=lambda d: d.field))


def _whole(here: RunFolder) -> bool:
    """Whether a finished run that is here can stay as it is."""
    return here.started() is not None and not here.damaged_files()


def _numbers(result: Result) -> dict[str, Any]:
    """Return what two trainings of a run have to agree in."""
    measured = {n: value for n, value in result.metrics.items() if n not in OF_TIME}
    return {"status": result.status, "diverged_at": result.diverged_at, **measured}


def _differences(here: Mapping[str, Any], there: Mapping[str, Any]) -> tuple[Difference, ...]:
    pairs = [(name, here.get(name), there.get(name)) for name in {**here, **there}]
    return tuple(Difference(*pair) for pair in pairs if pair[1] != pair[2])


def _moved(source: Path, target: Path) -> bool:
    """Rename a folder unless there is one already; whole, and on disk."""
    sync(source)
    try:
        os.rename(source, target)
    except OSError as error:
        if error.errno in (ENOTEMPTY, EEXIST):
            return False
        raise
    sync(target.parent)
    return True
