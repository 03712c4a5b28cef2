"""Numbers of a table taken together: their range and sum, of all of them and of all but one."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, localcontext
from fractions import Fraction
from functools import cached_property
from typing import overload

from attnstudy.tables.cells import Printed, plain

# of numbers of 40 digits, up to 40 digits from the point, no sum is rounded
_EXACT = Context(prec=200, traps=[Inexact])


@dataclass(frozen=True, slots=True)
class Extent:
    """What numbers reach over."""

    low: Fraction
    high: Fraction
    total: Fraction
    """Their sum."""
    count: int


class Numbers(Sequence[Printed]):
    """The numbers of a column, each made when it is asked for where it is a plain one."""

    def __init__(self, digits: Sequence[str], printed: Sequence[Printed] | None = None) -> None:
        """Take the digits of each, and what is printed where that is more."""
        self._digits = digits
        self._printed = printed

    @classmethod
    def of(cls, printed: Sequence[Printed]) -> Numbers:
        """Return numbers that are there already."""
        return cls([number.digits for number in printed], printed)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._digits)

    @overload
    def __getitem__(self, place: int) -> Printed: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Printed]: ...
    def __getitem__(self, place: int | slice) -> Printed | Sequence[Printed]:
        """Return one of them, or some."""
        if self._printed is not None:
            return self._printed[place]
        if isinstance(place, slice):
            return list(map(plain, self._digits[place]))
        return plain(self._digits[place])

    @property
    def texts(self) -> Iterable[str]:
        """What each cell says."""
        if self._printed is None:
            return self._digits
        return (number.text for number in self._printed)

    @cached_property
    def different(self) -> int:
        """How many texts there are."""
        return len(set(self.texts))

    @cached_property
    def places(self) -> int:
        """Decimals of the one that shows the most of them; 0 without any."""
        return max(map(_places, self._digits), default=0)

    @cached_property
    def fewest_places(self) -> int:
        """Decimals of the one that shows the fewest of them; 0 without any."""
        return min(map(_places, self._digits), default=0)

    @cached_property
    def extent(self) -> Extent | None:
        """What they reach over; None without any."""
        values = list(map(Decimal, self._digits))
        if not values:
            return None
        with localcontext(_EXACT):
            total = sum(values, Decimal(0))
        return Extent(Fraction(min(values)), Fraction(max(values)), Fraction(total), len(values))


def _places(digits: str) -> int:
    if "e" in digits or "E" in digits:
        return plain(digits).places
    return len(digits) - 1 - digits.find(".") if "." in digits else 0


@dataclass(frozen=True, slots=True)
class Others:
    """Numbers of which another one may be the mean."""

    extent: Extent
    unit: Fraction
    """One unit of the last decimal of the coarsest."""


def others_of(numbers: Sequence[Printed]) -> Others | None:
    """Return some numbers together; None without any."""
    numbers = numbers if isinstance(numbers, Numbers) else Numbers.of(numbers)
    extent = numbers.extent
    return None if extent is None else Others(extent, Fraction(1, 10**numbers.fewest_places))


class AllButOne:
    """Numbers by key, and for each of them all the others together."""

    def __init__(self, numbers: Mapping[int, Printed]) -> None:
        """Take the numbers."""
        self.numbers = numbers
        self._all = others_of(list(numbers.values()))
        self._low = heapq.nsmallest(2, numbers, key=lambda key: numbers[key].value)
        self._high = heapq.nlargest(2, numbers, key=lambda key: numbers[key].value)
        self._coarse = heapq.nsmallest(2, numbers, key=lambda key: numbers[key].places)

    def others(self, key: int) -> Others | None:
        """Return the others of one of them; None without any."""
        if self._all is None or len(self.numbers) < 2:
            return None
        low, high, coarse = (
            self.numbers[next(other for other in two if other != key)]
            for two in (self._low, self._high, self._coarse)
        )
        extent = self._all.extent
        total = extent.total - Fraction(self.numbers[key].value)
        return Others(
            Extent(Fraction(low.value), Fraction(high.value), total, extent.count - 1), coarse.unit
        )


class RangeOfOthers:
    """Columns of numbers by key, and for each of them how far all the others reach."""

    def __init__(self, extents: Mapping[int, Extent | None]) -> None:
        """Take what each column reaches over."""
        there = {key: extent for key, extent in extents.items() if extent is not None}
        self._low = [
            (key, there[key].low)
            for key in heapq.nsmallest(2, there, key=lambda key: there[key].low)
        ]
        self._high = [
            (key, there[key].high)
            for key in heapq.nlargest(2, there, key=lambda key: there[key].high)
        ]

    def others(self, key: int) -> tuple[Fraction, Fraction] | None:
        """Return the lowest and the highest number of the others; None without any."""
        low = next((value for other, value in self._low if other != key), None)
        high = next((value for other, value in self._high if other != key), None)
        return None if low is None or high is None else (low, high)
