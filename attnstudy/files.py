"""Files that are seen whole or not at all, and JSON that shows when it was altered."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import json
import os
import re
import secrets
import stat
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from attnstudy.crashpoints import reach
from attnstudy.errors import StoreError, cause

_LINUX = sys.platform == "linux"
_HERE, _EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of renameat2
_STREAMS = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}
_OPENED = re.compile(rf"(?:/dev|/proc/(?:self|thread-self|{os.getpid()}))/fd/(\d{{1,9}})")
_TEMPORARY = re.compile(r"\..+-[0-9a-f]{16}")


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that it is seen whole or not at all, also after a power failure."""
    with reported(path):
        temporary = temporary_name(path)
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            reach(f"write/{path.name}/temporary")
            os.replace(temporary, path)
            reach(f"write/{path.name}/renamed")
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        sync(path.parent)


def write_output(path: Path, content: bytes) -> None:
    """Write a file that the user named: what was there stays until all of it is written.

    What the caller opened (``/dev/stdout``, also where that is a file) is written to where it
    stands, and so is all that is no regular file: a terminal, a pipe.

    Raises:
        StoreError: it cannot be written.

    """
    with reported(path):
        opened = descriptor_of(path)
        if opened is not None:
            with os.fdopen(os.dup(opened), "wb") as stream:
                stream.write(content)
            return
        if path.exists() and not path.is_file():
            path.write_bytes(content)
            return
        named = path.resolve()  # what a link stands for, and not the link
        make_folder(named.parent)
        mode = stat.S_IMODE(named.stat().st_mode) if named.exists() else None
    write_atomically(named, content)
    if mode is not None:
        named.chmod(mode)


def discard(stream: TextIO) -> None:
    """Have what is still written to a stream lead nowhere: its reader is gone, as with ``| head``.

    What a command does is not for its reader alone, so it goes on to its end and its exit code.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def descriptor_of(path: Path) -> int | None:
    """Return which open stream of this process a path names; None if it names a file."""
    text = os.path.abspath(path)  # noqa: PTH100 - it resolves no links
    number = _STREAMS.get(text)
    if number is None and (found := _OPENED.fullmatch(text)) is not None:
        number = int(found[1])
    if number is not None:
        return number
    with contextlib.suppress(OSError):
        there = path.stat()
        for stream in (1, 2):  # a file into which the shell has them written
            if stat.S_ISREG(there.st_mode) and os.path.samestat(there, os.fstat(stream)):
                return stream
    return None


def temporary_name(path: Path) -> Path:
    """Return a name beside ``path`` for what is being written, until it is whole."""
    # not tempfile's, which only the owner may read: a store can belong to a team
    return path.with_name(f".{path.name}-{secrets.token_hex(8)}")


def is_temporary(path: Path) -> bool:
    """Tell whether a name is one that ``temporary_name`` gives."""
    return _TEMPORARY.fullmatch(path.name) is not None


def sync(path: Path) -> None:
    """Make sure that a file's content, or the names in a folder, survive a power failure."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(path: Path) -> None:
    """Make a folder, and those above it, so that their names survive a power failure."""
    above = [one for one in (path, *path.parents) if not one.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for one in reversed(above):
        sync(one.parent)


def exchange(one: Path, other: Path) -> bool:
    """Let two folders change places at one stroke; gives False, and does nothing, where none can.

    Linux can, on most file systems.
    """
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None) if _LINUX else None
    if renameat2 is None:
        return False
    names = (_HERE, os.fsencode(one), _HERE, os.fsencode(other))
    if renameat2(*names, _EXCHANGE) != 0:
        return False
    sync(one.parent)
    sync(other.parent)
    return True


def sealed(content: Mapping[str, Any]) -> bytes:
    """Return JSON together with its checksum."""
    text = json.dumps(content, sort_keys=True, allow_nan=False)
    both = {"sha256": hashlib.sha256(text.encode()).hexdigest(), "content": content}
    return (json.dumps(both, sort_keys=True, indent=1) + "\n").encode()


def write_sealed(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON together with its checksum."""
    write_atomically(path, sealed(content))


def open_regular(path: Path) -> BinaryIO | None:
    """Open a file to read it; None for what is none, as a pipe, which would be waited for.

    Raises:
        OSError: it is not there, is a folder, or cannot be read.

    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    mode = os.fstat(handle).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(handle, "rb")
    os.close(handle)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    return None


def read_sealed(path: Path) -> dict[str, Any] | None:
    """Return what ``write_sealed`` wrote; None if it is not there, truncated or altered."""
    try:
        both = json.loads(_content(path))
        content: dict[str, Any] = both["content"]
        text = json.dumps(content, sort_keys=True, allow_nan=False)
        whole = hashlib.sha256(text.encode()).hexdigest() == both["sha256"]
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {cause(error)}") from error
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return content if whole and isinstance(content, dict) else None


def _content(path: Path) -> bytes:
    """Return what is in a file; nothing of what is none."""
    opened = open_regular(path)
    if opened is None:
        return b""
    with opened:
        return opened.read()


def file_digest(path: Path) -> str:
    """Return the SHA-256 (hex) of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def reported(path: Path) -> Iterator[None]:
    """Turn a failure to write below ``path`` into a sentence for the reader."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written ({cause(error)}): make room or give write access there, "
            "then run the same command again; what is complete is kept"
        ) from error
