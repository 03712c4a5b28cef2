"""Means and other statistics that stand among the results they were computed from."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Literal

from attnstudy.tables import headings
from attnstudy.tables.cells import Printed
from attnstudy.tables.layouts.numbers import Extent, Numbers, Others, others_of

SUSPECTED, SURE = 0.01, 0.0001
"""How likely by chance numbers are the means of others, up to which they are taken for that."""
_RECOMPUTED: tuple[tuple[frozenset[str], Callable[[Iterable[Fraction]], Fraction]], ...] = (
    (frozenset({"min", "minimum"}), min),
    (frozenset({"max", "maximum"}), max),
    (frozenset({"median", "mediane", "mediana"}), statistics.median),
)

Beside = Sequence[tuple[Printed, Sequence[Printed]]]
"""Numbers, each with those of which it may be a statistic."""


def standing_of(label: str, rows: Beside) -> Literal["statistic", "arm", "unclear"]:
    """Return what a row or column is whose label is also the name of a statistic.

    It is a statistic where it recomputes, or where it is of another size than the results, as a
    spread is. Else it is an arm of that name, unless the statistic is the mean, which is too
    often printed wrong, or of something else, to be sure.
    """
    if headings.is_mean(label):
        agrees = rows and all(is_mean_of(number, others_of(others)) for number, others in rows)
        return "statistic" if agrees else "unclear"
    for words, compute in _RECOMPUTED:
        if headings.words_of(label) & words and all(
            others
            and _near(
                number,
                compute(Fraction(o.value) for o in others),
                max(o.unit for o in others),
            )
            for number, others in rows
        ):
            return "statistic"
    results = Numbers.of([other for _, others in rows for other in others]).extent
    reached = None if results is None else (results.low, results.high)
    mine = Numbers.of([number for number, _ in rows]).extent
    return "arm" if lies_among(mine, reached) else "statistic"


def lies_among(mine: Extent | None, results: tuple[Fraction, Fraction] | None) -> bool:
    """Whether numbers lie where results do, as their spread never does.

    Args:
        mine: what the numbers reach over.
        results: the lowest and the highest of the results.

    """
    if mine is None or results is None:
        return False
    low, high = results
    size = max(abs(low), abs(high))
    return (
        low - size / 2 <= mine.low
        and mine.high <= high + size / 2
        and abs(mine.total) / mine.count > size / 4
    )


def is_mean_of(number: Printed, others: Others | None) -> bool:
    """Whether a number is the mean of others, rounded or cut to the decimals that it shows.

    The others may have been rounded themselves, so half a unit of theirs is allowed too.
    """
    if others is None:
        return False
    return _near(number, others.extent.total / others.extent.count, others.unit)


def _near(number: Printed, exact: Fraction, coarsest: Fraction) -> bool:
    return abs(Fraction(number.value) - exact) < max(number.unit, coarsest / 2)


def chance_of_mean(number: Printed, others: Others) -> float:
    """Return about how likely a value is the mean of others by chance, all spread alike."""
    spread = others.extent.high - others.extent.low
    return 1.0 if spread == 0 else min(1.0, float(2 * number.unit / spread))


def means_throughout(rows: Iterable[tuple[Printed, Others | None]], chance: float) -> bool:
    """Whether numbers are the means of others, each of its own, by less than a chance.

    Nothing is read any further than it takes to see that they are not.
    """
    chances: list[float] = []
    for number, others in rows:
        if others is None or not is_mean_of(number, others):
            return False
        chances.append(chance_of_mean(number, others))
    return bool(chances) and math.prod(chances) < chance


def derived_from(number: Numbers, others: Sequence[Numbers]) -> tuple[int, int] | None:
    """Return the two of several series of which one is the difference or the ratio throughout.

    Ratios count as they are, in percent, and as a gain in percent.
    """
    extent = number.extent
    if extent is None or len(number) < 3 or extent.high - extent.low <= 3 * number[0].unit:
        return None
    for i, a in enumerate(others):
        for j, b in enumerate(others):
            if i != j and len(number) == len(a) == len(b) and _derived(number, a, b):
                return i, j
    return None


def is_extreme_of(number: Numbers, others: Sequence[Numbers]) -> bool:
    """Whether a series is in every row the largest, or the smallest, of several others."""
    if len(number) < 3 or not others or any(len(series) != len(number) for series in others):
        return False
    return any(
        all(
            n.value == pick(o.value for o in row)
            for n, row in zip(number, zip(*others, strict=True), strict=True)
        )
        for pick in (max, min)
    )


_RULES: tuple[Callable[[Fraction, Fraction], Fraction | None], ...] = (
    lambda x, y: x - y,
    lambda x, y: x / y if y else None,
    lambda x, y: 100 * x / y if y else None,
    lambda x, y: 100 * (x - y) / y if y else None,
)


def _derived(number: Numbers, a: Numbers, b: Numbers) -> bool:
    """Whether numbers are made of two others, by the same rule and hardly by chance."""
    return any(
        all(
            _follows(n, rule(Fraction(x.value), Fraction(y.value)))
            for n, x, y in zip(number, a, b, strict=True)
        )
        for rule in _RULES
    )


def _follows(number: Printed, exact: Fraction | None) -> bool:
    if exact is None:
        return False
    return abs(Fraction(number.value) - exact) <= max(number.unit, Fraction(1, 1000) * abs(exact))
