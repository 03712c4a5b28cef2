"""What the pages of results have in common; needs nothing but Python."""

from __future__ import annotations

import os
import re
import statistics
from collections.abc import Sequence


def spread(values: Sequence[float], digits: int = 0) -> str:
    """Return the median with minimum and maximum."""
    low, middle, high = (f"{f(values):.{digits}f}" for f in (min, statistics.median, max))
    return f"{middle} [{low}–{high}]"


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def file_name(hardware: str) -> str:
    """Return a processor and its number of cores, for a file's name."""
    return re.sub(r"[^a-z0-9]+", "-", f"{hardware} {cores()} cores".lower()).strip("-")
