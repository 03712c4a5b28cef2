"""The number of a repetition, however it was written down."""

from __future__ import annotations

import re
from decimal import Decimal
from numbers import Integral, Real

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
# what a repetition is called: in English, German, French and Spanish
_LABEL = re.compile(
    r"(?:(?:(?:random[ _.-]*)?seed|rng|run|trial|rep|repeat|repetition|replicate|fold|split|cv"
    r"|kfold|s|r|lauf|durchlauf|wiederholung|falte|essai|graine|pli|corrida|semilla|pliegue"
    r"|repetici[oó]n|r[eé]p[eé]tition)[\s_.:=#-]*|#\s*)(\d+)",
    re.IGNORECASE,
)
_DIGITS = 40  # of the longest seed; an exponent beyond is no number that anybody numbers runs by


def whole_seed(text: object) -> int | None:
    """Return the whole number that a seed means; None if it means none.

    ``0``, ``0.0``, ``"0"`` and ``" 0 "`` are the same number, and so are ``1000`` and ``"1e3"``.
    A label such as ``seed_3``, ``run 4``, ``s0`` or ``#5`` means its number.
    """
    if type(text) is str and text.isdecimal() and text.isascii() and len(text) <= _DIGITS:
        return int(text)  # as nearly all are
    if isinstance(text, bool):
        return None
    if isinstance(text, Integral):
        return int(text)
    if isinstance(text, Real):
        number = float(text)
        return int(number) if number.is_integer() else None
    said = str(text).strip()
    if said.isdecimal() and said.isascii() and len(said) <= _DIGITS:
        return int(said)
    if _NUMBER.fullmatch(said):
        exact = Decimal(said)  # a float would round what has more than 15 digits
        if exact and not 0 <= exact.adjusted() < _DIGITS:
            return None
        return int(exact) if exact == exact.to_integral_value() else None
    label = _LABEL.fullmatch(said)
    return int(label[1]) if label and label[1].isascii() and len(label[1]) <= _DIGITS else None
