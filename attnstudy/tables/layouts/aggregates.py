"""Means and other statistics that stand among the results they were computed from."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Literal

from attnstudy.tables import headings
from attnstudy.tables.cells import Printed

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
        agrees = rows and all(is_mean_of(number, others) for number, others in rows)
        return "statistic" if agrees else "unclear"
    for words, compute in _RECOMPUTED:
        if headings.words_of(label) & words and all(
            others and _near(number, compute(Fraction(o.value) for o in others), others)
            for number, others in rows
        ):
            return "statistic"
    everything = [other for _, others in rows for other in others]
    return "arm" if lies_among([number for number, _ in rows], everything) else "statistic"


def lies_among(numbers: Sequence[Printed], results: Sequence[Printed]) -> bool:
    """Whether numbers lie where results do, as their spread never does."""
    mine = [Fraction(number.value) for number in numbers]
    theirs = [Fraction(number.value) for number in results]
    if not mine or not theirs:
        return False
    low, high = min(theirs), max(theirs)
    size = max(abs(low), abs(high))
    return all(low - size / 2 <= value <= high + size / 2 for value in mine) and (
        abs(sum(mine, Fraction(0))) / len(mine) > size / 4
    )


def is_mean_of(number: Printed, others: Sequence[Printed]) -> bool:
    """Whether a number is the mean of others, rounded or cut to the decimals that it shows.

    The others may have been rounded themselves, so half a unit of theirs is allowed too.
    """
    if not others:
        return False
    exact = sum((Fraction(o.value) for o in others), Fraction(0)) / len(others)
    return _near(number, exact, others)


def _near(number: Printed, exact: Fraction, others: Sequence[Printed]) -> bool:
    slack = max(number.unit, max(o.unit for o in others) / 2)
    return abs(Fraction(number.value) - exact) < slack


def chance_of_mean(number: Printed, others: Sequence[Printed]) -> float:
    """Return about how likely a value is the mean of others by chance, all spread alike."""
    spread = spread_of(others)
    return 1.0 if spread == 0 else min(1.0, float(2 * number.unit / spread))


def means_throughout(rows: Beside, chance: float) -> bool:
    """Whether numbers are the means of others, each of its own, by less than a chance."""
    if not rows or not all(is_mean_of(number, others) for number, others in rows):
        return False
    return math.prod(chance_of_mean(number, others) for number, others in rows) < chance


def derived_from(
    number: Sequence[Printed], others: Sequence[Sequence[Printed]]
) -> tuple[int, int] | None:
    """Return the two of several series of which one is the difference or the ratio throughout.

    Ratios count as they are, in percent, and as a gain in percent.
    """
    for i, a in enumerate(others):
        for j, b in enumerate(others):
            if i != j and _derived(number, a, b):
                return i, j
    return None


def is_extreme_of(number: Sequence[Printed], others: Sequence[Sequence[Printed]]) -> bool:
    """Whether a series is in every row the largest, or the smallest, of several others."""
    rows = [
        (n.value, [o.value for o in row])
        for n, row in zip(number, zip(*others, strict=False), strict=False)
    ]
    if len(rows) < 3 or any(len(series) != len(number) for series in others):
        return False
    return any(all(value == pick(row) for value, row in rows) for pick in (max, min))


def _derived(number: Sequence[Printed], a: Sequence[Printed], b: Sequence[Printed]) -> bool:
    """Whether numbers are made of two others, by the same rule and hardly by chance."""
    if not len(number) == len(a) == len(b) > 2 or spread_of(number) <= 3 * number[0].unit:
        return False
    pairs = [(Fraction(x.value), Fraction(y.value)) for x, y in zip(a, b, strict=True)]
    rules: list[Callable[[Fraction, Fraction], Fraction]] = [lambda x, y: x - y]
    if all(y for _, y in pairs):
        rules += [
            lambda x, y: x / y,
            lambda x, y: 100 * x / y,
            lambda x, y: 100 * (x - y) / y,
        ]
    return any(
        all(
            abs(Fraction(n.value) - rule(x, y)) <= max(n.unit, Fraction(1, 1000) * abs(rule(x, y)))
            for n, (x, y) in zip(number, pairs, strict=True)
        )
        for rule in rules
    )


def spread_of(values: Sequence[Printed]) -> Fraction:
    """Return the range of some numbers."""
    exact = [Fraction(value.value) for value in values]
    return max(exact) - min(exact) if exact else Fraction(0)
