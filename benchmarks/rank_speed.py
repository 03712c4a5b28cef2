"""Time the whole ranking beside the shortest scipy code for the same intervals, interleaved.

``scipy`` is ``scipy.stats.tukey_hsd(equal_var=False)``, which is Games-Howell, with its
confidence intervals: adjusted p-values and intervals only, none of the rest of a ranking.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
from scipy import stats as scipy_stats

from attnstudy import stats

REPEATS = 5
SIZES = ((4, 5), (4, 30), (4, 1000), (10, 30))


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def scipy_only(samples: dict[str, np.ndarray]) -> None:
    result = scipy_stats.tukey_hsd(*samples.values(), equal_var=False)
    result.confidence_interval(0.95)


def spread(values: list[float]) -> str:
    low, middle, high = (1000 * f(values) for f in (min, statistics.median, max))
    return f"{middle:.0f} [{low:.0f}–{high:.0f}]"


def measure(arms: int, runs: int, repeats: int) -> tuple[list[float], list[float]]:
    """Return the seconds of our rankings and of scipy's intervals, in turns."""
    rng = np.random.default_rng(0)
    samples = {f"arm {i}": rng.normal(60 + i / 4, 1, runs) for i in range(arms)}
    stats.rank(samples)  # the first call imports
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(repeats):
        ours.append(seconds(lambda: stats.rank(samples)))
        theirs.append(seconds(lambda: scipy_only(samples)))
    return ours, theirs


def starting(repeats: int) -> tuple[list[float], list[float]]:
    """Return the seconds of ``attnstudy --help`` and of a Python that does nothing, in turns."""
    shown: list[float] = []
    nothing: list[float] = []
    for _ in range(repeats):
        for words, kept in ((["-m", "attnstudy", "--help"], shown), (["-c", ""], nothing)):
            command = [sys.executable, *words]
            kept.append(
                seconds(lambda c=command: subprocess.run(c, check=True, capture_output=True))  # type: ignore[misc]
            )
    return shown, nothing


def table(repeats: int = REPEATS) -> str:
    """Return what was measured, in Markdown."""
    rows = [("values ranked", "attnstudy, whole ranking", "scipy, intervals only", "ratio")]
    for arms, runs in SIZES:
        ours, theirs = measure(arms, runs, repeats)
        ratio = statistics.median(theirs) / statistics.median(ours)
        rows.append((f"{arms} x {runs:,}", spread(ours), spread(theirs), f"{ratio:.1f}"))
    shown, nothing = starting(repeats)
    lines = [f"| {' | '.join(row)} |" for row in (rows[0], ("---",) * 4, *rows[1:])]
    return (
        f"Milliseconds, median [minimum–maximum] of {repeats} repeats in turns.\n\n"
        + "\n".join(lines)
        + f"\n\n`attnstudy --help` takes {spread(shown)} ms, of which Python {spread(nothing)}."
    )


if __name__ == "__main__":
    print(table())
