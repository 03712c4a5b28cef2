"""What a ranking consists of. Every field is a field of the JSON; None where not applicable.

Differences, means and spreads are in the metric's own unit (percentage points for accuracies in
percent); probabilities lie between 0 and 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal

from attnstudy.errors import UsageError
from attnstudy.stats._codec import decode, encode, key
from attnstudy.stats.comparisons.looks import Looks
from attnstudy.stats.evidence.power import Power
from attnstudy.stats.evidence.robust import Robust
from attnstudy.stats.evidence.scope import Scope
from attnstudy.stats.notebook import ranking_as_html, ranking_as_text
from attnstudy.stats.provenance import Exclusion, Plan, Source
from attnstudy.stats.vocabulary import Direction, IntervalKind, Method, Verdict

if TYPE_CHECKING:
    from pandas import DataFrame

SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One arm, described."""

    name: str = field(metadata={"key": "variant"})
    """Name."""
    n: int
    """Number of values."""
    mean: float | None
    """Mean; None when every run diverged."""
    sd: float | None
    """Standard deviation with divisor n - 1; None below two values."""
    median: float | None
    """Median."""
    min: float | None
    """Smallest value."""
    max: float | None
    """Largest value."""
    values: tuple[float, ...]
    """Every value, ascending by seed or in the order given."""
    seeds: tuple[int, ...] | None
    """The seed of each value."""
    ci_low: float | None
    """Lower end of the arm's own 1 - alpha t interval, with the overlap of folds; None below three
    values, or for folds of unknown overlap."""
    ci_high: float | None
    """Upper end of the same interval."""
    rank_low: int | None
    """Best rank that the data leave open."""
    rank_high: int | None
    """Worst rank that the data leave open."""
    group: str | None
    """Letters; arms that share one are not shown different."""
    diverged: int
    """Runs that diverged; they are not among the values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two arms compared, ``a`` minus ``b``."""

    a: str
    """The higher-ranked arm; with a control, the other arm."""
    b: str
    """The lower-ranked arm; with a control, the control."""
    difference: float | None
    """Mean of a minus mean of b."""
    ci_low: float | None
    """Lower end of the interval that holds jointly for the family."""
    ci_high: float | None
    """Upper end of the same interval."""
    se: float | None
    """Standard error of the difference; of folds with the overlap of their training data."""
    df: float | None
    """Satterthwaite's degrees of freedom; paired, the shared seeds or folds less one."""
    calibrated: float | None
    """Weight of the calibrated p-value: 0 where p is Games-Howell's or Welch's own, up to 1."""
    p_adjusted: float | None
    """Two-sided p-value, adjusted for the family."""
    hedges_g: float | None
    """Standardised difference, corrected for small samples."""
    prob_superiority: float | None
    """Probability that a run of a is better than one of b, ties counted half."""
    prob_superiority_low: float | None
    """Lower end of its interval, Bonferroni over the family; from ten runs per arm on, and not for
    folds."""
    prob_superiority_high: float | None
    """Upper end of the same interval."""
    verdict: Verdict
    """What may be said of a against b."""
    seeds_for_observed: int | None
    """Seeds per arm to show a true difference as large as observed; None where the pair is decided,
    beyond 1,000, or for folds, of which more do not help as more seeds do."""
    seeds_for_equivalence: int | None
    """Seeds per arm to show equivalence within the margin where nothing differs; as above."""
    within_margin: bool | None
    """Whether the whole interval lies inside the margin; None without a margin."""
    advice: str
    """What to do about the verdict."""
    look: int | None
    """The declared look, from 1, at which the pair was decided or last tested."""
    seed_correlation: float | None
    """Correlation of the two arms over their shared seeds."""
    robust: Robust | None
    """The robustness line."""

    @property
    def includes_zero(self) -> bool:
        """Whether it is shown different, by Holm's p, while the interval includes zero."""
        if self.verdict not in (Verdict.BETTER, Verdict.WORSE):
            return False
        return (
            self.ci_low is not None
            and self.ci_high is not None
            and (self.ci_low <= 0.0 <= self.ci_high)
        )

    @property
    def shown_p(self) -> float | None:
        """The adjusted p where it speaks for the verdict: of equivalence it says nothing."""
        return None if self.verdict is Verdict.EQUIVALENT else self.p_adjusted


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """Something about the data to look at; never a deletion."""

    kind: str
    """margin, influential, duplicate, sd-ratio, granularity, near-chance, best-epoch, tuning,
    test-reuse or constant."""
    arm: str | None = field(metadata={"key": "variant"})
    """The arm."""
    seed: int | None
    """The seed of the value, where known."""
    value: float | None
    """The value, or the statistic that the message explains."""
    message: str
    """One sentence."""
    verdict_without: str | None
    """The study's verdict without the value, or with each repeated value kept once; None where
    no values are meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChanceView:
    """The ranking with chance accuracy in the place of every run that diverged."""

    chance: float
    """The accuracy put in."""
    order: tuple[str, ...]
    """Arms, best first."""
    means: tuple[float, ...]
    """Their means, in that order."""
    verdict: str
    """The study's verdict then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """A ranking with error control: what ``rank`` returns."""

    schema: int
    """Version of the JSON."""
    study: str | None
    """Name of the study."""
    config: str | None
    """Identity of the configuration."""
    metric: str
    """Name of the metric."""
    unit: str
    """Unit of differences: ``points`` for accuracies in percent, else empty."""
    direction: Direction
    """Which way the metric is better."""
    alpha: float
    """Family-wise error rate."""
    method: Method
    """How the pairs are tested; ``descriptive`` where they are not: folds of unknown overlap."""
    interval: IntervalKind
    """What the pairs' intervals are."""
    control: str | None
    """The arm that all others are compared with."""
    margin: float | None
    """Largest difference that does not matter."""
    status: Literal["confirmatory", "exploratory"]
    """Whether the plan was made before the data, and kept."""
    status_reason: str
    """Why."""
    plan: Plan | None
    """The plan."""
    looks: Looks | None
    """Sequential looks."""
    arms: tuple[Arm, ...]
    """Best first."""
    pairs: tuple[Pair, ...]
    """All pairs, or all against the control."""
    power: Power | None
    """What the study can see."""
    scope: Scope | None
    """What the result says beyond these seeds."""
    with_chance: ChanceView | None
    """The ranking with chance accuracy for diverged runs."""
    flags: tuple[Flag, ...]
    """Things to look at."""
    notes: tuple[str, ...]
    """Remarks, a sentence each."""
    excluded: tuple[Exclusion, ...]
    """Runs left out."""
    verdict: str
    """What is defensible, in a few words."""
    sentence: str
    """What to write, in one sentence."""
    source: Source | None = None
    """How the results were read, where others made them."""
    folds: tuple[int, int] | None = None
    """Training and test items of a fold, where runs are compared fold by fold."""
    order: str | None = None
    """The arms as a chain, such as ``{early, late} > vanilla``; None where what was shown makes
    none: see ``wording.chain``."""

    @property
    def repetition(self) -> str:
        """What a run is the repetition of."""
        return "fold" if self.method in ("paired-folds", "descriptive") else "seed"

    @property
    def pair_alpha(self) -> float:
        """Error rate of the pairs' intervals and decisions: that of one look, where there are."""
        return self.alpha / len(self.looks.declared) if self.looks else self.alpha

    def to_json(self) -> dict[str, Any]:
        """Return everything as strict JSON knows it: no NaN, no infinity, null for None."""
        encoded: dict[str, Any] = encode(self)
        return encoded

    def to_frame(self, what: Literal["pairs", "arms"] = "pairs") -> DataFrame:
        """Return the pairs, or the arms, as a pandas DataFrame with a row each.

        The columns are called as in JSON; what holds several numbers is left out.

        Raises:
            UsageError: ``what`` is neither.

        """
        import pandas as pd

        if what not in ("pairs", "arms"):
            raise UsageError(f"{what!r} is no table of a ranking: ask for 'pairs' or 'arms'")
        of: type[Pair | Arm] = Pair if what == "pairs" else Arm
        shown = [one for one in fields(of) if one.name not in ("robust", "values", "seeds")]
        rows = [[getattr(one, field.name) for field in shown] for one in getattr(self, what)]
        frame = pd.DataFrame(rows, columns=list(map(key, shown)))
        if what == "pairs":
            frame["verdict"] = [pair.verdict.value for pair in self.pairs]
        return frame

    def to_latex(self) -> str:
        """Return a ``table`` of LaTeX that needs booktabs alone: the arms, and the decided pairs.

        Its caption says how many runs there are, how they were tested, and by which plan.
        """
        from attnstudy.stats.latex.ranking import ranking_latex

        return ranking_latex(self)

    def __repr__(self) -> str:
        """Show verdict, arms and pairs at Python's prompt."""
        return ranking_as_text(self)

    def _repr_html_(self) -> str:
        """Show the ranking in a Jupyter notebook."""
        return ranking_as_html(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Ranking:
        """Return the ranking that ``to_json`` wrote.

        Raises:
            UsageError: the data are of another schema or are not a ranking.

        """
        schema = data.get("schema") if isinstance(data, Mapping) else None
        if schema != SCHEMA:
            raise UsageError(
                f"this is no ranking of schema {SCHEMA} but of {schema!r}: "
                "write it again with this version's 'attnstudy rank --json'"
            )
        ranking: Ranking = decode(cls, data)
        return ranking
