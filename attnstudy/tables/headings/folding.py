"""A heading without what differs from writer to writer: case, accents, blanks and marks."""

from __future__ import annotations

import re
from functools import lru_cache

from attnstudy.tables import directions

_HEADINGS = 4096
"""So many are known, as the same few stand in every row, and each is asked many questions."""


@lru_cache(maxsize=_HEADINGS)
def folded(heading: str) -> str:
    """Return a heading without case, accents and blanks around it."""
    return directions.unaccented(heading)


@lru_cache(maxsize=_HEADINGS)
def words_of(heading: str) -> frozenset[str]:
    """Return the words and numbers of a heading, without case and accents.

    A change from small to capital letters ends a word, as in ``testAcc``.
    """
    apart = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", heading)
    return frozenset(re.findall(r"[^\W_]+|±", folded(apart)))


@lru_cache(maxsize=_HEADINGS)
def exactly(heading: str) -> str:
    """Return a heading as the lists of headings have it: ``Run ID`` is ``run_id``."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", heading)
    plain = re.sub(r"\s*[(\[].*[)\]]$", "", folded(apart))
    return re.sub(r"[\s.:-]+", "_", plain).strip("#")


def has_number(heading: str) -> bool:
    """Whether there is a digit in a heading."""
    return bool(re.search(r"\d", heading))
