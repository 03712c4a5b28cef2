"""The figures of a page: beside each other, and where need be drawn for a desk and for a phone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from matplotlib.figure import Figure

from attnstudy.report.context import Context
from attnstudy.report.figures import ranking_figures
from attnstudy.report.intervals import (
    MOST_ARMS,
    MOST_PAIRS,
    differences_figure,
    parts,
    runs_figure,
)
from attnstudy.report.lines import curves_figure
from attnstudy.report.marks import Marks
from attnstudy.report.markup import grid
from attnstudy.report.matrix import superiority_figure
from attnstudy.report.over_tasks import panels_figure, task_figures
from attnstudy.report.style import Look, styled
from attnstudy.report.svg import inline_svg
from attnstudy.stats import Ranking
from attnstudy.stats.tasks import TaskRanking

Screen: TypeAlias = Literal["any", "phone", "desk"]

_LINES = Look(width=8.0)  # inches, of a figure that has the page's whole width
_MATRIX = Look(width=6.6)


@dataclass(frozen=True, slots=True)
class Drawing:
    """One SVG of the page."""

    figure: Figure
    screen: Screen = "any"
    """Where it is shown."""


def drawings(ranking: Ranking, context: Context) -> Mapping[str, Sequence[Drawing]]:
    """Return the drawings of each figure that applies, by the name of the figure.

    Rows that are many are drawn in halves. What has the whole width of the page is drawn for a
    desk, and again for a phone, where the letters of the wide one would be too small.
    """
    found = {name: [Drawing(figure)] for name, figure in ranking_figures(ranking, context).items()}
    arms = parts(len(ranking.arms[:MOST_ARMS]))
    pairs = parts(len(ranking.pairs[:MOST_PAIRS]))
    with styled():
        if len(arms) > 1:
            found["runs"] = [Drawing(runs_figure(ranking, part)) for part in arms]
        if len(pairs) > 1:
            found["differences"] = [Drawing(differences_figure(ranking, part)) for part in pairs]
    wide = {}
    with styled(_LINES):
        wide["curves"] = curves_figure(ranking, context)
    with styled(_MATRIX):
        wide["superiority"] = superiority_figure(ranking) if len(arms) > 1 else None
    for name, figure in wide.items():
        if figure is not None:
            (narrow,) = found[name]
            found[name] = [Drawing(narrow.figure, "phone"), Drawing(figure, "desk")]
    return found


def task_drawings(ranking: TaskRanking) -> Mapping[str, Sequence[Drawing]]:
    """Return the same of a ranking over tasks; on a phone, panels stand below each other."""
    found = {name: [Drawing(figure)] for name, figure in task_figures(ranking).items()}
    with styled():
        below = Drawing(panels_figure(ranking, across=1), "phone")
    found["tasks"] = [below, *(Drawing(one.figure, "desk") for one in found["tasks"])]
    return found


def inline(drawn: Sequence[Drawing], name: str, label: str, marks: Marks | None) -> str:
    """Return what was drawn of one figure as HTML; halves stand beside each other.

    Args:
        drawn: the drawings.
        name: of the figure.
        label: what it shows, for readers who do not see it.
        marks: what its groups stand for.

    """
    svgs = [
        inline_svg(
            one.figure, f"{name}-{number}" if number else name, label, marks,
            "" if one.screen == "any" else one.screen,
        )
        for number, one in enumerate(drawn)
    ]  # fmt: skip
    halves = len(drawn) > 1 and drawn[0].screen == "any"
    return grid(*svgs) if halves else "".join(svgs)
