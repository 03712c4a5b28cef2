"""Whether a margin can be meant: it has to be in the unit of the values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from attnstudy.errors import UsageError
from attnstudy.stats.comparisons.design import Design
from attnstudy.stats.samples import Sample

_TENTH = 0.1


def check_margin(samples: Sequence[Sample], design: Design) -> None:
    """Refuse a margin that is evidently given on another scale than the values.

    A margin wider than the range of all values is no mistake by itself: arms that are close to
    each other are what equivalence is for. But where all values lie between 0 and 1, and more is
    better, they are fractions; a margin above a tenth of that whole scale, and wider than all
    that was observed, was meant in percentage points, and would call anything equivalent.

    Raises:
        UsageError: with the range of the values, and what to give.

    """
    margin = design.margin
    ends = value_range(samples)
    if margin is None or ends is None:
        return
    low, high = ends
    if design.unit == "points" and margin >= 100.0:
        raise UsageError(
            f"the margin {margin:g} is the whole scale of accuracies in percent: give the largest "
            "difference that does not matter, such as 0.5"
        )
    fractions = design.unit != "points" and design.maximize and low >= 0.0 and high <= 1.0
    if fractions and margin > _TENTH and margin > high - low:
        raise UsageError(
            f"the margin {margin:g} is wider than the range of all values ({low:g} to {high:g}), "
            "which are fractions of 1: give it as a fraction too, such as 0.005 for half a "
            "percentage point"
        )


def value_range(samples: Sequence[Sample]) -> tuple[float, float] | None:
    """Return the lowest and the highest value; None where there is none."""
    values = [sample.values for sample in samples if sample.n]
    if not values:
        return None
    every = np.concatenate(values)
    return float(every.min()), float(every.max())
