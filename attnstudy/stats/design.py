"""The design of an analysis: everything that decides how pairs are tested, checked once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from attnstudy.errors import UsageError, near_miss
from attnstudy.stats.critical import Family
from attnstudy.stats.samples import Sample
from attnstudy.stats.vocabulary import Direction, Folds, IntervalKind, Method
from attnstudy.studyplan import Analysis

DIRECTIONS = ("maximize", "minimize")


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """How the pairs of a study are tested.

    Raises ``UsageError`` on construction when a value makes no sense.
    """

    alpha: float = 0.05
    """Family-wise error rate."""
    correction: str = "games-howell"
    """``games-howell``, or ``holm`` for Welch with Holm."""
    control: str | None = None
    """The arm that all others are compared with; None compares all pairs."""
    paired: bool = False
    """Whether runs are compared seed by seed; folds of known size always are."""
    folds: Folds | None = None
    """Training and test items of a fold where runs are folds of one cross-validation; ``unknown``
    folds are described and not compared."""
    margin: float | None = None
    """Largest difference that does not matter, in the metric's unit."""
    metric: str = "test_accuracy"
    """Name of the metric."""
    direction: Direction = "maximize"
    """Which way the metric is better."""
    unit: str = "points"
    """``points`` for accuracies in percent, else empty."""

    def __post_init__(self) -> None:
        Analysis(alpha=self.alpha, correction=self.correction, margin=self.margin)
        if self.direction not in DIRECTIONS:
            raise UsageError(
                f"unknown direction {self.direction!r}: use {' or '.join(DIRECTIONS)}"
                f"{near_miss(self.direction, DIRECTIONS)}"
            )
        if self.folds is not None:
            if self.folds != "unknown" and not _are_items(self.folds):
                raise UsageError(
                    f"{self.folds!r} is not the size of folds: give (training items, test items), "
                    "both above 0, or 'unknown'"
                )
            object.__setattr__(self, "paired", self.compared)

    @property
    def compared(self) -> bool:
        """Whether anything is tested at all."""
        return self.folds != "unknown"

    @property
    def overlap(self) -> float:
        """Test items over training items of a fold: see ``independent_runs``."""
        if self.folds is None or self.folds == "unknown":
            return 0.0
        train, test = self.folds
        return test / train

    @property
    def repetition(self) -> str:
        """What a run is the repetition of."""
        return "seed" if self.folds is None else "fold"

    @property
    def maximize(self) -> bool:
        """Whether more is better."""
        return self.direction == "maximize"

    @property
    def sign(self) -> float:
        """1 where more is better, -1 where less is."""
        return 1.0 if self.maximize else -1.0

    @property
    def method(self) -> Method:
        """The JSON's name of the analysis."""
        if not self.compared:
            return "descriptive"
        if self.paired:
            return "paired" if self.folds is None else "paired-folds"
        if self.control is not None:
            return "control"
        return "holm" if self.correction == "holm" else "games-howell"

    @property
    def interval(self) -> IntervalKind:
        """What the pairs' intervals are."""
        return "simultaneous" if self.grouped else "bonferroni"

    @property
    def grouped(self) -> bool:
        """Whether letters and rank ranges exist: only all pairs by one set of intervals."""
        return self.method == "games-howell"

    def family(self, *, arms: int, pairs: int) -> Family:
        """Return the family of ``pairs`` comparisons among ``arms`` arms."""
        if self.grouped:
            return Family(arms, self.alpha)
        return Family(2 if pairs == 1 else None, self.alpha / max(pairs, 1))

    def pairs(self, samples: Sequence[Sample]) -> tuple[tuple[int, int], ...]:
        """Return the pairs to compare as indices into ``samples``, which are best first.

        Raises:
            UsageError: the control is not among the samples.

        """
        arms = range(len(samples))
        if self.control is None:
            return tuple((a, b) for a in arms for b in arms if a < b)
        names = [sample.variant for sample in samples]
        if self.control not in names:
            raise UsageError(
                f"the control {self.control!r} has no runs: use one of "
                f"{', '.join(names)}{near_miss(self.control, names)}"
            )
        control = names.index(self.control)
        return tuple((a, control) for a in arms if a != control)


def _are_items(folds: object) -> bool:
    if not isinstance(folds, tuple) or len(folds) != 2:
        return False
    return all(isinstance(items, int) and items > 0 for items in folds)
