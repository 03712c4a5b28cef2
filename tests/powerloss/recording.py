"""What a command does to the files of a folder, by a library before libc."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_HEAD = struct.Struct("=5q")
_SOURCE = Path(__file__).with_name("recorder.c")
_WORDS = {
    "o": "open", "w": "write", "t": "truncate", "s": "sync", "r": "rename", "l": "link",
    "d": "mkdir", "y": "symlink", "u": "remove",
}  # fmt: skip


class Operation(NamedTuple):
    """One that succeeded; paths are relative to the folder."""

    what: str
    at: int
    """Offset of a write, size after a truncation, 1 for an opening that empties."""
    path: str
    other: str
    data: bytes

    def __str__(self) -> str:
        more = f" {len(self.data)} bytes at {self.at}" if self.what == "w" else ""
        return f"{_WORDS[self.what]} {self.path}{more}{self.other and ' to ' + self.other}"


def compiler() -> str | None:
    """Return a C compiler, if there is one."""
    return shutil.which("cc") or shutil.which("gcc")


def record(words: list[str], place: Path, build: Path) -> list[Operation]:
    """Run ``attnstudy`` in a folder and return what it did there.

    Args:
        words: of the command.
        place: where it runs.
        build: an empty folder for what is compiled, and the record.

    """
    library, log = build / "recorder.so", build / "operations"
    made = [compiler() or "cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(_SOURCE)]
    subprocess.run([*made, "-ldl", "-lpthread"], check=True)
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("ATTNSTUDY_", "MLFLOW_"))}
    ended = subprocess.run(
        [sys.executable, "-m", "attnstudy", *words],
        cwd=place, capture_output=True, text=True, check=False,
        env={**plain, "LD_PRELOAD": str(library), "POWERLOSS_ROOT": str(place),
             "POWERLOSS_LOG": str(log), "PYTHONDONTWRITEBYTECODE": "1",
             "ATTNSTUDY_NO_FIGURES": "1"},
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return list(read(log, place))


def read(log: Path, place: Path) -> Iterator[Operation]:
    """Yield the operations of a record."""
    content = log.read_bytes()
    at = 0
    while at < len(content):
        what, number, *lengths = _HEAD.unpack_from(content, at)
        at += _HEAD.size
        parts = []
        for length in lengths:
            parts.append(content[at : at + length])
            at += length
        one, two = (os.path.relpath(p, place) if p else "" for p in map(os.fsdecode, parts[:2]))
        yield Operation(chr(what), number, "" if one == "." else one, two, parts[2])
