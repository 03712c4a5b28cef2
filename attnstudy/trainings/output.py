"""What a training prints: it goes into its run's folder, never between the command's own lines."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from attnstudy.files import temporary_name

OUTPUT = "output.log"
_POOLS = ("joblib.externals.loky.reusable_executor", "loky.reusable_executor")
"""Modules that keep worker processes for their next use, for minutes."""


@contextlib.contextmanager
def kept_output(path: Path) -> Iterator[None]:
    """Have what this process prints written to a file, where the process is a worker.

    In the command's own process (``--executor inline``, a notebook) it goes to standard error.
    """
    if multiprocessing.parent_process() is None:
        with contextlib.redirect_stdout(sys.stderr):
            yield
        return
    streams, process = (sys.stdout, sys.stderr), os.getpid()
    _flush()
    before = os.dup(1), os.dup(2)
    with path.open("ab", buffering=0) as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    # its own, because it may close or replace them, and this process has other runs to train
    sys.stdout, sys.stderr = (
        open(number, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
        for number in (1, 2)
    )
    try:
        yield
    finally:
        _flush()
        if os.getpid() == process:  # else a copy of it, to which nothing of this belongs
            _end_pools()
        sys.stdout, sys.stderr = streams
        for number, kept in zip((1, 2), before, strict=True):
            os.dup2(kept, number)
            os.close(kept)
        if os.getpid() == process:
            _let_go(path)


def _end_pools() -> None:
    """End the processes that joblib keeps for later: they print into the run that began them.

    They would also outlive this worker, and a pipe that reads the command's output would wait for
    them.
    """
    for name in _POOLS:
        executor = getattr(sys.modules.get(name), "_executor", None)
        if executor is None:
            continue
        with contextlib.suppress(Exception):  # it is theirs, and the run has its outcome
            # of joblib's, which also removes the arrays that were shared
            end = getattr(executor, "terminate", executor.shutdown)
            end(kill_workers=True)


def _let_go(path: Path) -> None:
    """Put a copy in the place of the log: a process that was left behind cannot add to it then.

    The log is part of the result, which is sealed with its digest.
    """
    copy = temporary_name(path)
    try:
        shutil.copyfile(path, copy)
        os.replace(copy, path)
    except OSError:  # no room, or a function that removed it: the log stays as it is
        copy.unlink(missing_ok=True)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):  # closed, or full: a log
            stream.flush()
