"""What a training prints: it goes into its run's folder, never between the command's own lines."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import sys
from collections.abc import Iterator
from pathlib import Path

OUTPUT = "output.log"


@contextlib.contextmanager
def kept_output(path: Path) -> Iterator[None]:
    """Have what this process prints written to a file, where the process is a worker.

    In the command's own process (``--executor inline``, a notebook) it goes to standard error.
    """
    if multiprocessing.parent_process() is None:
        with contextlib.redirect_stdout(sys.stderr):
            yield
        return
    streams = sys.stdout, sys.stderr
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
        sys.stdout, sys.stderr = streams
        for number, kept in zip((1, 2), before, strict=True):
            os.dup2(kept, number)
            os.close(kept)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):  # closed, or full: a log
            stream.flush()
