"""What a ranking over several tasks consists of. Every field is a field of the JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from attnstudy.stats._codec import encode
from attnstudy.stats.provenance import Exclusion, Plan, Source
from attnstudy.stats.results import Ranking
from attnstudy.stats.vocabulary import Direction, Verdict

Question: TypeAlias = Literal["each", "average", "new"]
QUESTIONS: tuple[Question, ...] = ("each", "average", "new")


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTask:
    """One task, ranked with its share of the error rate."""

    name: str
    metric: str
    direction: Direction
    sd: float | None
    """Standard deviation of its runs: the root of the arms' mean variance; None without any."""
    plan: Plan | None
    """The plan of its runs."""
    in_average: bool
    """Whether every arm has enough runs for the average over tasks."""
    ranking: Ranking
    """At ``OnEach.alpha``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskArm:
    """One arm over all tasks."""

    name: str
    tasks: int
    """Tasks on which it has a value."""
    runs: int
    """Its values on all tasks."""
    diverged: int
    """Its runs that diverged, on all tasks."""
    mean: float | None
    """Average over the tasks of ``OnAverage``: of its means, or, in standard deviations, of its
    distance from the mean of the arms; None where there is no average."""
    mean_rank: float | None
    """Mean of its ranks over the tasks on which every arm has a value, 1 is best."""
    rank_low: int | None
    """Best rank on average over these tasks that the data leave open."""
    rank_high: int | None
    """Worst rank that the data leave open."""
    group: str | None
    """Letters; arms that share one are not shown different on average over these tasks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A pair whose order is shown one way on some tasks, and the other way on others."""

    a: str
    b: str
    a_better: tuple[str, ...]
    """Tasks on which a is shown better."""
    b_better: tuple[str, ...]
    """Tasks on which b is shown better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnEach:
    """The first question: on each of these tasks, all claims together."""

    alpha: float
    """Family-wise error rate of one task: its share of that over all tasks and pairs."""
    turns: tuple[Turn, ...]
    verdict: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AveragePair:
    """Two arms on average over these tasks, ``a`` minus ``b``."""

    a: str
    """The higher-ranked arm; with a control, the other arm."""
    b: str
    difference: float | None
    ci_low: float | None
    """Lower end of the interval that holds jointly for the family, for new seeds."""
    ci_high: float | None
    se: float | None
    """Standard error of the difference, from the seeds alone."""
    df: float | None
    """Satterthwaite's degrees of freedom."""
    calibrated: float | None
    """Weight of the calibrated p-value, see ``Pair``."""
    p_adjusted: float | None
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class OnAverage:
    """The second question: on average over these very tasks; what varies are the seeds."""

    tasks: tuple[str, ...]
    """Those on which every arm has enough runs."""
    weights: tuple[float, ...]
    """Of the tasks, together 1."""
    left_out: tuple[str, ...]
    """Tasks that are not among them, with the reason."""
    pairs: tuple[AveragePair, ...]
    verdict: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior:
    """What is believed of a new task, as a description beside the test."""

    a_better: float
    """Probability that a is better by more than the margin."""
    equivalent: float
    """Probability that the difference is within the margin; 0 without one."""
    b_better: float
    """Probability that b is better by more than the margin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTaskPair:
    """Two arms on a new task like these, ``a`` minus ``b``: a difference a task."""

    a: str
    b: str
    tasks: int
    """Tasks on which both have a value."""
    wins: int
    """Tasks on which the mean of a is better."""
    ties: int
    losses: int
    difference: float | None
    """Mean over the tasks."""
    ci_low: float | None
    """Lower end of the t interval over tasks, Bonferroni over the family."""
    ci_high: float | None
    between_sd: float | None
    """Standard deviation of the differences between tasks, without what the seeds add."""
    wilcoxon_p: float | None
    """Exact Wilcoxon signed ranks, two-sided, Holm; the verdict rests on it."""
    sign_p: float | None
    """Sign test, two-sided, Holm."""
    t_p: float | None
    """Paired t over tasks, two-sided, Holm."""
    smallest_p: float | None
    """The smallest that Wilcoxon's adjusted p can be with so many tasks."""
    posterior: Posterior | None
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class OnNewTask:
    """The third question: on a new task like these; the tasks are the sample."""

    pairs: tuple[NewTaskPair, ...]
    tasks_needed: int
    """Tasks from which the first pair could be decided."""
    verdict: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanRanks:
    """Friedman's test and Nemenyi's critical difference, for those who must report them.

    No verdict rests on them: whether two arms differ by mean ranks depends on which others are
    in the pool (Benavoli, Corani and Mangili, J. Mach. Learn. Res. 17 (2016) 1-10).
    """

    tasks: tuple[str, ...]
    """Those on which every arm has a value."""
    friedman: float
    """Friedman's chi-squared, corrected for ties."""
    friedman_p: float
    iman_davenport: float | None
    """The F statistic of Iman and Davenport; None where it is infinite."""
    iman_davenport_p: float
    critical_difference: float
    """Nemenyi's, of mean ranks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRanking:
    """A ranking over several tasks: three questions, each with its answer."""

    schema: int
    study: str | None
    metric: str
    """Name of the metric; several are joined by commas."""
    scale: Literal["metric", "sd"]
    """What differences over tasks are measured in."""
    scale_reason: str
    unit: str
    direction: Direction
    alpha: float
    margin: float | None
    control: str | None
    status: Literal["confirmatory", "exploratory"]
    status_reason: str
    question: Question | None
    """The one whose answer is the verdict; None where none was chosen."""
    tasks: tuple[OneTask, ...]
    arms: tuple[TaskArm, ...]
    """Best on average first."""
    each: OnEach
    average: OnAverage
    new: OnNewTask
    mean_ranks: MeanRanks | None
    """None for two arms, or fewer than two tasks with a value of every arm."""
    notes: tuple[str, ...]
    excluded: tuple[Exclusion, ...]
    verdict: str
    """That of the question; all three where none was chosen."""
    sentence: str
    source: Source | None = None

    def __repr__(self) -> str:
        """Show the answers at Python's prompt."""
        return (
            f"Ranking of {len(self.arms)} arms over {len(self.tasks)} tasks by {self.metric}, "
            f"{self.status}\non each task: {self.each.verdict}\non average over these tasks: "
            f"{self.average.verdict}\non a new task like these: {self.new.verdict}"
        )

    def to_json(self) -> dict[str, Any]:
        """Return everything as strict JSON knows it: no NaN, no infinity, null for None."""
        encoded: dict[str, Any] = encode(self)
        return encoded

    def to_latex(self) -> str:
        """Return a ``table`` of LaTeX that needs booktabs alone: a row per task, a column per arm.

        Bold is an arm only where it is shown better than all others on that task.
        """
        from attnstudy.stats.tasks.latex import tasks_latex

        return tasks_latex(self)
