"""What a program gives, as a command or a study's file has it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attnstudy.api.content import plain, seeds_of
from attnstudy.errors import UsageError

Seeds = int | str | Iterable[int]


def inline_only(executor: str, why: str) -> str:
    """Return the executor of a function that is in this process alone.

    Raises:
        UsageError: another one is asked for.

    """
    if executor != "inline":
        raise UsageError(
            f"executor is {executor!r}, and runs can be made in this process alone: {why}"
        )
    return executor


def names_of(names: str | Iterable[str] | None) -> list[str] | None:
    """Return names as a list, where one alone is given too."""
    if names is None:
        return None
    return [names] if isinstance(names, str) else list(names)


def seed_text(seeds: Seeds | None) -> str | None:
    """Return seeds as the command line has them."""
    return None if seeds is None else seeds_of(seeds)


def listed(numbers: Sequence[int] | None) -> str | None:
    """Return numbers with commas between them."""
    return None if numbers is None else ",".join(map(str, numbers))


def space_of(space: Mapping[str, Any]) -> dict[str, Any]:
    """Return a space as a study's file has it."""
    if not isinstance(space, Mapping):
        raise UsageError(
            f"space is {space!r}: give what is varied by name, as in {{'lr': [0.01, 0.1]}}"
        )
    return {str(name): _dimension(value) for name, value in space.items()}


def _dimension(value: Any) -> Any:
    value = plain(value)
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    return value


def opposite(said: bool | None) -> bool | None:
    """Return what an option is told that forbids what a call allows; None if nobody said."""
    return None if said is None else not said
