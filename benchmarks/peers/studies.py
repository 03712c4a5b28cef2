"""The studies that every peer is shown: four arms of normal data, from named seeds."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

ARMS = ("a", "b", "c", "d")
PAIRS = tuple(combinations(range(len(ARMS)), 2))
FIRST, SECOND = (np.array(side) for side in zip(*PAIRS, strict=True))
ALPHA = 0.05
SEED = 311


@dataclass(frozen=True, slots=True)
class Setting:
    """How the data of a study come about."""

    n: int
    """Runs an arm."""
    sds: tuple[float, float, float, float]
    """Standard deviation of each arm."""
    shift: float = 0.0
    """How much better the first arm really is."""

    @property
    def spread(self) -> str:
        """The SDs as a table says them."""
        return ":".join(f"{sd:g}" for sd in self.sds)

    @property
    def name(self) -> str:
        """What the results call it."""
        better = f", one arm {self.shift:g} better" if self.shift else ""
        return f"n = {self.n}, SDs {self.spread}{better}"

    @property
    def equal(self) -> NDArray[np.bool_]:
        """Which pairs do not differ: a claim about one of them is false."""
        return np.array([self.shift == 0.0 or 0 not in pair for pair in PAIRS])

    def draw(self, replications: int) -> NDArray[np.float64]:
        """Return (replications, arms, runs); fewer replications are the first of more."""
        sds = np.array(self.sds)
        rng = np.random.default_rng([SEED, self.n, *(10 * sds).astype(int), int(10 * self.shift)])
        values = rng.standard_normal((replications, len(ARMS), self.n)) * sds[:, None]
        values[:, 0] += self.shift
        return values


EQUAL = (1.0, 1.0, 1.0, 1.0)
UNEQUAL = (1.0, 1.0, 1.0, 3.0)
NOISE = (*(Setting(n, EQUAL) for n in (5, 10, 30)), *(Setting(n, UNEQUAL) for n in (5, 10)))
BETTER = Setting(5, EQUAL, shift=3.0)
SETTINGS = (*NOISE, BETTER)
