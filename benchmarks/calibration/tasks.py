"""Rankings over several tasks: false claims, coverage and power of the three questions.

Means and variances of the cells are drawn, as the tests see nothing else of normal runs. The spread
of the runs differs from task to task, from 0.5 to 2; an arm differs from the others by as much on
every task ("equal"), or besides by an amount of its own on each ("random", with an SD of 1), which
is what makes a new task another question than the average over these.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from attnstudy.stats import Design, Measurements
from attnstudy.stats.comparisons.pairwise import all_pairs, holm
from attnstudy.stats.samples import Floats
from attnstudy.stats.tasks import TaskMeasurements
from attnstudy.stats.tasks.measured import read_grid
from attnstudy.stats.tasks.new_task import signed_rank_p
from attnstudy.stats.tasks.on_average import averages
from benchmarks.calibration.rates import Rate, stream

REPLICATIONS = 2_000
"""Studies of a row; fewer where each task of many is ranked, and where runs are resampled."""
ALPHA, BOUND, LEAST = 0.05, 0.055, 0.945
ARMS = 3
PATTERNS = {
    "equal": (1.0, 1.0, 1.0), "last × 4": (1.0, 1.0, 4.0), "last × 0.2": (1.0, 1.0, 0.2),
}  # fmt: skip
"""SDs of the arms' runs, times that of the task."""
METHODS = ("each", "average", "new", "sign", "t", "Nemenyi", "pooled", "bootstrap")
_GAP = 1.0  # of the first arm, where power is measured
_BOOTSTRAPS = 200
_FAMILIES = 24_000  # tasks that are ranked one by one

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A design."""

    tasks: int
    seeds: int
    spread: str
    """Of ``PATTERNS``."""
    effects: str
    """``equal`` or ``random``."""

    @property
    def name(self) -> str:
        """What it is called."""
        return f"{self.tasks} tasks × {self.seeds} seeds; SDs {self.spread}; effects {self.effects}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was counted of a row."""

    row: Row
    errors: dict[str, Rate]
    """By method: studies with a false claim, where the method's own hypothesis holds."""
    coverage: Rate
    """Studies in which all intervals of the average hold the truth."""
    power: dict[str, Rate]
    """By method: studies that show the first arm better than the second."""

    @property
    def kept(self) -> bool:
        """Whether the promises are kept: those of the three questions."""
        promised = [self.errors[name] for name in ("each", "average", "new")]
        return all(rate.at_most(BOUND) for rate in promised) and self.coverage.at_least(LEAST)


def rows() -> tuple[Row, ...]:
    """Return the designs."""
    return tuple(
        Row(tasks=tasks, seeds=seeds, spread=spread, effects=effects)
        for tasks in (3, 6, 10, 30)
        for seeds in (3, 5, 10)
        for spread in PATTERNS
        for effects in ("equal", "random")
    )


def measure_tasks(row: Row, *, replications: int = REPLICATIONS, seed: int = 0) -> Measured:
    """Measure one design: once without a difference, once with one."""
    none, fresh, nothing, shown = draw(row, replications, seed)
    average, covered = _average(none)
    claims: dict[str, tuple[_Drawn, Callable[[_Drawn], Bools]]] = {
        "each": (nothing, _each),
        "new": (fresh, lambda drawn: _over_tasks(drawn, signed_ranks)),
        "sign": (fresh, lambda drawn: _over_tasks(drawn, signs)),
        "t": (fresh, lambda drawn: _over_tasks(drawn, t_test)),
        "Nemenyi": (fresh, _nemenyi),
        "pooled": (none, _pooled),
        "bootstrap": (none, _bootstrap),
    }
    errors = {"average": _rate(average)}
    power = {"average": _rate(_average(shown)[0], first=True)}
    most = {"bootstrap": replications // 10, "each": _FAMILIES // row.tasks}
    for name, (drawn, test) in claims.items():
        few = most.get(name, replications)
        errors[name] = _rate(test(_first(drawn, few)))
        power[name] = _rate(test(_first(shown, few)), first=True)
    return Measured(row=row, errors=errors, coverage=Rate(int(covered.sum()), covered.size),
                    power=power)  # fmt: skip


def draw(row: Row, replications: int, seed: int = 0) -> tuple[_Drawn, _Drawn, _Drawn, _Drawn]:
    """Return the studies of a design.

    Effects differ between tasks and cancel out over them (no difference on average, though there is
    one on each); effects are drawn anew (no difference for a new task); nothing differs anywhere;
    the first arm is better.
    """
    rng = stream(f"tasks, {row.name}", seed)
    same = Row(tasks=row.tasks, seeds=row.seeds, spread=row.spread, effects="equal")
    return (
        _Drawn.of(row, rng, replications, gap=0.0, cancel=True),
        _Drawn.of(row, rng, replications, gap=0.0, cancel=False),
        _Drawn.of(same, rng, replications, gap=0.0, cancel=False),
        _Drawn.of(row, rng, replications, gap=_GAP, cancel=False),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """Studies; shape (studies, tasks, arms)."""

    row: Row
    means: Floats
    variances: Floats
    """Of the runs, divisor n - 1."""
    truth: Floats
    """True differences from the level of the task."""
    rng: np.random.Generator

    @classmethod
    def of(
        cls, row: Row, rng: np.random.Generator, count: int, *, gap: float, cancel: bool
    ) -> _Drawn:
        shape = (count, row.tasks, ARMS)
        truth = np.zeros(shape)
        if row.effects == "random":
            truth = rng.standard_normal(shape)
            if cancel:
                truth -= truth.mean(axis=1, keepdims=True)
        truth[..., 0] += gap
        sd = rng.uniform(0.5, 2.0, (count, row.tasks, 1)) * np.array(PATTERNS[row.spread])
        means = truth + rng.standard_normal(shape) * sd / math.sqrt(row.seeds)
        freedom = row.seeds - 1.0
        variances = sd**2 * rng.chisquare(freedom, shape) / freedom
        return cls(row, means, variances, truth, rng)


_A, _B = np.array([0, 0, 1]), np.array([1, 2, 2])  # the pairs, the first of which may differ


def _rate(claimed: Bools, *, first: bool = False) -> Rate:
    """Return how often there is any claim, or one of the first pair; shape (studies, pairs)."""
    counted = claimed[:, 0] if first else claimed.any(axis=1)
    return Rate(int(counted.sum()), counted.size)


def _tested(
    mean: Floats, variance: Floats, df: Floats, alpha: float, *, cautious: bool = False
) -> tuple[Floats, Floats]:
    """Return the interval ends of all pairs of families of arms; shape (families, pairs).

    Args:
        mean: shape (families, arms).
        variance: of the means, the same shape.
        df: its degrees of freedom, the same shape.
        alpha: of each family.
        cautious: whether it is the share of one of several.

    """
    families = mean.shape[0]
    n = df + 1.0
    start = np.arange(families)[:, None] * ARMS
    found = all_pairs(
        mean.ravel(), np.sqrt(variance * n).ravel(), n.ravel(), (start + _A).ravel(),
        (start + _B).ravel(), alpha=alpha, k=ARMS, cautious=cautious,
    )  # fmt: skip
    return found.low.reshape(families, -1), found.high.reshape(families, -1)


def _each(drawn: _Drawn) -> Bools:
    """Return the claims on any task: each is ranked with its share of the error rate."""
    count, tasks, _ = drawn.means.shape
    flat = drawn.means.reshape(-1, ARMS)
    variance = drawn.variances.reshape(-1, ARMS) / drawn.row.seeds
    df = np.full(flat.shape, drawn.row.seeds - 1.0)
    low, high = _tested(flat, variance, df, ALPHA / tasks, cautious=True)
    claimed: Bools = ((low > 0.0) | (high < 0.0)).reshape(count, tasks, -1)
    return np.asarray(claimed.any(axis=1))


def _average(drawn: _Drawn) -> tuple[Bools, Bools]:
    """Return the claims on average, and whether all intervals hold the truth."""
    parts = drawn.variances / drawn.row.seeds / drawn.row.tasks**2
    variance = parts.sum(axis=1)
    df = variance**2 / (parts**2 / (drawn.row.seeds - 1.0)).sum(axis=1)
    low, high = _tested(drawn.means.mean(axis=1), variance, df, ALPHA)
    true = drawn.truth.mean(axis=1)
    gaps = true[:, _A] - true[:, _B]
    claimed: Bools = (low > 0.0) | (high < 0.0)
    covered: Bools = ((low <= gaps) & (gaps <= high)).all(axis=1)
    return claimed, covered


def _over_tasks(drawn: _Drawn, test: Callable[[Floats], Floats]) -> Bools:
    """Return the claims of a test whose sample are the tasks, by Holm."""
    gaps = drawn.means[..., _A] - drawn.means[..., _B]
    p = np.stack([test(gaps[..., pair]) for pair in range(_A.size)], axis=1)
    return np.stack([holm(row) for row in p]) <= ALPHA


@cache
def _signed_rank_table(tasks: int) -> Floats:
    """Return the p-value for each sum of the ranks of positive differences."""
    ranks = np.arange(1.0, tasks + 1.0)
    total = tasks * (tasks + 1) // 2
    found = np.ones(total + 1)
    for positive in range(total + 1):
        signs, left = -np.ones(tasks), positive
        for rank in range(tasks, 0, -1):
            if left >= rank:
                signs[rank - 1], left = 1.0, left - rank
        found[positive] = signed_rank_p(signs * ranks)
    return found


def signed_ranks(gaps: Floats) -> Floats:
    """Return the p-values of signed ranks; shape (studies, tasks) to (studies,)."""
    ranks = np.argsort(np.argsort(np.abs(gaps), axis=1), axis=1) + 1
    positive = (ranks * (gaps > 0.0)).sum(axis=1)
    return _signed_rank_table(gaps.shape[1])[positive]


def signs(gaps: Floats) -> Floats:
    """Return the p-values of the sign test."""
    tasks = gaps.shape[1]
    wins = (gaps > 0.0).sum(axis=1)
    p: Floats = np.minimum(2.0 * stats.binom.cdf(np.minimum(wins, tasks - wins), tasks, 0.5), 1.0)
    return p


def t_test(gaps: Floats) -> Floats:
    """Return the p-values of the paired t test over tasks."""
    t = gaps.mean(axis=1) / (gaps.std(axis=1, ddof=1) / math.sqrt(gaps.shape[1]))
    p: Floats = 2.0 * stats.t.sf(np.abs(t), gaps.shape[1] - 1)
    return p


def _nemenyi(drawn: _Drawn) -> Bools:
    """Return the claims of mean ranks, as scikit-posthocs' ``posthoc_nemenyi_friedman`` makes."""
    tasks = drawn.row.tasks
    ranks = (np.argsort(np.argsort(drawn.means, axis=2), axis=2) + 1.0).mean(axis=1)
    gap = np.abs(ranks[:, _A] - ranks[:, _B])
    critical = stats.studentized_range.ppf(1.0 - ALPHA, ARMS, math.inf) / math.sqrt(2.0)
    return np.asarray(gap > critical * math.sqrt(ARMS * (ARMS + 1) / (6.0 * tasks)))


def _pooled(drawn: _Drawn) -> Bools:
    """Return the claims of a ranking that takes the runs of all tasks for repetitions of one."""
    tasks, seeds = drawn.row.tasks, drawn.row.seeds
    runs = tasks * seeds
    within = (drawn.variances * (seeds - 1.0)).sum(axis=1)
    mean = drawn.means.mean(axis=1)
    between = seeds * ((drawn.means - mean[:, None]) ** 2).sum(axis=1)
    variance = (within + between) / (runs - 1.0) / runs
    low, high = _tested(mean, variance, np.full(mean.shape, runs - 1.0), ALPHA)
    claimed: Bools = (low > 0.0) | (high < 0.0)
    return claimed


def _first(drawn: _Drawn, count: int) -> _Drawn:
    """Return so many of the studies: some methods take long."""
    some = slice(0, max(count, 1))
    return _Drawn(drawn.row, drawn.means[some], drawn.variances[some], drawn.truth[some], drawn.rng)


def _bootstrap(drawn: _Drawn) -> Bools:
    """Return the pairs whose intervals of rliable's interquartile mean do not overlap.

    Runs are resampled within each task and arm (rliable's stratified bootstrap), 95 % percentiles.
    """
    seeds, rng = drawn.row.seeds, drawn.rng
    claimed = []
    for study in _runs(drawn, rng):
        picked = rng.integers(seeds, size=(_BOOTSTRAPS, *study.shape))
        resampled = np.take_along_axis(study[None], picked, axis=3)
        scores = np.moveaxis(resampled, 2, 1).reshape(_BOOTSTRAPS, ARMS, -1)
        middle = stats.trim_mean(scores, 0.25, axis=2)
        low, high = np.percentile(middle, [2.5, 97.5], axis=0)
        claimed.append((low[_A] > high[_B]) | (low[_B] > high[_A]))
    return np.array(claimed)


def _runs(drawn: _Drawn, rng: np.random.Generator) -> Iterator[Floats]:
    """Yield the runs of each study, with its means and variances; shape (tasks, arms, seeds)."""
    seeds = drawn.row.seeds
    for mean, variance in zip(drawn.means, drawn.variances, strict=True):
        noise = rng.standard_normal((*mean.shape, seeds))
        noise -= noise.mean(axis=2, keepdims=True)
        noise /= noise.std(axis=2, ddof=1, keepdims=True)
        yield mean[..., None] + noise * np.sqrt(variance)[..., None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standardised:
    """How often the average in standard deviations claims a difference where there is none."""

    row: Row
    error: Rate

    @property
    def kept(self) -> bool:
        """Whether the promise is kept."""
        return self.error.at_most(BOUND)


def standardised_rows() -> tuple[Row, ...]:
    """Return the designs of which the average in standard deviations is measured."""
    return tuple(
        Row(tasks=tasks, seeds=seeds, spread=spread, effects="equal")
        for tasks in (3, 10, 30)
        for seeds in (3, 5)
        for spread in PATTERNS
    )


def measure_standardised(row: Row, *, replications: int = 400, seed: int = 0) -> Standardised:
    """Measure one design by the ranking's own code, run by run."""
    drawn = _Drawn.of(row, stream(f"standardised, {row.name}", seed), replications, gap=0.0,
                      cancel=False)  # fmt: skip
    design = Design(metric="score", unit="SD")
    count = 0
    for study in _runs(drawn, drawn.rng):
        given = {
            f"task {place}": TaskMeasurements(
                measured=Measurements(
                    samples={f"arm {arm}": values for arm, values in enumerate(cells)}
                ),
                direction="maximize",
                metric="score",
            )
            for place, cells in enumerate(study)
        }
        found = averages(read_grid(given, "sd"), design)
        count += any(decision.different for decision in found.decisions)
    return Standardised(row=row, error=Rate(count, replications))
