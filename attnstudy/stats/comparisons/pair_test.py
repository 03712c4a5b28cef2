"""How one pair of arms is tested, whatever family it belongs to.

Welch's t with Satterthwaite's degrees of freedom, and Games-Howell's p-value on top of it, are
right where the standard errors of the two arms are alike and their runs are not too few. They claim
too much where one arm dominates and its spread came out small by chance; there the p-value is the
calibrated one of ``_behrens_fisher``. Between the two it is their weighted geometric mean:

    log p = (1 - w) log p_Welch + w log p_calibrated.

With u = |log(e_a / e_b)|, e the standard errors of the two means, and m <= M their runs, the weight
is, cut to 0 ... 1,

    w = (u - u_0) / 0.36 + 8 (1 - m / M),   u_0 = 0.25 m - 0.26, 0 for m = 3,                  (1)
    w = 1.4 u - (m - 3) / 2 + 4 (1 - m / M),                                                   (2)
    w = 0.5 + 1.4 u - (m - 3) / 16 + 4 (1 - m / M),                                            (3)

(1) where all pairs of up to four arms are compared, (2) all pairs of more, (3) by Holm, where the
correlation of pairs that share an arm is no help. (3) is used as well where alpha is below .01, and
for the share of alpha that each of several tasks gets: the further out, the more Welch's p claims
too much, more than twice as often at .0017. So p is Games-Howell's own for up to four arms of five
runs, unless the standard errors of two of them differ 2.7-fold (9-fold for ten runs), and the
calibrated one for 3 runs beside 30. A third arm changes no weight. What was tried, with error
rates and power, is in ``docs/decisions/0018-calibrated-pairs.md``.

Among all pairs p_Welch refers to the studentised range of up to four arms: that is Games-Howell.
It takes all pairs to share one estimate of the spread, which claims too much for many arms; they
refer to the range of known normals, as p_calibrated always does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

from attnstudy.stats.comparisons import _behrens_fisher as behrens_fisher
from attnstudy.stats.comparisons import _studentized_range as studentized_range
from attnstudy.stats.samples import Floats

FEW_ARMS = 4
"""Arms up to which Games-Howell's own p-value is used where it holds."""

_LEAST_SHARE = 1e-14  # an arm without spread: the other decides alone
_STEPS = 60
_CLOSE = 1e-12
_TINY = 1e-300
_MANY = 1024  # pairs, from which on their critical values are first interpolated
_GRID = 256  # points between which they are

Chosen: TypeAlias = NDArray[np.intp] | NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class PairTest:
    """Tests of pairs; every array has shape (pairs,)."""

    share: Floats
    """Of arm a in the squared standard error of the difference."""
    n_a: Floats
    """Runs of arm a, 3 or more."""
    n_b: Floats
    """Runs of arm b, 3 or more."""
    arms: int | None
    """Arms of which all pairs are compared; None where a pair is one of several of Holm's."""
    cautious: bool = False
    """Whether p has to hold far below .05, where Welch's claims up to twice too much."""

    @property
    def df(self) -> Floats:
        """Satterthwaite's degrees of freedom (Welch, Biometrika 34 (1947) 28-35)."""
        freedom: Floats = 1.0 / (
            self.share**2 / (self.n_a - 1.0) + (1.0 - self.share) ** 2 / (self.n_b - 1.0)
        )
        return freedom

    @property
    def weight(self) -> Floats:
        """Weight of the calibrated p-value, equations (1) to (3)."""
        least, most = np.minimum(self.n_a, self.n_b), np.maximum(self.n_a, self.n_b)
        share = np.clip(self.share, _LEAST_SHARE, 1.0 - _LEAST_SHARE)
        unlike = 0.5 * np.abs(np.log(share) - np.log1p(-share))
        holm = self.arms is None or self.cautious
        if not holm and self.arms is not None and self.arms <= FEW_ARMS:
            start = np.where(least > 3, 0.25 * least - 0.26, 0.0)
            weight, per_share = (unlike - start) / 0.36, 8.0
        else:
            base, per_run = (0.5, 0.0625) if holm else (0.0, 0.5)
            weight, per_share = base + 1.4 * unlike - per_run * (least - 3.0), 4.0
        weight = weight + per_share * (1.0 - least / most)
        return np.asarray(np.clip(weight, 0.0, 1.0), dtype=np.float64)

    def p(self, t: Floats) -> Floats:
        """Return the p-values of |t|, adjusted for the pairs of the range alone."""
        log_t = np.log(np.maximum(t, _TINY))
        inside = (t > 0.0) & np.isfinite(log_t)
        p = np.where(t > 0.0, 0.0, 1.0)
        p[inside] = np.minimum(np.exp(self._log_p(log_t[inside], inside)[0]), 1.0)
        return p

    def critical(self, level: float) -> Floats:
        """Return the |t| whose p is ``level``.

        Newton's method for log p as a function of log t, in which it is concave.
        """
        log_t = self._near(level) if self.df.size > _MANY else self._outside(level)
        active = np.arange(log_t.size)
        for _ in range(_STEPS):
            log_p, slope = self._log_p(log_t[active], active)
            step = np.clip((log_p - math.log(level)) / slope, -1.0, 1.0)
            log_t[active] -= step
            active = active[np.abs(step) > _CLOSE]
            if active.size == 0:
                break
        critical: Floats = np.exp(log_t)
        return critical

    def _outside(self, level: float) -> Floats:
        """Return the logarithm of Bonferroni's |t| of Welch, from which Newton steps inwards."""
        pairs = 1 if self.arms is None else self.arms * (self.arms - 1) // 2
        log_t: Floats = np.log(-special.stdtrit(self.df, level / (2 * pairs)))
        return log_t

    def _near(self, level: float) -> Floats:
        """Return about the logarithm of the critical values, where they are many.

        Between equal numbers of runs they are a smooth function of the share. Newton's method then
        takes two steps in the place of five, to the same values but for rounding.
        """
        logit = special.logit(np.clip(self.share, _LEAST_SHARE, 1.0 - _LEAST_SHARE))
        log_t = self._outside(level)
        shapes, which = np.unique(np.stack([self.n_a, self.n_b]), axis=1, return_inverse=True)
        for place, (n_a, n_b) in enumerate(shapes.T):
            alike = np.flatnonzero(which.ravel() == place)
            if alike.size <= _MANY:
                continue
            grid = np.linspace(logit[alike].min(), logit[alike].max(), _GRID)
            runs_a, runs_b = (np.full(_GRID, n) for n in (n_a, n_b))
            test = PairTest(special.expit(grid), runs_a, runs_b, self.arms, self.cautious)
            log_t[alike] = _cubic(logit[alike], grid, np.log(test.critical(level)))
        return log_t

    def _log_p(self, log_t: Floats, chosen: Chosen) -> tuple[Floats, Floats]:
        """Return log p and its derivative by log t, of the chosen pairs."""
        weight, df = self.weight[chosen], self.df[chosen]
        share = np.clip(self.share[chosen], _LEAST_SHARE, 1.0 - _LEAST_SHARE)
        df_a, df_b = self.n_a[chosen] - 1.0, self.n_b[chosen] - 1.0
        log_p, slope = np.zeros(log_t.shape), np.zeros(log_t.shape)
        own, calibrated = weight < 1.0, weight > 0.0
        if own.any():
            log_own, change = _welch(log_t[own], df[own], self.arms)
            log_p[own] += (1.0 - weight[own]) * log_own
            slope[own] += (1.0 - weight[own]) * change
        if calibrated.any():
            p, change = behrens_fisher.tail(
                log_t[calibrated], share[calibrated], df_a[calibrated], df_b[calibrated]
            )
            log_own, change = _among(p, change, self.arms)
            log_p[calibrated] += weight[calibrated] * log_own
            slope[calibrated] += weight[calibrated] * change
        return log_p, slope


def _cubic(x: Floats, grid: Floats, values: Floats) -> Floats:
    """Interpolate values on an even grid by the cubic through the four points around each x."""
    position = (x - grid[0]) / (grid[1] - grid[0]) if grid[0] < grid[-1] else np.zeros(x.shape)
    first = np.clip(position.astype(np.intp) - 1, 0, grid.size - 4)
    u = position - first
    found: Floats = (
        -(u - 1.0) * (u - 2.0) * (u - 3.0) / 6.0 * values[first]
        + u * (u - 2.0) * (u - 3.0) / 2.0 * values[first + 1]
        - u * (u - 1.0) * (u - 3.0) / 2.0 * values[first + 2]
        + u * (u - 1.0) * (u - 2.0) / 6.0 * values[first + 3]
    )
    return found


def _welch(log_t: Floats, df: Floats, arms: int | None) -> tuple[Floats, Floats]:
    """Return log p of Welch's t in its family, and its derivative by log t."""
    if arms is not None and 2 < arms <= FEW_ARMS:
        p, change = studentized_range.tail(log_t + 0.5 * math.log(2.0), arms, df)
        p = np.maximum(p, _TINY)
        return np.log(p), change / p
    t = np.exp(log_t)
    log_density = (
        special.gammaln(0.5 * (df + 1.0)) - special.gammaln(0.5 * df) - 0.5 * np.log(np.pi * df)
        - 0.5 * (df + 1.0) * np.log1p(t * t / df)
    )  # fmt: skip
    return _among(2.0 * special.stdtr(df, -t), -2.0 * t * np.exp(log_density), arms)


def _among(p: Floats, change: Floats, arms: int | None) -> tuple[Floats, Floats]:
    """Return log p among all pairs of the arms, and its derivative.

    A p-value stands for the normal deviate that is as improbable. The largest of such deviates
    exceeds z with at most the probability that the range of as many normals as there are arms
    exceeds sqrt(2) z (Hayter, Ann. Statist. 12 (1984) 61-75).

    Args:
        p: of a pair alone, shape (pairs,).
        change: its derivative, by whatever the result is derived by.
        arms: of which all pairs are compared; None or two for a pair alone.

    """
    p = np.maximum(p, _TINY)
    if arms is None or arms == 2:
        return np.log(p), change / p
    z = -special.ndtri(0.5 * p)
    log_p, slope = studentized_range.log_normal_sf(math.sqrt(2.0) * z, arms)
    density = np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    return log_p, -slope * math.sqrt(0.5) * change / density
