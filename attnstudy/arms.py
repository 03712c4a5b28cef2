"""The arms of a study: what is compared, and the settings that are declared to be part of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from attnstudy.errors import UsageError, near_miss


@dataclass(frozen=True, slots=True)
class Arm:
    """What is compared: settings of its own, under a name."""

    name: str
    variant: str = ""
    """Of the placements: one, the control of one, or ``package.module:factory``."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """By name; the arms of a study declare the same ones."""
    tuning: Mapping[str, Any] | None = None
    """The search that found the settings: its ``identity`` and what it was given."""

    @property
    def tuned_by(self) -> str | None:
        """Identity of the search that found the settings."""
        return None if self.tuning is None else str(self.tuning["identity"])


def with_all_fields(arms: Iterable[Arm], defaults: Mapping[str, Any]) -> tuple[Arm, ...]:
    """Return the arms, each with every field that any of them declares."""
    given = tuple(arms)
    names = sorted({name for arm in given for name in arm.settings})
    return tuple(
        replace(arm, settings={name: arm.settings.get(name, defaults[name]) for name in names})
        for arm in given
    )


def choose_arms(
    arms: Sequence[Arm],
    names: Sequence[str],
    others: Callable[[Sequence[str]], tuple[Arm, ...]] | None = None,
) -> tuple[Arm, ...]:
    """Return the arms that ``names`` mean, in the order of the study; ``all`` is all.

    ``others`` makes arms of names that the study does not declare, unless its arms have settings.

    Raises:
        UsageError: there is no such arm.

    """
    known = {arm.name: arm for arm in arms}
    declared = others is None or bool(arms and arms[0].settings)
    asked = [name for name in names if name != "all"]
    for name in asked:
        if name not in known and declared:
            raise UsageError(
                f"the study has no arm {name!r}{near_miss(name, tuple(known))} (there: "
                f"{', '.join(known)}): declare it in the study's file"
            )
    chosen = dict(known) if "all" in names else {n: a for n, a in known.items() if n in asked}
    unknown = [name for name in asked if name not in known]
    return (*chosen.values(), *(others(unknown) if others and unknown else ()))
