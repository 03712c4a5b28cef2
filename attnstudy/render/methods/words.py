"""Pieces of sentences about methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from attnstudy.stats.wording.numbers import count

_NAMED = 10  # items of a list that are named


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence, without its full stop, and what it cites."""

    text: str
    cites: tuple[str, ...] = ()


def joined(items: Sequence[str], most: int = _NAMED) -> str:
    """Return items as a list with ``and``; of many the first and how many more."""
    if len(items) > most:
        return f"{', '.join(items[:most])} and {len(items) - most:,} more"
    return " and ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else items[0]


def pairs_of(number: int) -> str:
    """Return ``1 pair``, ``6 pairs``."""
    return count(number, "pair")


def per_arm(numbers: Sequence[int], noun: str) -> str:
    """Return how many runs or folds an arm has."""
    fewest, most = min(numbers), max(numbers)
    if fewest == most:
        return f"{count(most, noun)} per arm"
    return f"{fewest:,} to {most:,} {noun}s per arm"


def software(versions: Mapping[str, str]) -> Said:
    """Return by what the ranking was computed."""
    named = {"attnstudy": "attnstudy", "numpy": "NumPy", "scipy": "SciPy", "python": "Python"}
    known = [f"{name} {versions[key]}" for key, name in named.items() if key in versions]
    return Said(f"All of it was computed by {joined(known)}", ("harris2020", "virtanen2020"))


def left_out(runs: int) -> Said:
    """Return that runs did not count."""
    return Said(f"{count(runs, 'run')} did not count and {'is' if runs == 1 else 'are'} left out")


def status_of(status: str, reason: str) -> Said:
    """Return whether a plan was kept to, and which."""
    return Said(f"The analysis is {status}: {reason}")
