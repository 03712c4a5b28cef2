"""What is refused of tasks: those that sum up others, and those in other units."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from attnstudy.errors import UsageError
from attnstudy.tables.asked import UNNAMED
from attnstudy.tables.grid import Grid
from attnstudy.tables.headings import is_bounded, is_fold, may_be_bounded, sums_up_tasks, words_of
from attnstudy.usecases.sources.collected import Collected

_CHANCE = 0.01
"""How likely by chance a task may sum up the others, to be taken for one that does."""
_LOOSE = 0.5
"""The same, where its name is half that of a summary."""
_SUMS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "mean": statistics.fmean,
    "median": statistics.median,
    "geometric mean": lambda values: (
        statistics.geometric_mean(values) if min(values) > 0 else math.nan
    ),
    "sum": math.fsum,
}


def refuse_signs_of_some(what: str, grid: Grid, column: str, rows: Mapping[str, list[int]]) -> None:
    """Refuse a table with percent signs on some tasks alone.

    Raises:
        UsageError: naming a task of each kind.

    """
    signed: set[int] = set()
    for cells in grid.columns:
        signed |= {row for row, cell in enumerate(cells) if cell.endswith("%")}
    has = {task: not signed.isdisjoint(own) for task, own in rows.items()}
    if signed and len(set(has.values())) == 2:
        with_sign = next(task for task, there in has.items() if there)
        without = next(task for task, there in has.items() if not there)
        raise UsageError(
            f"{what} has percent signs on some tasks ({column} {with_sign}) and none on others "
            f"({without}): give all in one unit"
        )


@dataclass(frozen=True, slots=True)
class TaskNames:
    """Where the names of tasks come from, and how one of them is left out."""

    field: str
    """The column, or the param or tag."""
    source: str
    """What it is a field of."""
    filter: str
    """The filter that leaves a task out, quoted for a shell, with ``{}`` for its name."""

    @property
    def said(self) -> str:
        """Where they are, as in "in SAID"."""
        return f"{self.field} of {self.source}"

    def check(self, tasks: Iterable[str]) -> None:
        """Refuse a task that is called as what sums up others, and folds.

        Raises:
            UsageError: naming it.

        """
        tasks = list(tasks)
        if is_fold(re.sub(r"^column |^(params|tags)\.|'", "", self.field), tasks):
            raise UsageError(
                f"{self.said} numbers folds, parts of one task on which results overlap: leave "
                "--task-by out, and they are described as folds"
            )
        if summary := next(filter(sums_up_tasks, tasks), None):
            raise UsageError(
                f"{summary!r} in {self.said} seems to summarise the tasks: "
                f"{self.without(summary)}, or rename the task"
            )

    def without(self, task: str) -> str:
        """Return what to do without a task."""
        return f"leave it out with --filter {self.filter.format(task)}"


def refuse_unlike_tasks(names: TaskNames, found: Mapping[str, Collected]) -> None:
    """Refuse tasks that sum up the others, and single values that are fractions on some tasks.

    Raises:
        UsageError: naming the task.

    """
    means = {task: _means(one) for task, one in found.items()}
    arms = [
        arm for arm in next(iter(means.values()), {}) if all(arm in own for own in means.values())
    ]
    if len(arms) > 1:
        for place, task in enumerate(means):
            end = place in (0, len(means) - 1)
            others = [own for other, own in means.items() if other != task]
            if said := _summed(task, means[task], others, arms, 2 if end else len(means)):
                raise UsageError(
                    f"{task!r} in {names.said} is in every arm the {said} of the other tasks: "
                    f"{names.without(task)}"
                )
    if all(len(values) == 1 for one in found.values() for values in one.samples.values()):
        _refuse_fractions_of_some(names, found, means)


def _means(one: Collected) -> dict[str, float]:
    found = {}
    for arm, samples in one.samples.items():
        values = [*(samples.values() if isinstance(samples, Mapping) else samples)]
        if values:
            found[arm] = math.fsum(values) / len(values)
    return found


def _unit(values: Sequence[float]) -> float:
    """Return one unit of the last decimal that any of some numbers shows."""
    places = [-int(Decimal(repr(v)).normalize().as_tuple().exponent) for v in values]
    return float(10.0 ** -max(0, *places)) if places else 1.0


def _summed(
    task: str,
    mine: Mapping[str, float],
    others: Sequence[Mapping[str, float]],
    arms: Sequence[str],
    looked: int,
) -> str | None:
    """Return what of the other tasks a task is in every arm, hardly by chance; None if nothing.

    Arms go up and down together from task to task, so the first counts by how the tasks are
    spread, and each other one by how its distance to the one before it is.
    """
    if len(others) < 2:
        return None
    unit = max(
        _unit([mine[arm] for arm in arms]),
        min(_unit([own[arm] for arm in arms]) for own in others) / 2,
    )
    series = [[own[arms[0]] for own in others]]
    series += [[own[b] - own[a] for own in others] for a, b in pairwise(arms)]
    spreads = [max(values) - min(values) for values in series]
    chance = math.prod(min(1.0, 2 * unit / spread) if spread else 1.0 for spread in spreads)
    loose = words_of(task) & {"score", "scores", "overall", "total", "all", "index"}
    if chance * (1 if loose else looked) >= (_LOOSE if loose else _CHANCE):
        return None
    for name, compute in _SUMS.items():
        if all(abs(compute([own[arm] for own in others]) - mine[arm]) < unit for arm in arms):
            return name
    return None


def _refuse_fractions_of_some(
    names: TaskNames, found: Mapping[str, Collected], means: Mapping[str, Mapping[str, float]]
) -> None:
    """Refuse single values that are fractions on some tasks and in percent on all others.

    With several runs a cell, differences are counted in standard deviations then.
    """
    metrics = {one.metric for one in found.values()}
    metric = next(iter(metrics))
    if len(metrics) > 1 or not (is_bounded(metric) or may_be_bounded(metric, UNNAMED)):
        return
    least = 1 if is_bounded(metric) else 10  # of a percentage, where only its size says so
    fractions = [t for t, own in means.items() if own and all(0 <= v <= 1 for v in own.values())]
    percent = [t for t, own in means.items() if own and all(least < v <= 100 for v in own.values())]
    if fractions and percent and len(fractions) + len(percent) == len(means):
        raise UsageError(
            f"{names.said} has tasks with fractions ({fractions[0]}: "
            f"{next(iter(means[fractions[0]].values())):g}) and tasks in percent ({percent[0]}: "
            f"{next(iter(means[percent[0]].values())):g}): give all in one unit; or, if they are "
            "neither, say what they are with --metric"
        )
