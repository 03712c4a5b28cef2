"""Power: what the study can see now, and how many seeds would settle what it cannot."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from attnstudy.stats._quadrature import legendre
from attnstudy.stats.critical import Critical, critical_value
from attnstudy.stats.design import Design
from attnstudy.stats.pooled import pooled_sd
from attnstudy.stats.results import Power
from attnstudy.stats.samples import MIN_RUNS, Floats, Sample

POWER = 0.8
"""The power that every figure is for."""
MOST_SEEDS = 1_000_000
"""Where counting seeds ends: beyond it a difference is out of reach."""

_BOUND = 0.8  # confidence of the upper bound of the spread
_SHARE_NODES = 12
_CERTAIN = 1e6  # standard deviations; scipy's noncentral t need not go further


@dataclass(frozen=True, slots=True)
class PowerCurve:
    """Power of one pair of a family as a function of its true difference and of the seeds."""

    sd: float
    """Pooled standard deviation, of seed differences in paired mode."""
    sd_upper: float
    """Its upper 80 % confidence bound, which the methods use."""
    critical: Critical
    """|t| from which a pair is different."""
    paired: bool
    """Whether runs are compared seed by seed."""

    def power(self, difference: Floats, n: Floats) -> Floats:
        """Return the probability to show a true ``difference`` with ``n`` seeds an arm.

        Exact for normal runs with the same spread in both arms. With s_a^2 and s_b^2 the
        variances, Welch's t is then noncentral t with 2n - 2 degrees of freedom, independent of
        the share s_a^2 / (s_a^2 + s_b^2), which is Beta((n-1)/2, (n-1)/2) and alone decides the
        estimated degrees of freedom, hence the threshold. The power is the average over it.

        Args:
            difference: shape (...), in the metric's unit.
            n: shape (...), 2 or more; broadcasts with ``difference``.

        """
        difference, n = np.broadcast_arrays(
            np.abs(np.asarray(difference, float)), np.asarray(n, float)
        )
        with np.errstate(over="ignore"):
            shift = np.minimum(difference / self.sd_upper, _CERTAIN)
        if self.paired:
            return _two_sided(n - 1.0, shift * np.sqrt(n), self.critical(n - 1.0))
        node, weight = legendre(_SHARE_NODES)
        half = 0.5 * (n[..., None] - 1.0)
        share = special.betaincinv(half, half, 0.75 + 0.25 * node)  # symmetric: upper half only
        threshold = self.critical(2.0 * half / (share**2 + (1.0 - share) ** 2))
        power = _two_sided(4.0 * half, shift[..., None] * np.sqrt(half + 0.5), threshold)
        average: Floats = power @ (0.5 * weight)
        return average

    def detectable(self, n: int) -> float:
        """Return the smallest true difference shown with 80 % power by ``n`` seeds an arm."""
        low, high = 0.0, self.sd_upper
        while not self._enough(np.array(high), np.array(n)):
            high *= 2.0
        for _ in range(30):
            middle = 0.5 * (low + high)
            enough = self._enough(np.array(middle), np.array(n))
            low, high = (low, middle) if enough else (middle, high)
        return high

    def seeds(self, difference: Sequence[float]) -> list[int | None]:
        """Return the fewest seeds an arm that show each true difference with 80 % power.

        None where a million would not do. All differences are searched at once, by bisection
        from where normal theory puts them: n = 2 ((z + critical) sd / difference)^2, half of it
        for pairs of runs.
        """
        wanted = np.abs(np.asarray(difference, float))
        reach = float(self.critical(np.array(np.inf))) + float(special.ndtri(POWER))
        with np.errstate(divide="ignore", over="ignore"):
            normal = (1.0 if self.paired else 2.0) * (reach * self.sd_upper / wanted) ** 2
        normal = np.minimum(normal, MOST_SEEDS)
        low = np.maximum(normal.astype(int) - 2, MIN_RUNS - 1)
        low = np.where(self._enough(wanted, low), MIN_RUNS - 1, low)
        high = normal.astype(int) + 30
        reachable = self._enough(wanted, high)
        while (open_ := np.flatnonzero(high - low > 1)).size:
            middle = (low[open_] + high[open_]) // 2
            enough = self._enough(wanted[open_], middle)
            high[open_] = np.where(enough, middle, high[open_])
            low[open_] = np.where(enough, low[open_], middle)
        found = reachable & (high <= MOST_SEEDS)
        return [int(n) if ok else None for n, ok in zip(high, found, strict=True)]

    def _enough(self, difference: Floats, n: Floats | NDArray[np.intp]) -> NDArray[np.bool_]:
        return self.power(difference, np.asarray(n, float)) >= POWER


def power_curve(samples: Sequence[Sample], design: Design, *, pairs: int) -> PowerCurve | None:
    """Return the power curve of a family of tested arms; none without two arms or any spread.

    Args:
        samples: the tested arms; in paired mode with the same seeds in all.
        design: the method and alpha.
        pairs: comparisons in the family.

    """
    if pairs == 0:
        return None
    if design.paired:
        a, b = np.triu_indices(len(samples), 1)
        values = np.stack([sample.values for sample in samples])
        spreads = (values[a] - values[b]).std(axis=1, ddof=1)
        sd = math.hypot(*spreads) / math.sqrt(spreads.size)
        df = values.shape[1] - 1  # the pairs share runs: no more than one of them is certain
    else:
        sd, df = pooled_sd(samples)
    if sd == 0.0:
        return None
    # P(chi2_df > x) = 0.8, hence sd sqrt(df / x) exceeds the true spread with confidence 0.8
    upper = sd * math.sqrt(df / float(special.chdtri(df, _BOUND)))
    critical = critical_value(design, k=len(samples), pairs=pairs)
    return PowerCurve(sd, upper, critical, design.paired)


def summarise(
    curve: PowerCurve,
    samples: Sequence[Sample],
    design: Design,
    seconds_per_run: float | Mapping[str, float] | None,
) -> Power:
    """Return the power figures of a study.

    Args:
        curve: its power curve.
        samples: the tested arms, best first.
        design: for the margin.
        seconds_per_run: what a run takes, for all or for each variant.

    """
    n = min(sample.n for sample in samples)
    gap = abs(samples[0].mean - samples[1].mean)
    wanted = [gap] if design.margin is None else [gap, design.margin]
    for_observed, *rest = curve.seeds(wanted)
    for_margin = rest[0] if rest else None
    hours_margin = _hours(samples, for_margin, seconds_per_run)
    hours_observed = _hours(samples, for_observed, seconds_per_run)
    return Power(
        sd=curve.sd,
        sd_upper=curve.sd_upper,
        n=n,
        detectable_difference=curve.detectable(n),
        seeds_for_margin=for_margin,
        observed_gap=gap,
        seeds_for_observed=for_observed,
        hours=hours_observed if design.margin is None else hours_margin,
        hours_for_margin=hours_margin,
        hours_for_observed=hours_observed,
    )


def _hours(
    samples: Sequence[Sample],
    seeds: int | None,
    seconds_per_run: float | Mapping[str, float] | None,
) -> float | None:
    """Return the hours for the runs still missing; none when unknown."""
    if seeds is None or seconds_per_run is None:
        return None
    seconds = 0.0
    for sample in samples:
        each = seconds_per_run
        if isinstance(each, Mapping):
            if sample.variant not in each:
                return None
            each = each[sample.variant]
        seconds += max(seeds - sample.n - sample.diverged, 0) * each
    return seconds / 3600.0


def _two_sided(df: Floats, shift: Floats, threshold: Floats) -> Floats:
    """Return P(|T| > threshold) for T noncentral t."""
    right = special.nctdtr(df, -shift, -threshold)
    # on the wrong side less than 1e-8 is left beyond a shift of 4, and scipy gives NaN far out
    df, shift, threshold = np.broadcast_arrays(df, shift, threshold)
    near = shift < 4.0
    wrong = np.zeros(shift.shape)
    wrong[near] = np.nan_to_num(special.nctdtr(df[near], shift[near], -threshold[near]))
    return np.asarray(right + wrong, dtype=np.float64)
