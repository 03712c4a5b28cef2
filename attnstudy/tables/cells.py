"""Cells of a table: numbers with the precision that their text shows, and what is no number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from attnstudy.errors import DataError

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_PLAIN = r"[+-]?[0-9]*[.,]?[0-9]+(?:[eE][+-]?[0-9]{1,3})?\s*%?"
_SUMMARY = re.compile(
    rf"\$?\s*({_PLAIN})\s*(?:(?:±|\+/-|\+-|\\pm)\s*({_PLAIN})|\(\s*(?:±\s*)?({_PLAIN})\s*\))"
    r"\s*\$?(\s*%)?"
)
_GROUPS = r"[1-9][0-9]{0,2}"
_SPACES = " '’\u00a0\u2009\u202f"
# what one mark between groups of three makes certain, and the other mark before decimals
_GROUPED = {
    mark: re.compile(rf"[+-]?{_GROUPS}(?:[{mark}{_SPACES}][0-9]{{3}})+(?:[{point}][0-9]+)?")
    for mark, point in ((",", "."), (".", ","))
}
_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+(?:[eE][+-]?[0-9]{1,3})?")
_MARKS = re.compile(
    r"\\(?:textbf|textit|mathbf|boldsymbol|underline|mathrm|text|bf|bm|emph)\b\s*|[${}]|\*\*"
    r"|_(?=\{?\s*(?:\\pm|±))|\\,"
)
# of so few digits, and so small an exponent, that no rule on digits looks at it
_IN_DIGITS = re.compile(
    r"[+-]?(?:[0-9]{1,18}(?:\.[0-9]{1,18})?|[0-9](?:\.[0-9]{1,17})?[eE][+-]?[01]?[0-9])"
)
_DIGITS = 40
_NAME_WIDTH = 40
_EMPTY = frozenset({
    "", "-", "–", "—", "--", "---", "na", "n/a", "n.a.", "#n/a", "#n/a n/a", "<na>", "none", "null",
    "nil", "nul", "missing", "?", "k.a.", ".", "n.d.", "nd", "#value!", "#ref!", "#div/0!",
})  # fmt: skip
# how a run ended that has no result: to leave it out would choose runs by how they went
_DIVERGED = frozenset({
    "nan", "inf", "infinity", "diverged", "1.#inf", "1.#ind", "1.#qnan", "oom", "failed", "fail",
    "crashed", "timeout", "error", "unstable", "collapsed",
})  # fmt: skip


class _Unclear(str):
    """A cell of its own kind, as any text may stand in a table."""

    __slots__ = ()


UNCLEAR = _Unclear("(missing)")
"""What a program hands over that cannot tell an empty cell from one that is no number."""


class Gap(StrEnum):
    """Why a cell of a measurement holds no finite number."""

    EMPTY = "empty"
    DIVERGED = "diverged"
    UNCLEAR = "unclear"


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


def is_plain(text: str) -> bool:
    """Whether a cell is a number in digits that can be read in one way alone.

    Nearly all cells of a large table are, and need not be looked at any further.
    """
    return _IN_DIGITS.fullmatch(text) is not None


def gap_of(text: str) -> Gap | None:
    """Return why a cell has no finite number; None where it may have one."""
    if is_plain(text):
        return None
    if isinstance(text, _Unclear):
        return Gap.UNCLEAR
    word = text.strip().casefold()
    if word in _EMPTY:
        return Gap.EMPTY
    return Gap.DIVERGED if word.lstrip("+-−") in _DIVERGED else None


def nameless(text: str) -> bool:
    """Whether a cell that should name something is empty; ``none`` and ``-`` are names."""
    return not text.strip() or isinstance(text, _Unclear)


def looks_numeric(text: str) -> bool:
    """Whether a cell starts as a number does, or stands for one that is not finite."""
    return bool(re.match(r"[+\-−]?[.,]?[0-9]", _unmarked(text))) or gap_of(text) in (
        Gap.DIVERGED,
        Gap.UNCLEAR,
    )


def is_number(text: str) -> bool:
    """Whether a cell is one number, however it is written."""
    if is_plain(text):
        return True
    number = _bare(text)[0]
    return bool(
        _NUMBER.fullmatch(number)
        or _COMMA.fullmatch(number)
        or any(form.fullmatch(number) for form in _GROUPED.values())
    )


def split_summary(text: str) -> tuple[str, str] | None:
    """Return mean and spread of a cell such as ``93.1 ± 0.2`` or ``93.1 (0.2)``."""
    if is_plain(text):
        return None
    found = _SUMMARY.fullmatch(_unmarked(text.strip().replace("−", "-")))
    if found is None:
        return None
    tail = "%" if found[4] else ""
    return found[1] + tail, (found[2] or found[3]) + tail


def in_brackets(text: str) -> str | None:
    """Return what stands in brackets behind the number of a cell such as ``93.1 (0.2)``."""
    if is_plain(text):
        return None
    found = _SUMMARY.fullmatch(_unmarked(text.strip().replace("−", "-")))
    return None if found is None else found[3]


def uses_decimal_comma(cells: Sequence[str], *, separated_by_semicolon: bool) -> bool:
    """Return whether the numbers of a table have commas as decimal marks.

    Each cell counts once, so that those that are alike may be left out; so below.

    Raises:
        DataError: a comma may be a decimal mark or a thousands separator.

    """
    bare = [_bare(cell)[0] for cell in cells]
    commas = [cell for cell in bare if "," in cell]
    sure = [cell for cell in commas if not _GROUPED[","].fullmatch(cell)]
    points = [cell for cell in bare if _decimal_point(cell)]
    # beside 85,5 the point of 1.024 is no decimal mark
    if sure and all(_COMMA.fullmatch(cell) for cell in sure):
        points = [cell for cell in points if not _GROUPED["."].fullmatch(cell)]
    if not commas or points:
        return False
    if not separated_by_semicolon and not sure:
        raise DataError(
            f"{commas[0]!r} can be read with a decimal comma or with a thousands separator: "
            "write plain numbers with a decimal point"
        )
    return bool(sure) or not any(cell.count(",") > 1 for cell in commas)


def has_decimal_commas(cells: Sequence[str]) -> bool:
    """Whether some of the cells have commas that can only be decimal marks, and none has a point.

    A point between groups of three digits is none.
    """
    bare = [_bare(cell)[0] for cell in cells]
    if any("." in cell and not _GROUPED["."].fullmatch(cell) for cell in bare):
        return False
    return any(_COMMA.fullmatch(cell) and not _GROUPED[","].fullmatch(cell) for cell in bare)


def groups_by_points(cells: Sequence[str]) -> bool:
    """Whether there are points, and all of them may stand between groups of three digits."""
    there = False
    for cell in cells:
        number = _bare(cell)[0]
        if "." in number:
            there = True
            if not _GROUPED["."].fullmatch(number):
                return False
    return there


def refuse_unclear_points(cells: Sequence[str], *, perhaps_german: bool = False) -> None:
    """Refuse a column of numbers as 987 beside 1.024, which may be one more or 37 more.

    Args:
        cells: the column.
        perhaps_german: whether what separates the cells comes with decimal commas, so that 85 and
            92 beside 1.024 are suspect, too.

    Raises:
        DataError: every point may be a decimal mark or a thousands separator.

    """
    if not groups_by_points(cells):
        return
    bare = [_bare(cell)[0] for cell in cells]
    if any(cell.isdecimal() and (perhaps_german or len(cell) == 3) for cell in bare):
        point = next(cell for cell in bare if "." in cell)
        raise DataError(
            f"{point!r} can be read with a decimal point or with a thousands separator: "
            "write plain numbers, all with as many decimals"
        )


def _decimal_point(number: str) -> bool:
    """Whether a number has a point that can only be a decimal mark."""
    point = number.rfind(".")
    if point < 0 or number.rfind(",") > point:
        return False
    return number.count(".") == 1


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
    if gap_of(text) is not None:
        raise DataError(
            f"{where} is {clip(text)!r}, not a finite number: leave the cell empty where a run "
            "has no result"
        )
    if split_summary(text) is not None:
        raise DataError(
            f"{where} is {clip(text)!r}, the summary of several runs: give each run's own value; "
            "attnstudy audit reads summaries, with --n for the number of runs behind each"
        )
    digits = _ungrouped(number, decimal_comma=decimal_comma)
    if digits is None:
        if _COMMA.fullmatch(number):
            advice = "other cells have decimal points, so write a point here too"
        elif re.fullmatch(r"[+-]?[0-9][0-9_., '’]*", number):
            advice = "write it without thousands separators, with one decimal mark"
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


def _ungrouped(number: str, *, decimal_comma: bool) -> str | None:
    """Return the number with a decimal point and no thousands separators; None if it is none."""
    mark, point = (".", ",") if decimal_comma else (",", ".")
    digits = number
    if _GROUPED[mark].fullmatch(number):
        digits = re.sub(f"[{mark}{_SPACES}]", "", number)
    digits = digits.replace(point, ".") if mark not in digits else digits
    if not _NUMBER.fullmatch(digits) and decimal_comma:  # 2e-5 among numbers with commas
        digits = number
    return digits if _NUMBER.fullmatch(digits) else None


def clip(name: str, width: int = _NAME_WIDTH) -> str:
    """Return a name short enough to stand in a sentence."""
    return name if len(name) <= width else f"{name[: width - 1]}…"


def _unmarked(text: str) -> str:
    """Return a cell without LaTeX's and Markdown's marks of bold and mathematics."""
    if not any(mark in text for mark in ("\\", "$", "*")):
        return text
    return _MARKS.sub("", text).replace("\\%", "%").strip()


def _bare(text: str) -> tuple[str, bool]:
    number = _unmarked(text.strip().replace("−", "-"))
    percent = number.endswith("%")
    return number.removesuffix("%").rstrip(), percent


def _number(text: str, digits: str, *, percent: bool) -> Printed:
    value = Decimal(digits)
    exponent = value.as_tuple().exponent
    places = max(0, -exponent) if isinstance(exponent, int) else 0
    return Printed(text, digits, value, places, percent)
