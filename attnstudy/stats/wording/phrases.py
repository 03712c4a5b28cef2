"""Phrases that verdict, sentence, notes and flags share: numbers, intervals, lists."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from attnstudy.shown import MINUS, with_minus
from attnstudy.stats.comparisons.decisions import Decision
from attnstudy.stats.comparisons.design import Design
from attnstudy.stats.digits import percent, rounded
from attnstudy.stats.vocabulary import INTERVAL_NAMES, Verdict
from attnstudy.stats.wording.numbers import p_value

LISTED = 4
"""Items named in a list that would be longer; the rest are counted."""

_MOST_DIGITS = 6
_SMALLEST_FIXED = 1e-9
"""From here on both ends of an interval are written alike, however small one of them is."""


def includes_zero(decision: Decision) -> bool:
    """Tell whether a pair is shown different although the interval beside it includes zero.

    Holm's decisions are sharper than the Bonferroni intervals that are shown with them.
    """
    if not decision.different or decision.low is None or decision.high is None:
        return False
    return decision.low <= 0.0 <= decision.high


def evidence(decision: Decision, design: Design) -> str:
    """Return difference, interval and p-value of a tested pair, as they stand in a paper.

    What is shown is what the verdict rests on: the p of a difference says nothing for
    equivalence, and an interval that includes zero says nothing for a difference.
    """
    unit = f" {design.unit}" if design.unit else ""
    difference = f"{number(decision.difference or 0.0, design, digits=3)}{unit}"
    kind = f"{INTERVAL_NAMES[design.interval]} {percent(design.alpha)} interval"
    low, high = interval_text(decision.low, decision.high, design)
    p = f"adjusted p {p_text(decision.p, design.alpha)}"
    if decision.verdict is Verdict.EQUIVALENT:
        return f"{difference}, {kind} {low} to {high}"
    if includes_zero(decision):
        return f"{difference}, Holm's {p}, while the wider {kind}, {low} to {high}, includes zero"
    return f"{difference}, {kind} {low} to {high}, {p}"


def p_text(p: float | None, alpha: float = 0.05) -> str:
    """Return a p-value with its relation, as ``= .145`` or ``< .001``."""
    if p is None:
        return "not defined"
    text = p_value(p, alpha)
    return text if text[0] in "<>" else f"= {text}"


def number(value: float, design: Design, *, digits: int = 2) -> str:
    """Return a difference with its sign: fixed decimals for points, else significant ones."""
    points = design.unit == "points"
    return with_minus(f"{value:+.{digits}f}" if points else rounded(value, sign="+"))


def interval_text(low: float | None, high: float | None, design: Design) -> tuple[str, str]:
    """Return both ends, rounded neither onto a zero nor onto a margin that they do not reach."""
    if low is None or high is None:
        return "?", "?"
    digits, margin = 2, design.margin
    while digits < _MOST_DIGITS and low * high > 0.0 and _rounded(low, high, digits)[0] == 0.0:
        digits += 1
    if margin is not None and max(abs(low), abs(high)) < margin:
        while digits < _MOST_DIGITS and _rounded(low, high, digits)[1] >= margin:
            digits += 1
    ends = number(low, design, digits=digits), number(high, design, digits=digits)
    if sum("e-" in end for end in ends) == 1 and min(abs(low), abs(high)) >= _SMALLEST_FIXED:
        return _fixed(ends[0]), _fixed(ends[1])
    return ends


def _fixed(text: str) -> str:
    """Return a number of ``number`` without a power of ten, with the same digits."""
    if "e-" not in text:
        return text
    return with_minus(f"{Decimal(text.replace(MINUS, '-')):+f}")


def _rounded(low: float, high: float, digits: int) -> tuple[float, float]:
    """Return the smaller and the larger size of two ends, as they are printed."""
    near, far = sorted((abs(low), abs(high)))
    return round(near, digits), round(far, digits)


def amount(value: float, design: Design) -> str:
    """Return a margin or spread with its unit, without sign."""
    unit = "point" if design.unit == "points" and value == 1.0 else design.unit or ""
    return f"{with_minus(rounded(value))} {unit}".strip()


def order(names: Sequence[str], decision: Decision) -> str:
    """Return a pair that is shown different as ``a > b``, the better arm first."""
    winner, loser = decision.winner_first()
    return f"{names[winner]} > {names[loser]}"


def equality(names: Sequence[str], decision: Decision) -> str:
    """Return a pair that is shown equivalent as ``a = b``."""
    return f"{names[decision.a]} = {names[decision.b]}"


def listed(items: Sequence[str], *, last: str = ", ") -> str:
    """Return items as a list, ``last`` before the last one; of many the first four and a count."""
    if len(items) > LISTED + 1:
        return f"{', '.join(items[:LISTED])} and {len(items) - LISTED:,} more"
    return last.join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else items[0]
