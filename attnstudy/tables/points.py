"""Which point of a curve is the result of a run."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from attnstudy.errors import UsageError
from attnstudy.tables.directions import less_is_better


@dataclass(frozen=True, slots=True)
class Point:
    """The rule that picks one point of every run's curve."""

    rule: Literal["last", "best", "step"] = "last"
    """``last`` is the point with the largest step; ``best`` the one where ``of`` is best."""
    step: float | None = None
    """The step that ``step`` asks for."""
    of: str | None = None
    """The metric that ``best`` looks at."""
    counter: str | None = None
    """What ``step`` counts, where it is not the only thing that counts: ``epoch``."""
    direction: str | None = None
    """Which way ``of`` is better, ``maximize`` or ``minimize``; None goes by its name."""

    @property
    def words(self) -> str:
        """The rule in words, fit for "the value at ..."."""
        if self.rule == "best":
            return f"the step where {self.of} is best"
        return "the last step" if self.step is None else f"{self.counter or 'step'} {self.step:g}"

    def judged(self, metric: str, direction: str | None) -> Point:
        """Return the rule for a ranking by ``metric``, whose direction may have been said.

        It says which step is best, too, where that is a matter of the ranked metric itself.
        """
        return replace(self, direction=direction) if self.of == metric else self

    def pick(self, curve: Mapping[float, float], of: Mapping[float, float]) -> float | None:
        """Return the step of the point; None if the curve has none that the rule allows.

        Of several best points the first is taken. Values that are not finite are never best.

        Args:
            curve: step -> value of the metric that is ranked.
            of: step -> value of the metric that ``best`` looks at.

        """
        if self.rule == "step":
            return self.step if self.step in curve else None
        if self.rule == "last":
            return max(curve, default=None)
        falls = less_is_better(self.of or "")
        if self.direction is not None:
            falls = self.direction == "minimize"
        sign = -1.0 if falls else 1.0
        there = [step for step in sorted(of) if step in curve and math.isfinite(of[step])]
        return max(there, key=lambda step: sign * of[step], default=None)


def mirrors(points: Iterable[tuple[float, float]]) -> bool:
    """Whether of two metrics of a run one follows from the other, as an error from an accuracy."""
    pairs = [(a, b) for a, b in points if math.isfinite(a) and math.isfinite(b)]
    if len({a for a, _ in pairs}) < 3 or len({b for _, b in pairs}) < 3:
        return False
    return abs(statistics.correlation(*zip(*pairs, strict=True))) > 1 - 1e-9


def mirrored(metric: str, of: str) -> str:
    """Return what to say where ``of``, which chooses the step, mirrors the ranked metric."""
    return (
        f"{metric} follows from {of} at every step, so every run reports its best {metric}, chosen "
        "by itself, which makes every arm look better than it is, and the noisiest most"
    )


def point_of(at: str | None, of: str | None) -> Point:
    """Return the point that ``--at`` and ``--of`` ask for; the last one by default.

    Raises:
        UsageError: they are not understood, or do not go together.

    """
    text = (at or "last").strip()
    if text == "best":
        if of is None:
            raise UsageError(
                "--at best needs the metric that says which step is best: add --of val_accuracy; "
                "choosing by the ranked metric itself makes every arm look better than it is, and "
                "has to be said"
            )
        return Point("best", of=of)
    if of is not None:
        raise UsageError("--of names the metric that --at best looks at: add --at best")
    if text == "last":
        return Point()
    name, equals, number = text.partition("=")
    try:
        counter = name.strip()
        if counter in ("step", "epoch") and equals and math.isfinite(float(number)):
            return Point("step", step=float(number), counter=None if counter == "step" else counter)
    except ValueError:
        pass
    raise UsageError(f"{text!r} is no point of a curve: write last, best or step=100")
