"""The numbers that a slip of the pen turns into a printed one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from attnstudy.tables.cells import Printed

DIGITS = "0123456789"


def one_digit(printed: Printed) -> Iterator[Printed]:
    """Yield the numbers that differ in one digit, left to right."""
    mantissa, tail = _split(printed)
    for i, old in enumerate(mantissa):
        if old in DIGITS:
            for new in DIGITS:
                if new != old:
                    yield from _spelled(printed, mantissa[:i] + new + mantissa[i + 1 :], tail)


def transposed(printed: Printed) -> Iterator[Printed]:
    """Yield the numbers in which two digits that follow each other have changed places."""
    mantissa, tail = _split(printed)
    places = [i for i, mark in enumerate(mantissa) if mark in DIGITS]
    for i, j in pairwise(places):
        if mantissa[i] != mantissa[j]:
            swapped = list(mantissa)
            swapped[i], swapped[j] = swapped[j], swapped[i]
            yield from _spelled(printed, "".join(swapped), tail)


def _split(printed: Printed) -> tuple[str, str]:
    """Return the digits without and with only the exponent."""
    mantissa, mark, exponent = printed.digits.lower().partition("e")
    return mantissa, mark + exponent


def _spelled(printed: Printed, mantissa: str, tail: str) -> Iterator[Printed]:
    whole = mantissa.lstrip("+-").partition(".")[0]
    # nobody writes 09.77
    if len(whole) == 1 or not whole.startswith("0"):
        yield printed.with_digits(mantissa + tail)
