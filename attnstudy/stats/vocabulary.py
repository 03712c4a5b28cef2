"""The words of a ranking: methods, answers, and verdicts with the advice they carry."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, TypeAlias

Direction: TypeAlias = Literal["maximize", "minimize"]
Method: TypeAlias = Literal[
    "games-howell", "holm", "control", "paired", "paired-folds", "descriptive"
]
Folds: TypeAlias = tuple[int, int] | Literal["unknown"]
"""Runs that are folds of one cross-validation: training and test items of each, where known."""
IntervalKind: TypeAlias = Literal["simultaneous", "bonferroni"]
Answer: TypeAlias = Literal["agrees", "disagrees", "cannot decide"]

_GROUPS = 8  # of an arm, that a table names
INTERVAL_NAMES: dict[IntervalKind, str] = {
    "simultaneous": "simultaneous",
    "bonferroni": "Bonferroni",
}
"""What stands before the confidence of an interval."""


SEEDS = "seeds per arm"
"""What an advice counts."""

OVERLAP = "the runs are folds of a cross-validation, or resamples, whose data overlap"
"""Why folds are no independent runs."""
ASK_FOLDS = "give the training and test items of a fold (--folds TRAIN/TEST) to compare them"
"""What to do about folds of unknown size."""


class Verdict(StrEnum):
    """What the data allow to be said of a pair (a, b); ``advice`` says what to do about it."""

    advice: str

    BETTER = "better", "Report the difference with its interval."
    WORSE = "worse", "Report the difference with its interval."
    EQUIVALENT = (
        "equivalent",
        "Choose between them by cost: they differ by less than the margin.",
    )
    UNDECIDED = (
        "undecided",
        "Do not rank these two: neither a difference nor equivalence was shown.",
    )
    DESCRIPTIVE = "descriptive", "Describe only: there was no test."

    def __new__(cls, value: str, advice: str = "") -> Verdict:
        """Make a member that is its own text and carries its advice."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.advice = advice
        return member


def shown_group(group: str | None) -> str:
    """Return an arm's letters for a table: of more than eight joined names the first and the last.

    >>> shown_group("a,b,aa"), shown_group("b,c,d,e,f,g,h,i,aa"), shown_group(None)
    ('a, b, aa', 'b … aa (9)', '–')

    """
    if group is None:
        return "–"
    names = group.split(",")
    return ", ".join(names) if len(names) <= _GROUPS else f"{names[0]} … {names[-1]} ({len(names)})"
