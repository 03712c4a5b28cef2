"""The calibrated p-value of a pair of means whose variances are not known to be alike.

Means of n_a and n_b runs are compared; r is the share of arm a in the squared standard error of the
difference, f = n - 1. Given both variances the difference is normal, and p averages over them. With
the prior 1 / (sigma_a sigma_b) that is the Behrens-Fisher distribution, valid for every ratio of
the variances (Robinson, Ann. Statist. 4 (1976) 963-971) and cautious for few runs. Ghosh and Kim
(Canad. J. Statist. 29 (2001) 5-17) match the error rate to second order with a prior of the form

    (c_a / sigma_b^2 + c_b / sigma_a^2) / (sigma_a sigma_b),                                   (1)

which gives two more degrees of freedom to one arm or to the other. They take c = 1 / n; here
c = 1 / (n f^2), so that the arm with fewer runs keeps its few degrees of freedom. Without that, 3
runs beside 30 are claimed to differ up to twice as often as promised; with it, at most 1.07 times
at p = .0085. Error rates of both: ``docs/decisions/0018-calibrated-pairs.md``.

With B the share of arm a in the sum of both chi-squares, under (1) p is the expectation over
B ~ Beta(f_a / 2, f_b / 2) of

    F (u (1 - B) / f_b + (1 - u) B / f_a) P(|T_(F+2)| > t ((F + 2) / v)^(1/2)),                (2)

    F = f_a + f_b,  v = r f_a / B + (1 - r) f_b / (1 - B),  u = r f_b^2 / (r f_b^2 + (1-r) f_a^2).

The integral is taken over the logit of B by the trapezoidal rule, which converges geometrically
there, between the points where its integrand falls below ``_DROP`` of its peak.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from attnstudy.stats.samples import Floats

_NODES = 96
_SCOUTS = 64  # points that find the peak, by an upper bound of the tail of T
_DROP = 30.0  # natural logarithm
_BLOCK = 256  # pairs at once: their integrands stay in a processor's cache


def tail(log_t: Floats, share: Floats, df_a: Floats, df_b: Floats) -> tuple[Floats, Floats]:
    """Return p, equation (2), and its derivative by log t; every array has shape (pairs,).

    Args:
        log_t: logarithm of the difference over its standard error.
        share: of arm a in the squared standard error, strictly between 0 and 1.
        df_a: runs of arm a, less one.
        df_b: runs of arm b, less one.

    """
    p, slope = np.empty(log_t.shape), np.empty(log_t.shape)
    for start in range(0, log_t.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        p[block], slope[block] = _integrals(log_t[block], share[block], df_a[block], df_b[block])
    return p, slope


def _integrals(log_t: Floats, share: Floats, df_a: Floats, df_b: Floats) -> tuple[Floats, Floats]:
    t, r, a, b = (column[:, None] for column in (np.exp(log_t), share, 0.5 * df_a, 0.5 * df_b))
    freedom = 2.0 * (a + b) + 2.0
    constant = -special.betaln(a, b)

    def density(x: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the logarithm of the density of x = logit B, B and 1 - B."""
        below, above = -np.logaddexp(0.0, -x), -np.logaddexp(0.0, x)
        return constant + a * below + b * above, np.exp(below), np.exp(above)

    def spread(share_a: Floats, share_b: Floats) -> Floats:
        total: Floats = r * 2.0 * a / share_a + (1.0 - r) * 2.0 * b / share_b
        return total

    # T's tail is no more than a power of 1 + t^2 / v: enough to see where the integrand is
    reach = np.sqrt(2.0 * _DROP * (1.0 / a + 1.0 / b))
    far = 2.0 * log_t[:, None].clip(0.0)
    low = np.log(a / b) - _DROP / a - reach - far
    high = np.log(a / b) + _DROP / b + reach + far
    x = low + (high - low) * np.linspace(0.0, 1.0, _SCOUTS)
    log_density, share_a, share_b = density(x)
    rough = log_density - 0.5 * (freedom - 1.0) * np.log1p(t * t / spread(share_a, share_b))
    seen = rough > rough.max(axis=1, keepdims=True) - _DROP
    step = (high - low)[:, 0] / (_SCOUTS - 1)
    first, last = seen.argmax(axis=1), _SCOUTS - 1 - seen[:, ::-1].argmax(axis=1)
    low, high = (low[:, 0] + step * (first - 1))[:, None], (low[:, 0] + step * (last + 1))[:, None]
    x = low + (high - low) * np.linspace(0.0, 1.0, _NODES)
    log_density, share_a, share_b = density(x)
    u_a = r * b * b / (r * b * b + (1.0 - r) * a * a)
    weight = (a + b) * (u_a * share_b / b + (1.0 - u_a) * share_a / a)
    mass = np.exp(log_density) * weight * (high - low) / (_NODES - 1)
    q = t * np.sqrt(freedom / spread(share_a, share_b))
    log_student = (
        special.gammaln(0.5 * (freedom + 1.0)) - special.gammaln(0.5 * freedom)
        - 0.5 * np.log(np.pi * freedom) - 0.5 * (freedom + 1.0) * np.log1p(q * q / freedom)
    )  # fmt: skip
    p = (2.0 * mass * special.stdtr(freedom, -q)).sum(axis=1)
    return np.minimum(p, 1.0), -(2.0 * mass * q * np.exp(log_student)).sum(axis=1)
