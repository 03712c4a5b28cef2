"""Time a whole ranking beside what the peers compute of it, interleaved, as each is documented.

``python -m benchmarks.peers.speed`` in the peers' environment. A call that takes longer than
``LIMIT`` seconds is cut off, and is not repeated. Nothing of a peer is replaced here.
"""

from __future__ import annotations

import contextlib
import io
import math
import signal
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from typing import TypeAlias

import matplotlib
import numpy as np
import pandas as pd
import scikit_posthocs
from autorank import autorank
from deepsig import multi_aso
from rliable import library, metrics
from scipy import stats as scipy_stats

from attnstudy import stats
from benchmarks.peers.studies import PAIRS

REPEATS = 5
LIMIT = 60
Samples: TypeAlias = dict[str, np.ndarray]


def scipy_only(samples: Samples) -> None:
    result = scipy_stats.tukey_hsd(*samples.values(), equal_var=False)
    result.confidence_interval(0.95)


def interquartile_means(samples: Samples) -> None:
    scores = {name: arm[:, None] for name, arm in samples.items()}
    library.get_interval_estimates(scores, lambda x: np.array([metrics.aggregate_iqm(x)]))


def probabilities_of_improvement(samples: Samples) -> None:
    arms = [arm[:, None] for arm in samples.values()]
    pairs = {f"{i},{j}": (arms[i], arms[j]) for i, j in PAIRS}
    library.get_interval_estimates(pairs, metrics.probability_of_improvement, reps=2000)


QUICK: dict[str, Callable[[Samples], object]] = {
    "attnstudy, a whole ranking": stats.rank,
    "scipy, Games-Howell p-values and intervals": scipy_only,
    "scikit-posthocs, Games-Howell p-values": lambda s: scikit_posthocs.posthoc_games_howell(
        list(s.values())
    ),
    "scikit-posthocs, Conover, holm": lambda s: scikit_posthocs.posthoc_conover(
        list(s.values()), p_adjust="holm"
    ),
    "autorank": lambda s: autorank(pd.DataFrame(s), alpha=0.05, verbose=False),
}
SLOW: dict[str, Callable[[Samples], object]] = {
    "rliable, interquartile means, 50,000 samples": interquartile_means,
    "rliable, P(improvement) of pairs, 2,000": probabilities_of_improvement,
    "deepsig, multi_aso": lambda s: multi_aso(s, seed=1, show_progress=False),
}


@contextlib.contextmanager
def cut_off(after: int) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(after)
    try:
        yield
    finally:
        signal.alarm(0)


def seconds(work: Callable[[Samples], object], samples: Samples) -> float:
    """Return how long it takes, infinity where it is cut off."""
    start = time.perf_counter()
    try:
        with cut_off(LIMIT), contextlib.redirect_stdout(io.StringIO()):
            work(samples)
    except TimeoutError:
        return math.inf
    return time.perf_counter() - start


def spread(values: list[float]) -> str:
    if math.inf in values:
        return f"cut off after {LIMIT} s"
    low, middle, high = (f(values) for f in (min, statistics.median, max))
    unit, times = ("s", 1) if middle >= 1 else ("ms", 1000)
    return f"{times * middle:.3g} [{times * low:.3g}-{times * high:.3g}] {unit}"


def main() -> int:
    """Time both sizes and print a table of each."""
    matplotlib.use("Agg")  # autorank draws
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(0)
    sizes = {
        runs: {f"arm {i}": rng.normal(60 + i / 4, 1, runs) for i in range(4)} for runs in (30, 1000)
    }
    for work in QUICK.values():
        seconds(work, sizes[30])  # the first call imports
    work_of = QUICK | SLOW
    print(f"median [min-max] of {REPEATS} interleaved repeats; cut off after {LIMIT} s")
    for runs, samples in sizes.items():
        taken: dict[str, list[float]] = {name: [] for name in work_of}
        for _ in range(REPEATS):
            for name, work in work_of.items():
                if math.inf not in taken[name]:
                    taken[name].append(seconds(work, samples))
        print(f"\n{f'4 x {runs}':<46}{'':>26}   times ours")
        ours = statistics.median(next(iter(taken.values())))
        for name, values in taken.items():
            more = "> " if math.inf in values else ""
            ratio = min(statistics.median(values), LIMIT) / ours
            print(f"{name:<46}{spread(values):>26}{more + format(ratio, '.1f'):>13}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
