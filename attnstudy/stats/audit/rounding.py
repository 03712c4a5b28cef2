"""Which ways of rounding an exact number give the printed one."""

from __future__ import annotations

import decimal
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from attnstudy.tables.cells import Printed

# a number of up to 40 digits and the mean of many of them; where division does not end, no
# rounding boundary lies within the error of the hundredth digit
_CONTEXT = decimal.Context(prec=200)


class Rounding(StrEnum):
    """A way to bring a number to a number of decimals."""

    mode: str

    HALF_UP = "half-up", decimal.ROUND_HALF_UP
    HALF_EVEN = "half-even", decimal.ROUND_HALF_EVEN
    TRUNCATION = "truncation", decimal.ROUND_DOWN

    def __new__(cls, value: str, mode: str = "") -> Rounding:
        """Make a member that is its own text and carries ``decimal``'s name for it."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.mode = mode
        return member


def as_decimal(exact: Fraction) -> Decimal:
    """Return ``exact`` to 200 significant digits."""
    return _CONTEXT.divide(Decimal(exact.numerator), Decimal(exact.denominator))


def square_root(exact: Fraction) -> Decimal:
    """Return the square root to 200 significant digits; exact where it has fewer."""
    return _CONTEXT.sqrt(as_decimal(exact))


def rounded(exact: Decimal, places: int, rounding: Rounding = Rounding.HALF_UP) -> Decimal:
    """Return ``exact`` with ``places`` decimals."""
    return exact.quantize(Decimal(1).scaleb(-places), rounding.mode, _CONTEXT)


def agreements(exact: Decimal, printed: Printed) -> tuple[Rounding, ...]:
    """Return the roundings of ``exact`` at the printed precision that give the printed number."""
    return tuple(r for r in Rounding if rounded(exact, printed.places, r) == printed.value)


def truncation_only(agreeing: tuple[Rounding, ...]) -> bool:
    """Whether the number is what truncation gives and rounding does not."""
    return agreeing == (Rounding.TRUNCATION,)


def hull(printed: Printed) -> tuple[Fraction, Fraction]:
    """Return the smallest closed interval that holds every number that may be printed so.

    A number p >= 0 with unit u in its last decimal: half-up gives [p - u/2, p + u/2), half-even
    may add the upper end, truncation [p, p + u). Negative numbers mirror this.
    """
    value, unit = Fraction(printed.value), printed.unit
    if value < 0:
        return value - unit, value + unit / 2
    return value - (unit if value == 0 else unit / 2), value + unit


def text_of(exact: Decimal, places: int) -> str:
    """Return ``exact`` in full where it ends within eight decimals after ``places``, else two."""
    short = rounded(exact, places + 8)
    if short == exact:
        return f"{short.normalize(_CONTEXT):f}"
    return f"{rounded(exact, places + 2):f}"
