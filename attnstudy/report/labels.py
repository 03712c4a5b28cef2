"""Short labels for the arms of a ranking, told apart by their place where need be."""

from __future__ import annotations

from attnstudy.report.names import shorten
from attnstudy.stats import Ranking

NAMED = 10
"""Arms up to which every figure has room for their names."""

_LEAST = 14  # columns of the narrowest label in a figure


def labels(ranking: Ranking, columns: int) -> dict[str, str]:
    """Return a label for every arm, no wider than ``columns``, no two the same.

    Where shortening makes two alike, all begin with their place in the table.
    """
    names = [arm.name for arm in ranking.arms]
    short = {name: shorten(name, columns) for name in names}
    if len(set(short.values())) == len(names):
        return short
    return {
        name: f"{place}: {shorten(name, columns - len(str(place)) - 2)}"
        for place, name in enumerate(names, start=1)
    }


def numbered(ranking: Ranking) -> bool:
    """Tell whether a figure names arms by their place, so that the table has to show it."""
    names = {shorten(arm.name, _LEAST) for arm in ranking.arms}
    return len(ranking.arms) > NAMED or len(names) < len(ranking.arms)
