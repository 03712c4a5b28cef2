"""In which unit results are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from attnstudy.errors import MeasurementError, UsageError
from attnstudy.stats.samples import Floats, Sample
from attnstudy.tables.headings import is_accuracy, is_bounded


def unit_of(samples: Sequence[Sample], metric: str, unit: str | None) -> str:
    """Return the unit of differences: ``points`` for accuracies in percent.

    Without a ``unit``, what is called an accuracy is taken to be in percent when it looks like it.

    Raises:
        UsageError: a declared percentage is none.
        MeasurementError: percent and fractions are mixed, of what is called an accuracy or anything
            else from 0 to 1.

    """
    outside = _first(samples, lambda values: ~((values >= 0.0) & (values <= 100.0)))
    if unit == "points" and outside is not None:
        raise UsageError(
            f"arm {outside[1].arm!r} has {outside[0]:g}, which is no accuracy in "
            "percent: give numbers from 0 to 100, or another unit"
        )
    if unit is not None and unit != "points":
        return unit
    bounded = unit == "points" or (outside is None and is_bounded(metric))
    percent = np.concatenate([sample.values[sample.values > 1.0] for sample in samples])
    if bounded and percent.size:
        low, high = 0.5 * float(percent.min()), 1.25 * float(percent.max())
        # a fraction, as a percentage, lies where the others are; a true 0.1 % does not
        mixed = _first(
            samples,
            lambda v: (v > 0.0) & (v <= 1.0) & (100.0 * v >= low) & (100.0 * v <= high),
        )
        if mixed is not None:
            raise MeasurementError(
                f"arm {mixed[1].arm!r} has {mixed[0]:g} where other runs have up to "
                f"{percent.max():g}: give every {metric} in percent, or every one as a fraction"
            )
    in_points = unit == "points" or (bounded and is_accuracy(metric) and percent.size > 0)
    return "points" if in_points else ""


def _first(
    samples: Sequence[Sample], which: Callable[[Floats], NDArray[np.bool_]]
) -> tuple[float, Sample] | None:
    """Return the first value of all arms of which something holds, and its arm."""
    for sample in samples:
        found = np.flatnonzero(which(sample.values))
        if found.size:
            return float(sample.values[found[0]]), sample
    return None
