"""Commands on a real terminal."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.waiting import PATIENCE


def on_a_terminal(arguments, environment):
    """Run a command whose stderr is a terminal; return what it wrote there."""
    ours, theirs = os.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "attnstudy", *arguments],
        stderr=theirs,
        stdout=subprocess.DEVNULL,  # a pipe that nobody reads would fill up
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", **environment},
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += (part := os.read(ours, 65536))
        except OSError:  # how Linux says that the other end is closed
            break
        if not part:
            break
    os.close(ours)
    assert child.wait(timeout=PATIENCE) == 0, shown
    return shown.decode()
