"""Waiting for what another process does, on a machine however busy."""

from __future__ import annotations

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

PATIENCE = 250
"""Seconds after which a wait is given up, so that no test hangs: below pytest's own limit."""


def wait_for(
    seen: Callable[[], object],
    child: subprocess.Popen[Any] | None = None,
    said: Callable[[], str] | None = None,
) -> None:
    """Wait until something is seen.

    Args:
        seen: looks, and returns something true once it is there.
        child: the process that should bring it about: once that has ended, nothing more will come.
        said: reads what the process has said, where that is no pipe.

    Raises:
        AssertionError: if the process has ended without, or it took too long; says what it said.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        ended = child is not None and child.poll() is not None
        if seen():
            return
        if ended and child is not None:
            pipes = (child.stdout, child.stderr)
            words = said() if said else [pipe.read() for pipe in pipes if pipe]
            raise AssertionError(f"it ended too early, with exit code {child.returncode}: {words}")
        assert time.monotonic() < deadline, f"waited too long: {said() if said else ''}"
        time.sleep(0.02)


def answers(address: str) -> bool:
    """Whether anything at all answers there."""
    try:
        urllib.request.urlopen(address, timeout=10).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True
