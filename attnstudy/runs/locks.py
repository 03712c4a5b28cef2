"""Locks of the operating system, which frees them when their holder dies."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout

from attnstudy.files import reported


def acquired(lock: FileLock, seconds: float = 0.0) -> bool:
    """Whether the lock could be had in time; a Timeout is an OSError, but not a fault."""
    try:
        lock.acquire(timeout=seconds, poll_interval=0.05)
    except Timeout:
        return False
    return True


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
