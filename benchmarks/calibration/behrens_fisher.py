"""The Behrens-Fisher distribution: sqrt(r) T_a + sqrt(1 - r) T_b, for Student's T of n - 1 each.

With chi-squares X_a, X_b of n - 1 degrees of freedom the sum is normal with the variance
r f_a / X_a + (1 - r) f_b / X_b, f = n - 1. X_a + X_b is independent of B = X_a / (X_a + X_b), which
is beta distributed; the first is integrated in closed form, the second by the trapezoidal rule in
the logit of B.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import special
from scipy.interpolate import PchipInterpolator

from attnstudy.stats.samples import Floats

GRID = np.linspace(-14.0, 14.0, 141)
"""Logits of the share of arm a, at which critical values are tabulated."""

_NODES = 240
_NEGLIGIBLE = 45.0  # natural logarithm of what is cut off
_LOG_T = np.linspace(0.0, 9.0, 181)
_LEAST_P = 1e-12


def p_value(t: Floats, share: Floats, n_a: int, n_b: int) -> Floats:
    """Return P(|sqrt(r) T_a + sqrt(1 - r) T_b| >= t); ``t`` and ``share`` are broadcast."""
    part, rest, mass = _beta(0.5 * (n_a - 1), 0.5 * (n_b - 1))
    t, share = t[..., None], share[..., None]
    df = n_a + n_b - 2.0
    variance = share * (n_a - 1) / part + (1.0 - share) * (n_b - 1) / rest
    tail = 2.0 * special.stdtr(df, -t * np.sqrt(df / variance))
    return np.asarray(tail @ mass, dtype=np.float64)


@lru_cache(maxsize=256)
def log_critical(level: float, n_a: int, n_b: int) -> Floats:
    """Return log |t| whose p-value is ``level``, at the logits of ``GRID``."""
    return np.array([float(invert(np.log(level))) for invert in _inverses(n_a, n_b)])


@lru_cache(maxsize=256)
def _inverses(n_a: int, n_b: int) -> list[PchipInterpolator]:
    """Return log t as a function of log p, for every logit of ``GRID``."""
    found = []
    for share in special.expit(GRID):
        p = p_value(np.exp(_LOG_T), np.array([share]), n_a, n_b)
        kept = p > _LEAST_P
        found.append(PchipInterpolator(np.log(p[kept][::-1]), _LOG_T[kept][::-1]))
    return found


def _beta(a: float, b: float) -> tuple[Floats, Floats, Floats]:
    """Return B, 1 - B and the mass at nodes of the beta distribution."""
    low = np.log(a / b) - 5.0 - _NEGLIGIBLE / a
    high = np.log(a / b) + 5.0 + _NEGLIGIBLE / b

    def log_density(x: Floats) -> Floats:
        density = -a * np.logaddexp(0.0, -x) - b * np.logaddexp(0.0, x) - special.betaln(a, b)
        return np.asarray(density, dtype=np.float64)

    scouts = np.linspace(low, high, 4001)
    seen = scouts[log_density(scouts) > log_density(scouts).max() - _NEGLIGIBLE]
    x = np.linspace(seen[0], seen[-1], _NODES)
    return special.expit(x), special.expit(-x), np.exp(log_density(x)) * (x[1] - x[0])
