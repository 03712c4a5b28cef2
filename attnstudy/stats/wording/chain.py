"""The order of the arms as a chain of groups, where what was shown makes one."""

from __future__ import annotations

from collections.abc import Sequence

from attnstudy.stats.comparisons.decisions import Decision
from attnstudy.stats.vocabulary import Verdict


def chain(names: Sequence[str], decisions: Sequence[Decision]) -> str | None:
    """Return the order as ``{early, late} > vanilla``; None where pairs do not make a chain.

    Every arm of a group is shown better than every arm of the groups behind it, and no two of a
    group are shown different. A group in braces with ``=`` is shown equivalent, pair by pair; with
    commas it is not: nothing was shown of at least one of its pairs.

    Args:
        names: of the arms.
        decisions: every pair of them.

    """
    everyone = range(len(names))
    if len(decisions) != len(names) * (len(names) - 1) // 2:
        return None  # with a control, most pairs were not compared
    better: dict[int, set[int]] = {arm: set() for arm in everyone}
    equal: set[frozenset[int]] = set()
    for pair in decisions:
        if pair.different:
            winner, loser = pair.winner_first()
            better[winner].add(loser)
        elif pair.verdict is Verdict.EQUIVALENT:
            equal.add(frozenset((pair.a, pair.b)))
    if not any(better.values()):
        return None
    groups: list[list[int]] = []
    for arm in sorted(everyone, key=lambda arm: (-len(better[arm]), arm)):
        if groups and len(better[groups[-1][0]]) == len(better[arm]):
            groups[-1].append(arm)
        else:
            groups.append([arm])
    behind = set(everyone)
    for group in groups:
        behind -= set(group)
        if any(better[arm] != behind for arm in group):
            return None
    return " > ".join(_group(names, group, equal) for group in groups)


def _group(names: Sequence[str], group: Sequence[int], equal: set[frozenset[int]]) -> str:
    if len(group) == 1:
        return names[group[0]]
    pairs = [frozenset((a, b)) for i, a in enumerate(group) for b in group[i + 1 :]]
    between = " = " if all(pair in equal for pair in pairs) else ", "
    return "{" + between.join(names[arm] for arm in group) + "}"
