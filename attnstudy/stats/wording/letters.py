"""Groups and rank ranges, both read off the significant differences of a family."""

from __future__ import annotations

from collections.abc import Iterable


def compact_letters(count: int, different: Iterable[tuple[int, int]]) -> tuple[str, ...]:
    """Return the compact letter display: two arms share a letter iff not shown different.

    Piepho, "An algorithm for a letter-based representation of all-pairwise comparisons",
    J. Comput. Graph. Stat. 13 (2004) 456-466: start with one group of all; each significant
    pair splits the groups that hold both; a group inside another is absorbed.

    Args:
        count: number of arms, which are 0 (best) to count - 1.
        different: pairs of arms that are significantly different.

    Returns:
        For each arm its letters, such as ``ab``; ``a`` holds the best arm. From the 27th group on
        a group is called ``aa``, ``ab``, ..., and such names are joined by commas.

    """
    groups: list[frozenset[int]] = [frozenset(range(count))]
    for a, b in different:
        split = [g for g in groups if a in g and b in g]
        if split:
            kept = [g for g in groups if not (a in g and b in g)]
            halves = {part for g in split for part in (g - {a}, g - {b})}
            # only a new half can lie inside another group: the kept ones were absorbed before
            new = [
                part
                for part in halves
                if not any(part < other for other in halves) and not any(part <= g for g in kept)
            ]
            groups = kept + new
    groups.sort(key=sorted)
    names = [group_name(index) for index in range(len(groups))]
    joint = "" if len(groups) <= 26 else ","
    return tuple(
        joint.join(name for name, group in zip(names, groups, strict=True) if arm in group)
        for arm in range(count)
    )


def group_name(index: int) -> str:
    """Return ``a``, ..., ``z``, ``aa``, ``ab``, ... for 0, 1, ...."""
    name = ""
    index += 1
    while index > 0:
        index, letter = divmod(index - 1, 26)
        name = chr(ord("a") + letter) + name
    return name


def rank_ranges(count: int, better: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Return for each arm the ranks that the data leave open, best possible first.

    The lowest is 1 + the number of arms significantly better, the highest ``count`` - the
    number significantly worse.

    Args:
        count: number of arms, which are 0 to count - 1.
        better: pairs (winner, loser) that are significantly different.

    """
    low = [1] * count
    high = [count] * count
    for winner, loser in better:
        low[loser] += 1
        high[winner] -= 1
    return tuple(zip(low, high, strict=True))
