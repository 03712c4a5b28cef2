"""Named places at which a test can kill the process: ``ATTNSTUDY_CRASH_AT=name:count``.

The places stand between any two steps of which the second could be lost. Passing one costs a look
at the environment; nothing happens unless that names the place.
"""

from __future__ import annotations

import os
import signal
from collections import Counter

_reached: Counter[str] = Counter()


def reach(name: str) -> None:
    """Pass a place; the process kills itself here if it is the named one, the n-th time."""
    place, _, count = os.environ.get("ATTNSTUDY_CRASH_AT", "").rpartition(":")
    if place != name:
        return
    _reached[name] += 1
    if _reached[name] == int(count):
        os.kill(os.getpid(), signal.SIGKILL)
