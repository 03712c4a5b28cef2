"""Numbers with as many digits as they are worth, in ASCII."""

from __future__ import annotations

LARGEST_FIXED = 1e15
"""From here on a number is written with a power of ten."""

_MOST_DIGITS = 16


def rounded(value: float, digits: int = 4, *, sign: str = "-") -> str:
    """Return a number with its first significant digits, in ASCII; ``+`` as sign is always shown.

    Powers of ten stand where a number would otherwise be longer than fifteen digits.
    """
    text = f"{value:{sign}.{digits}g}"
    if "e+" in text and abs(value) < LARGEST_FIXED:
        text = f"{float(text):{sign},.0f}"
    return text


def percent(alpha: float) -> str:
    """Return the confidence that goes with an error rate: four digits, or more to be below 100."""
    digits = 4
    while (text := f"{100.0 * (1.0 - alpha):.{digits}g}") == "100" and digits < _MOST_DIGITS:
        digits += 1
    return f"{text} %"
