"""Whether the spreads of arms differ by more than chance makes them differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from attnstudy.stats.samples import Sample

LEVEL = 0.05
"""Level at which spreads are said to differ."""


@dataclass(frozen=True, slots=True)
class Spreads:
    """The smallest and the largest spread among arms, and the test of all of them."""

    small: Sample
    large: Sample
    p: float
    """Of the hypothesis that all spreads are equal: the smallest F test of two arms, Bonferroni."""

    @property
    def ratio(self) -> float:
        """The largest standard deviation over the smallest."""
        return self.large.sd / self.small.sd

    @property
    def differ(self) -> bool:
        """Whether chance alone does not explain the ratio."""
        return self.p <= LEVEL


def compare_spreads(samples: Sequence[Sample]) -> Spreads | None:
    """Compare the arms that have a spread; None where there are not two.

    With few runs equal spreads look unequal: of four arms of five runs the largest SD is above
    three times the smallest in a fifth of all studies. The F test takes runs to be normal:
    with heavy tails it finds spreads unequal too often.
    """
    spread = sorted((s for s in samples if s.n > 1 and s.sd > 0.0), key=lambda s: s.sd)
    if len(spread) < 2:
        return None
    small, large = np.triu_indices(len(spread), 1)
    sd = np.array([sample.sd for sample in spread])
    freedom = np.array([sample.n - 1.0 for sample in spread])
    with np.errstate(over="ignore"):
        ratio = (sd[large] / sd[small]) ** 2
    above = special.fdtrc(freedom[large], freedom[small], ratio)
    p = 2.0 * np.minimum(above, 1.0 - above)
    return Spreads(spread[0], spread[-1], min(1.0, float(p.min()) * p.size))
