"""Results of others that cannot be what their metric is called.

A study of one's own is ranked by what its training returned, whatever that is called.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from attnstudy.errors import MeasurementError, UsageError
from attnstudy.tables.cells import clip
from attnstudy.tables.directions import is_never_negative
from attnstudy.tables.headings import Bounds, bounds_of, says_percent

_ROUNDING = 1e-6  # of sums in single precision
_FEW_PERCENT = 10.0
_TWICE = 2.0

Samples = Mapping[str, Mapping[int, float] | Sequence[float]]
"""Values in a list or by seed, by arm."""


def refuse_impossible(metric: str, asked: str | None, samples: Samples) -> None:
    """Refuse values that a metric cannot have, as its name says.

    Args:
        metric: its name; one that does not say a bound has none.
        asked: which way is better, where somebody said it: turned errors, all of them below 0, may
            be ranked then.
        samples: what is to be ranked.

    Raises:
        UsageError: an error or a time is below 0.
        MeasurementError: a share or a correlation is beyond its bounds.

    """
    if not is_never_negative(metric) and bounds_of(metric) is None:
        return
    metric = clip(metric)
    found = [_Ends.of(arm, _values(given)) for arm, given in samples.items() if len(given)]
    if found and is_never_negative(metric):
        _refuse_negative(metric, asked, found)
    if found and (bounds := bounds_of(metric)) is not None:
        _refuse_beyond(metric, bounds, found)


class _Ends(NamedTuple):
    """What is asked of the values of an arm."""

    arm: str
    low: float
    high: float
    fraction: bool
    """Whether one is within 1 of 0, and is not 0."""

    @classmethod
    def of(cls, arm: str, values: Collection[float]) -> _Ends:
        fraction = any(-1.0 < value < 1.0 and value != 0.0 for value in values)
        return cls(arm, min(values), max(values), fraction)


def _values(given: Mapping[int, float] | Sequence[float]) -> Collection[float]:
    return given.values() if isinstance(given, Mapping) else given


def _refuse_negative(metric: str, asked: str | None, found: Sequence[_Ends]) -> None:
    below = next((one for one in found if one.low < 0), None)
    turned = max(one.high for one in found) <= 0
    if below is None or (asked is not None and turned):
        return
    if turned:
        raise UsageError(
            f"{metric} is below 0 in every run ({below.low:g} of {clip(below.arm)}), as errors are "
            "that programs turn to maximize them: say which way is better with --direction"
        )
    raise UsageError(
        f"{metric} is never below 0, and is {below.low:g} in a run of {clip(below.arm)}: if that "
        "stands for a run without a result, write nan there; else say with --metric what the "
        "values are"
    )


def _refuse_beyond(metric: str, bounds: Bounds, found: Sequence[_Ends]) -> None:
    percent = says_percent(metric)
    highest = max(found, key=lambda one: one.high)
    lowest = min(found, key=lambda one: one.low)
    top = highest.high
    most = 100.0 if percent or top > 1.0 + _ROUNDING else 1.0
    if top > 100.0 * (1.0 + _ROUNDING):
        raise _impossible(highest.arm, top, f"{metric} is at most 100 % or 1")
    if bounds.low is not None and lowest.low < bounds.low * most - _ROUNDING:
        least = "0" if bounds.low == 0 else f"-{most:g}"
        raise _impossible(lowest.arm, lowest.low, f"{metric} is at least {least}")
    if most == 1.0 or percent or not bounds.seldom_few_percent:
        return
    fractions = any(one.fraction for one in found)
    few = _FEW_PERCENT if fractions else _TWICE if bounds.low != 0 else 0.0
    if top < few:
        why = f"{metric} is at most 1 as a fraction"
        raise _impossible(highest.arm, top, why, f", or call it '{metric} (%)'")


def _impossible(arm: str, value: float, why: str, advice: str = "") -> MeasurementError:
    return MeasurementError(
        f"arm {clip(arm)!r} has {value:.10g}, and {why}: correct the value{advice}, or name the "
        "metric for what it is"
    )
