"""What the protocol promises, as scenarios to simulate and the bounds that a result must keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from attnstudy.studyplan import LOOKS

Measure: TypeAlias = Literal[
    "family-wise error", "coverage", "looks", "until decided", "wrong equivalent", "power"
]

EQUAL = (1.0, 1.0, 1.0, 1.0)
UNEQUAL = (1.0, 1.0, 1.0, 3.0)
MANY = (10, 20, 40)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One thing to measure."""

    measure: Measure
    """What is counted."""
    sds: tuple[float, ...]
    """Standard deviation of each arm."""
    n: int
    """Runs an arm; with looks the last one."""
    method: str = "games-howell"
    """``games-howell``, ``holm``, ``control`` or ``paired``; ``studentised range`` is Games-Howell
    also where the ranking does not use it."""
    alpha: float = 0.05
    """Family-wise error rate."""
    looks: tuple[int, ...] = ()
    """Declared looks."""
    means: tuple[float, ...] = ()
    """True mean of each arm; none are all equal, or one margin apart for wrong equivalents."""
    margin: float | None = None
    """The margin."""
    low: float = 0.0
    """Least rate that is right."""
    high: float = 1.0
    """Largest rate that is right."""

    @property
    def name(self) -> str:
        """What to call it in a table."""
        spread = f"SDs {':'.join(f'{sd:g}' for sd in self.sds)}"
        if len(self.sds) > len(EQUAL):
            spread = f"{len(self.sds)} arms"
            if len(set(self.sds)) > 1:
                spread += f", SDs {':'.join(f'{sd:g}' for sd in self.sds)}"
        if self.means:
            spread += f", means {':'.join(f'{mean:g}' for mean in self.means)}"
        if self.margin is not None and self.looks:
            spread += f", margin {self.margin:g}"
        seeds = "/".join(map(str, self.looks)) if self.looks else f"{self.n}"
        return f"{self.measure}, {self.method}, n = {seeds}, {spread}"


def scenarios() -> tuple[Scenario, ...]:
    """Return what the protocol promises, with the bounds it is held to."""
    found: list[Scenario] = []
    for sds in (EQUAL, UNEQUAL):
        for n in (3, 5, 10):
            most, covered = (0.065, 0.935) if n == 3 else (0.06, 0.94)
            found += [
                Scenario(measure="family-wise error", sds=sds, n=n, low=0.03, high=most),
                Scenario(measure="coverage", sds=sds, n=n, low=covered),
            ]
        for looks in ((5, 10, 20), (3, 5, 10, 30)):
            found.append(Scenario(measure="looks", sds=sds, n=looks[-1], looks=looks, high=0.05))
        for n in (5, 20):
            found.append(Scenario(measure="wrong equivalent", sds=sds, n=n, margin=1.5, high=0.05))
        for method in ("holm", "control", "paired"):
            found.append(
                Scenario(measure="family-wise error", sds=sds, n=5, method=method, high=0.06)
            )
    found += _until_decided_scenarios()
    for arms in MANY:
        for n in (3, 5, 10, 20):
            for method, most in (
                ("studentised range", 1.0),
                ("games-howell", 0.06),
                ("holm", 0.06),
            ):
                equal = (1.0,) * arms
                found.append(
                    Scenario(measure="family-wise error", sds=equal, n=n, method=method, high=most)
                )
    for n in (3, 5, 10):
        found.append(Scenario(measure="power", sds=EQUAL, n=n, low=0.8, high=0.8))
    return tuple(found)


def _until_decided_scenarios() -> list[Scenario]:
    found = []
    for sds in (EQUAL, UNEQUAL):
        for means, margin in (
            ((), None),  # nothing differs
            ((0.0, 0.0, 0.0, 2.0), None),  # an arm is decided early and gets no more seeds
            ((0.0, 0.0, 1.5, 1.5), None),
            ((), 1.0),  # equivalent pairs are decided early
            ((0.0, 1.0, 2.0, 3.0), 1.0),  # neighbours are exactly one margin apart
        ):
            found.append(
                Scenario(
                    measure="until decided", sds=sds, n=LOOKS[-1], looks=LOOKS, means=means,
                    margin=margin, high=0.05,
                )
            )  # fmt: skip
    more: tuple[tuple[tuple[float, ...], tuple[int, ...]], ...] = (
        ((1.0, 1.0, 1.0, 1.0, 3.0), (3, 30)),
        ((1.0,) * 8, (5, 10, 20)),
    )
    for spreads, looks in more:
        found.append(
            Scenario(measure="until decided", sds=spreads, n=looks[-1], looks=looks, high=0.05)
        )
    return found
