"""What a report tells beside the ranking: where the numbers come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from attnstudy.stats import Calibration, ClaimCheck, Components
from attnstudy.usecases.sources import Curve, RunReference


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The surroundings of a ranking; everything may be left out."""

    question: str | None = None
    """What the study asks."""
    made_at: str | None = None
    """When the ranking was made, as an ISO 8601 date and time."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Software -> version."""
    runs: Sequence[RunReference] = ()
    """The runs that the ranking used."""
    curves: Mapping[str, Sequence[Curve]] = field(default_factory=dict)
    """Arm -> one learning curve per run."""
    command: str | None = None
    """The command that makes this ranking again."""
    calibration: Calibration | None = None
    """How often the design claims a difference among equals."""
    components: Components | None = None
    """Where the variance of a run's value comes from."""
    claims: Sequence[ClaimCheck] = ()
    """Claims that were checked."""


__all__ = ["Context", "Curve", "RunReference"]
