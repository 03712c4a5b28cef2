"""What to think of a component, and why another cannot be told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attnstudy.stats.evidence.components.design import Value, arms_of, groups, several_tasks
from attnstudy.stats.evidence.components.results import Components, Name, Untold

FEW = 5
"""Levels below which a component is hardly known: with four, even of a component that stands alone
the 95 % interval of its SD goes from 0.57 to 3.7 times the estimate (chi-squared, 3 degrees of
freedom)."""


def components_words(found: Components) -> list[str]:
    """Return remarks on components, and why others are not told, a phrase each."""
    return [
        *(f"{one.name}: {one.remark}" for one in found.components if one.remark),
        *(f"not told: {one.name}: {one.reason}" for one in found.untold),
    ]


def remark_of(name: Name, levels: int, *, zero: bool) -> str | None:
    """Return what to think of a component; None where there is nothing to say."""
    few = f"hardly known, from {levels} {_LEVELS[name]}" if levels < FEW else ""
    none = "estimated at zero: too small to be seen beside the others, not shown to be none"
    return "; ".join(part for part in (none if zero else "", few) if part) or None


_LEVELS: dict[Name, str] = {
    "task": "tasks",
    "arm x task": "arms on tasks",
    "seed": "seeds",
    "residual": "runs",
    "test items": "items",
    "arm x test items": "items",
}


def untold_of(
    runs: Sequence[Value],
    told: Mapping[Name, float],
    split: str | None,
    *,
    predicted: bool,
) -> Iterator[Untold]:
    """Give why each source that is not told cannot be."""
    if "residual" not in told:
        yield Untold(name="residual", reason="no arm has two runs: train each arm with more seeds")
    if "seed" not in told:
        yield Untold(name="seed", reason=_why_no_seed(runs))
    yield Untold(name="split", reason=_SPLITS[split])
    if "task" not in told:
        yield Untold(name="task", reason=_why_no_task(runs))
    if "arm x task" not in told:
        yield Untold(name="arm x task", reason=_why_no_interaction(runs))
    if "test items" not in told:
        reason = "there are no answers to single test items"
        if predicted and several_tasks(runs):
            reason = "the tasks have other test items: ask about one task"
        elif predicted:
            reason = "that takes two arms, or two runs of an arm, and two test items"
        yield Untold(name="test items", reason=reason)
    elif "arm x test items" not in told:
        yield Untold(name="arm x test items", reason="that takes two arms, each with two runs")


_SPLITS: dict[str | None, str] = {
    "by seed": "seed and split were drawn together: split = 'by seed' varies both",
    "fixed": "all runs share one split: split = 'by seed' would vary it with the seed",
    None: "nothing says how training and validation data were split for each run",
}


def _why_no_seed(runs: Sequence[Value]) -> str:
    if any(run.seed is None for run in runs):
        return "the runs have no seeds that arms could share: it is part of the residual"
    if several_tasks(runs) and len(set(groups(runs, "seed"))) == len({r.task for r in runs}):
        return "each task has one seed: it is part of the task"
    if len(arms_of(runs)) < 2:
        return "there is one arm, each seed run once: it is the residual"
    return "the arms share too few seeds: it is part of the residual"


def _why_no_task(runs: Sequence[Value]) -> str:
    if not several_tasks(runs):
        return "all runs are of one task"
    return "no arm was run on tasks that others were run on as well, so tasks and arms go together"


def _why_no_interaction(runs: Sequence[Value]) -> str:
    if not several_tasks(runs):
        return "all runs are of one task"
    if len(arms_of(runs)) < 2:
        return "there is one arm: it is part of the task"
    return "no two arms share two tasks with two runs each: it is part of the others"
