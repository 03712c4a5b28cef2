"""Time the whole ranking beside the shortest scipy code for the same intervals, interleaved.

``scipy`` is ``scipy.stats.tukey_hsd(equal_var=False)``, which is Games-Howell, with its
confidence intervals: adjusted p-values and intervals only, none of the rest of a ranking.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from scipy import stats as scipy_stats

from attnstudy import stats

REPEATS = 5
ROW = "{:>4} x {:<6} {:>24} {:>24} {:>7}"


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def scipy_only(samples: dict[str, np.ndarray]) -> None:
    result = scipy_stats.tukey_hsd(*samples.values(), equal_var=False)
    result.confidence_interval(0.95)


def spread(values: list[float]) -> str:
    low, middle, high = (1000 * f(values) for f in (min, statistics.median, max))
    return f"{middle:.0f} [{low:.0f}-{high:.0f}]"


def main() -> int:
    rng = np.random.default_rng(0)
    print(f"milliseconds, median [min-max] of {REPEATS} interleaved repeats")
    print(ROW.format("arms", "runs", "attnstudy, whole ranking", "scipy, intervals only", "ratio"))
    for arms, runs in ((4, 5), (4, 30), (4, 1000), (10, 30)):
        samples = {f"arm {i}": rng.normal(60 + i / 4, 1, runs) for i in range(arms)}
        stats.rank(samples)  # the first call imports
        ours: list[float] = []
        theirs: list[float] = []
        for _ in range(REPEATS):
            ours.append(seconds(lambda s=samples: stats.rank(s)))
            theirs.append(seconds(lambda s=samples: scipy_only(s)))
        ratio = statistics.median(theirs) / statistics.median(ours)
        print(ROW.format(arms, runs, spread(ours), spread(theirs), f"{ratio:.1f}x"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
