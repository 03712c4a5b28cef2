"""Figures of a ranking over several tasks: the tasks, a pair over them, all pairs, mean ranks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from attnstudy.files import reported, write_output
from attnstudy.report.figures import FORMATS, written
from attnstudy.report.matrix import DARK_STEPS, STEPS, name_sides
from attnstudy.report.names import shorten
from attnstudy.report.style import (
    INK,
    LIGHT,
    MARKERS,
    MUTED,
    PAPER,
    PLAIN,
    SERIES,
    Look,
    new_figure,
    points,
    room,
    styled,
    tall,
    wide,
)
from attnstudy.shown import with_minus
from attnstudy.stats import Pair, Verdict
from attnstudy.stats.tasks import NewTaskPair, TaskRanking
from attnstudy.stats.wording.numbers import p_value, significant

MOST_PANELS = 12
"""Tasks with a panel of their own."""
MOST_ROWS = 60
"""Tasks in a figure of a pair: of more, those with the largest and the smallest differences."""
MOST_ARMS = 12
"""Arms of which every pair has a cell, and that stand along an axis of mean ranks."""
MOST_PAIRS = 3
"""Pairs with a figure of their own, from the best arm downwards."""

_ROW = 0.3  # inches


def task_figures(ranking: TaskRanking, look: Look = PLAIN) -> dict[str, Figure]:
    """Return the figures that apply, by name: tasks, pair-1 and so on, pairs, mean-ranks."""
    with styled(look):
        drawn: dict[str, Figure | None] = {"tasks": panels_figure(ranking)}
        for number, pair in enumerate(ranking.new.pairs[:MOST_PAIRS], start=1):
            drawn[f"pair-{number}"] = pair_figure(ranking, pair)
        drawn["pairs"] = pairs_figure(ranking)
        drawn["mean-ranks"] = ranks_figure(ranking)
    return {name: figure for name, figure in drawn.items() if figure is not None}


def write_task_figures(ranking: TaskRanking, folder: Path, look: Look = PLAIN) -> None:
    """Write each figure as SVG, PNG and PDF into a folder, which is made if it is not there.

    Raises:
        StoreError: the folder cannot be written.

    """
    with reported(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, figure in task_figures(ranking, look).items():
            for kind in FORMATS:
                write_output(folder / f"{name}.{kind}", written(figure, name, kind, look))


def panels_figure(ranking: TaskRanking, across: int = 3) -> Figure:
    """Draw a panel per task: each arm's runs, its mean and its own interval.

    Args:
        ranking: what was found.
        across: panels beside each other, at most.

    """
    tasks = ranking.tasks[:MOST_PANELS]
    arms = [arm.name for arm in ranking.arms[:MOST_ARMS]]
    across = min(across, len(tasks))
    down = math.ceil(len(tasks) / across)
    figure = Figure(
        figsize=(wide(2.35 * across + 0.6), tall(down * (0.75 + 0.24 * len(arms)))),
        layout="constrained",
    )
    grid = figure.subplots(down, across, squeeze=False)
    for place, axes in enumerate(grid.flat):
        if place >= len(tasks):
            axes.set_visible(False)
            continue
        task = tasks[place]
        there = {arm.name: arm for arm in task.ranking.arms}
        for row, name in enumerate(arms):
            arm = there.get(name)
            if arm is None or arm.mean is None:
                continue
            axes.plot(
                arm.values, [row + 0.16] * arm.n, "o", color=SERIES[0], alpha=0.6, markersize=3,
                markeredgewidth=0.0, gid=f"runs-{place}-{row}",
            )  # fmt: skip
            if arm.ci_low is not None and arm.ci_high is not None:
                axes.plot(
                    [arm.ci_low, arm.ci_high], [row, row], "-", color=INK, linewidth=1.2,
                    gid=f"interval-{place}-{row}",
                )  # fmt: skip
            axes.plot(
                [arm.mean], [row], "D", color=INK, markerfacecolor=PAPER, markersize=4,
                markeredgewidth=1.1, gid=f"mean-{place}-{row}",
            )  # fmt: skip
        axes.set_title(shorten(task.name, 26), fontsize=points(8.5), loc="left", fontweight="bold")
        axes.set_ylim(len(arms) - 0.5, -0.5)
        names = [shorten(name, 14) for name in arms] if place % across == 0 else []
        axes.set_yticks(range(len(arms)), names or [""] * len(arms), parse_math=False)
        axes.tick_params(length=0, axis="y")
        axes.xaxis.set_major_locator(MaxNLocator(4))
    return figure


def pair_figure(ranking: TaskRanking, pair: NewTaskPair) -> Figure | None:
    """Draw the difference of a pair on every task, on average, and expected on a new task.

    None where differences of the tasks have no common unit.
    """
    rows = _differences(ranking, pair)
    if not rows:
        return None
    shown = rows if len(rows) <= MOST_ROWS else rows[: MOST_ROWS // 2] + rows[-MOST_ROWS // 2 :]
    average = next((p for p in ranking.average.pairs if (p.a, p.b) == (pair.a, pair.b)), None)
    below = int(average is not None) + 1
    figure, axes = new_figure(0.9 + _ROW * (len(shown) + below))
    for place, (_, one) in enumerate(shown):
        _interval(axes, place, one.difference, one.ci_low, one.ci_high, one.verdict)
    place = len(shown)
    names = [shorten(task, room(18)) for task, _ in shown]
    if average is not None:
        _interval(
            axes, place, average.difference, average.ci_low, average.ci_high, average.verdict,
            size=8.0,
        )  # fmt: skip
        names.append("on average")
        place += 1
    _interval(axes, place, pair.difference, pair.ci_low, pair.ci_high, pair.verdict, size=8.0)
    names.append("new task (t)")
    axes.axhline(len(shown) - 0.5, color=MUTED, linewidth=0.8)
    axes.axvline(0.0, color=INK, linewidth=1.1)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks(range(len(names)), names, parse_math=False)
    axes.tick_params(length=0, axis="y")
    unit = f" ({ranking.unit})" if ranking.unit else ""
    label = f"{shorten(pair.a, 20)} − {shorten(pair.b, 20)}{unit}"
    if len(shown) < len(rows):
        label += f"\nthe {MOST_ROWS} largest and smallest of {len(rows):,} differences"
    axes.set_xlabel(label)
    return figure


def _differences(ranking: TaskRanking, pair: NewTaskPair) -> list[tuple[str, Pair]]:
    """Return the pair on each task, as a minus b; none where they are in no common unit."""
    if ranking.scale != "metric":
        return []
    found = []
    for task in ranking.tasks:
        for one in task.ranking.pairs:
            if {one.a, one.b} == {pair.a, pair.b} and one.difference is not None:
                found.append((task.name, one if one.a == pair.a else _turned(one)))
    return sorted(found, key=lambda item: -(item[1].difference or 0.0))


def _turned(pair: Pair) -> Pair:
    turned = {Verdict.BETTER: Verdict.WORSE, Verdict.WORSE: Verdict.BETTER}
    return replace(
        pair,
        a=pair.b,
        b=pair.a,
        difference=-(pair.difference or 0.0),
        ci_low=None if pair.ci_high is None else -pair.ci_high,
        ci_high=None if pair.ci_low is None else -pair.ci_low,
        verdict=turned.get(pair.verdict, pair.verdict),
    )


def _interval(
    axes: Axes,
    place: int,
    value: float | None,
    low: float | None,
    high: float | None,
    verdict: Verdict,
    *,
    size: float = 5.5,
) -> None:
    marker, line, filled = MARKERS[verdict]
    colour = LIGHT[verdict.value]
    if low is not None and high is not None:
        axes.plot([low, high], [place, place], color=colour, linestyle=line, linewidth=1.6)
    if value is not None:
        axes.plot(
            [value], [place], marker, color=colour, markersize=size, markeredgewidth=1.3,
            markerfacecolor=colour if filled else PAPER,
        )  # fmt: skip


def pairs_figure(ranking: TaskRanking) -> Figure | None:
    """Draw all pairs: the difference, tasks won, tied and lost, and p of a new task.

    None with a control, or for more arms than there is room for.
    """
    arms = [arm.name for arm in ranking.arms]
    if ranking.control is not None or len(arms) > MOST_ARMS:
        return None
    share = np.full((len(arms), len(arms)), np.nan)
    texts: dict[tuple[int, int], str] = {}
    for pair in ranking.new.pairs:
        if not pair.tasks:
            continue
        a, b = arms.index(pair.a), arms.index(pair.b)
        share[a, b] = (pair.wins + 0.5 * pair.ties) / pair.tasks
        share[b, a] = 1.0 - share[a, b]
        texts[a, b] = _cell(pair, 1.0, pair.wins, pair.losses, ranking.alpha)
        texts[b, a] = _cell(pair, -1.0, pair.losses, pair.wins, ranking.alpha)
    if np.isnan(share).all():
        return None
    side = 0.8 * len(arms)
    figure, axes = new_figure(1.0 + 0.75 * side, width=max(4.1, 1.7 + 1.15 * side))
    mesh = axes.pcolormesh(
        np.ma.masked_invalid(share), cmap=ListedColormap(STEPS), vmin=0.0, vmax=1.0,
        edgecolors=PAPER, linewidth=1.2, gid="cells",
    )  # fmt: skip
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    for (row, column), text in texts.items():
        dark = min(int(share[row, column] * len(STEPS)), len(STEPS) - 1) in DARK_STEPS
        axes.text(
            column + 0.5, row + 0.5, text, ha="center", va="center", size=points(7.5),
            linespacing=1.35, color="white" if dark else "black", gid=f"cell-{row}-{column}",
        )  # fmt: skip
    names = [shorten(name, 14) for name in arms]
    name_sides(axes, names, names, range(len(arms)))
    axes.set_ylabel("this arm")
    axes.set_xlabel("against this one")
    bar = figure.colorbar(mesh, ax=axes, ticks=[0, 0.25, 0.5, 0.75, 1], fraction=0.05, pad=0.02)
    bar.ax.set_yticklabels(["0", "0.25", "0.5", "0.75", "1"])
    bar.set_label("share of tasks won")
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0)
    return figure


def _cell(pair: NewTaskPair, sign: float, won: int, lost: int, alpha: float) -> str:
    gap = "" if pair.difference is None else with_minus(f"{sign * pair.difference:+.3g}")
    p = "" if pair.wilcoxon_p is None else p_value(pair.wilcoxon_p, alpha)
    p = f"p {p}" if p[:1] in "<>" else f"p = {p}"
    return f"{gap}\n{won}–{pair.ties}–{lost}\n{p}"


def ranks_figure(ranking: TaskRanking) -> Figure | None:
    """Draw the mean ranks on an axis, with bars over arms within Nemenyi's critical difference.

    Demsar, J. Mach. Learn. Res. 7 (2006) 1-30, figure 1; None without the test, or for more arms
    than there is room for.
    """
    found = ranking.mean_ranks
    ranked = sorted((arm.mean_rank, arm.name) for arm in ranking.arms if arm.mean_rank is not None)
    if found is None or not 3 <= len(ranked) <= MOST_ARMS:
        return None
    count, cd = len(ranked), found.critical_difference
    bars = _cliques([rank for rank, _ in ranked], cd)
    half = math.ceil(count / 2)
    height = 0.35 * half + 0.16 * len(bars) + 1.0
    figure, axes = new_figure(height, width=5.6)
    axes.set_axis_off()
    axes.grid(visible=False)
    top = 0.0
    axes.plot([1, count], [top, top], color=INK, linewidth=1.1)
    for tick in range(1, count + 1):
        axes.plot([tick, tick], [top, top - 0.12], color=INK, linewidth=1.1)
        axes.text(tick, top - 0.18, str(tick), ha="center", va="bottom", size=points(8))
    axes.plot([1, 1 + cd], [top - 0.75, top - 0.75], color=INK, linewidth=1.6, marker="|")
    axes.text(
        1 + cd / 2, top - 0.82, f"critical difference {significant(cd, 3)}", ha="center",
        va="bottom", size=points(8),
    )  # fmt: skip
    for level, (low, high) in enumerate(bars):
        y = top + 0.22 + 0.18 * level
        axes.plot([low - 0.03, high + 0.03], [y, y], color=SERIES[0], linewidth=3.2)
    start = top + 0.35 + 0.18 * len(bars)
    edge = 0.12 * count
    at = {arm.name: place for place, arm in enumerate(ranking.arms)}
    for place, (rank, name) in enumerate(ranked):
        left = place < half
        y = start + 0.38 * (place if left else count - 1 - place)
        end = 1 - edge if left else count + edge
        axes.plot(
            [rank, rank, end], [top, y, y], color=MUTED, linewidth=0.9, gid=f"line-{at[name]}",
        )  # fmt: skip
        text = f"{shorten(name, 18)}  {rank:.2f}" if left else (
            f"{rank:.2f}  {shorten(name, 18)}"
        )  # fmt: skip
        axes.text(
            end + (-0.05 if left else 0.05), y, text, ha="right" if left else "left", va="center",
            size=points(8.5), gid=f"rank-{at[name]}",
        )  # fmt: skip
    axes.set_ylim(start + 0.38 * half, top - 1.1)
    axes.set_xlim(1 - edge - 0.32 * count, count + edge + 0.32 * count)
    return figure


def _cliques(ranks: Sequence[float], cd: float) -> list[tuple[float, float]]:
    """Return the ends of each run of mean ranks within the critical difference, none in another."""
    found: list[tuple[float, float]] = []
    for low in ranks:
        high = max(rank for rank in ranks if rank - low <= cd)
        if high > low and (not found or high > found[-1][1]):
            found.append((low, high))
    return found
