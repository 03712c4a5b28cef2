"""Which characters nobody sees."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

# control characters; what formats, turns the direction or takes no room; lone surrogates; the
# separators of lines and paragraphs
_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# letters and marks without a shape
_EMPTY = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0")


@lru_cache(maxsize=4096)  # a text has few different ones
def is_hidden(character: str) -> bool:
    """Tell whether a character controls what is shown, or would not be seen."""
    number = ord(character)
    return (
        unicodedata.category(character) in _CATEGORIES
        or character in _EMPTY
        or number & 0xFFFE == 0xFFFE  # no characters at all, and nothing that XML may hold
        or 0xFDD0 <= number <= 0xFDEF
    )
