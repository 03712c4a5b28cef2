"""``[arms.grid]`` of a study's file: an arm for each combination of the values in its lists."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from math import prod
from typing import Any

from attnstudy.errors import UsageError

GRID = "grid"
"""The name of the table; without any list in it, it is an arm of that name."""
MOST_ARMS = 200
"""Arms that a grid may make, those beside it included."""


def is_grid(name: str, table: Mapping[str, Any]) -> bool:
    """Tell whether a table of arms is a grid."""
    return name == GRID and any(isinstance(value, list) for value in table.values())


def arms_of_grid(
    table: Mapping[str, Any], others: Mapping[str, Any], where: str
) -> dict[str, dict[str, Any]]:
    """Return the arms of a grid by their names, such as ``width-64_depth-2``.

    Args:
        table: by key, the values in a list; what is in no list is alike in all arms.
        others: the arms beside it, whose names are taken.
        where: what errors call the table.

    Raises:
        UsageError: a list is empty, two arms have one name, or there are too many.

    """
    lists = {key: value for key, value in table.items() if isinstance(value, list)}
    for key, values in lists.items():
        if not values:
            raise UsageError(f"{where} {key} is empty: list its values, or leave it out")
        shown = [_text(value) for value in values]
        if twice := [text for text in shown if shown.count(text) > 1]:
            raise UsageError(f"{where} {key} lists {twice[0]} twice: list each value once")
    number = prod(map(len, lists.values())) + len(others)
    if number > MOST_ARMS:
        raise UsageError(
            f"{where} makes {number:,} arms, and {MOST_ARMS} are the most: leave values out"
        )
    arms: dict[str, dict[str, Any]] = {}
    for combination in product(*lists.values()):
        chosen = dict(zip(lists, combination, strict=True))
        name = "_".join(f"{key}-{_text(value)}" for key, value in chosen.items())
        if name in arms or name in others:
            raise UsageError(
                f"{where} makes an arm {name!r}, and there is one of that name: leave one out"
            )
        arms[name] = {**table, **chosen}
    return arms


def _text(value: Any) -> str:
    """Return a value as it stands in a name."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "x".join(map(_text, value))
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)
