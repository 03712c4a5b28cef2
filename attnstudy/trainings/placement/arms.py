"""The arms of a study of the placements: variants, with or without settings of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attnstudy.arms import Arm
from attnstudy.errors import UsageError
from attnstudy.trainings.placement.settings import SETTINGS
from attnstudy.trainings.placement.variants import BUILT_IN, check_variant, expand_variants

ARM_FIELDS = tuple(field.name for field in SETTINGS if field.of_arm)
"""Settings that can be declared as part of an arm."""


def plain_arms(variants: Sequence[str]) -> tuple[Arm, ...]:
    """Return the arms of variants without settings of their own; ``all`` is the four placements."""
    return tuple(Arm(variant, variant) for variant in expand_variants(variants))


def declared_arms(
    variants: Sequence[str] | None, tables: Mapping[str, Mapping[str, Any]]
) -> tuple[Arm, ...]:
    """Return the arms that a study declares.

    Args:
        variants: variants that are arms as they are, and names of tables, which are arms anyway;
            None means the four placements if there is no table.
        tables: by an arm's name: its ``variant`` (the name itself if left out) and settings.

    Raises:
        UsageError: a variant is not known, or two arms have one name.

    """
    others = [variant for variant in variants or () if variant not in tables]
    plain = plain_arms(others or ("all",)) if others or not tables else ()
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
