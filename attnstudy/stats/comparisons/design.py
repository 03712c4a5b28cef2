"""The design of a ranking: the declared analysis, and what its tests have to know of the results.

What a plan can declare is declared and checked in ``studyplan.Analysis`` and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from attnstudy.errors import UsageError, near_miss
from attnstudy.stats.comparisons.critical import Family
from attnstudy.stats.samples import Sample
from attnstudy.stats.vocabulary import Direction, Folds, IntervalKind, Method
from attnstudy.studyplan import Analysis

DIRECTIONS = ("maximize", "minimize")


_MOST_PAIRS = 200_000  # of some 630 arms: a table that nobody reads
_FAR = 0.00999  # below .01, whatever that is as a quotient


@dataclass(frozen=True, slots=True, kw_only=True)
class Design(Analysis):
    """How the pairs of a study are tested; folds of known size always are ``paired``.

    Raises ``UsageError`` on construction when a value makes no sense.
    """

    folds: Folds | None = None
    """Training and test items of a fold where runs are folds of one cross-validation; ``unknown``
    folds are described and not compared."""
    direction: Direction = "maximize"
    """Which way the metric is better."""
    unit: str | None = None
    """``points`` for accuracies in percent, else empty; None as long as no results have shown it:
    see ``unit_of``."""

    families: int = 1
    """Among how many an error rate is divided, as among tasks; ``alpha`` is the share of one."""

    def __post_init__(self) -> None:
        if self.folds is not None and self.looks is not None:
            raise UsageError(
                "looks are for runs that are added seed by seed, and the folds of a "
                "cross-validation belong together: leave the looks out"
            )
        # super() does not work here: slots=True makes another class than the one it stands in
        Analysis.__post_init__(self)
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

    @classmethod
    def of(
        cls,
        analysis: Analysis,
        *,
        direction: Direction = "maximize",
        unit: str | None = None,
        folds: Folds | None = None,
    ) -> Design:
        """Return the design of a declared analysis for results of one kind."""
        names = {field.name for field in fields(Analysis)} - {"direction"}
        declared = {name: getattr(analysis, name) for name in names}
        return cls(**declared, direction=direction, unit=unit, folds=folds)

    def at_each_look(self) -> Design:
        """Return the design of a single look: alpha is split evenly; without looks it is this."""
        if self.looks is None:
            return self
        return replace(self, alpha=self.alpha / len(self.looks), looks=None)

    @property
    def cautious(self) -> bool:
        """Whether p has to hold at levels at which Welch's is too small, see ``PairTest``."""
        return self.families > 1 or self.alpha < _FAR

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
            return Family(arms, self.alpha, self.cautious)
        return Family(2 if pairs == 1 else None, self.alpha / max(pairs, 1), self.cautious)

    def pairs(self, samples: Sequence[Sample]) -> tuple[tuple[int, int], ...]:
        """Return the pairs to compare as indices into ``samples``, which are best first.

        Raises:
            UsageError: the control is not among the samples, or the pairs are too many.

        """
        arms = range(len(samples))
        if self.control is None:
            count = len(samples) * (len(samples) - 1) // 2
            if count > _MOST_PAIRS:
                raise UsageError(
                    f"{len(samples):,} arms are {count:,} pairs, and no more than {_MOST_PAIRS:,} "
                    "are compared: compare all arms with one of them (--control), or rank some"
                )
            return tuple((a, b) for a in arms for b in arms if a < b)
        names = [sample.arm for sample in samples]
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
