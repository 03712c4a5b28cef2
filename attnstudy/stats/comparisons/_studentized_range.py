"""The studentised range distribution, vectorised over quantiles and degrees of freedom.

Let ``w`` be the range of ``k`` independent standard normals and ``s`` an independent
``sqrt(chi2_df / df)``. The studentised range is ``q = w / s`` and

    P(q > x) = integral over s of  f_df(s) S_k(x s) ds,                                    (1)
    S_k(w)   = P(range > w) = k integral of phi(z) (Phi(-z)^(k-1)
                                                    - (Phi(-z) - Phi(-z-w))^(k-1)) dz.      (2)

This is the double integral of Copenhaver and Holland, "Computation of the distribution of the
maximum studentized range statistic", J. Statist. Comput. Simul. 30 (1988) 1-15, written for the
upper tail so that small probabilities keep their relative accuracy; both integrals are done by
Gauss-Legendre quadrature. (2) depends on ``k`` alone: it is tabulated once per ``k``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import ArrayLike
from scipy import special

from attnstudy.stats.comparisons._quadrature import legendre
from attnstudy.stats.samples import Floats

_NODES = 192  # relative error below 1e-10 from df = 2 and up to k = 100, both integrals
_Z_HALF_WIDTH = 9.0  # the integrand of (2) falls below e^-81 of its peak within it
_DROP = 36.0  # (1) is cut where its integrand is below e^-36 of its peak
_W_MAX = 20  # beyond it S_k(w) = k (k-1) Phi(-w / sqrt 2) up to a relative k e^(-w^2 / 12)
_PANELS = 2 * _W_MAX
_DEGREE = 11
_MAX_STEPS = 100
_BLOCK = 128  # quantiles at once: their integrands stay in a processor's cache


def sf(q: ArrayLike, k: int, df: ArrayLike) -> Floats:
    """Return ``P(Q > q)`` for the range of ``k`` means; ``q`` and ``df`` broadcast.

    Args:
        q: quantiles, 0 or more; infinity gives 0.
        k: number of means, 2 or more.
        df: degrees of freedom, 2 or more.

    """
    q_, df_ = np.broadcast_arrays(np.asarray(q, float), np.asarray(df, float))
    out = np.where(q_ > 0, 0.0, 1.0)
    inside = (q_ > 0) & np.isfinite(q_)
    # its square must stay a double; with df = 2 the tail there is 1e-300
    probability, _ = tail(np.log(np.minimum(q_[inside], 1e150)), k, df_[inside])
    out[inside] = np.minimum(probability, 1.0)
    return out


def cdf(q: ArrayLike, k: int, df: ArrayLike) -> Floats:
    """Return ``P(Q <= q)``; exact to about 1e-13 absolutely, see ``sf`` for the arguments."""
    return 1.0 - sf(q, k, df)


def isf(p: ArrayLike, k: int, df: ArrayLike) -> Floats:
    """Return the ``q`` with ``P(Q > q) = p``, for 0 < p < 1; ``p`` and ``df`` broadcast.

    Newton's method for log P as a function of log q. P is log-concave in log q and the
    Bonferroni quantile of Student's t is an upper bound, so the steps descend monotonically.
    """
    p_, df_ = np.broadcast_arrays(np.asarray(p, float), np.asarray(df, float))
    shape, p_, df_ = p_.shape, p_.ravel(), df_.ravel()
    log_q = np.log(np.sqrt(2.0) * -special.stdtrit(df_, p_ / (k * (k - 1))))
    active = np.arange(log_q.size)
    for _ in range(_MAX_STEPS):
        probability, slope = tail(log_q[active], k, df_[active])
        step = np.log(probability / p_[active]) * probability / slope
        log_q[active] -= step
        active = active[np.abs(step) > 1e-13]
        if active.size == 0:
            break
    q: Floats = np.exp(log_q).reshape(shape)
    return q


def tail(log_q: Floats, k: int, df: Floats) -> tuple[Floats, Floats]:
    """Return P(Q > q) and its derivative by log q, both of shape (n,).

    With u = log s, (1) is the integral of F(u) S_k(q e^u) du, F(u) = f_df(e^u) e^u. Shifting u
    by log q moves the derivative from S_k to F: dP/dlog q = -integral of F'(u) S_k(q e^u) du,
    and F' = df (1 - s^2) F.
    """
    table = _range_table(k)
    p, slope = np.empty(log_q.shape), np.empty(log_q.shape)
    for start in range(0, log_q.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        p[block], slope[block] = _integrals(table, log_q[block], k, df[block])
    return p, slope


def log_normal_sf(w: Floats, k: int) -> tuple[Floats, Floats]:
    """Return log S_k(w), for a known spread, and its derivative by w to about 1e-8."""
    table = _range_table(k)
    step = 1e-4
    low, high = np.maximum(w - step, 0.0), w + step
    return table.log_sf(w), (table.log_sf(high) - table.log_sf(low)) / (high - low)


def _integrals(table: _RangeTable, log_q: Floats, k: int, df: Floats) -> tuple[Floats, Floats]:
    """Return what ``tail`` returns, all of it at once."""
    q = np.exp(log_q)
    # S_k lies between exp(-w^2/4)/(1+w) and k^2/2 exp(-w^2/4): with it the integrand peaks near
    # u0, without it at 0, and both fall off like F
    u0 = -0.5 * np.log1p(q * q / (2.0 * df))
    slack = np.log(0.5 * k * k) + np.log1p(q * np.exp(u0))
    low = u0 - _left_width((_DROP + slack) / df)
    high = np.minimum(_right_width(_DROP / df + 0.0 * u0), u0 + _right_width((_DROP + slack) / df))
    x, weight = legendre(_NODES)
    half = 0.5 * (high - low)
    u = (low + half)[:, None] + half[:, None] * x
    s2 = np.exp(2.0 * u)
    nu = df[:, None]
    # log of 2 (nu/2)^(nu/2) / Gamma(nu/2), the constant of F, with its e^(-nu/2) moved inside
    constant = np.log(2.0) + 0.5 * df * np.log(0.5 * df) - special.gammaln(0.5 * df) - 0.5 * df
    log_f = constant[:, None] + nu * (u - 0.5 * np.expm1(2.0 * u))
    mass = np.exp(log_f + table.log_sf(q[:, None] * np.sqrt(s2))) * weight * half[:, None]
    return mass.sum(axis=1), -(nu * (1.0 - s2) * mass).sum(axis=1)


def _left_width(c: Floats) -> Floats:
    """Return x with expm1(-2x)/2 + x >= c, which holds as the left side is >= x^2/(1+x)."""
    return 0.5 * (c + np.sqrt(c * c + 4.0 * c))


def _right_width(c: Floats) -> Floats:
    """Return x with expm1(2x)/2 - x >= c: the left side is >= x^2, and far out exponential."""
    return np.where(c < 1.0, np.sqrt(c), 0.5 * np.log1p(4.0 * c))


@dataclass(frozen=True, slots=True)
class _RangeTable:
    """log S_k(w), as the logarithm of its ratio to k (k-1) Phi(-w / sqrt 2) in pieces."""

    log_pairs: float
    coefficients: Floats  # (degree + 1, panels + 1); the last panel is the asymptote, 0

    def log_sf(self, w: Floats) -> Floats:
        position = np.minimum(w, _W_MAX) * (_PANELS / _W_MAX)
        panel = position.astype(np.intp)
        x = 2.0 * (position - panel) - 1.0
        # Clenshaw's recurrence, each point with the coefficients of its own panel
        b1 = np.zeros_like(w)
        b2 = np.zeros_like(w)
        for row in self.coefficients[:0:-1]:
            b1, b2 = row[panel] + 2.0 * x * b1 - b2, b1
        ratio = self.coefficients[0][panel] + x * b1 - b2
        log_sf: Floats = self.log_pairs + special.log_ndtr(-w / np.sqrt(2.0)) + ratio
        return log_sf


@lru_cache(maxsize=64)
def _range_table(k: int) -> _RangeTable:
    log_pairs = float(np.log(k * (k - 1)))
    lower = np.arange(_PANELS) * (_W_MAX / _PANELS)

    def log_ratio(x: Floats) -> Floats:  # x of shape (points,) in every panel at once
        w = lower + 0.5 * (x[:, None] + 1.0) * (_W_MAX / _PANELS)
        ratio: Floats = _log_range_sf(w, k) - log_pairs - special.log_ndtr(-w / np.sqrt(2.0))
        return ratio

    # numpy's stub knows functions of one panel only
    coefficients = chebyshev.chebinterpolate(log_ratio, _DEGREE)  # type: ignore[type-var]
    return _RangeTable(log_pairs, np.pad(coefficients, ((0, 0), (0, 1))))


def _log_range_sf(w: Floats, k: int) -> Floats:
    """Return log S_k(w), equation (2), by Gauss-Legendre quadrature about its peak."""
    x, weight = legendre(_NODES)
    z = -0.5 * w[..., None] + _Z_HALF_WIDTH * x
    log_upper = special.log_ndtr(-z)
    # Phi(-z-w) / Phi(-z): the share of the upper tail that lies beyond the window [z, z + w]
    beyond = np.exp(special.log_ndtr(-z - w[..., None]) - log_upper)
    outside = -np.expm1((k - 1) * np.log1p(-np.minimum(beyond, 1.0 - 1e-16)))
    log_density = -0.5 * z * z - 0.5 * np.log(2.0 * np.pi) + (k - 1) * log_upper
    # divided by its order of magnitude, which underflows for a wide range, before it is summed
    scale = special.log_ndtr(-w / np.sqrt(2.0))
    total = (np.exp(log_density - scale[..., None]) * outside) @ weight
    log_sf: Floats = np.log(_Z_HALF_WIDTH * k * total) + scale
    return log_sf
