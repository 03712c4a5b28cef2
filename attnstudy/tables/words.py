"""How results that others made were read, in words, so that a misreading can be seen."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence

_ALL = 8  # names that are shown all
_FIRST = 6  # of more
_SOME = 3  # names of runs


def read_as(
    counts: Mapping[str, int],
    *,
    by: str,
    metric: str,
    seed_by: str | None = None,
    repetition: str = "seed",
    at: str | None = None,
) -> str:
    """Return how results were understood, as ``3 arms (model: a, b, c) × 5 seeds (seed), ...``.

    Args:
        counts: runs by arm, diverged ones too, in the order to show.
        by: what makes an arm, in words.
        metric: name of what is ranked.
        seed_by: what numbers the repetitions, in words; None where nothing does.
        repetition: what a repetition is, such as ``seed`` or ``fold``.
        at: the point of a curve, as in "the last step"; None where there are no curves.

    """
    few, most = min(counts.values(), default=0), max(counts.values(), default=0)
    runs = f"{few}" if few == most else f"{few} to {most}"
    if seed_by is None:
        repeated = f", {runs} run{'s' * (most != 1)} each"
    else:
        repeated = f" × {runs} {repetition}{'s' * (most != 1)} ({seed_by})"
    arms = f"{len(counts):,} arm{'s' * (len(counts) != 1)}"
    point = "" if at is None else f" at {at}"
    return f"{arms} ({by}: {some(list(counts), _ALL, _FIRST)}){repeated}, metric {metric}{point}"


def left_out(reasons: Mapping[str, Sequence[str]], thing: str = "run") -> tuple[str, ...]:
    """Return a phrase for each reason, as ``3 runs whose status is RUNNING (a, b, c)``.

    Args:
        reasons: reason -> names of what was left out; a reason continues "a run".
        thing: what was left out.

    """
    return tuple(
        f"{len(names):,} {thing}{'s' * (len(names) != 1)} {reason} ({some(names, _SOME, _SOME)})"
        for reason, names in reasons.items()
    )


def some(names: Iterable[str], all_up_to: int, first: int) -> str:
    """Return all names, or the first of many and how many more there are."""
    every = list(names)
    mark = "; " if any(", " in name for name in every) else ", "
    if len(every) <= all_up_to:
        return mark.join(every)
    return f"{mark.join(every[:first])} and {len(every) - first:,} more"


def alike(names: Iterable[str]) -> tuple[str, ...]:
    """Return a remark for each group of names that differ in what is easily overlooked."""
    groups: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        groups.setdefault(_plainly(unicodedata.normalize("NFKC", name)), []).append(name)
    return tuple(
        f"{_how_they_differ(group)} only and are ranked as {len(group)} arms; if they are one, "
        "give them one name"
        for group in groups.values()
        if len(group) > 1
    )


def _plainly(name: str) -> str:
    return " ".join(name.split()).casefold()


def _how_they_differ(names: Sequence[str]) -> str:
    if len(set(map(_plainly, names))) == 1:
        return f"{listed(map(repr, names))} differ in case or blanks"
    return f"{listed(map(ascii, names))} differ in the codes of letters that look alike"


def listed(words: Iterable[str]) -> str:
    """Return words as a list in a sentence."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
