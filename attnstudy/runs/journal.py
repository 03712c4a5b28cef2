"""A run's journal: a line a record, each with its own checksum, safe on disk when written."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from attnstudy.crashpoints import reach
from attnstudy.errors import StoreError, cause
from attnstudy.files import open_regular, reported, write_atomically


def append_record(path: Path, record: Mapping[str, Any]) -> None:
    """Add a line and make sure that it is on disk."""
    reach("journal/before")
    with reported(path.parent), path.open("ab") as file:
        file.write(_line(record))
        file.flush()
        reach("journal/written")
        os.fsync(file.fileno())
    reach("journal/safe")


def take_over(path: Path, kept: int, lines: bytes) -> None:
    """Put lines that were written elsewhere behind the first ``kept`` bytes, safe on disk.

    Raises:
        StoreError: the journal is shorter than that, or cannot be written.

    """
    if not kept:
        write_atomically(path, lines)
        return
    with reported(path.parent), path.open("r+b") as file:
        if file.seek(0, os.SEEK_END) < kept:
            raise StoreError(f"{path} lost its end: run the same command again")
        file.truncate(kept)
        file.seek(kept)
        file.write(lines)
        file.flush()
        os.fsync(file.fileno())


def read_records(path: Path) -> list[dict[str, Any]]:
    """Return the records up to the first damaged line; none if there is no file."""
    return [record for _, record in read_placed(path)]


def read_placed(path: Path, start: int = 0) -> list[tuple[int, dict[str, Any]]]:
    """Return the records from a place on, up to the first damaged line, each with its own place.

    Args:
        path: of the journal.
        start: the place of a record (bytes from the beginning); anywhere else there is no record.

    """
    records: list[tuple[int, dict[str, Any]]] = []
    try:
        opened = open_regular(path)
        if opened is None:
            return records
        with opened as file:
            file.seek(start)
            lines = file.read().split(b"\n")
    except FileNotFoundError:
        return records
    except OSError as error:
        raise StoreError(f"the journal in {path.parent} cannot be read: {cause(error)}") from error
    for line in lines:
        checksum, _, text = line.partition(b" ")
        if checksum != f"{zlib.crc32(text):08x}".encode() or not text:
            break
        try:
            records.append((start, json.loads(text)))
        except (ValueError, RecursionError):  # nobody but a forger gave it the right checksum
            break
        start += len(line) + 1
    return records


def rewrite_records(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Have a journal hold these records and nothing else."""
    write_atomically(path, b"".join(map(_line, records)))


def _line(record: Mapping[str, Any]) -> bytes:
    text = json.dumps(record, separators=(",", ":")).encode()
    return f"{zlib.crc32(text):08x} ".encode() + text + b"\n"
