"""Which commands are at work on a study: each holds a lock of its own for as long as it lives.

A worker outlives a command that was killed by up to an iteration. Its run is then held, but
nobody will go on with it: the next command has to know that, and waits for it.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

from attnstudy.files import make_folder, reported
from attnstudy.runs.locks import acquired, held

_FOLDER = "commands"


@contextlib.contextmanager
def command_at_work(study_folder: Path) -> Iterator[str]:
    """Be a command at work on a study; gives its name, which its workers write down."""
    folder = study_folder / _FOLDER
    name = secrets.token_hex(8)
    lock = FileLock(folder / name)
    with reported(folder):
        make_folder(folder)
        # one at a time: a lock must not be swept away between its making and its locking
        with FileLock(study_folder / "commands.lock"):
            _sweep(folder)
            lock.acquire()
    try:
        yield name
    finally:
        # gone before it is free, so that nobody claims it
        (folder / name).unlink(missing_ok=True)
        lock.release()


def is_at_work(study_folder: Path, name: str) -> bool:
    """Whether the command called ``name`` is alive."""
    return held(study_folder / _FOLDER / name)


def _sweep(folder: Path) -> None:
    """Remove what killed commands left behind."""
    for path in folder.iterdir():
        lock = FileLock(path)
        if acquired(lock):
            path.unlink(missing_ok=True)
            lock.release()
