"""How long a command takes and how much memory, as the system counts them."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process and those that it waited for took."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds, user and system, also of the processes that it waited for."""
    peak_mib: float
    """The largest resident memory of the process itself."""
    out: str = field(default="", repr=False)


# A child counts the memory of whoever forked it as its own peak: so this small process does.
_STARTER = """
import json, os, sys
child = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, used = os.wait4(child, 0)
told = [os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss]
open(sys.argv[1], "w").write(json.dumps(told))
"""


def command(words: Sequence[str], place: Path) -> Cost:
    """Run a command to its end."""
    with tempfile.TemporaryDirectory() as folder:
        counted = Path(folder, "counted.json")
        began = time.perf_counter()
        ran = subprocess.run(
            [sys.executable, "-S", "-c", _STARTER, str(counted), *words],
            cwd=place, check=True, capture_output=True, text=True,
        )  # fmt: skip
        wall = time.perf_counter() - began
        code, cpu, kib = json.loads(counted.read_text())
    if code:
        raise SystemExit(f"{' '.join(words)} ended with {code}:\n{ran.stdout}{ran.stderr}")
    return Cost(wall, cpu, kib / 1024, ran.stdout)


def best(measure: Callable[[], Cost], repeats: int) -> Cost:
    """Return the fastest of some repeats: others use the machine too."""
    return min((measure() for _ in range(repeats)), key=lambda cost: cost.wall)


def exponent(small: float, large: float, times: float) -> float:
    """Return how something grows, where a size grew so many times: 1 is linear, 2 quadratic."""
    return math.log(large / small) / math.log(times) if small > 0 and large > 0 else math.nan
