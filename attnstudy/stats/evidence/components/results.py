"""What is found about components of variance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from attnstudy.stats._codec import encode

Name = Literal["task", "arm x task", "seed", "residual", "test items", "arm x test items"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """What one source adds to the variance of a run's value."""

    name: Name
    """What is drawn anew."""
    variance: float
    """In the square of the metric's unit; 0 or more."""
    sd: float
    """Its square root, in the metric's unit."""
    share: float
    """Of the sum of all components that are told, from 0 to 1."""
    levels: int
    """How many it was estimated from: seeds, tasks, cells, runs or items."""
    remark: str | None
    """What to think of the number; None where there is nothing to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Untold:
    """A source that this design cannot tell from the others."""

    name: str
    """What it is."""
    reason: str
    """Why it cannot be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """Where the variance of a run's value comes from, the differences between arms left out."""

    runs: int
    """Values that were used."""
    variance: float
    """Sum of the components: the variance of a value of an arm, were all of them drawn anew."""
    components: tuple[Component, ...]
    """Those that can be told."""
    untold: tuple[Untold, ...]
    """Those that cannot."""

    def to_json(self) -> dict[str, Any]:
        """Return everything as strict JSON knows it."""
        encoded: dict[str, Any] = encode(self)
        return encoded
