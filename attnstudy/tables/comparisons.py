"""Which cells of a column fulfil a comparison: as numbers or dates, or, for = and !=, as texts."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from attnstudy.errors import UsageError
from attnstudy.tables.cells import clip, gap_of, has_decimal_commas, is_number, read_number

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "!=": operator.ne, "<=": operator.le, ">=": operator.ge, "==": operator.eq, "=": operator.eq,
    "<": operator.lt, ">": operator.gt,
}  # fmt: skip
EQUAL = frozenset({"=", "=="})
_ORDER = frozenset({"<", "<=", ">", ">="})
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    _DAY.pattern
    + r"[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
)


def cells_that_hold(column: str, comparison: str, value: str, cells: Collection[str]) -> set[str]:
    """Return the cells of a column that fulfil a comparison with a value.

    Equal is what is the same number, else the same text. An order is that of numbers, or of dates
    as 2026-03-01 with or without a time; a value without a time is a whole day. A cell without a
    number comes neither before nor after any.

    Args:
        column: the column's name, for the message.
        comparison: one of ``COMPARISONS``.
        value: what each cell is compared with.
        cells: the cells; those that are alike once.

    Raises:
        UsageError: the value or a cell has no order, or not the same one as the others.

    """
    compare = COMPARISONS[comparison]
    if comparison not in _ORDER:
        decimal_comma = has_decimal_commas([value, *cells])
        number = _number(value, decimal_comma=decimal_comma)
        found = set()
        for cell in cells:
            own = None if number is None else _number(cell, decimal_comma=decimal_comma)
            if compare(cell.strip(), value) if own is None else compare(own, number):
                found.add(cell)
        return found
    said = f"{column}{comparison}{value}"
    filled = [cell for cell in cells if gap_of(cell) is None]
    orders = _numbers if is_number(value) else _times
    wanted, *owns = orders(said, column, value, filled)
    return {cell for cell, own in zip(filled, owns, strict=True) if compare(own, wanted)}


def _number(text: str, *, decimal_comma: bool) -> Decimal | None:
    """Return the number of a cell; None where it is none, or where a comma leaves it open."""
    if not is_number(text) or ("," in text and not decimal_comma):
        return None
    return read_number(text, "the filter", decimal_comma=decimal_comma).value


def _numbers(said: str, column: str, value: str, cells: Sequence[str]) -> list[Any]:
    """Return the number of a value, and those of cells."""
    decimal_comma = has_decimal_commas([value, *cells])
    found = []
    for cell in (value, *cells):
        number = _number(cell, decimal_comma=decimal_comma)
        if number is None:
            why = "can be read in two ways" if is_number(cell) else "is no number"
            raise UsageError(
                f"the filter {said} compares numbers, and {clip(cell)!r} of column {column!r} "
                f"{why}: write plain numbers there, or name the rows with = or !="
            )
        found.append(number)
    return found


def _times(said: str, column: str, value: str, cells: Sequence[str]) -> list[Any]:
    """Return the dates of a value and of cells, or the moments where the value has a time."""
    wanted = _moment(value)
    if wanted is None:
        raise UsageError(
            f"the filter {said} compares with {clip(value)!r}, which is neither a number nor a "
            "date as 2026-03-01: write one of these, or name the rows with = or !="
        )
    found = []
    for cell in cells:
        own = _moment(cell.strip())
        if own is None:
            raise UsageError(
                f"the filter {said} compares dates, and {clip(cell)!r} of column {column!r} is no "
                "date as 2026-03-01: write such dates there, or name the rows with = or !="
            )
        found.append(own)
    zones = {own.utcoffset() for own in found}
    # without a zone the value is a time of the one place that all cells are of
    if len(zones) > 1 if wanted.tzinfo is None else None in zones:
        raise UsageError(
            f"the filter {said} compares times of several time zones, or of none: write the zone "
            "behind every time, as 2026-03-01T12:00Z, or name the rows with = or !="
        )
    if wanted.tzinfo is None:
        found = [own.replace(tzinfo=None) for own in found]
    times = [wanted, *found]
    return [time.date() for time in times] if _DAY.fullmatch(value) else times


def _moment(text: str) -> datetime | None:
    if not (_DAY.fullmatch(text) or _MOMENT.fullmatch(text)):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:  # 2026-02-30
        return None
