"""What the marks of the figures stand for, so that the page can hide and name them.

A mark is found by its ``gid``, which matplotlib writes into an SVG as the ``id`` of a group.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from attnstudy.report.context import Context
from attnstudy.report.intervals import MOST_ARMS, MOST_PAIRS
from attnstudy.stats import Arm, Ranking
from attnstudy.stats.tasks import TaskRanking
from attnstudy.stats.wording.numbers import exact


@dataclass(frozen=True, slots=True)
class Mark:
    """What one group of an SVG stands for."""

    arms: tuple[int, ...] = ()
    """Places of the arms that it is about, from 0; it is hidden with any of them."""
    points: tuple[str, ...] = ()
    """What each of its points is, in the order in which they are drawn."""
    cells: tuple[tuple[int, ...], ...] = ()
    """The arms of each of its cells, in the order in which they are drawn."""


Marks: TypeAlias = Mapping[str, Mark]
"""gid -> mark."""


def places(arms: Iterable[int]) -> str:
    """Return places of arms as the attribute ``data-arm`` has them."""
    return " ".join(map(str, arms))


def of_pairs(names: Sequence[str], pairs: Iterable[tuple[str, str]]) -> list[tuple[int, int]]:
    """Return the places of the two arms of each pair."""
    place = {name: at for at, name in enumerate(names)}
    return [(place[a], place[b]) for a, b in pairs]


def ranking_marks(ranking: Ranking, context: Context) -> dict[str, Marks]:
    """Return the marks of each figure of a ranking by the figure's name."""
    names = [arm.name for arm in ranking.arms]
    runs: dict[str, Mark] = {}
    for place, arm in enumerate(ranking.arms):
        about = Mark((place,))
        runs |= {f"{kind}-{place}": about for kind in ("interval", "mean", "name", "note")}
        runs[f"runs-{place}"] = Mark((place,), points=points_of(arm, ranking.repetition))
    differences: dict[str, Mark] = {}
    drawn = ranking.pairs[:MOST_PAIRS]
    for row, two in enumerate(of_pairs(names, ((pair.a, pair.b) for pair in drawn))):
        kinds = ("interval", "difference", "name", "note", "margin", "edges", "zero")
        differences |= {f"{kind}-{row}": Mark(two) for kind in kinds}
    columns = None if ranking.control is None else [names.index(ranking.control)]
    curves = {
        f"{kind}-{place}": Mark((place,))
        for place, name in enumerate(names)
        if name in context.curves
        for kind in ("curve", "band", "key", "label")
    }
    return {
        "runs": runs,
        "differences": differences,
        "superiority": matrix_marks(len(names[:MOST_ARMS]), columns),
        "curves": curves,
    }


def task_marks(ranking: TaskRanking) -> dict[str, Marks]:
    """Return the marks of each figure of a ranking over tasks by the figure's name."""
    place = {arm.name: at for at, arm in enumerate(ranking.arms)}
    tasks: dict[str, Mark] = {}
    for panel, task in enumerate(ranking.tasks):
        for arm in task.ranking.arms:
            at = place[arm.name]
            tasks |= {f"{kind}-{panel}-{at}": Mark((at,)) for kind in ("interval", "mean")}
            points = points_of(arm, task.ranking.repetition)
            tasks[f"runs-{panel}-{at}"] = Mark((at,), points=points)
    ranks = {f"{kind}-{at}": Mark((at,)) for at in place.values() for kind in ("line", "rank")}
    return {"tasks": tasks, "pairs": matrix_marks(len(place)), "mean-ranks": ranks}


def matrix_marks(count: int, columns: Sequence[int] | None = None) -> Marks:
    """Return the marks of a matrix of arms over arms, or over those in ``columns``."""
    across = range(count) if columns is None else columns
    cells = [(row, column) for row in range(count) for column in across]
    marks = {"cells": Mark(cells=tuple(cells))}
    marks |= {f"cell-{row}-{column}": Mark((row, column)) for row, column in cells}
    marks |= {f"row-{row}": Mark((row,)) for row in range(count)}
    return marks | {f"column-{column}": Mark((column,)) for column in across}


def points_of(arm: Arm, repetition: str) -> tuple[str, ...]:
    """Return what each run of an arm is: the arm, its seed or fold, its value."""
    if arm.seeds is None:
        return tuple(f"{arm.name}: {exact(value)}" for value in arm.values)
    return tuple(
        f"{arm.name}, {repetition} {seed}: {exact(value)}"
        for value, seed in zip(arm.values, arm.seeds, strict=True)
    )
