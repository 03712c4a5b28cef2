"""Where the engine finds a training: the one place that names them all."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from functools import cache
from typing import cast

from attnstudy.errors import UsageError
from attnstudy.trainings.contract import Training

_TRAININGS = {
    None: "attnstudy.trainings.placement.declaration:Placement",
    "function": "attnstudy.trainings.function:FunctionTraining",
    "command": "attnstudy.trainings.command:CommandTraining",
}
"""By kind, as specifications have it. Imported when it is asked for: each needs other libraries."""


def kinds() -> Sequence[str | None]:
    """Return the kinds of trainings."""
    return tuple(_TRAININGS)


@cache
def find(kind: str | None) -> Training:
    """Return the training of a kind.

    Raises:
        UsageError: there is none, as where a newer version has made a run.

    """
    if kind not in _TRAININGS:
        raise UsageError(f"there is no kind of training {kind!r}: use a newer attnstudy")
    module, _, name = _TRAININGS[kind].partition(":")
    return cast(Training, getattr(importlib.import_module(module), name)())
