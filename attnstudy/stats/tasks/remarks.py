"""What a reader is told beside a ranking over tasks."""

from __future__ import annotations

from collections.abc import Mapping

from attnstudy.stats.provenance import Plan, Provenance
from attnstudy.stats.results import Ranking
from attnstudy.stats.tasks import words
from attnstudy.stats.tasks.measured import Grid
from attnstudy.stats.tasks.on_average import Averages
from attnstudy.stats.tasks.results import (
    Question,
    Turn,
)
from attnstudy.stats.vocabulary import Verdict


def left_out(grid: Grid, found: Averages) -> tuple[str, ...]:
    """Return the tasks that are not in the average, and why."""
    said = []
    for task in grid.tasks:
        if task in found.tasks:
            continue
        own = grid.cells[task]
        short = [arm for arm in grid.arms if arm not in own or not own[arm].tested]
        if short:
            runs = own[short[0]].n if short[0] in own else 0
            more = f", and {len(short) - 1} more too few" if len(short) > 1 else ""
            said.append(f"{task} ({short[0]} has {runs} of the 3 runs that a test needs{more})")
        else:
            said.append(f"{task} (its runs do not vary, so it has no standard deviation)")
    return tuple(said)


def notes(grid: Grid, rankings: Mapping[str, Ranking]) -> tuple[str, ...]:
    """Return what has to be known of how the answers were found."""
    notes = []
    if grid.scale == "sd" or grid.reason:
        unit = "standard deviations of the runs of each task"
        if grid.scale == "metric":
            unit = "the unit of the metric, taken to be one on all tasks"
        why = f", because {grid.reason}" if grid.reason else ""
        notes.append(f"over tasks, differences are in {unit}{why}")
    notes += _copies(grid)
    for task, ranking in rankings.items():
        notes += [f"{task}: {flag.message}" for flag in ranking.flags]
    return tuple(notes)


def _copies(grid: Grid) -> list[str]:
    """Return a note for each group of tasks that hold the very same values of several arms."""
    groups: dict[tuple[tuple[str, tuple[float, ...]], ...], list[str]] = {}
    for task in grid.tasks:
        values = tuple(sorted((arm, tuple(s.values)) for arm, s in grid.cells[task].items()))
        if len({one for _, one in values}) > 1:
            groups.setdefault(values, []).append(task)
    return [
        f"{' and '.join(alike)} hold the very same values: one may be a copy, and counts twice"
        for alike in groups.values()
        if len(alike) > 1
    ]


def status_reason(
    provenance: Provenance, question: Question | None, plans: Mapping[str, Plan]
) -> str:
    """Return why the answers are confirmatory or exploratory."""
    if provenance.plan is None:
        return "; ".join(("no plan was recorded before the first run", *provenance.deviations))
    if question is None:
        return (
            "the plans do not say which of the three questions is asked: [ranking] tasks = 'each', "
            "'average' or 'new'"
        )
    if provenance.deviations:
        return f"the plans were not followed: {'; '.join(provenance.deviations)}"
    named = ", ".join(f"{plan.hash} ({task}, {plan.date})" for task, plan in plans.items())
    return f"the plans {named} were recorded before the first run of each, and followed"


def turns_of(rankings: Mapping[str, Ranking]) -> tuple[Turn, ...]:
    """Return the pairs whose order is shown both ways, which holds with the same error rate."""
    better: dict[tuple[str, str], list[str]] = {}
    for task, ranking in rankings.items():
        for pair in ranking.pairs:
            if pair.verdict in (Verdict.BETTER, Verdict.WORSE):
                better.setdefault(words.won(pair.a, pair.b, pair.verdict), []).append(task)
    return tuple(
        Turn(a=a, b=b, a_better=tuple(tasks), b_better=tuple(better[b, a]))
        for (a, b), tasks in better.items()
        if (b, a) in better and (len(tasks), a) >= (len(better[b, a]), b)
    )
