"""Names of arms: which of them may be one name written twice."""

from __future__ import annotations

from collections.abc import Iterable


def alike(names: Iterable[str]) -> tuple[str, ...]:
    """Return a remark for each group of names that differ in case or blanks only."""
    groups: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        groups.setdefault(" ".join(name.split()).casefold(), []).append(name)
    return tuple(
        f"{listed(map(repr, group))} differ in case or blanks only and are ranked as "
        f"{len(group)} arms; if they are one, give them one name"
        for group in groups.values()
        if len(group) > 1
    )


def listed(words: Iterable[str]) -> str:
    """Return words as a list in a sentence."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
