"""The arms of a study: a variant, and the fields that are declared to be part of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from attnstudy.errors import UsageError, near_miss
from attnstudy.settings import SETTINGS
from attnstudy.study import BUILT_IN, check_variant, expand_variants

ARM_FIELDS = tuple(field.name for field in SETTINGS if field.of_arm)
"""Settings that can be declared as part of an arm."""


@dataclass(frozen=True, slots=True)
class Arm:
    """What is compared: a variant with its own settings, under a name."""

    name: str
    variant: str
    """A placement, the control of one, or ``package.module:factory``."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """By name; the arms of a study declare the same ones."""
    tuning: Mapping[str, Any] | None = None
    """The search that found the settings: its ``identity`` and what it was given."""

    @property
    def tuned_by(self) -> str | None:
        """Identity of the search that found the settings."""
        return None if self.tuning is None else str(self.tuning["identity"])


def plain_arms(variants: Sequence[str]) -> tuple[Arm, ...]:
    """Return the arms of variants without settings of their own; ``all`` is the four placements."""
    return tuple(Arm(variant, variant) for variant in expand_variants(variants))


def declared_arms(
    variants: Sequence[str] | None, tables: Mapping[str, Mapping[str, Any]]
) -> tuple[Arm, ...]:
    """Return the arms that a study declares.

    Args:
        variants: variants that are arms as they are; None means the four placements if there is no
            table.
        tables: by an arm's name: its ``variant`` (the name itself if left out) and settings.

    Raises:
        UsageError: a variant is not known, or two arms have one name.

    """
    plain = plain_arms(variants or ("all",)) if variants or not tables else ()
    named = []
    for name, table in tables.items():
        settings = {key: value for key, value in table.items() if key != "variant"}
        if "variant" not in table and name not in BUILT_IN:
            raise UsageError(f"the arm {name!r} names no variant: add variant = '...' to it")
        named.append(Arm(name, check_variant(table.get("variant", name)), settings))
    taken = {arm.name for arm in plain} & set(tables)
    if taken:
        raise UsageError(f"two arms are called {taken.pop()!r}: leave it out of the variants")
    return (*plain, *named)


def with_all_fields(arms: Iterable[Arm], defaults: Mapping[str, Any]) -> tuple[Arm, ...]:
    """Return the arms, each with every field that any of them declares."""
    given = tuple(arms)
    names = sorted({name for arm in given for name in arm.settings})
    return tuple(
        replace(arm, settings={name: arm.settings.get(name, defaults[name]) for name in names})
        for arm in given
    )


def choose_arms(arms: Sequence[Arm], names: Sequence[str]) -> tuple[Arm, ...]:
    """Return the arms that ``names`` mean, in the order of the study; ``all`` is all.

    Variants that the study does not declare are arms as they are, unless the arms have settings.

    Raises:
        UsageError: there is no such arm.

    """
    known = {arm.name: arm for arm in arms}
    declared = bool(arms and arms[0].settings)
    asked = [name for name in names if name != "all"]
    for name in asked:
        if name not in known and declared:
            raise UsageError(
                f"the study has no arm {name!r}{near_miss(name, tuple(known))} (there: "
                f"{', '.join(known)}): declare it in the study's file"
            )
    chosen = dict(known) if "all" in names else {n: a for n, a in known.items() if n in asked}
    others = [name for name in asked if name not in known]
    return (*chosen.values(), *(plain_arms(others) if others else ()))
