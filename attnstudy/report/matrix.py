"""The probability of superiority of every variant over every other."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from attnstudy.report.intervals import MOST_ARMS
from attnstudy.report.names import shorten
from attnstudy.report.style import PAPER, new_figure
from attnstudy.stats import Ranking

_NAMED = 10  # variants up to which cells hold numbers and the sides names
_NUMBERED = 25  # variants up to which every side is numbered

# orange through grey to blue; text on each is black or white, so it stands on any screen
_STEPS = (
    "#a34a00", "#c26a1c", "#d98f4e", "#e8b78a", "#eed9c4", "#e4e6e9",
    "#cbdcec", "#9dc0e0", "#699fd0", "#3a7cb8", "#12599a",
)  # fmt: skip
_DARK_STEPS = frozenset({0, 1, 9, 10})


def superiority_figure(ranking: Ranking) -> Figure | None:
    """Draw P(row is better than column); none when no pair has one.

    With a control there is one column, the control.
    """
    rows = [arm.variant for arm in ranking.arms[:MOST_ARMS]]
    columns = rows if ranking.control is None else [ranking.control]
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
    if np.isnan(chance).all():
        return None
    return _draw(chance, rows, columns)


def _draw(
    chance: np.ndarray[tuple[int, int], np.dtype[np.float64]], rows: list[str], columns: list[str]
) -> Figure:
    count = len(rows)
    named = count <= _NAMED
    height = 3.7 if count > _NAMED else 1.35 + 0.36 * count
    figure, axes = new_figure(height if len(columns) > 1 else max(1.2, 0.8 + 0.26 * count))
    steps = len(_STEPS)
    mesh = axes.pcolormesh(
        np.ma.masked_invalid(chance), cmap=ListedColormap(_STEPS), vmin=0.0, vmax=1.0,
        edgecolors=PAPER if named else "none", linewidth=1.2 if named else 0.0,
    )  # fmt: skip
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    if named or len(columns) == 1:
        for (row, column), p in np.ndenumerate(chance):
            if np.isfinite(p):
                dark = min(int(p * steps), steps - 1) in _DARK_STEPS
                axes.text(
                    column + 0.5, row + 0.5, _share(p),
                    ha="center", va="center", size=8, color="white" if dark else "black",
                )  # fmt: skip
    side = np.arange(count) + 0.5
    if named or len(columns) == 1:
        axes.set_yticks(side, [shorten(name, 18) for name in rows], parse_math=False)
    else:
        every = 1 if count <= _NUMBERED else 5
        labels = [str(place + 1) for place in range(count)][every - 1 :: every]
        axes.set_yticks(side[every - 1 :: every], labels)
    if named and len(columns) > 1:
        turn = 0 if max(map(len, columns)) * count <= 44 else 35
        axes.set_xticks(
            side, [shorten(name, 14) for name in columns], parse_math=False,
            rotation=turn, ha="right" if turn else "center", rotation_mode="anchor",
        )  # fmt: skip
    elif len(columns) > 1:
        axes.set_xticks(axes.get_yticks(), [label.get_text() for label in axes.get_yticklabels()])
    else:
        axes.set_xticks([0.5], [shorten(columns[0], 30)], parse_math=False)
    axes.set_ylabel("this variant" if named else "variant, by its place in the table")
    axes.set_xlabel("is better than this one")
    bar = figure.colorbar(mesh, ax=axes, ticks=[0, 0.25, 0.5, 0.75, 1], fraction=0.05, pad=0.02)
    bar.ax.set_yticklabels(["0", "¼", "½", "¾", "1"])
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0)
    return figure


def _share(p: float) -> str:
    """Return a probability in three characters; 0 and 1 only where it is that."""
    if p in (0.0, 1.0):
        return f"{p:.0f}"
    return f"{min(max(p, 0.01), 0.99):.2f}".removeprefix("0")
