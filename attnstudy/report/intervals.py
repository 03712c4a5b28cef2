"""Figures of intervals: every run of every arm, and the differences of pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from attnstudy.report.names import labels, shorten
from attnstudy.report.style import (
    BAND,
    INK,
    LIGHT,
    MARKERS,
    MUTED,
    PAPER,
    SERIES,
    new_figure,
    of_differences,
    of_metric,
    points,
    room,
)
from attnstudy.stats import Arm, Pair, Ranking, Verdict
from attnstudy.stats.vocabulary import shown_group
from attnstudy.stats.wording.numbers import Numbers, p_value

MOST_ARMS = 60
"""Arms that a figure holds; the table has all."""
MOST_PAIRS = 40
"""Pairs that a figure holds, from the best arm downwards; the table has all."""

_ROOMY = 16  # rows up to which a row is high
_GAP = "\u2003"  # spaces that SVG does not fold
_FRAME = 0.75  # inches for the horizontal axis and its label
_SWARM = (0.0, 1.0, -1.0, 2.0, -2.0)  # places beside each other for dots that would overlap


def runs_figure(ranking: Ranking, part: slice = slice(None)) -> Figure:
    """Draw a row per arm, best at top: its runs as dots, mean and own interval, letters.

    Args:
        ranking: what was found.
        part: which rows, of which all parts have the axis in common.

    """
    arms = ranking.arms[:MOST_ARMS]
    shown = range(len(arms))[part]
    figure, axes = new_figure(_FRAME + _row(len(arms)) * len(shown))
    numbers = Numbers.of(ranking)
    ends = [
        end for arm in arms for end in (arm.ci_low, arm.ci_high, *arm.values) if end is not None
    ]
    reach = (max(ends) - min(ends) or abs(ends[0]) or 1.0) if ends else 1.0
    names = labels(ranking, room(24))
    for place in shown:
        _draw_arm(axes, arms[place], place, reach, numbers, names[arms[place].name])
    _rows(axes, shown)
    axes.set_xlabel(of_metric(ranking) + _which_way(ranking))
    if ends:
        axes.set_xlim(min(ends) - 0.04 * reach, max(ends) + 0.04 * reach)
    return figure


def _draw_arm(axes: Axes, arm: Arm, place: int, reach: float, numbers: Numbers, label: str) -> None:
    right = []
    if arm.mean is not None:
        right.append(numbers.plain(arm.mean))
    if arm.diverged:
        right.append(f"{arm.diverged} diverged")
    if arm.group is not None:
        right.append(shorten(shown_group(arm.group), 12))
    _heading(axes, place, label, _GAP.join(right))
    if arm.ci_low is not None and arm.ci_high is not None:
        axes.plot(
            [arm.ci_low, arm.ci_high], [place, place], "-", color=INK, linewidth=1.4,
            marker="|", markersize=7, markeredgewidth=1.4, gid=f"interval-{place}",
        )  # fmt: skip
    if arm.n:
        lane = place + 0.2 + 0.05 * _beside(arm.values, 0.02 * reach)
        axes.plot(
            arm.values, lane, "o", color=SERIES[0], alpha=_opacity(arm.n),
            markersize=4.2, markeredgewidth=0.0, gid=f"runs-{place}",
        )  # fmt: skip
    if arm.mean is not None:
        axes.plot(
            [arm.mean], [place], "D", color=INK, markerfacecolor=PAPER, markersize=5.2,
            markeredgewidth=1.3, gid=f"mean-{place}",
        )  # fmt: skip


def _opacity(runs: int) -> float:
    """Return how much a dot covers: many dots show where they are dense."""
    return 0.75 if runs <= 50 else max(0.15, 5.0 / math.sqrt(runs))


def _beside(values: Sequence[float], near: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return where each dot goes across the row, so that equal and near values stay visible."""
    order = np.argsort(values, kind="stable")
    places = np.zeros(len(values))
    start, rank = None, 0
    for index in order:
        value = values[index]
        if start is None or value - start > near:
            start, rank = value, 0
        places[index] = _SWARM[rank % len(_SWARM)]
        rank += 1
    return places


def differences_figure(ranking: Ranking, part: slice = slice(None)) -> Figure:
    """Draw a row per pair: difference and interval against zero and the margin, the verdict.

    Args:
        ranking: what was found.
        part: which rows, of which all parts have the axis in common.

    """
    pairs = ranking.pairs[:MOST_PAIRS]
    shown = range(len(pairs))[part]
    note = 0.15 if any(pair.includes_zero for pair in pairs) else 0.0
    figure, axes = new_figure(_FRAME + 0.1 + note + _row(len(pairs)) * len(shown))
    names = labels(ranking, room(15))
    for place in shown:
        pair = pairs[place]
        _draw_lane(axes, place, ranking.margin)
        _draw_pair(axes, pair, place, f"{names[pair.a]} − {names[pair.b]}")
    _rows(axes, shown)
    if len(shown) < len(pairs):
        axes.set_xlim(*_ends(ranking, pairs))
    label = f"{of_differences(ranking)}\n{_sides(ranking)}"
    if note:  # the figure may stand without its page
        label += "\n* rests on Holm’s p; the Bonferroni interval drawn is wider"
    axes.set_xlabel(label)
    return figure


def _draw_lane(axes: Axes, place: int, margin: float | None) -> None:
    """Draw zero and the margin in a row alone: what the row is stands above, on no line."""
    top, bottom = place - 0.2, place + 0.24
    if margin is not None:
        axes.bar(
            0.0, bottom - top, 2.0 * margin, top, color=BAND, alpha=0.5, linewidth=0
        )[0].set_gid(f"margin-{place}")  # fmt: skip
        axes.vlines(
            [-margin, margin], top, bottom, colors=MUTED, linewidth=0.9, gid=f"edges-{place}"
        )
    axes.vlines(0.0, top, bottom, colors=INK, linewidth=1.2, gid=f"zero-{place}")


def _draw_pair(axes: Axes, pair: Pair, place: int, label: str) -> None:
    marker, line, filled = MARKERS[pair.verdict]
    colour = LIGHT[pair.verdict.value]
    word = pair.verdict.value
    if pair.shown_p is not None:
        p = p_value(pair.shown_p)
        holm = "Holm’s " if pair.includes_zero else ""
        word += f", {holm}p {p}" if p[0] in "<>" else f", {holm}p = {p}"
        word += "*" * pair.includes_zero
    elif pair.within_margin:
        word += ", inside the margin"
    _heading(axes, place, label, word, colour)
    strong = pair.verdict in (Verdict.BETTER, Verdict.WORSE) and not pair.includes_zero
    if pair.ci_low is not None and pair.ci_high is not None:
        axes.plot(
            [pair.ci_low, pair.ci_high], [place, place], color=colour, linestyle=line,
            linewidth=2.2 if strong else 1.5, solid_capstyle="butt", gid=f"interval-{place}",
        )  # fmt: skip
    if pair.difference is not None:
        axes.plot(
            [pair.difference], [place], marker, color=colour, markersize=6,
            markerfacecolor=colour if filled else PAPER, markeredgewidth=1.4,
            gid=f"difference-{place}",
        )  # fmt: skip


def _heading(axes: Axes, place: int, left: str, right: str, colour: str = MUTED) -> None:
    """Write what a row is above it: the name at its left, what to know at its right."""
    across = axes.get_yaxis_transform()
    y = place - 0.27
    axes.text(
        0.0, y, left, transform=across, va="bottom", size=points(8.5), weight="bold",
        gid=f"name-{place}",
    )  # fmt: skip
    axes.text(
        1.0, y, right, transform=across, va="bottom", ha="right", size=points(8.5), color=colour,
        gid=f"note-{place}",
    )  # fmt: skip


def parts(rows: int) -> list[slice]:
    """Return what a page shows beside each other: of many rows, each half."""
    half = (rows + 1) // 2
    return [slice(None)] if rows <= _ROOMY else [slice(half), slice(half, None)]


def _row(rows: int) -> float:
    return 0.47 if rows <= _ROOMY else 0.4


def _ends(ranking: Ranking, pairs: Sequence[Pair]) -> tuple[float, float]:
    """Return where the axis of the differences begins and ends."""
    margin = ranking.margin or 0.0
    ends = [0.0, -margin, margin]
    for pair in pairs:
        ends += [
            end for end in (pair.ci_low, pair.ci_high, pair.difference) if end is not None
        ]  # fmt: skip
    reach = max(ends) - min(ends) or 1.0
    return min(ends) - 0.05 * reach, max(ends) + 0.05 * reach


def _rows(axes: Axes, shown: range) -> None:
    axes.set_ylim(shown.stop - 0.6, shown.start - 0.85)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)


def _which_way(ranking: Ranking) -> str:
    return "" if ranking.direction == "maximize" else ", lower is better"


def _sides(ranking: Ranking) -> str:
    left, right = ("second", "first") if ranking.direction == "maximize" else ("first", "second")
    return f"← {left} is better{_GAP * 2}{right} is better →"
