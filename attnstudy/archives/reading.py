"""Reading an archive: nothing in it is believed before it is checked."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import stat
import struct
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attnstudy import __version__
from attnstudy.archives.form import CHUNK, DIGEST, FORMAT, MANIFEST, MARK, NAME, SCHEMA, Member
from attnstudy.errors import ArchiveError, cause

_NAME_AT = 30  # in the header of a member
READ_WHOLE = 1 << 28
"""Bytes of the largest member that is read into memory: manifest, specifications, results."""


class Archive:
    """An archive that is open for reading, with every member stated by its manifest."""

    def __init__(
        self,
        path: Path,
        packed: zipfile.ZipFile,
        about: Mapping[str, Any],
        members: Mapping[str, Member],
    ) -> None:
        self.path = path
        self.about = about
        """What the manifest states beside the members."""
        self.members = members
        self._zip = packed

    def check(self, name: str) -> None:
        """Read a member to its end and compare its digest.

        Raises:
            ArchiveError: it is damaged.

        """
        for _ in self._chunks(name):
            pass

    def unpack(self, name: str, target: Path) -> None:
        """Write a member to a new file and compare its digest.

        Raises:
            ArchiveError: it is damaged; part of the file may be there.
            OSError: the file cannot be written.

        """
        with target.open("xb") as file:
            for chunk in self._chunks(name):
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())

    def altered(self, what: str) -> ArchiveError:
        """Return the error that the content is not what was exported; ``what`` is a clause."""
        return _altered(self.path, what)

    def _chunks(self, name: str) -> Iterator[bytes]:
        member = self.members[name]
        digest = hashlib.sha256()
        with _damage_told(self.path, name), self._zip.open(name) as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
                yield chunk
        if digest.hexdigest() != member.digest:
            raise _damaged(self.path, name)


@contextlib.contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Open an archive: manifest, names and sizes are checked, contents when they are read.

    Raises:
        ArchiveError: it is none, of another version, or damaged.

    """
    with contextlib.ExitStack() as stack:
        if path.exists() and not (path.is_file() or path.is_dir()):  # a pipe would never end
            raise ArchiveError(f"{path} is no file: name the one that 'attnstudy export' wrote")
        try:
            file = stack.enter_context(path.open("rb"))
            size = os.fstat(file.fileno()).st_size
            start = file.read(_NAME_AT + len(MARK))
        except OSError as error:
            raise ArchiveError(f"{path} cannot be read: {cause(error)}") from error
        if start[_NAME_AT:] != MARK.encode():
            raise _another_kind(path)
        with _damage_told(path):
            packed = stack.enter_context(zipfile.ZipFile(file))
        entries = _checked_entries(path, packed, size)
        manifest = _manifest(path, packed, entries)
        members = _stated(path, manifest)
        for name in members.keys() ^ (entries.keys() - {MANIFEST}):
            raise _altered(path, f"{name} is {'missing' if name in members else 'not listed'}")
        for name, member in members.items():
            if entries[name].file_size != member.size:
                raise _altered(path, f"{name} is not of the size that is listed")
        about = {name: value for name, value in manifest.items() if name != "files"}
        archive = Archive(path, packed, about, members)
        if MARK not in members:
            raise _altered(path, f"{MARK} is missing")
        archive.check(MARK)
        del members[MARK]
        yield archive


def _checked_entries(
    path: Path, packed: zipfile.ZipFile, archive_size: int
) -> dict[str, zipfile.ZipInfo]:
    """Return the directory of a zip file by name, if it could have been written here."""
    if MANIFEST not in packed.namelist():
        raise _damaged(path, None)  # cut short within a member that is a zip file itself
    entries: dict[str, zipfile.ZipInfo] = {}
    for entry in packed.infolist():
        name = entry.filename
        if name in entries:
            raise _altered(path, f"{name} is there twice")
        if not NAME.fullmatch(name):
            raise _altered(path, f"a file is called {name!r}")
        if not stat.S_ISREG(entry.external_attr >> 16):
            raise _altered(path, f"{name} is not a plain file")
        if entry.flag_bits & 1 or entry.compress_type != zipfile.ZIP_STORED:
            raise _altered(path, f"{name} was packed by another program")
        entries[name] = entry
    stated = sum(max(entry.file_size, entry.compress_size) for entry in entries.values())
    if stated > archive_size:
        raise _altered(path, f"its files would be larger ({stated:,} bytes) than itself")
    return entries


def _manifest(
    path: Path, packed: zipfile.ZipFile, entries: Mapping[str, zipfile.ZipInfo]
) -> dict[str, Any]:
    if entries[MANIFEST].file_size > READ_WHOLE:
        raise _altered(path, f"{MANIFEST} is too large")
    with _damage_told(path, MANIFEST), packed.open(MANIFEST) as file:
        content = file.read()
    try:
        manifest = json.loads(content)
    except (ValueError, RecursionError):
        manifest = None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise _altered(path, f"{MANIFEST} is of another kind")
    if manifest.get("schema") != SCHEMA:
        raise ArchiveError(
            f"{path} has the form {manifest.get('schema')!r}, written by attnstudy "
            f"{manifest.get('version')}, and attnstudy {__version__} reads the form {SCHEMA}: "
            "import it with that version, or export the study again with this one"
        )
    return manifest


def _stated(path: Path, manifest: Mapping[str, Any]) -> dict[str, Member]:
    members: dict[str, Member] = {}
    try:
        for name, stated in manifest["files"].items():
            member = Member(stated["size"], stated["sha256"])
            if type(member.size) is not int or not DIGEST.fullmatch(member.digest):
                raise ValueError(name)
            members[name] = member
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _altered(path, f"{MANIFEST} does not list its files") from error
    return members


@contextlib.contextmanager
def _damage_told(path: Path, name: str | None = None) -> Iterator[None]:
    """Turn what zipfile raises on a damaged file, of many kinds, into a sentence."""
    try:
        yield
    except (
        zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError, struct.error,
        OverflowError, OSError,
    ) as error:  # fmt: skip
        # a place that no file has, which a damaged directory can name, is an invalid argument
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise ArchiveError(f"{path} cannot be read: {cause(error)}") from error
        raise _damaged(path, name) from error


def _damaged(path: Path, name: str | None) -> ArchiveError:
    what = "it is cut short or damaged" if name is None else f"{name} is not as it was exported"
    return ArchiveError(f"{path} cannot be used, {what}: copy it here again, or export it again")


def _altered(path: Path, what: str) -> ArchiveError:
    return ArchiveError(
        f"{path} is not as 'attnstudy export' wrote it ({what}): copy it here again, or export "
        "the study again"
    )


def _another_kind(path: Path) -> ArchiveError:
    return ArchiveError(
        f"{path} is not an archive of 'attnstudy export': name the file that it wrote"
    )
