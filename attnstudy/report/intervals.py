"""Figures of intervals: every run of every arm, and the differences of pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from attnstudy.report.labels import labels
from attnstudy.report.names import shorten
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
from attnstudy.stats.wording.numbers import Numbers, p_value

MOST_ARMS = 60
"""Arms that a figure holds; the table has all."""
MOST_PAIRS = 40
"""Pairs that a figure holds, from the best arm downwards; the table has all."""

_ROOMY = 16  # rows up to which a row is high
_GAP = "\u2003"  # spaces that SVG does not fold
_FRAME = 0.75  # inches for the horizontal axis and its label
_SWARM = (0.0, 1.0, -1.0, 2.0, -2.0)  # places beside each other for dots that would overlap


def runs_figure(ranking: Ranking) -> Figure:
    """Draw a row per arm, best at top: its runs as dots, mean and own interval, letters."""
    arms = ranking.arms[:MOST_ARMS]
    row = 0.47 if len(arms) <= _ROOMY else 0.4
    figure, axes = new_figure(_FRAME + row * len(arms))
    numbers = Numbers.of(ranking)
    ends = [
        end for arm in arms for end in (arm.ci_low, arm.ci_high, *arm.values) if end is not None
    ]
    reach = (max(ends) - min(ends) or abs(ends[0]) or 1.0) if ends else 1.0
    names = labels(ranking, room(24))
    for place, arm in enumerate(arms):
        _draw_arm(axes, arm, place, reach, numbers, names[arm.name])
    _rows(axes, len(arms))
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
        right.append(shorten(arm.group, 12))
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


def differences_figure(ranking: Ranking) -> Figure:
    """Draw a row per pair: difference and interval against zero and the margin, the verdict."""
    pairs = ranking.pairs[:MOST_PAIRS]
    row = 0.47 if len(pairs) <= _ROOMY else 0.4
    note = 0.15 if any(pair.includes_zero for pair in pairs) else 0.0
    figure, axes = new_figure(_FRAME + 0.1 + note + row * len(pairs))
    top = np.arange(len(pairs)) - 0.2  # lanes: what a row is stands between them, on no line
    bottom = top + 0.44
    if ranking.margin is not None:
        edges = (-ranking.margin, ranking.margin)
        axes.bar(
            np.zeros(len(pairs)), bottom - top, 2.0 * ranking.margin, top, color=BAND, alpha=0.5,
            linewidth=0,
        )  # fmt: skip
        for edge in edges:
            axes.vlines([edge] * len(pairs), top, bottom, colors=MUTED, linewidth=0.9)
    axes.vlines([0.0] * len(pairs), top, bottom, colors=INK, linewidth=1.2, gid="zero")
    names = labels(ranking, room(15))
    for place, pair in enumerate(pairs):
        _draw_pair(axes, pair, place, f"{names[pair.a]} − {names[pair.b]}")
    _rows(axes, len(pairs))
    label = f"{of_differences(ranking)}\n{_sides(ranking)}"
    if note:  # the figure may stand without its page
        label += "\n* rests on Holm’s p; the Bonferroni interval drawn is wider"
    axes.set_xlabel(label)
    return figure


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
    axes.text(0.0, y, left, transform=across, va="bottom", size=points(8.5), weight="bold")
    axes.text(
        1.0,
        y,
        right,
        transform=across,
        va="bottom",
        ha="right",
        size=points(8.5),
        color=colour,
    )


def _rows(axes: Axes, count: int) -> None:
    axes.set_ylim(count - 0.6, -0.85)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)


def _which_way(ranking: Ranking) -> str:
    return "" if ranking.direction == "maximize" else ", lower is better"


def _sides(ranking: Ranking) -> str:
    left, right = ("second", "first") if ranking.direction == "maximize" else ("first", "second")
    return f"← {left} is better{_GAP * 2}{right} is better →"
