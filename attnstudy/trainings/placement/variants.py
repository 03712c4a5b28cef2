"""The variants of the network: placements of attention, their controls, and the user's own."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from attnstudy.errors import UsageError, near_miss
from attnstudy.trainings.source import located

if TYPE_CHECKING:
    from attnstudy.study import RunSpec

VARIANTS = ("vanilla", "early", "late", "double")
"""The placements of attention; ``all`` means these."""
CONTROLS = ("early-conv", "late-conv", "double-conv")
"""Each has convolutions with as many parameters where its placement has attention."""
BUILT_IN = (*VARIANTS, *CONTROLS)
VALIDATE_EVERY = 100
"""Iterations between validations, counted from 0 within each epoch."""


def iterations_per_epoch(spec: RunSpec) -> int:
    """Return the optimiser steps of one epoch; the short last batch counts."""
    return math.ceil(int(spec.train_size) / int(spec.batch_size))


def iterations(spec: RunSpec) -> int:
    """Return the optimiser steps of the whole run."""
    return int(spec.epochs) * iterations_per_epoch(spec)


def is_factory(variant: str) -> bool:
    """Tell whether ``variant`` is the user's own, written ``package.module:factory``."""
    return ":" in variant


def check_variant(variant: str) -> str:
    """Return ``variant`` if it is built in or written like a factory, else ``UsageError``."""
    if variant in BUILT_IN:
        return variant
    module, colon, attribute = variant.partition(":")
    if colon and attribute.isidentifier() and all(p.isidentifier() for p in module.split(".")):
        return variant
    raise UsageError(
        f"unknown variant {variant!r}: use one of {', '.join(BUILT_IN)}, 'all', or "
        f"'package.module:factory'{near_miss(variant, (*BUILT_IN, 'all'))}"
    )


def expand_variants(names: Sequence[str]) -> tuple[str, ...]:
    """Return the variants that ``names`` mean, in order, once; ``all`` is the placements."""
    expanded: dict[str, None] = {}
    for name in names:
        for variant in VARIANTS if name == "all" else (check_variant(name),):
            expanded[variant] = None
    if not expanded:
        raise UsageError("no variant is named: give --variant at least once, or --variant all")
    return tuple(expanded)


def factory_source_digest(variant: str) -> str | None:
    """Return the SHA-256 (hex) of the module that holds a user's factory; None for built-ins.

    The whole module counts, because a factory is rarely alone in it; what it imports does not.
    """
    if not is_factory(variant):
        return None
    path = located(variant.partition(":")[0], f"variant {variant!r}")
    return hashlib.sha256(path.read_bytes()).hexdigest()
