"""What was measured: the results of the runs, and how they came about."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from numpy.typing import ArrayLike

from attnstudy.errors import UsageError
from attnstudy.stats.samples import Diverged, Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """What the logs tell about how the runs were made."""

    best_epoch: frozenset[tuple[str, int | None]] = frozenset()
    """(arm, seed) of runs that report their best epoch instead of the planned one."""
    best_of_itself: bool = False
    """Whether every run reports the point of its curve where the ranked metric itself is best."""
    tuning_trials: Mapping[str, int] = field(default_factory=dict)
    """Tuning trials that each arm was given."""
    test_scorings: Mapping[tuple[str, int | None], int] = field(default_factory=dict)
    """How often each run (arm, seed) was scored on the test set."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measurements:
    """The results of the runs, and what is known of how they were measured."""

    samples: Mapping[str, Values]
    """arm -> values, or arm -> {seed: value}; one number per run."""
    diverged: Mapping[str, Diverged] | None = None
    """arm -> number or seeds of its runs that diverged and have no value."""
    items: int | None = None
    """Test items behind an accuracy in percent."""
    chance: float | None = None
    """The metric of guessing, in its own unit."""
    correct: Mapping[str, ArrayLike] | None = None
    """arm -> shape (runs, test images), 1 where a run was right; with it the scope says what
    would hold on new images. The accuracies are in percent then."""
    seconds_per_run: float | Mapping[str, float] | None = None
    """What a run takes, for all or for each arm."""
    conduct: Conduct = field(default_factory=Conduct)
    """What the logs tell about how the runs were made."""

    def check(self, unit: str | None) -> None:
        """Refuse what cannot be, in the unit of the metric.

        Raises:
            UsageError: naming the number, and what to give.

        """
        if self.items is not None and self.items < 1:
            raise UsageError(f"the number of test items is {self.items}: give at least 1")
        if self.chance is None:
            return
        percent = unit == "points"
        if not math.isfinite(self.chance) or (percent and not 0.0 <= self.chance <= 100.0):
            raise UsageError(
                f"the chance level is {self.chance}: give it in the unit of the metric"
            )
