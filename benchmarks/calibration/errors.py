"""Family-wise error: how often a method claims a difference where nothing differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from attnstudy.stats.comparisons.batch import shown_different
from benchmarks.calibration.designs import Row
from benchmarks.calibration.draws import chunks, draw, draw_looks
from benchmarks.calibration.methods import METHODS, NEW, Claims, applicable, claims
from benchmarks.calibration.rates import REPLICATIONS, Rate, stream

LEVELS = (0.05, 0.01)
"""Family-wise errors that are promised."""
BOUNDS = {0.05: 0.055, 0.01: 0.013}
"""What is tolerated of the ranking at each of them."""
OWN_BOUND = 0.06
"""What is tolerated at .05 where p is Games-Howell's own by design; none is set at .01."""

_SEED_SHARE = 0.5  # of the variance of a run, in the rows of paired seeds


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """The measured error of each method, by method and level."""

    row: Row
    """The design."""
    rates: dict[tuple[str, float], Rate]
    """Those of the methods that are defined for it."""

    @property
    def kept(self) -> bool:
        """Whether the ranking keeps its bounds."""
        return all(self.keeps(NEW, alpha) for alpha in LEVELS if (NEW, alpha) in self.rates)

    def keeps(self, method: str, alpha: float) -> bool:
        """Tell whether a method keeps the bound that the ranking is held to."""
        bound = tolerated(self.row, alpha)
        return bound is None or self.rates[method, alpha].at_most(bound)


def tolerated(row: Row, alpha: float) -> float | None:
    """Return the bound that a row is held to, if any."""
    if row.own:
        return OWN_BOUND if alpha == LEVELS[0] else None
    return BOUNDS[alpha]


def measure_errors(
    row: Row,
    *,
    methods: Sequence[str] = METHODS,
    levels: Sequence[float] = LEVELS,
    replications: int = REPLICATIONS,
    seed: int = 0,
) -> Errors:
    """Measure one row, with the same studies for every method and level."""
    rng = stream(row.name, seed)
    asked = [(method, alpha) for method in methods if applicable(row, method) for alpha in levels]
    counts = dict.fromkeys(asked, 0)
    for rows in chunks(replications, row.arms):
        for key, found in _claims(row, rng, rows, asked).items():
            counts[key] += int(np.count_nonzero(found))
    return Errors(row=row, rates={key: Rate(n, replications) for key, n in counts.items()})


def _claims(
    row: Row, rng: np.random.Generator, rows: int, asked: Sequence[tuple[str, float]]
) -> dict[tuple[str, float], Claims]:
    if row.mode == "paired":
        return {key: _paired(row, rng, rows, key[1]) for key in asked}
    if row.looks:
        # a frozen pair keeps its claim, so that any claim at any look counts
        at = draw_looks(rng, rows, row.looks, row.sds)
        share = len(row.looks)
        return {
            (method, alpha): np.any(
                [claims(row, summary, alpha / share, method) for summary in at], axis=0
            )
            for method, alpha in asked
        }
    summary = draw(rng, rows, row.runs, row.sds)
    return {(method, alpha): claims(row, summary, alpha, method) for method, alpha in asked}


def _paired(row: Row, rng: np.random.Generator, rows: int, alpha: float) -> Claims:
    seeds = row.runs[0]
    shared = rng.standard_normal((rows, seeds)) * np.sqrt(_SEED_SHARE)
    own = np.sqrt(1.0 - _SEED_SHARE)
    values = [sd * (shared + own * rng.standard_normal((rows, seeds))) for sd in row.sds]
    return np.asarray(shown_different(values, row.design(alpha)).any(axis=1), dtype=np.bool_)
