"""The probability of superiority of every arm over every other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from attnstudy.report.intervals import MOST_ARMS
from attnstudy.report.names import NAMED, labels
from attnstudy.report.style import PAPER, WIDTH, new_figure, points, room, wide
from attnstudy.stats import Ranking

Matrix: TypeAlias = np.ndarray[tuple[int, int], np.dtype[np.float64]]

_NUMBERED = 18  # arms up to which each has room for its number; twice as many for every second

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
    across = [arm for arm, one in enumerate(ranking.arms) if one.name in columns]
    count, single = len(rows), len(columns) == 1
    named = count <= room(NAMED) or single
    height = 0.9 + 0.26 * count if single else 1.3 + 0.34 * count if named else 0.85 * wide(WIDTH)
    figure, axes = new_figure(height)
    mesh = axes.pcolormesh(
        np.ma.masked_invalid(chance), cmap=ListedColormap(STEPS), vmin=0.0, vmax=1.0,
        edgecolors=PAPER if named else "none", linewidth=1.2 if named else 0.0, gid="cells",
        clip_on=False,  # nothing is outside, and in SVG each cell would say so
    )  # fmt: skip
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    if named:
        _write_cells(axes, chance, across)
        names = labels(ranking, room(14))
        name_sides(
            axes, [names[row] for row in rows], [names[column] for column in columns], across
        )
    else:
        _number_sides(axes, count)
    axes.set_ylabel("this arm" if named else "arm, by its place in the table")
    axes.set_xlabel("is better than this one")
    bar = figure.colorbar(mesh, ax=axes, ticks=[0, 0.25, 0.5, 0.75, 1], fraction=0.05, pad=0.02)
    bar.ax.set_yticklabels(["0", ".25", ".5", ".75", "1"])
    bar.set_label("P(better)")
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


def _write_cells(axes: Axes, chance: Matrix, across: Sequence[int]) -> None:
    for (row, column), p in np.ndenumerate(chance):
        if np.isfinite(p):
            dark = min(int(p * len(STEPS)), len(STEPS) - 1) in DARK_STEPS
            axes.text(
                column + 0.5, row + 0.5, _share(float(p)), ha="center", va="center",
                size=points(8.5),
                color="white" if dark else "black", gid=f"cell-{row}-{across[column]}",
            )  # fmt: skip


def name_sides(
    axes: Axes, rows: Sequence[str], columns: Sequence[str], across: Sequence[int]
) -> None:
    """Write the names of rows and columns beside and below a matrix.

    Args:
        axes: of the matrix.
        rows: names.
        columns: names.
        across: the place of the arm of each column.

    """
    axes.set_yticks(np.arange(len(rows)) + 0.5, rows, parse_math=False)
    turn = 0 if max(map(len, columns)) * len(columns) <= room(38) else 35
    axes.set_xticks(
        np.arange(len(columns)) + 0.5, columns, parse_math=False, rotation=turn,
        ha="right" if turn else "center", rotation_mode="anchor" if turn else "default",
    )  # fmt: skip
    for row, label in enumerate(axes.get_yticklabels()):
        label.set_gid(f"row-{row}")
    for column, label in zip(across, axes.get_xticklabels(), strict=True):
        label.set_gid(f"column-{column}")


def _number_sides(axes: Axes, count: int) -> None:
    every = 1 if count <= room(_NUMBERED) else 2 if count <= room(2 * _NUMBERED) else 5
    places = range(every, count + 1, every)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks([place - 0.5 for place in places], [str(place) for place in places])


def _share(p: float) -> str:
    """Return a probability in three characters; 0 and 1 only where it is that."""
    if p in (0.0, 1.0):
        return f"{p:.0f}"
    return f"{min(max(p, 0.01), 0.99):.2f}".removeprefix("0")
