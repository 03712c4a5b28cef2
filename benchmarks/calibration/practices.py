"""What common practices do when nothing differs: their error rates, measured on normal data.

None of this decides anything. It is the benchmark that says why the protocol is as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from attnstudy.stats import _studentized_range as studentized_range
from attnstudy.stats.batch import pair_indices, shown_different, welch_statistics
from attnstudy.stats.design import Design
from attnstudy.stats.samples import Floats

_ALPHA = 0.05
_BOOTSTRAPS = 1000
_CHUNK = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Practice:
    """A practice and what it does to equal arms."""

    name: str
    """What is done."""
    rate: float
    """Share of studies that claim a difference."""
    error: float
    """Its standard error."""


def measure_practices(*, replications: int = 20_000, seed: int = 0) -> tuple[Practice, ...]:
    """Return the false-claim rate of each practice.

    Args:
        replications: studies drawn for each.
        seed: seed of the draws; each practice has a stream of its own.

    """
    streams = np.random.default_rng(seed).spawn(len(_PRACTICES))
    found = []
    for (name, claims), rng in zip(_PRACTICES.items(), streams, strict=True):
        count = sum(
            claims(rng, min(_CHUNK, replications - start))
            for start in range(0, replications, _CHUNK)
        )
        rate = count / replications
        error = math.sqrt(rate * (1.0 - rate) / replications)
        found.append(Practice(name=name, rate=rate, error=error))
    return tuple(found)


def _draw(rng: np.random.Generator, rows: int, n: int, sds: Sequence[float]) -> list[Floats]:
    return [rng.normal(0.0, sd, (rows, n)) for sd in sds]


def _uncorrected(rng: np.random.Generator, rows: int) -> int:
    difference, se, df = welch_statistics(_draw(rng, rows, 5, [1.0] * 4), *pair_indices(4))
    p = 2.0 * special.stdtr(df, -np.abs(difference) / se)
    return int(np.count_nonzero((p < _ALPHA).any(axis=1)))


def _pooled_tukey(rng: np.random.Generator, rows: int) -> int:
    values = np.stack(_draw(rng, rows, 5, (1.0, 1.0, 1.0, 3.0)))
    mean_square = values.var(axis=2, ddof=1).mean(axis=0)
    q = np.ptp(values.mean(axis=2), axis=0) / np.sqrt(mean_square / 5)
    return int(np.count_nonzero(q > studentized_range.isf(_ALPHA, 4, 16.0)))


def _bootstrap(rng: np.random.Generator, rows: int) -> int:
    a, b = _draw(rng, rows, 5, (1.0, 1.0))
    resampled = [arm[:, rng.integers(5, size=(_BOOTSTRAPS, 5))].mean(axis=2) for arm in (a, b)]
    low, high = np.quantile(resampled[0] - resampled[1], [_ALPHA / 2, 1.0 - _ALPHA / 2], axis=1)
    return int(np.count_nonzero((low > 0.0) | (high < 0.0)))


def _peeking(arms: int, last: int) -> Callable[[np.random.Generator, int], int]:
    def claims(rng: np.random.Generator, rows: int) -> int:
        values = _draw(rng, rows, last, [1.0] * arms)
        looks = [
            shown_different([arm[:, :n] for arm in values], Design(alpha=_ALPHA)).any(axis=1)
            for n in range(3, last + 1)
        ]
        return int(np.count_nonzero(np.any(looks, axis=0)))

    return claims


_PRACTICES: dict[str, Callable[[np.random.Generator, int], int]] = {
    "any uncorrected p < .05 among 4 arms, n = 5": _uncorrected,
    "pooled-variance Tukey, SDs 1:1:1:3, n = 5": _pooled_tukey,
    "percentile bootstrap of one difference, n = 5": _bootstrap,
    "one pair, a look after every seed, 3 to 10": _peeking(2, 10),
    "one pair, a look after every seed, 3 to 30": _peeking(2, 30),
    "Games-Howell of 4 arms, a look after every seed, 3 to 10": _peeking(4, 10),
    "Games-Howell of 4 arms, a look after every seed, 3 to 30": _peeking(4, 30),
}
