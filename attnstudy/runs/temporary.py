"""Temporary folders, for work on a machine that keeps nothing."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

from attnstudy.runs.locks import acquired, held

_PREFIX = "attnstudy-scratch-"
_YOUNG = 60.0  # seconds for which a folder may be without its lock: it is being made


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """Give an empty folder that is gone afterwards, here or once a later one is made.

    A worker that is killed leaves its folder behind; whoever makes the next one removes it.
    """
    _sweep()
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as folder:
        lock = FileLock(Path(folder, ".lock"))
        acquired(lock)
        try:
            yield Path(folder)
        finally:
            lock.release()


def _sweep() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):  # somebody else was faster
            found = folder.stat()
            if found.st_uid != os.getuid() or time.time() - found.st_mtime < _YOUNG:
                continue
            if not held(folder / ".lock"):
                shutil.rmtree(folder, ignore_errors=True)
