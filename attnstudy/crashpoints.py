"""Named places at which a test can kill the process: ``ATTNSTUDY_CRASH_AT=name:count``."""

from __future__ import annotations

import os
import signal
from collections import Counter

_reached: Counter[str] = Counter()


def reach(name: str) -> None:
    """Kill the process if the environment asks for it at this place and this count."""
    wanted, _, count = os.environ.get("ATTNSTUDY_CRASH_AT", "").rpartition(":")
    if wanted != name:
        return
    _reached[name] += 1
    if _reached[name] == int(count):
        os.kill(os.getpid(), signal.SIGKILL)
