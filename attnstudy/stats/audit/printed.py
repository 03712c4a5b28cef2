"""Numbers as they stand in a table: the value, and the precision that its text shows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from attnstudy.errors import DataError

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_NOT_FINITE = re.compile(r"[+\-−]?(?:nan|inf|infinity)", re.IGNORECASE)
_TWO_NUMBERS = re.compile(r"[0-9)]\s*(?:±|\+/-|\+-|\()")
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:[ ,.'’\u00a0\u2009\u202f][0-9]{3})+(?:[.,][0-9]+)?")
_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+")
_DIGITS = 40
_NAME_WIDTH = 40


@dataclass(frozen=True, slots=True)
class Printed:
    """One number of a table."""

    text: str
    """What the cell says, without blanks around it."""
    digits: str
    """The number alone: no percent sign, a point as decimal mark."""
    value: Decimal
    """Its value."""
    places: int
    """Decimals that it shows; trailing zeros count."""
    percent: bool = False
    """Whether a percent sign stands behind it."""

    @property
    def unit(self) -> Fraction:
        """One unit of the last decimal."""
        return Fraction(1, 10**self.places)

    def with_digits(self, digits: str) -> Printed:
        """Return the number that would stand here with other digits, written the same way."""
        mark = "," if "," in self.text else "."
        tail = "%" if self.percent else ""
        return _number(f"{digits.replace('.', mark)}{tail}", digits, percent=self.percent)


def plain(digits: str) -> Printed:
    """Return the number that ``digits``, as ``-1.50`` or ``2e-5``, prints."""
    return _number(digits, digits, percent=False)


def looks_numeric(text: str) -> bool:
    """Whether a cell starts as a number does, or stands for one that is not finite."""
    return bool(re.match(r"[+\-−]?[.,]?[0-9]", text) or _NOT_FINITE.fullmatch(text))


def uses_decimal_comma(cells: list[str], *, separated_by_comma: bool) -> bool:
    """Return whether the numbers of a table have commas as decimal marks.

    Raises:
        DataError: a comma may be a decimal mark or a thousands separator.

    """
    bare = [_bare(cell)[0] for cell in cells]
    with_comma = [cell for cell in bare if _COMMA.fullmatch(cell)]
    if not with_comma or any("." in cell for cell in bare):
        return False
    if separated_by_comma and all(_GROUPED.fullmatch(cell) for cell in with_comma):
        raise DataError(
            f"{with_comma[0]!r} can be read with a decimal comma or with a thousands separator: "
            "write plain numbers with a decimal point"
        )
    return True


def read_number(text: str, where: str, *, decimal_comma: bool = False) -> Printed:
    """Return the number that a cell holds; a percent sign may follow it.

    Args:
        text: the cell, not empty.
        where: the cell's place, for the message.
        decimal_comma: whether a comma is the decimal mark.

    Raises:
        DataError: the cell is not one finite, plainly written number.

    """
    number, percent = _bare(text)
    if _NOT_FINITE.fullmatch(number):
        raise DataError(
            f"{where} is {clip(text)!r}, not a finite number: leave the cell empty where a run "
            "has no result"
        )
    if _TWO_NUMBERS.search(number):
        raise DataError(
            f"{where} is {clip(text)!r}: give the mean and the SD a column each, with one number "
            "a cell"
        )
    digits = number
    if decimal_comma and _COMMA.fullmatch(number):
        digits = number.replace(",", ".")
    if not _NUMBER.fullmatch(digits):
        if _GROUPED.fullmatch(number):
            advice = "write it without thousands separators"
        elif _COMMA.fullmatch(number):
            advice = "other cells have decimal points, so write a point here too"
        else:
            advice = "write one plain number or leave the cell empty, and take out columns of text"
        raise DataError(f"{where} is {clip(text)!r}, not a number: {advice}")
    printed = _number(text.strip(), digits, percent=percent)
    if len(digits) > _DIGITS or abs(printed.value.adjusted()) > _DIGITS:
        raise DataError(
            f"{where} is {clip(text)!r}, beyond {_DIGITS} digits: give it with the precision that "
            "was measured"
        )
    return printed


def clip(name: str, width: int = _NAME_WIDTH) -> str:
    """Return a name short enough to stand in a sentence."""
    return name if len(name) <= width else f"{name[: width - 1]}…"


def _bare(text: str) -> tuple[str, bool]:
    number = text.strip().replace("−", "-")
    percent = number.endswith("%")
    return number.removesuffix("%").rstrip(), percent


def _number(text: str, digits: str, *, percent: bool) -> Printed:
    value = Decimal(digits)
    exponent = value.as_tuple().exponent
    places = max(0, -exponent) if isinstance(exponent, int) else 0
    return Printed(text, digits, value, places, percent)
