"""A command's folder ``checkpoint/``, and the one file as which it goes to another machine.

The file is the SHA-256 of the rest (32 bytes), then a tar file. The command that goes on
with the run unpacks it; as long as it is there, it is newer than the folder beside it.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import shutil
import stat
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from attnstudy.crashpoints import reach
from attnstudy.errors import StoreError, cause
from attnstudy.files import is_temporary, reported, sync, temporary_name

FOLDER, PACKED = "checkpoint", "checkpoint.folder.pt"
_CHUNK = 1 << 20
_DIGEST = hashlib.sha256().digest_size
_TICK = 0.05
"""Seconds, more than the clock of a file system stands still."""
_TRIES = 5
_LATEST = 1 << 40
"""Of a time of change, seconds since the epoch."""

Stamps = tuple[tuple[str, int, int, int], ...]
"""What tells that a folder changed: of each entry its name, number, time and size."""


def has_folder(run: Path) -> bool:
    """Whether a run's folder has such a folder."""
    return (run / FOLDER).is_dir() and not (run / FOLDER).is_symlink()


def folder_stamps(run: Path) -> Stamps | None:
    """Return what tells that the folder changed; None if there is none."""
    if not has_folder(run):
        return None
    return tuple(
        (name, found.st_ino, found.st_mtime_ns, found.st_size)
        for name, path in _entries(run / FOLDER)
        if (found := _status(path)) is not None
    )


def pack_folder(run: Path, file: BinaryIO) -> None:
    """Write the folder of a run into a file that can be read too, as it is at one moment.

    A folder that is not there makes a file without entries. A link to a file of the folder goes as
    the file that it names.

    Raises:
        StoreError: it cannot be read, holds what cannot travel, or changes all the time.

    """
    for _ in range(_TRIES):
        before = folder_stamps(run)
        newest = max((changed for _, _, changed, _ in before or ()), default=0)
        if time.time_ns() - newest > _TICK * 1e9:  # else a change might not be told by its time
            file.seek(0)
            file.truncate()
            with contextlib.suppress(FileNotFoundError, EOFError):  # it is being changed
                _pack(run, file)
                if folder_stamps(run) == before:
                    return
        time.sleep(_TICK)
    raise StoreError(
        f"{run / FOLDER} changed while it was read: run the same command again when nothing writes "
        "there any more"
    )


def packed_folder(run: Path) -> bytes:
    """Return the folder of a run as ``pack_folder`` writes it."""
    file = io.BytesIO()
    pack_folder(run, file)
    return file.getvalue()


def check_packed(file: BinaryIO) -> None:
    """Make sure that a file is one that ``pack_folder`` wrote.

    Raises:
        ValueError: it is damaged, or has entries that none has; what it says is a clause.

    """
    for _ in _packed(file):
        pass


def unpack_folder(run: Path) -> str | None:
    """Put what came from another machine in the place of the folder; return what was wrong with it.

    A kill in between leaves the file, with which the next attempt does the same.

    Raises:
        StoreError: it cannot be written.

    """
    packed = run / PACKED
    if not packed.exists():
        return None
    with reported(run):
        for left in run.glob(f".{FOLDER}-*"):
            if is_temporary(left):
                shutil.rmtree(left)
        stage = temporary_name(run / FOLDER)
        stage.mkdir()
        try:
            with packed.open("rb") as file:
                _unpack(file, stage)
        except ValueError as error:
            shutil.rmtree(stage)
            packed.unlink()  # else it would pass for newer than what comes now
            return f"{packed} was not used, because {error}"
        reach("checkpoint-folder/unpacked")
        forget_folder(run)
        if has_folder(stage):
            os.rename(stage / FOLDER, run / FOLDER)
        sync(run)
        reach("checkpoint-folder/in-place")
        packed.unlink()
        stage.rmdir()
    return None


def forget_folder(run: Path) -> None:
    """Remove the folder of a run."""
    if has_folder(run):
        shutil.rmtree(run / FOLDER)


def _entries(folder: Path, name: str = FOLDER) -> Iterator[tuple[str, Path]]:
    """Yield a folder and all in it by name, each folder before what it holds."""
    yield name, folder
    with contextlib.suppress(FileNotFoundError):  # gone meanwhile
        for path in sorted(folder.iterdir()):
            if path.is_dir() and not path.is_symlink():
                yield from _entries(path, f"{name}/{path.name}")
            else:
                yield f"{name}/{path.name}", path


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except FileNotFoundError:
        return None


def _pack(run: Path, file: BinaryIO) -> None:
    file.write(bytes(_DIGEST))
    try:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for name, path in _entries(run / FOLDER) if has_folder(run) else ():
                _add(tar, name, path, run)
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno is None:  # tarfile's: a file is shorter than it was
            raise EOFError from error
        raise StoreError(f"{run / FOLDER} cannot be read: {cause(error)}") from error
    file.seek(0)
    digest = _digest(file)
    file.seek(0)
    file.write(digest)


def _add(tar: tarfile.TarFile, name: str, path: Path, run: Path) -> None:
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        named = Path(os.path.realpath(path))  # resolve() raises where links go in a circle
        within = named.is_relative_to(os.path.realpath(run / FOLDER))
        found = path.stat() if within and named.is_file() else found
    entry = tarfile.TarInfo(name)
    entry.mtime = round(found.st_mtime, 6)  # two may be of one second
    entry.mode = 0o755 if found.st_mode & stat.S_IXUSR else 0o644
    if path.is_dir() and not path.is_symlink():
        entry.type = tarfile.DIRTYPE
        tar.addfile(entry)
    elif stat.S_ISREG(found.st_mode):
        entry.size = found.st_size
        with path.open("rb") as content:
            tar.addfile(entry, content)
    else:
        raise StoreError(
            f"{path} is no file and no folder, so it cannot go to another machine with its run: "
            f"remove it, or have the command keep a file of {FOLDER}/ there"
        )


def _digest(file: BinaryIO) -> bytes:
    """Return the SHA-256 of what a file should be."""
    file.seek(_DIGEST)
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    return digest.digest()


def _packed(file: BinaryIO) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    """Yield the entries of a file after comparing its digest, each after looking at it."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if file.read(_DIGEST) != _digest(file):
        raise ValueError("it is damaged")
    file.seek(_DIGEST)
    known: dict[str, bool] = {}
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            for entry in tar:
                size -= entry.size
                if (wrong := _wrong(entry, known)) or size < 0:
                    raise ValueError(f"{entry.name!r} {wrong or 'would be larger than it'}")
                known[entry.name] = entry.isdir()
                yield tar, entry
    except (tarfile.TarError, EOFError, OverflowError, RecursionError) as error:
        raise ValueError("it is no tar file") from error


def _wrong(entry: tarfile.TarInfo, known: dict[str, bool]) -> str | None:
    """Return why an entry is not taken; ``known`` says of those before whether each is a folder."""
    above, _, last = entry.name.rpartition("/")
    if last in ("", ".", "..") or "\0" in last or (entry.name != FOLDER and not known.get(above)):
        return f"is not in {FOLDER}/"
    if entry.name == FOLDER and not entry.isdir():
        return "is no folder"
    plain = entry.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and not entry.issparse()
    if not (entry.isdir() or plain):
        return "is no plain file"
    if entry.name in known:
        return "is there twice"
    return (
        None if 0 <= entry.mtime < _LATEST and entry.size >= 0 else "has no possible time or size"
    )


def _unpack(file: BinaryIO, stage: Path) -> None:
    folders: list[tuple[Path, float]] = []
    for tar, entry in _packed(file):
        path = stage / entry.name
        if entry.isdir():
            path.mkdir()
            folders.append((path, entry.mtime))
            continue
        mode = 0o777 if entry.mode & stat.S_IXUSR else 0o666  # less what the user's mask takes
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(opened, "wb") as target, tar.extractfile(entry) as source:  # type: ignore[union-attr]
            shutil.copyfileobj(source, target, _CHUNK)
            target.flush()
            os.utime(target.fileno(), (entry.mtime, entry.mtime))
            os.fsync(target.fileno())
    for path, changed in reversed(folders):  # once nothing is added to them
        os.utime(path, (changed, changed))
        sync(path)
