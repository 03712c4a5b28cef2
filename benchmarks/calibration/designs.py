"""Designs of simulated studies: runs and standard deviation of each arm, and what is compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, TypeAlias

import numpy as np

from attnstudy.stats.comparisons.design import Design

Mode: TypeAlias = Literal["all pairs", "control", "holm", "paired", "looks"]
Spread: TypeAlias = Callable[[int], Sequence[float]]

_FEW_ARMS = 4  # up to here p is Games-Howell's own for enough runs of alike numbers
_ENOUGH_RUNS = 4
_ALIKE = 0.75  # the fewest runs over the most
_WRITTEN_OUT = 6  # arms


def _one(place: int, sd: float) -> Spread:
    def spread(arms: int) -> Sequence[float]:
        sds = [1.0] * arms
        sds[place] = sd
        return sds

    return spread


def _geometric(first: float, last: float) -> Spread:
    return lambda arms: np.geomspace(first, last, arms).tolist()


def _halves(first: float, last: float) -> Spread:
    return lambda arms: [first] * (arms // 2) + [last] * (arms - arms // 2)


SPREADS: dict[str, Spread] = {
    "equal": lambda arms: [1.0] * arms,
    "last × 3": _one(-1, 3.0),
    "last × 10": _one(-1, 10.0),
    "last × 0.1": _one(-1, 0.1),
    "last × 0.2": _one(-1, 0.2),
    "rising 1–5": _geometric(1.0, 5.0),
    "rising 1–10": _geometric(1.0, 10.0),
    "halves 1, 10": _halves(1.0, 10.0),
    "first × 3": _one(0, 3.0),
    "first × 10": _one(0, 10.0),
    "first × 0.1": _one(0, 0.1),
    "first × 0.5": _one(0, 0.5),
    "falling 5–1": _geometric(5.0, 1.0),
    "falling 10–1": _geometric(10.0, 1.0),
    "halves 10, 1": _halves(10.0, 1.0),
}
"""Standard deviations of the arms, by name; the others have 1 where one differs."""
ONE_ORDER = tuple(SPREADS)[:8]
"""Those that suffice where all arms have as many runs and take the same part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A design to simulate."""

    runs: tuple[int, ...]
    """Runs of each arm; with looks those of the last."""
    spread: str = "equal"
    """Name of the standard deviations, a key of ``SPREADS``."""
    mode: Mode = "all pairs"
    """What is compared; the control is the first arm. Looks are at all pairs."""
    looks: tuple[int, ...] = ()
    """Runs of every arm at each look."""

    @property
    def arms(self) -> int:
        """Number of arms."""
        return len(self.runs)

    @property
    def sds(self) -> tuple[float, ...]:
        """Standard deviation of each arm."""
        return tuple(SPREADS[self.spread](self.arms))

    @property
    def control(self) -> int | None:
        """Index of the control, where there is one."""
        return 0 if self.mode == "control" else None

    @property
    def counts(self) -> str:
        """The runs as a table says them."""
        if self.looks:
            return f"{self.arms} × {'/'.join(map(str, self.looks))}"
        if self.arms <= _WRITTEN_OUT and len(set(self.runs)) > 1:
            return ", ".join(map(str, self.runs))
        groups = [(len(list(group)), runs) for runs, group in groupby(self.runs)]
        return " + ".join(f"{many} × {runs}" if many > 1 else f"{runs}" for many, runs in groups)

    @property
    def name(self) -> str:
        """What to call it; no two rows share it."""
        return f"{self.mode}, runs {self.counts}, SDs {self.spread}"

    @property
    def own(self) -> bool:
        """Whether p is Games-Howell's own by design, or nearly so: its error is tolerated then."""
        least, most = min(self.runs), max(self.runs)
        return (
            self.mode == "all pairs"
            and self.arms <= _FEW_ARMS
            and least >= _ENOUGH_RUNS
            and least >= _ALIKE * most
        )

    def design(self, alpha: float) -> Design:
        """Return how the ranking tests it."""
        return Design(
            alpha=alpha,
            correction="holm" if self.mode == "holm" else "games-howell",
            control="the first arm" if self.mode == "control" else None,
            paired=self.mode == "paired",
        )
