"""``prune``: find what nobody needs any more, and take it away.

It is left over by something that ended early, by a kill or a power failure. A run that a process
holds is not touched, nor a checkpoint of a run without a result, nor a file that a result lists.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from errno import ENOENT, ENOTEMPTY
from itertools import chain
from pathlib import Path

from attnstudy import runs
from attnstudy.errors import StoreError, cause
from attnstudy.files import is_temporary
from attnstudy.runs import CHECKPOINTS, FOLDER, RunFolder, has_folder, study_folder
from attnstudy.study import tuning_of
from attnstudy.usecases.packing import run_name
from attnstudy.usecases.staging import staging_folders, without_imports

_TRIES = 5
SAFE_AGE = 3600.0
"""Seconds after which nobody is still writing a file."""
_ASIDE = re.compile(r"([0-9a-f]{32})-\d+")
_FAILURE = ".failure.json-"  # noted by a process that does not hold the run

BUSY = "somebody is working on it"
ONLY = "its repetition has no result yet"
NEEDED = "it is needed again"
_GONE = contextlib.suppress(FileNotFoundError)
"""Around what another process may be removing at this moment."""


class Kind(Enum):
    """Why something can go. The value is the heading that the user reads."""

    CHECKPOINT = "checkpoints of finished runs"
    WRITE = "interrupted writes"
    DECODING = "interrupted decodings"
    IMPORT = "interrupted imports"
    REPEATED = "runs that were repeated"


@dataclass(frozen=True, slots=True)
class Leftover:
    """A file or folder that can go."""

    kind: Kind
    path: Path
    size: int
    """Bytes, of all its files when it is a folder."""
    run: RunFolder | None = None
    """The run that is held while it goes."""
    name: str | None = None
    """What people call the run."""


Spared = tuple[Leftover, str]
"""What stays, and why, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What can go, and what would if it were not needed."""

    leftovers: tuple[Leftover, ...]
    spared: tuple[Spared, ...]

    @property
    def size(self) -> int:
        """Bytes of what can go."""
        return sum(leftover.size for leftover in self.leftovers)


@dataclass(frozen=True, slots=True)
class Removal:
    """What became of the leftovers."""

    removed: tuple[Leftover, ...]
    spared: tuple[Spared, ...]
    failed: tuple[Spared, ...]
    """What could not be removed, with the system's reason."""

    @property
    def freed(self) -> int:
        """Bytes."""
        return sum(leftover.size for leftover in self.removed)


def find_leftovers(
    store_dir: Path, studies: Sequence[str], data_dir: Path | None, *, repeated: bool
) -> Findings:
    """Return what can go. Nothing is changed.

    Args:
        store_dir: the store.
        studies: the studies to look through.
        data_dir: the folder of decoded images; None leaves out what belongs to no study.
        repeated: whether runs that were moved aside go too; they are results.

    Raises:
        StoreError: a run folder cannot be read.

    """
    found: list[tuple[Leftover, str | None]] = []
    for study in _filed(store_dir, studies, everything=data_dir is not None):
        folder = study_folder(store_dir, study)
        found += ((leftover, None) for leftover in _writes(folder))
        for run in runs.run_folders(store_dir, study):
            with _GONE:
                found += _of_a_run(run)
        if repeated:
            found += _aside(folder / "repeated")
    if data_dir is not None:
        found += ((leftover, None) for leftover in _decodings(data_dir / "decoded"))
        found += _imports(store_dir)
    return Findings(
        tuple(leftover for leftover, reason in found if reason is None),
        tuple((leftover, reason) for leftover, reason in found if reason is not None),
    )


def _filed(store_dir: Path, studies: Sequence[str], *, everything: bool) -> list[str]:
    """Return under which names there are runs: of the studies and of their tunings."""
    names = [name for study in studies for name in (study, tuning_of(study))]
    tunings = runs.tunings(store_dir) if everything else []
    return [*names, *(name for name in tunings if name not in names)]


def _of_a_run(run: RunFolder) -> Iterator[tuple[Leftover, str | None]]:
    own = [*_writes(run.path, run), *_writes(run.path / "published", run)]
    own += (
        Leftover(Kind.CHECKPOINT, path, _size(path), run, run_name(run))
        for path in (
            *sorted(run.path.glob(CHECKPOINTS)),
            *([run.path / FOLDER] if has_folder(run.path) else []),
        )
    )
    if own:
        busy = run.claimed
        for leftover in own:
            # the checkpoint of an unfinished run is in its place: no word about it
            if not _needed(leftover):
                yield leftover, BUSY if busy else None


def _writes(folder: Path, run: RunFolder | None = None) -> Iterator[Leftover]:
    """Give the temporary files of writes that were interrupted."""
    for path in sorted(folder.glob(".*-*")):
        if not is_temporary(path) or not path.is_file():
            continue
        # what only the holder of a run writes is left over when nobody holds it
        holders = run is not None and folder == run.path and not path.name.startswith(_FAILURE)
        if holders or _old(path):
            yield Leftover(
                Kind.WRITE, path, _size(path), run, None if run is None else run_name(run)
            )


def _aside(folder: Path) -> Iterator[tuple[Leftover, str | None]]:
    for path in sorted(folder.glob("*-*/")):
        if _ASIDE.fullmatch(path.name):
            with _GONE:
                run = RunFolder(path)
                leftover = Leftover(Kind.REPEATED, path, _size(path), run, run_name(run))
                reason = ONLY if _needed(leftover) else None
                yield leftover, BUSY if run.claimed else reason


def _decodings(folder: Path) -> Iterator[Leftover]:
    for path in sorted(folder.glob(".*-*/")):
        # a damaged cache is moved away to be removed, but images may be being decoded just now
        damaged, begun = (path.name.startswith(f".{kind}-") for kind in ("damaged", "decoding"))
        if damaged or (begun and _old(path)):
            yield Leftover(Kind.DECODING, path, _size(path))


def _imports(store_dir: Path) -> Iterator[tuple[Leftover, str | None]]:
    folders = staging_folders(store_dir)
    if folders:
        with without_imports(store_dir) as alone:
            for path in folders:
                yield Leftover(Kind.IMPORT, path, _size(path)), None if alone else BUSY


def _needed(leftover: Leftover) -> bool:
    """Whether something may not go although nobody holds its run."""
    if leftover.run is not None and leftover.kind is Kind.CHECKPOINT:
        result = leftover.run.result()
        return result is None or leftover.path.name in result.files
    aside = _ASIDE.fullmatch(leftover.path.name)
    if aside is not None and leftover.kind is Kind.REPEATED:
        repetition = RunFolder(leftover.path.parent.parent / aside[1])
        # until the repetition has one, the only result of the run is perhaps here, and until it
        # is published, only these notes tell which run of a store it replaces
        return repetition.result() is None or any(
            "run_id" not in repetition.published(note.stem)
            for note in (leftover.path / "published").glob("*.json")
        )
    return False


def remove(store_dir: Path, leftovers: Sequence[Leftover]) -> Removal:
    """Remove leftovers that can still go; one that cannot be removed does not stop the others.

    A run is held while its files go. What is gone already counts as removed.
    """
    removed: list[Leftover] = []
    spared: list[Spared] = []
    failed: list[Spared] = []
    for leftover in leftovers:
        try:
            with _reason_against(store_dir, leftover) as reason:
                if reason is None:
                    _delete(leftover.path)
                    removed.append(leftover)
                else:
                    spared.append((leftover, reason))
        except OSError as error:
            failed.append((leftover, cause(error)))
        except StoreError as error:
            failed.append((leftover, cause(error.__cause__ or error)))
    return Removal(tuple(removed), tuple(spared), tuple(failed))


@contextlib.contextmanager
def _reason_against(store_dir: Path, leftover: Leftover) -> Iterator[str | None]:
    """Hold what a leftover belongs to, and give why it is to stay; None if it can go."""
    if leftover.kind is Kind.IMPORT:
        with without_imports(store_dir) as alone:
            yield None if alone else BUSY
    elif leftover.run is not None and leftover.run.path.exists():
        with leftover.run.claim() as mine:
            if mine:
                yield NEEDED if _needed(leftover) else None
            else:
                yield BUSY
    else:
        yield None


def _delete(path: Path) -> None:
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    for left in reversed(range(_TRIES)):
        try:
            shutil.rmtree(path)
        except OSError as error:  # perhaps another process removes it, too, or waits for its lock
            if not path.exists():
                return
            if not left or error.errno not in (ENOENT, ENOTEMPTY):
                raise
        else:
            return


def _entries(path: Path) -> Iterator[tuple[float, int]]:
    """Give the time of the last change, and the bytes, of a path and of everything below it."""
    below = (Path(folder, name) for folder, *both in os.walk(path) for name in chain(*both))
    for entry in chain((path,), below):
        with _GONE:
            status = entry.lstat()
            yield status.st_mtime, 0 if stat.S_ISDIR(status.st_mode) else status.st_size


def _size(path: Path) -> int:
    return sum(size for _, size in _entries(path))


def _old(path: Path) -> bool:
    return time.time() - max((changed for changed, _ in _entries(path)), default=0) > SAFE_AGE
