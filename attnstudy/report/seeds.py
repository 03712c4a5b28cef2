"""The power curve of a ranking: seeds per arm against the difference they can show."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from attnstudy.stats import Power, Ranking
from attnstudy.stats.comparisons.design import Design
from attnstudy.stats.evidence.pair_power import PairPower
from attnstudy.stats.samples import MIN_RUNS

_POINTS = 16
_MOST_SEEDS = 3000  # a mark further out is told in words alone


@dataclass(frozen=True, slots=True)
class SeedCurve:
    """Seeds of each arm, and the smallest true difference that each shows with 80 % power."""

    seeds: tuple[int, ...]
    """Ascending, three or more."""
    detectable: tuple[float, ...]
    """In the metric's unit."""


def seed_curve(ranking: Ranking) -> SeedCurve | None:
    """Return the curve that the figures of ``ranking.power`` lie on; None without power.

    Nor is there one for folds, of which more do not help as more seeds do.

    It follows from the spreads of its two arms, the method and the family of pairs. Where one of
    the two has more runs than the other, the study detects a little more than the curve says.
    """
    power = ranking.power
    if power is None or ranking.folds is not None:
        return None
    design = Design(
        alpha=ranking.alpha,
        correction="holm" if ranking.method == "holm" else "games-howell",
        control=ranking.control,
        paired=ranking.method == "paired",
        metric=ranking.metric,
        direction=ranking.direction,
        unit=ranking.unit,
        looks=None if ranking.looks is None else ranking.looks.declared,
    ).at_each_look()
    arms = sum(arm.n >= MIN_RUNS for arm in ranking.arms)
    pairs = sum(pair.p_adjusted is not None for pair in ranking.pairs)
    two = {arm.name: arm for arm in ranking.arms}
    a, b = two[power.a], two[power.b]
    sd_a, sd_b = (power.sd, 0.0) if design.paired else (a.sd or 0.0, b.sd or 0.0)
    curve = PairPower(
        design.family(arms=arms, pairs=pairs), np.array([sd_a]), np.array([sd_b]), design.paired
    )
    grid = np.geomspace(max(MIN_RUNS, power.n // 8), _last(power), _POINTS).round().astype(int)
    seeds = sorted({*grid.tolist(), power.n})
    return SeedCurve(tuple(seeds), tuple(float(curve.detectable(n, n)[0]) for n in seeds))


def _last(power: Power) -> int:
    """Return where the curve ends: beyond every mark that is not out of sight."""
    marks = (power.seeds_for_margin, power.seeds_for_observed)
    needed = [n for n in marks if n is not None and n <= _MOST_SEEDS]
    return math.ceil(1.5 * max([20, 2 * power.n, *needed]))
