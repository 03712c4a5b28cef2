"""What common practices do when nothing differs: their error rates, measured on normal runs.

None of this decides anything. It is the benchmark that says why the protocol is as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from attnstudy.stats.comparisons.batch import pair_indices
from benchmarks.calibration.designs import Row
from benchmarks.calibration.draws import draw, draw_looks
from benchmarks.calibration.methods import GAMES_HOWELL, TUKEY, claims
from benchmarks.calibration.rates import REPLICATIONS, Rate, stream

_ALPHA = 0.05
_BOOTSTRAPS = 1000
_CHUNK = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Practice:
    """A practice and what it does to equal arms."""

    name: str
    """What is done."""
    rate: Rate
    """Studies that claim a difference."""


def measure_practice(name: str, *, replications: int = REPLICATIONS, seed: int = 0) -> Practice:
    """Return the false-claim rate of the practice of this name, one of ``PRACTICES``."""
    rng = stream(name, seed)
    count = sum(
        PRACTICES[name](rng, min(_CHUNK, replications - start))
        for start in range(0, replications, _CHUNK)
    )
    return Practice(name=name, rate=Rate(count, replications))


def _uncorrected(rng: np.random.Generator, rows: int) -> int:
    summary = draw(rng, rows, (5,) * 4, (1.0,) * 4)
    claimed = np.zeros(rows, dtype=np.bool_)
    for i, j in zip(*pair_indices(4), strict=True):
        difference, se, share = summary.pair(int(i), int(j))
        df = 4.0 / (share**2 + (1.0 - share) ** 2)
        claimed |= 2.0 * special.stdtr(df, -np.abs(difference) / se) < _ALPHA
    return int(np.count_nonzero(claimed))


def _pooled_tukey(rng: np.random.Generator, rows: int) -> int:
    row = Row(runs=(5,) * 4, spread="last × 3")
    return int(np.count_nonzero(claims(row, draw(rng, rows, row.runs, row.sds), _ALPHA, TUKEY)))


def _bootstrap(rng: np.random.Generator, rows: int) -> int:
    drawn = rng.standard_normal((2, rows, 5))
    resampled = [arm[:, rng.integers(5, size=(_BOOTSTRAPS, 5))].mean(axis=2) for arm in drawn]
    low, high = np.quantile(resampled[0] - resampled[1], [_ALPHA / 2, 1.0 - _ALPHA / 2], axis=1)
    return int(np.count_nonzero((low > 0.0) | (high < 0.0)))


def _peeking(arms: int, last: int) -> Callable[[np.random.Generator, int], int]:
    def count(rng: np.random.Generator, rows: int) -> int:
        row = Row(runs=(last,) * arms)
        looks = draw_looks(rng, rows, range(3, last + 1), row.sds)
        claimed = [claims(row, summary, _ALPHA, GAMES_HOWELL) for summary in looks]
        return int(np.count_nonzero(np.any(claimed, axis=0)))

    return count


PRACTICES: dict[str, Callable[[np.random.Generator, int], int]] = {
    "any uncorrected p < .05 among 4 arms, n = 5": _uncorrected,
    "pooled-variance Tukey, SDs 1:1:1:3, n = 5": _pooled_tukey,
    "percentile bootstrap of one difference, n = 5": _bootstrap,
    "one pair, a look after every seed, 3 to 10": _peeking(2, 10),
    "one pair, a look after every seed, 3 to 30": _peeking(2, 30),
    "Games-Howell of 4 arms, a look after every seed, 3 to 10": _peeking(4, 10),
    "Games-Howell of 4 arms, a look after every seed, 3 to 30": _peeking(4, 30),
}
"""How many of some studies claim a difference, by the practice's name."""
