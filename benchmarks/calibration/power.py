"""Power of the methods beside each other, where Games-Howell's would be 80 %."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from attnstudy.stats.comparisons.critical import Family
from attnstudy.stats.samples import Floats
from benchmarks.calibration.draws import draw
from benchmarks.calibration.methods import (
    BEHRENS_FISHER,
    GAMES_HOWELL,
    NEW,
    T2,
    WELCH,
    log_threshold,
    table,
)
from benchmarks.calibration.rates import REPLICATIONS, stream

ALPHA, POWER = 0.05, 0.8
COMPARED = (NEW, GAMES_HOWELL, T2, WELCH, BEHRENS_FISHER)
TOLERATED = 0.02
"""What the ranking may lose to Games-Howell where ``PairCase.bound`` says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairCase:
    """A pair among all pairs of so many arms."""

    arms: int
    """Arms of the study."""
    n_a: int
    """Runs of the first arm."""
    n_b: int
    """Runs of the second arm."""
    sd_b: float = 1.0
    """Standard deviation of the second arm; the first has 1."""

    @property
    def name(self) -> str:
        """What to call it."""
        return f"{self.arms} arms, runs {self.n_a} and {self.n_b}, SDs 1 and {self.sd_b:g}"

    @property
    def bound(self) -> bool:
        """Whether power close to Games-Howell's is promised.

        Not for five runs each with unlike spreads, where Games-Howell claims more than it may.
        """
        alike = self.arms == 4 and self.n_a == self.n_b
        return alike and (self.n_a == 10 or (self.n_a == 5 and self.sd_b == 1.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Powers:
    """Power of each method for one pair."""

    case: PairCase
    """The pair."""
    effect: float
    """True difference, in SDs of the first arm."""
    power: dict[str, float]
    """Share of the studies in which each method shows the difference."""
    replications: int
    """Studies."""

    @property
    def kept(self) -> bool:
        """Whether the ranking's power is as close to Games-Howell's as promised."""
        return not self.case.bound or self.power[NEW] >= self.power[GAMES_HOWELL] - TOLERATED


def cases() -> tuple[PairCase, ...]:
    """Return the pairs to simulate."""
    found = [
        PairCase(arms=arms, n_a=n, n_b=n, sd_b=sd)
        for arms in (4, 8, 20)
        for n in (3, 4, 5, 10, 30)
        for sd in (1.0, 3.0)
    ]
    for arms in (4, 8):
        for n_a, n_b in ((3, 5), (5, 10), (3, 30), (5, 30), (10, 30)):
            found += [PairCase(arms=arms, n_a=n_a, n_b=n_b, sd_b=sd) for sd in (1.0, 3.0, 1 / 3)]
    return tuple(found)


def measure_power(case: PairCase, *, replications: int = REPLICATIONS, seed: int = 0) -> Powers:
    """Measure one pair, with the same studies for every method."""
    rng = stream(f"power, {case.name}", seed)
    summary = draw(rng, replications, (case.n_a, case.n_b), (1.0, case.sd_b))
    noise, se, share = summary.pair(0, 1)
    logit = np.log(summary.error[:, 0]) - np.log(summary.error[:, 1])
    pairs = case.arms * (case.arms - 1) // 2
    least = {NEW: Family(case.arms, ALPHA).critical(share, case.n_a, case.n_b) * se}
    for method in COMPARED[1:]:
        tabulated = table(method, ALPHA, case.arms, pairs, case.n_a, case.n_b)
        least[method] = np.exp(log_threshold(tabulated, logit)) * se
    longest = float(np.abs(noise).max() + least[GAMES_HOWELL].max())
    effect = brentq(lambda gap: _shown(noise + gap, least[GAMES_HOWELL]) - POWER, 0.0, longest)
    power = {method: _shown(noise + effect, least[method]) for method in COMPARED}
    return Powers(case=case, effect=float(effect), power=power, replications=replications)


def _shown(difference: Floats, least: Floats) -> float:
    return float(np.mean(np.abs(difference) > least))
