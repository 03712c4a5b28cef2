"""Tests that pool the variance. They decide nothing here: they show what others would claim."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import special

from attnstudy.stats.comparisons import _studentized_range as studentized_range
from attnstudy.stats.comparisons._quadrature import legendre
from attnstudy.stats.samples import Floats, Sample

_NODES = 96
_WIDTH = 9.0  # standard deviations of z that the quadrature covers


def pooled_sd(samples: Sequence[Sample]) -> tuple[float, int]:
    """Return the standard deviation within arms and its degrees of freedom."""
    df = sum(sample.n - 1 for sample in samples)
    return math.hypot(*(sample.sd * math.sqrt((sample.n - 1) / df) for sample in samples)), df


def tukey_kramer(samples: Sequence[Sample], pairs: Sequence[tuple[int, int]]) -> list[float] | None:
    """Return the Tukey-Kramer p-values of ``pairs`` among all samples; None without spread.

    Kramer, "Extension of multiple range tests to group means with unequal numbers of
    replications", Biometrics 12 (1956) 307-310.
    """
    sd, df = pooled_sd(samples)
    if sd == 0.0:
        return None
    a, b = np.array(pairs).T
    mean = np.array([sample.mean for sample in samples])
    n = np.array([sample.n for sample in samples], dtype=np.float64)
    se = sd * np.sqrt(0.5 / n[a] + 0.5 / n[b])
    p: list[float] = studentized_range.sf(
        np.abs(mean[a] - mean[b]) / se, len(samples), np.full(len(pairs), float(df))
    ).tolist()
    return p


def dunnett(samples: Sequence[Sample], arm: int, control: int) -> float | None:
    """Return Dunnett's two-sided p-value of ``arm`` against ``control``; None without spread.

    Dunnett, "A multiple comparison procedure for comparing several treatments with a control",
    J. Am. Stat. Assoc. 50 (1955) 1096-1121. The t statistics have correlations l_i l_j with
    l_i^2 = n_i / (n_i + n_0): given the control's mean z and the pooled spread s they are
    independent, which leaves a double integral.
    """
    sd, df = pooled_sd(samples)
    if sd == 0.0:
        return None
    n = np.array([sample.n for i, sample in enumerate(samples) if i != control], float)
    one, zero = samples[arm], samples[control]
    t = abs(one.mean - zero.mean) / (sd * math.sqrt(1.0 / one.n + 1.0 / zero.n))
    node, weight = legendre(_NODES)
    z = _WIDTH * node
    density = _WIDTH * weight * np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    s, mass = _spread_quadrature(df)
    root = np.sqrt(n / (n + zero.n))
    rest = np.sqrt(1.0 - root**2)
    centre = (root / rest) * z[:, None]  # shape (z, arms)
    reach = (t / rest) * s[:, None]  # shape (s, arms)
    inside = special.ndtr(centre[:, None] + reach) - special.ndtr(centre[:, None] - reach)
    return float(1.0 - mass @ (density @ inside.prod(axis=2)))


def _spread_quadrature(df: int) -> tuple[Floats, Floats]:
    """Return nodes of s = sqrt(chi2_df / df) and their probabilities."""
    node, weight = legendre(_NODES)
    low, high = (math.sqrt(float(special.chdtri(df, p)) / df) for p in (1.0 - 1e-14, 1e-14))
    s = low + 0.5 * (high - low) * (node + 1.0)
    log_density = (
        math.log(2.0) + 0.5 * df * math.log(0.5 * df) - math.lgamma(0.5 * df)
        + (df - 1.0) * np.log(s) - 0.5 * df * s * s
    )  # fmt: skip
    return s, 0.5 * (high - low) * weight * np.exp(log_density)
