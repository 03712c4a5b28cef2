"""Locks of the operating system, which frees them when their holder dies."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from attnstudy.files import make_folder, reported


def acquired(lock: FileLock, seconds: float = 0.0) -> bool:
    """Whether the lock could be had in time; a Timeout is an OSError, but not a fault."""
    try:
        lock.acquire(timeout=seconds, poll_interval=0.05)
    except Timeout:
        return False
    return True


@contextlib.contextmanager
def file_held(path: Path) -> Iterator[bool]:
    """Hold a lock file, made where it is not there; gives False if somebody else does."""
    lock = FileLock(path)
    with reported(path.parent):
        make_folder(path.parent)
        mine = acquired(lock)
    try:
        yield mine
    finally:
        if mine:
            lock.release()


def held(path: Path) -> bool:
    """Whether a live process holds the lock at ``path`` at this moment."""
    if not path.exists():
        return False
    lock = FileLock(path)
    with reported(path.parent):
        try:
            free = acquired(lock)
        except FileNotFoundError:  # its folder went away since
            return False
    if free:
        lock.release()
    return not free
