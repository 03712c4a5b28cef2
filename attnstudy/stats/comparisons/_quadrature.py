"""Gauss-Legendre quadrature."""

from __future__ import annotations

from functools import lru_cache

from numpy.polynomial.legendre import leggauss

from attnstudy.stats.samples import Floats


@lru_cache(maxsize=16)
def legendre(n: int) -> tuple[Floats, Floats]:
    """Return ``n`` nodes on [-1, 1] and their weights; made once, hence not to be written to."""
    nodes, weights = leggauss(n)
    nodes.setflags(write=False)
    weights.setflags(write=False)
    return nodes, weights
