"""The probability of superiority of every arm over every other."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from attnstudy.report.intervals import MOST_ARMS
from attnstudy.report.labels import NAMED, labels
from attnstudy.report.style import PAPER, new_figure, points
from attnstudy.stats import Ranking

Matrix: TypeAlias = np.ndarray[tuple[int, int], np.dtype[np.float64]]

_NUMBERED = 25  # arms up to which every side is numbered

# orange through grey to blue; text on each is black or white, so it stands on any screen
STEPS = (
    "#a34a00", "#c26a1c", "#d98f4e", "#e8b78a", "#eed9c4", "#e4e6e9",
    "#cbdcec", "#9dc0e0", "#699fd0", "#3a7cb8", "#12599a",
)  # fmt: skip
DARK_STEPS = frozenset({0, 9, 10})


def superiority_figure(ranking: Ranking) -> Figure | None:
    """Draw P(row is better than column); None when no pair has one.

    With a control there is one column, the control.
    """
    rows = [arm.name for arm in ranking.arms[:MOST_ARMS]]
    columns = rows if ranking.control is None else [ranking.control]
    chance = _chances(ranking, rows, columns)
    if np.isnan(chance).all():
        return None
    count, single = len(rows), len(columns) == 1
    named = count <= NAMED or single
    height = 0.9 + 0.26 * count if single else 1.3 + 0.34 * count if named else 3.5
    figure, axes = new_figure(height)
    mesh = axes.pcolormesh(
        np.ma.masked_invalid(chance), cmap=ListedColormap(STEPS), vmin=0.0, vmax=1.0,
        edgecolors=PAPER if named else "none", linewidth=1.2 if named else 0.0,
    )  # fmt: skip
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    if named:
        _write_cells(axes, chance)
        names = labels(ranking, 14)
        name_sides(axes, [names[row] for row in rows], [names[column] for column in columns])
    else:
        _number_sides(axes, count)
    axes.set_ylabel("this arm" if named else "arm, by its place in the table")
    axes.set_xlabel("is better than this one")
    bar = figure.colorbar(mesh, ax=axes, ticks=[0, 0.25, 0.5, 0.75, 1], fraction=0.05, pad=0.02)
    bar.ax.set_yticklabels(["0", "¼", "½", "¾", "1"])
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0)
    return figure


def _chances(ranking: Ranking, rows: list[str], columns: list[str]) -> Matrix:
    """Return shape (rows, columns): P(row better than column), NaN where there is none."""
    across = {name: place for place, name in enumerate(columns)}
    down = {name: place for place, name in enumerate(rows)}
    chance = np.full((len(rows), len(columns)), np.nan)
    for pair in ranking.pairs:
        p = pair.prob_superiority
        if p is None:
            continue
        for one, other, value in ((pair.a, pair.b, p), (pair.b, pair.a, 1.0 - p)):
            if one in down and other in across:
                chance[down[one], across[other]] = value
    return chance


def _write_cells(axes: Axes, chance: Matrix) -> None:
    for (row, column), p in np.ndenumerate(chance):
        if np.isfinite(p):
            dark = min(int(p * len(STEPS)), len(STEPS) - 1) in DARK_STEPS
            axes.text(
                column + 0.5, row + 0.5, _share(float(p)), ha="center", va="center",
                size=points(8.5),
                color="white" if dark else "black",
            )  # fmt: skip


def name_sides(axes: Axes, rows: list[str], columns: list[str]) -> None:
    """Write the names of rows and columns beside and below a matrix."""
    axes.set_yticks(np.arange(len(rows)) + 0.5, rows, parse_math=False)
    turn = 0 if max(map(len, columns)) * len(columns) <= 38 else 35
    axes.set_xticks(
        np.arange(len(columns)) + 0.5, columns, parse_math=False, rotation=turn,
        ha="right" if turn else "center", rotation_mode="anchor" if turn else "default",
    )  # fmt: skip


def _number_sides(axes: Axes, count: int) -> None:
    every = 1 if count <= _NUMBERED else 5
    places = range(every, count + 1, every)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks([place - 0.5 for place in places], [str(place) for place in places])


def _share(p: float) -> str:
    """Return a probability in three characters; 0 and 1 only where it is that."""
    if p in (0.0, 1.0):
        return f"{p:.0f}"
    return f"{min(max(p, 0.01), 0.99):.2f}".removeprefix("0")
