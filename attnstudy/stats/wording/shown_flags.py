"""The flags as pages show them: many of one kind are one line; the JSON keeps each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from attnstudy.stats.results import Flag, Ranking
from attnstudy.stats.wording.numbers import exact
from attnstudy.stats.wording.phrases import listed

_OF_RUNS = frozenset({"granularity", "near-chance", "best-epoch", "test-reuse"})
_CONSTANT = "constant"


def shown_flags(ranking: Ranking) -> tuple[Flag, ...]:
    """Return the flags of a ranking, those of one kind and arm as one where they say the same."""
    groups: dict[tuple[str, str | None, str], list[Flag]] = {}
    for place, flag in enumerate(ranking.flags):
        key = (flag.kind, flag.arm, str(place))
        if flag.kind in _OF_RUNS:
            key = (flag.kind, flag.arm, _said(flag, ranking.repetition))
        elif flag.kind == _CONSTANT:
            key = (flag.kind, None, "")
        groups.setdefault(key, []).append(flag)
    return tuple(_together(flags, ranking) for flags in groups.values())


def _together(flags: Sequence[Flag], ranking: Ranking) -> Flag:
    first = flags[0]
    if len(flags) == 1:
        return first
    if first.kind == _CONSTANT:
        names = listed([str(flag.arm) for flag in flags], last=" and ")
        message = f"spread is zero in each of {names}; does the seed reach the training?"
        return replace(first, arm=None, value=None, message=message)
    values = listed([_value(flag, ranking.repetition) for flag in flags])
    said = _said(first, ranking.repetition)
    message = f"{len(flags):,} values of {first.arm} ({values}): each {said}"
    changing = sum(flag.verdict_without not in (None, ranking.verdict) for flag in flags)
    if changing:
        which = "any one" if changing == len(flags) else f"one of {changing:,}"
        message += f"; without {which} of them the verdict is another"
    return replace(first, seed=None, value=None, message=message, verdict_without=None)


def _said(flag: Flag, repetition: str) -> str:
    """Return what a flag says of a run, without its value."""
    before = ") " if flag.seed is None else f", {repetition} {flag.seed}) "
    said = flag.message.partition(before)[2]
    return re.sub(r" \(nearest [^)]*\)$", "", said)


def _value(flag: Flag, repetition: str) -> str:
    return exact(flag.value) + ("" if flag.seed is None else f" of {repetition} {flag.seed}")
