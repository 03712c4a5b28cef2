"""Writing an archive, in a stream."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from attnstudy import __version__
from attnstudy.archives.form import CHUNK, FORMAT, MANIFEST, NAME, SCHEMA, Member
from attnstudy.errors import StoreError, cause
from attnstudy.files import reported, sync_folder, temporary_name

_TIME = (1980, 1, 1, 0, 0, 0)  # the first that a zip file can state


class ArchiveWriter:
    """Adds members to an open zip file."""

    def __init__(self, file: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_STORED)
        self._members: dict[str, Member] = {}

    def add(self, name: str, source: Path) -> str:
        """Copy a file into the archive and return its SHA-256 (hex).

        Raises:
            StoreError: the file cannot be read.
            OSError: the archive cannot be written.

        """
        with contextlib.ExitStack() as stack:
            try:
                opened = stack.enter_context(source.open("rb"))
                size = os.fstat(opened.fileno()).st_size
            except OSError as error:
                raise _unreadable(source, error) from error
            return self._write(name, _read(opened, source), size)

    def add_bytes(self, name: str, content: bytes) -> None:
        """Add a member with this content."""
        self._write(name, iter([content]), len(content))

    def finish(self, about: Mapping[str, Any]) -> None:
        """Write the manifest, which states ``about`` as well, and end the archive."""
        manifest = {
            **about,
            "format": FORMAT,
            "schema": SCHEMA,
            "version": __version__,
            "files": {
                name: {"size": member.size, "sha256": member.digest}
                for name, member in self._members.items()
            },
        }
        self.add_bytes(MANIFEST, (json.dumps(manifest, sort_keys=True, indent=1) + "\n").encode())
        self._zip.close()

    def abandon(self) -> None:
        """Let go of the file as it is."""
        with contextlib.suppress(OSError, ValueError):
            self._zip.close()

    def _write(self, name: str, chunks: Iterator[bytes], size: int) -> str:
        if not NAME.fullmatch(name) or name in self._members:
            raise ValueError(f"{name!r} cannot name a member")
        digest = hashlib.sha256()
        written = 0
        with self._zip.open(_entry(name, size), "w") as member:
            for chunk in chunks:
                digest.update(chunk)
                written += len(chunk)
                member.write(chunk)
        self._members[name] = Member(written, digest.hexdigest())
        return digest.hexdigest()


@contextlib.contextmanager
def write_archive(path: Path, about: Mapping[str, Any]) -> Iterator[ArchiveWriter]:
    """Write an archive that is seen whole, once the block has ended, or not at all.

    Raises:
        StoreError: it cannot be written.

    """
    with reported(path):
        temporary = temporary_name(path)
        try:
            with temporary.open("xb") as file:
                writer = ArchiveWriter(file)
                try:
                    yield writer
                    writer.finish(about)
                except BaseException:
                    writer.abandon()
                    raise
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        sync_folder(path.parent)


def _entry(name: str, size: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _TIME)
    entry.create_system = 3  # Unix, wherever it is written
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    entry.file_size = size  # decides whether the entry needs 64 bits
    return entry


def _read(file: BinaryIO, path: Path) -> Iterator[bytes]:
    while True:
        try:
            chunk = file.read(CHUNK)
        except OSError as error:
            raise _unreadable(path, error) from error
        if not chunk:
            return
        yield chunk


def _unreadable(path: Path, error: OSError) -> StoreError:
    return StoreError(f"{path} cannot be read: {cause(error)}")
