"""The power of a test of one pair, and how many seeds it needs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from attnstudy.stats.comparisons._quadrature import legendre
from attnstudy.stats.comparisons.critical import Family
from attnstudy.stats.comparisons.design import Design
from attnstudy.stats.samples import MIN_RUNS, Floats, Sample, independent_runs

POWER = 0.8
"""The power that every figure is for."""
MOST_SEEDS = 1000
"""Where counting seeds ends: beyond it a difference is out of reach."""

_SHARE_NODES, _SPREAD_NODES = 12, 12
_STEPS = 40
_BLOCK = 256  # pairs at once: their integrands stay in a processor's cache
_ONE_SIDED = 12.0  # standard errors, beyond which the wrong side has less than 1e-32
_GROWTH = 1.2  # from one number of seeds to the next, between which power is interpolated


@dataclass(frozen=True, slots=True, eq=False)
class PairPower:
    """Power of pairs of a family; every array has shape (pairs,)."""

    family: Family
    """Where the pairs belong."""
    sd_a: Floats
    """Standard deviation of arm a; of the seed differences where seeds are paired."""
    sd_b: Floats
    """Standard deviation of arm b; 0 where seeds are paired."""
    paired: bool = False
    """Whether runs are compared seed by seed."""
    overlap: float = 0.0
    """Of folds, which are paired: see ``independent_runs``."""

    def different(self, gap: Floats, n_a: int, n_b: int) -> Floats:
        """Return the probability to show the true differences ``gap`` with so many runs."""
        threshold, weight, spread = self._thresholds(n_a, n_b)
        power = np.empty(gap.shape)
        for start in range(0, gap.size, _BLOCK):
            block = slice(start, start + _BLOCK)
            bound, unit, size = threshold[block], spread[block], np.abs(gap[block])[:, None]
            power[block] = special.ndtr((size - bound) / unit) @ weight
            farthest = ((size + bound.min(axis=1, keepdims=True)) / unit)[:, 0]
            if (both := farthest < _ONE_SIDED).any():
                other = special.ndtr((-size[both] - bound[both]) / unit[both]) @ weight
                power[block][both] += other
        return power

    def equivalent(self, margin: float, n_a: int, n_b: int) -> Floats:
        """Return the probability to show equivalence within ``margin`` where nothing differs."""
        threshold, weight, spread = self._thresholds(n_a, n_b)
        room = np.maximum(margin - threshold, 0.0) / spread
        return np.asarray((1.0 - 2.0 * special.ndtr(-room)) @ weight, dtype=np.float64)

    def detectable(self, n_a: int, n_b: int) -> Floats:
        """Return the smallest true difference that each pair shows with 80 % power."""
        threshold, weight, spread = self._thresholds(n_a, n_b)
        low: Floats = np.zeros(self.sd_a.shape)
        high = np.asarray(threshold.max(axis=1) + 4.0 * spread[:, 0], dtype=np.float64)
        for _ in range(_STEPS):
            middle = 0.5 * (low + high)
            gap = middle[:, None]
            power = special.ndtr((gap - threshold) / spread) @ weight
            enough = power + special.ndtr((-gap - threshold) / spread) @ weight >= POWER
            low[~enough], high[enough] = middle[~enough], middle[enough]
        return high

    def seeds(self, gap: Floats, least: int = MIN_RUNS) -> list[int | None]:
        """Return the seeds per arm that show each true difference with 80 % power.

        Args:
            gap: shape (pairs,), in the metric's unit.
            least: seeds that the answer is not below.

        Returns:
            None where ``MOST_SEEDS`` would not do.

        """
        return _reached(
            lambda chosen, n: self.of(chosen).different(gap[chosen], n, n), gap.size, _grid(least)
        )

    def seeds_for_equivalence(self, margin: float, least: int = MIN_RUNS) -> list[int | None]:
        """Return the seeds per arm that show equivalence with 80 % power where nothing differs."""
        return _reached(
            lambda chosen, n: self.of(chosen).equivalent(margin, n, n), self.sd_a.size, _grid(least)
        )

    def of(self, chosen: Sequence[int] | NDArray[np.intp]) -> PairPower:
        """Return the power of some of the pairs."""
        index = np.array(chosen)
        return replace(self, sd_a=self.sd_a[index], sd_b=self.sd_b[index])

    def _thresholds(self, n_a: int, n_b: int) -> tuple[Floats, Floats, Floats]:
        """Return what a difference must exceed, node by node, with weights, and its spread.

        Both variances have chi-square distributions, independent of the difference. Their sum (in
        units of the truth) is independent of the share of arm a in it, which is beta distributed.

        Returns:
            Thresholds of shape (pairs, nodes), weights (nodes,) and standard deviations of the
            difference (pairs, 1), in the metric's unit.

        """
        share_node, share_weight = legendre(_SHARE_NODES)
        node, node_weight = legendre(_SPREAD_NODES)
        if self.paired:
            runs = independent_runs(n_a, self.overlap)
            spread = np.asarray(self.sd_a / math.sqrt(runs), dtype=np.float64)[:, None]
            root = np.sqrt(special.gammaincinv(0.5 * (n_a - 1), 0.5 + 0.5 * node) * 2 / (n_a - 1))
            return self.family.paired(n_a) * root * spread, 0.5 * node_weight, spread
        error_a, error_b = self.sd_a / math.sqrt(n_a), self.sd_b / math.sqrt(n_b)
        spread = np.asarray(np.hypot(error_a, error_b), dtype=np.float64)[:, None]
        true = (error_a[:, None] / spread) ** 2  # its square cannot overflow, as a variance can
        half_a, half_b = 0.5 * (n_a - 1), 0.5 * (n_b - 1)
        share = special.betaincinv(half_a, half_b, 0.5 + 0.5 * share_node)
        chi = special.gammaincinv(half_a + half_b, 0.5 + 0.5 * node)
        part_a, part_b = true * share / half_a, (1.0 - true) * (1.0 - share) / half_b
        unit = part_a + part_b
        critical = self.family.critical(part_a / unit, n_a, n_b)
        threshold = (critical * np.sqrt(unit))[:, :, None] * np.sqrt(chi) * spread[:, :, None]
        weight = np.outer(0.5 * share_weight, 0.5 * node_weight).ravel()
        return threshold.reshape(len(unit), -1), weight, spread


def _grid(least: int) -> list[int]:
    """Return the numbers of seeds between which power is interpolated."""
    numbers = [max(least, MIN_RUNS)]
    while numbers[-1] < MOST_SEEDS:
        numbers.append(min(max(numbers[-1] + 1, int(numbers[-1] * _GROWTH)), MOST_SEEDS))
    return numbers


def _reached(
    power: Callable[[NDArray[np.intp], int], Floats], pairs: int, grid: Sequence[int]
) -> list[int | None]:
    """Return where each pair's power reaches 80 %: its normal deviate is linear in sqrt(n).

    Args:
        power: of some pairs, by their index, with so many seeds per arm; more with more of them.
        pairs: how many there are.
        grid: numbers of seeds, ascending; None is returned where the last would not do.

    """
    wanted = float(special.ndtri(POWER))
    deviates = np.full((pairs, len(grid)), np.nan)

    def look(chosen: NDArray[np.intp], place: int) -> None:
        found = np.clip(power(chosen, grid[place]), 1e-12, 1 - 1e-12)
        deviates[chosen, place] = special.ndtri(found)

    everyone = np.arange(pairs)
    # the answer is above low and at most high, both yet to be looked at
    low, high = np.full(pairs, -1), np.full(pairs, len(grid))
    while (between := high - low > 1).any():
        middle = (low + high) // 2
        for place in np.unique(middle[between]):
            look(np.flatnonzero(between & (middle == place)), int(place))
        enough = between.copy()
        enough[between] = deviates[everyone[between], middle[between]] >= wanted
        high[enough] = middle[enough]
        low[between & ~enough] = middle[between & ~enough]
    seeds = np.sqrt(grid)
    reached: list[int | None] = []
    for pair, (below, above) in enumerate(zip(low.tolist(), high.tolist(), strict=True)):
        if above == 0:
            reached.append(grid[0])
        elif above == len(grid):
            reached.append(None)
        else:
            ends = [below, above]
            root = np.interp(wanted, deviates[pair, ends], seeds[ends])
            reached.append(math.ceil(root * root - 1e-9))
    return reached


def pair_power(
    samples: Sequence[Sample],
    pairs: Sequence[tuple[int, int]],
    design: Design,
    arms: int | None = None,
) -> PairPower | None:
    """Return the power of pairs of arms; None where a pair has no spread.

    Args:
        samples: the arms; in paired mode with the same seeds in all.
        pairs: those that are tested, as indices into ``samples``.
        design: the method, with the alpha of one look.
        arms: in the family; None means those that are in a pair.

    """
    arms = arms or len({arm for pair in pairs for arm in pair})
    family = design.family(arms=arms, pairs=len(pairs))
    if design.paired:
        gaps = [samples[a].values - samples[b].values for a, b in pairs]
        sd_a = np.array([gap.std(ddof=1) for gap in gaps])
        sd_b = np.zeros(len(gaps))
    else:
        sd_a, sd_b = (np.array([samples[pair[side]].sd for pair in pairs]) for side in (0, 1))
    if not pairs or not np.all(np.hypot(sd_a, sd_b) > 0.0):
        return None
    return PairPower(family, sd_a, sd_b, design.paired, design.overlap)


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """Seeds per arm that would settle a pair; None where 1,000 would not do, or none are asked."""

    observed: int | None
    """To show a true difference as large as the observed one."""
    equivalence: int | None
    """To show equivalence within the margin where nothing differs."""


def seeds_needed(
    samples: Sequence[Sample],
    pairs: Sequence[tuple[int, int]],
    power: PairPower,
    margin: float | None,
) -> list[Needed]:
    """Return what would settle each pair; see ``pair_power`` for the arguments."""
    least = min(samples[arm].n for pair in pairs for arm in pair)
    gaps = np.array([samples[a].mean - samples[b].mean for a, b in pairs])
    observed = power.seeds(gaps, least)
    equivalence: list[int | None] = [None] * len(observed)
    if margin is not None:
        equivalence = power.seeds_for_equivalence(margin, least)
    return [
        Needed(observed=one, equivalence=other)
        for one, other in zip(observed, equivalence, strict=True)
    ]
