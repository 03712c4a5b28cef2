"""In which unit results are, and values that a metric of that name cannot have."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from attnstudy.errors import MeasurementError, UsageError
from attnstudy.stats.samples import Floats, Sample
from attnstudy.tables.headings import bounds_of, is_accuracy, is_bounded, says_percent

_ROUNDING = 1e-6  # of sums in single precision
_FEW_PERCENT = 10.0
_TWICE = 2.0


def unit_of(samples: Sequence[Sample], metric: str, unit: str | None) -> str:
    """Return the unit of differences: ``points`` for accuracies in percent.

    Without a ``unit``, what is called an accuracy is taken to be in percent when it looks like it.

    Raises:
        UsageError: a declared percentage is none.
        MeasurementError: percent and fractions are mixed, of what is called an accuracy or anything
            else from 0 to 1, or a value is beyond what the metric can be.

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
    if unit is None:
        refuse_impossible(samples, metric)
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


def refuse_impossible(samples: Sequence[Sample], metric: str) -> None:
    """Refuse values that a metric cannot have, as its name says.

    Args:
        samples: the arms.
        metric: the metric's name; one that does not say a bound has none.

    Raises:
        MeasurementError: naming the first arm with such a value, and the value.

    """
    bounds = bounds_of(metric)
    values = np.concatenate([sample.values for sample in samples])
    if bounds is None or not values.size:
        return
    percent = says_percent(metric)
    top = float(values.max())
    most = 100.0 if percent or top > 1.0 + _ROUNDING else 1.0
    if top > 100.0 * (1.0 + _ROUNDING):
        raise _impossible(samples, top, f"{metric} is at most 100 % or 1")
    if bounds.low is not None and float(values.min()) < bounds.low * most - _ROUNDING:
        least = "0" if bounds.low == 0 else f"-{most:g}"
        raise _impossible(samples, float(values.min()), f"{metric} is at least {least}")
    if most == 1.0 or percent or not bounds.seldom_few_percent:
        return
    fractions = bool(np.any((np.abs(values) < 1.0) & (values != 0.0)))
    few = _FEW_PERCENT if fractions else _TWICE if bounds.low != 0 else 0.0
    if top < few:
        raise _impossible(
            samples, top, f"{metric} is at most 1 as a fraction", f", or call it '{metric} (%)'"
        )


def _impossible(
    samples: Sequence[Sample], value: float, why: str, advice: str = ""
) -> MeasurementError:
    (arm, *_) = [sample.arm for sample in samples if value in sample.values]
    return MeasurementError(
        f"arm {arm!r} has {value:.10g}, and {why}: correct the value{advice}, or name the metric "
        "for what it is"
    )
