"""Arms and repetitions that the names of files tell, as ``logs/late_seed0.csv``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from attnstudy.errors import UsageError

_TOKENS = re.compile(r"\d+|[^\W\d_]+|[\W_]")
_SEEDS = frozenset({"seed", "startwert", "graine", "semilla", "seme"})
_RUNS = frozenset({
    "run", "rep", "repeat", "repetition", "trial", "version", "lauf", "versuch", "wiederholung",
    "essai", "corrida", "prova",
})  # fmt: skip
_FOLDS = frozenset({
    "fold", "folds", "cv", "kfold", "cvfold", "split", "splits", "falte", "pli", "pliegue", "piega",
})  # fmt: skip
_CONTENTS = frozenset({
    "log", "logs", "metric", "metrics", "result", "results", "progress", "history", "output", "out",
    "score", "scores", "eval", "test",
})  # fmt: skip
"""Words that say what is in a file, not what its number counts."""
_MONTH = re.compile(r"(?:19|20)\d\d[\W_](?:0[1-9]|1[0-2])$")
_MARKS = frozenset("_-. =/\\")


class Named(NamedTuple):
    """What the name of a file tells."""

    arm: str
    number: str
    """The number of the run."""
    fold: bool
    """Whether it numbers folds of a cross-validation."""


def arms_in_names(names: Sequence[str]) -> list[Named] | None:
    """Return arm and number of each file; None where the names do not tell them.

    What all names begin and end with is no part of an arm. The number is the one behind ``seed``,
    or else behind another such word, as ``run`` and ``fold``. Without such a word it is the last
    one where, in every arm alike, at least two files count from 0 or 1: the 18 of ``resnet18`` is
    no run.

    Raises:
        UsageError: the last number counts so behind a word that all arms have, as ``task`` and
            ``epoch``, or is the end of a date.

    """
    tokens = [_TOKENS.findall(name) for name in names]
    begin, end = _shared(tokens), _shared([one[::-1] for one in tokens])
    last = tokens[0][len(tokens[0]) - end :]
    if any(token.casefold() in _SEEDS | _RUNS | _FOLDS for token in last):  # of one seed each
        end = next((i for i, token in enumerate(last[::-1]) if token.isdecimal()), end)
    rests = [one[begin : max(begin, len(one) - end)] for one in tokens]
    found = (
        _called(rests, _SEEDS)
        or _called(rests, _RUNS | _FOLDS)
        or _called(rests, frozenset("s"))
        or _counted(rests)
    )
    return found if found and all(one.arm for one in found) and _apart(found) else None


def _apart(found: Sequence[Named]) -> bool:
    return len({(one.arm, int(one.number)) for one in found}) == len(found)


def _called(names: Sequence[Sequence[str]], words: frozenset[str]) -> list[Named] | None:
    """Return what names tell in which one of some words says that a number is that of a run."""
    found = []
    for one in names:
        places = [
            (word, place)
            for place, token in enumerate(one)
            if token.isdecimal()
            and one[word := _before(one, place)].casefold() in words
            # the s of relu6s2 is no word of its own
            and (word == 0 or len(one[word]) > 1 or one[word - 1] in _MARKS)
        ]
        if len(places) != 1:
            return None
        ((word, place),) = places
        arm = _joined(one[:word], one[place + 1 :])
        found.append(Named(arm, one[place], one[word].casefold() in _FOLDS))
    return found if len({one.fold for one in found}) == 1 else None


def _before(tokens: Sequence[str], place: int) -> int:
    """Return the place of what stands before a number, a mark between them passed over."""
    return max(0, place - (2 if place > 1 and tokens[place - 1] in _MARKS else 1))


def _counted(names: Sequence[Sequence[str]]) -> list[Named] | None:
    """Return what names tell that end in numbers which count alike in every arm."""
    found = []
    for one in names:
        places = [i for i, token in enumerate(one) if token.isdecimal()]
        if not places:
            return None
        place = places[-1]
        arm = one[:place]
        if place != len(one) - 1 or not arm or arm[-1] not in _MARKS:
            return None
        found.append(Named(_joined(arm, ()), one[place], fold=False))
    numbers: dict[str, list[int]] = {}
    for named in found:
        numbers.setdefault(named.arm, []).append(int(named.number))
    counts = {tuple(sorted(of)) for of in numbers.values()}
    if len(counts) != 1:
        return None
    (count,) = counts
    alike = count in (tuple(range(len(count))), tuple(range(1, len(count) + 1)))
    if len(count) < 2 or not alike:
        return None
    _refuse_other_counts(list(numbers), count)
    return found


def _refuse_other_counts(arms: Sequence[str], count: Sequence[int]) -> None:
    """Refuse numbers behind a word that is no part of the arm: ``a_task_0``, ``b_task_0``.

    Raises:
        UsageError: naming the word, or the date.

    """
    parts = [[part for part in re.split(r"[\W_]+", arm) if part] for arm in arms]
    words = {of[-1].casefold() if len(of) > 1 else "" for of in parts}
    label = words.pop() if len(words) == 1 else ""
    dated = any(_MONTH.search(arm) for arm in arms)
    if not dated and (not label.isalpha() or label in _CONTENTS):
        return
    counted = "days" if dated else f"each {label!r}"
    seen = f"{arms[0]}, {count[0]} to {count[-1]}"
    raise UsageError(
        f"the names of the files number {counted} of an arm ({seen}), and may not mean runs: if "
        f"they do, call the files after arm and seed, as {parts[0][0]}_seed{count[0]}.csv, and "
        "else add columns of arm and seed, or say --by file"
    )


def _joined(before: Sequence[str], after: Sequence[str]) -> str:
    return ("".join(before) + "".join(after)).strip("_-./\\ =")


def _shared(tokens: Sequence[Sequence[str]]) -> int:
    """Return how many tokens all have in common at the beginning, up to a mark between words."""
    count = 0
    for place, together in enumerate(zip(*tokens, strict=False), start=1):
        if len(set(together)) > 1:
            break
        if not together[0].isalnum():
            count = place
    return count
