"""What each column of numbers holds beside the others: results, means, SDs, numbers of runs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

from attnstudy.tables.headings.folding import folded, words_of
from attnstudy.tables.headings.kinds import is_standard_error
from attnstudy.tables.headings.numbered import siblings
from attnstudy.tables.headings.vocabulary import (
    COUNT,
    GIVEN,
    MEAN,
    NO_MEASUREMENT,
    OF_COUNT,
    OTHER_STATISTICS,
    SD,
    SECOND,
)

_COUNT_OF_SOMETHING = re.compile(r"(?:(?:n|num|number of|no\.? of)[ _.-]+|#\s*)(?=[a-z])")


class Role(StrEnum):
    """What a column holds."""

    VALUE = "value"
    MEAN = "mean"
    SD = "SD"
    COUNT = "number of runs"
    OTHER = "other"


def counts_something(heading: str) -> bool:
    """Whether a heading is a number or a bound of something, as ``n_estimators``, ``max_len``."""
    name = folded(heading)
    found = _COUNT_OF_SOMETHING.match(name) or re.match(r"(?:max|min)[ _.-]+(?=[a-z])", name)
    return bool(found) and not words_of(name) <= OF_COUNT


def roles(headings: Sequence[str]) -> tuple[Role, ...]:
    """Return what each column of numbers holds, the column of names left out.

    Means, SDs and numbers of runs are known by their words, and so are statistics that nothing
    is done with. Of the rest, a column that cannot be the metric beside the others (parameters
    beside losses, either of them beside accuracies) is no value.
    """
    alike = siblings(headings)
    # of a summary, as pandas' describe writes it, 25% is a quantile
    summary = any(words_of(name) & (MEAN | SD | {"min", "max"}) for name in headings)
    quantiles = {name for name in headings if summary and re.fullmatch(r"[\d.,]+ ?%", name)}
    found = [
        (Role.OTHER if name in quantiles else _role(name), 0 if name in alike else _level(name))
        for name in headings
    ]
    measured = [level for role, level in found if role in (Role.VALUE, Role.MEAN)]
    metric = min(measured, default=0)
    return tuple(
        role if role is Role.COUNT or level <= metric else Role.OTHER for role, level in found
    )


def has_role(heading: str, role: Role) -> bool:
    """Whether a column of that heading alone is means, SDs or numbers of runs, whichever is asked.

    The same as asking for the roles of this heading, which is dear where there are many.
    """
    return _role(heading) is role and roles([heading]) == (role,)


def _role(heading: str) -> Role:
    name, words = folded(heading), words_of(heading)
    if name in NO_MEASUREMENT or words & OTHER_STATISTICS or is_standard_error(heading):
        return Role.OTHER
    if name in COUNT or ("n" in words and words <= OF_COUNT):
        return Role.COUNT
    if counted := _COUNT_OF_SOMETHING.match(name):
        return Role.COUNT if words_of(name[counted.end() :]) <= OF_COUNT else Role.OTHER
    if words & SD:
        return Role.SD
    return Role.MEAN if words & MEAN else Role.VALUE


def _level(heading: str) -> int:
    words = words_of(heading)
    return 2 if words & GIVEN else int(bool(words & SECOND))
