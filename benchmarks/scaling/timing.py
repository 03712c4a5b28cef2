"""How long a command takes and how much memory, as the system counts them."""

from __future__ import annotations

import math
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
    out: str = ""


def command(
    words: Sequence[str], place: Path, environment: Mapping[str, str] | None = None,
    expected: Sequence[int] = (0,),
) -> Cost:  # fmt: skip
    """Run a command to its end."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.perf_counter()
        child = subprocess.Popen(
            words, cwd=place, env={**os.environ, **(environment or {})}, stdout=out, stderr=err
        )
        _, status, used = os.wait4(child.pid, 0)
        wall = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)  # so that nobody waits for it again
        for file in (out, err):
            file.seek(0)
        said, told = out.read().decode(), err.read().decode()
    if child.returncode not in expected:
        raise SystemExit(f"{' '.join(words)} ended with {child.returncode}:\n{said}{told}")
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, said)


def best(measure: Callable[[], Cost], repeats: int) -> Cost:
    """Return the fastest of some repeats: others use the machine too."""
    return min((measure() for _ in range(repeats)), key=lambda cost: cost.wall)


def exponent(small: float, large: float, times: float) -> float:
    """Return how something grows, where a size grew so many times: 1 is linear, 2 quadratic."""
    return math.log(large / small) / math.log(times) if small > 0 and large > 0 else math.nan
