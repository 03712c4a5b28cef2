"""Whether the seed has any effect: all seeds of an arm with the same numbers to the last bit.

Two may have the same by chance: an accuracy on a few hundred items has few values. Three seldom do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attnstudy.runs import OF_TIME

_SEEDS = 3
"""With fewer nothing is said."""


def without_effect(
    results: Iterable[tuple[str, int, Mapping[str, float]]],
) -> Mapping[str, tuple[int, int]]:
    """Return the arms in which all seeds gave equal metrics, with the first two of them.

    Args:
        results: arm, seed and metrics of finished runs; times are left aside.

    >>> same, other = {"acc": 0.5}, {"acc": 1.0}
    >>> without_effect([*(("a", seed, same) for seed in range(3)), ("b", 0, same), ("b", 1, same)])
    {'a': (0, 1)}
    >>> without_effect([("a", 0, same), ("a", 1, same), ("a", 2, other)])
    {}

    """
    seeds: dict[str, list[int]] = {}
    measured: dict[str, set[tuple[tuple[str, float], ...]]] = {}
    for arm, seed, metrics in results:
        numbers = tuple(sorted((n, v) for n, v in metrics.items() if n not in OF_TIME))
        if numbers:
            measured.setdefault(arm, set()).add(numbers)
            if seed not in seeds.setdefault(arm, []):
                seeds[arm].append(seed)
    return {
        arm: (own[0], own[1])
        for arm, own in seeds.items()
        if len(own) >= _SEEDS and len(measured[arm]) == 1
    }


def seed_warning(arms: Mapping[str, tuple[int, int]]) -> str | None:
    """Return what is to be said of arms whose seeds gave the same; None if there are none."""
    if not arms:
        return None
    arm, (first, second) = next(iter(arms.items()))
    more = f" (so have {', '.join(list(arms)[1:])})" if len(arms) > 1 else ""
    return (
        f"all seeds of {arm}, {first} and {second} among them, have the same metrics to the last "
        f"bit{more}: the seed may have no effect there, and these may be one run, repeated"
    )
