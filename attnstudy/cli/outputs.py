"""What a command writes to a file that the user names, and what must never be replaced by it."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from attnstudy import studyfile
from attnstudy.errors import UsageError
from attnstudy.files import descriptor_of

_STORE_FILES = ("mlflow.db", "store.json")
_STORE_FOLDERS = ("runs", "artifacts")


def refuse_outputs(given: Mapping[str, Any]) -> None:
    """Refuse files of ``rank`` that would take the place of what it reads, or of a study's."""
    methods = None if given["methods"] in (None, "-") else Path(given["methods"])
    named = [given["output"], methods, None if methods is None else methods.with_suffix(".bib")]
    outputs = [path for path in named if path is not None]
    read = [Path(str(table)) for table in given["tables"] or ()]
    read += [path for path in (given["figure_style"],) if path is not None]
    for path in outputs:
        refuse_output(path, given["store"], read)
    if given["figures"] is not None:
        refuse_output(given["figures"] / "ranking.svg", given["store"], read)
    if given["output"] is not None and given["output"] in outputs[1:]:
        raise UsageError(f"--output and --methods both name {given['output']}: name two files")


def refuse_output(path: Path, store: Path | None, read: Iterable[Path] = ()) -> None:
    """Refuse a file that must not be written.

    Args:
        path: the file.
        store: the folder of the store.
        read: files that the command reads.

    Raises:
        UsageError: it is one of those, belongs to a store, or is the file of a study.

    """
    if descriptor_of(path) is not None:
        return  # what the caller opened, not a file that we name
    place = Path(os.path.realpath(path))
    if any(_same(path, other) for other in read) or _is_input(path):
        raise UsageError(f"{path} is what is read: name another file to write to")
    if _is_database(place):
        raise UsageError(f"{path} is a database: name another file to write to")
    if _in_store(place, store):
        raise UsageError(
            f"{path} belongs to a store of attnstudy, which would be damaged: name a file elsewhere"
        )
    if place.name == studyfile.FILE_NAME and place.exists():
        raise UsageError(f"{path} is the file of a study: name another file to write to")


def _same(path: Path, other: Path) -> bool:
    with contextlib.suppress(OSError, ValueError):
        return stat.S_ISREG(path.stat().st_mode) and path.samefile(other)
    return False


def _is_input(path: Path) -> bool:
    """Whether a file is what standard input comes from."""
    with contextlib.suppress(OSError, ValueError):
        there = path.stat()
        return stat.S_ISREG(there.st_mode) and os.path.samestat(there, os.fstat(0))
    return False


def _is_database(place: Path) -> bool:
    with contextlib.suppress(OSError, ValueError):
        if place.is_file():
            with place.open("rb") as file:
                return file.read(16) == b"SQLite format 3\0"
    return False


def _in_store(place: Path, store: Path | None) -> bool:
    """Whether a file is, or would be, one of those that a store consists of."""
    known = None if store is None else Path(os.path.realpath(store))
    for above in place.parents:
        if above == known or any((above / name).is_file() for name in _STORE_FILES):
            part = place.relative_to(above).parts[0]
            if part in _STORE_FOLDERS or part.startswith(_STORE_FILES):
                return True
    return False
