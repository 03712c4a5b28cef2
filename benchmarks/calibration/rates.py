"""Rates of simulated studies, the bounds they are held to, and the random streams behind them."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np

REPLICATIONS = 20_000
"""Studies drawn for a row of the page."""

_ALLOWED = 3.0  # standard errors


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something happened among simulated studies."""

    count: int
    """Studies in which it happened."""
    replications: int
    """Studies."""

    @property
    def value(self) -> float:
        """Share of the studies."""
        return self.count / self.replications

    @property
    def error(self) -> float:
        """Standard error of the share; never 0."""
        variance = max(self.value * (1.0 - self.value), 1.0 / self.replications)
        return math.sqrt(variance / self.replications)

    def at_most(self, bound: float) -> bool:
        """Tell whether the rate keeps an upper bound, up to three standard errors."""
        return self.value <= bound + _ALLOWED * self.error

    def at_least(self, bound: float) -> bool:
        """Tell whether the rate keeps a lower bound, up to three standard errors."""
        return self.value >= bound - _ALLOWED * self.error


def stream(name: str, seed: int = 0) -> np.random.Generator:
    """Return the random stream of a row: it depends on the row's name, not on its place."""
    digest = hashlib.sha256(name.encode()).digest()
    words = np.frombuffer(digest, dtype=np.uint32).tolist()
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=words))
