"""Figures with lines: learning curves over seeds, and seeds against what they can show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import NDArray

from attnstudy.report.context import Context, Curve
from attnstudy.report.names import labels, shorten
from attnstudy.report.seeds import seed_curve
from attnstudy.report.style import DASHES, LIGHT, MUTED, PAPER, SERIES, new_figure, points, room
from attnstudy.stats import Ranking
from attnstudy.stats.wording.numbers import Numbers, significant

Floats = NDArray[np.float64]

_ROOM = 17  # columns of a name in a legend


@dataclass(frozen=True, slots=True)
class MeanCurve:
    """The learning curves of one arm, averaged over its runs."""

    steps: Floats
    """Shape (steps,): iterations that every run covers, ascending."""
    mean: Floats
    """Shape (steps,)."""
    sd: Floats | None
    """Shape (steps,): standard deviation over runs; None for one run."""
    runs: int
    """Runs averaged."""


def mean_curve(curves: Sequence[Curve]) -> MeanCurve | None:
    """Average curves where all of them are known, between their own steps by straight lines."""
    known = [curve for curve in map(_finite, curves) if curve is not None]
    if not known:
        return None
    first = max(steps[0] for steps, _ in known)
    last = min(steps[-1] for steps, _ in known)
    every = np.unique(np.concatenate([steps for steps, _ in known]))
    grid = every[(every >= first) & (every <= last)]
    if not grid.size:
        return None
    table = np.stack([np.interp(grid, steps, values) for steps, values in known])
    sd = table.std(axis=0, ddof=1) if len(known) > 1 else None
    return MeanCurve(grid, table.mean(axis=0), sd, len(known))


def _finite(curve: Curve) -> tuple[Floats, Floats] | None:
    steps, values = (np.asarray(part, dtype=np.float64) for part in curve)
    good = np.isfinite(steps) & np.isfinite(values)
    steps, values = steps[good], values[good]
    if not steps.size:
        return None
    steps, first = np.unique(steps, return_index=True)
    return steps, values[first]


def curves_figure(ranking: Ranking, context: Context) -> Figure | None:
    """Draw the mean validation accuracy of each arm with a band of one SD over seeds.

    The best six arms are coloured, the others thin and grey; None without curves.
    """
    order = [arm.name for arm in ranking.arms]
    order += [name for name in context.curves if name not in set(order)]
    averages = [(name, mean_curve(context.curves.get(name, ()))) for name in order]
    drawn = [(name, average) for name, average in averages if average is not None]
    if not drawn:
        return None
    named = drawn[: len(SERIES)]
    rows = (len(named) + 1) // 2 + (len(drawn) > len(named))
    figure, axes = new_figure(2.7 + 0.2 * rows)
    axes.grid(visible=True, axis="both")
    for name, average in drawn[len(SERIES) :]:
        axes.plot(
            average.steps, average.mean, color=MUTED, alpha=0.5, linewidth=0.8, zorder=1.5,
            gid=f"curve-{order.index(name)}",
        )  # fmt: skip
    handles = []
    names = labels(ranking, room(_ROOM))
    for place, (name, average) in reversed(list(enumerate(named))):
        colour = SERIES[place]
        if average.sd is not None:
            low, high = average.mean - average.sd, average.mean + average.sd
            axes.fill_between(
                average.steps, low, high, color=colour, alpha=0.16, linewidth=0,
                gid=f"band-{order.index(name)}",
            )  # fmt: skip
        (line,) = axes.plot(
            average.steps, average.mean, color=colour, linestyle=DASHES[place], linewidth=1.7,
            marker="o" if average.steps.size == 1 else "", markersize=4,
            gid=f"curve-{order.index(name)}",
        )  # fmt: skip
        label = names.get(name) or shorten(name, room(_ROOM))
        handles.append((line, label, order.index(name)))
    handles.reverse()
    axes.set_xlabel("iteration")
    axes.set_ylabel("validation accuracy" + (" (%)" if ranking.unit == "points" else ""))
    legend = figure.legend(
        [line for line, _, _ in handles], [name for _, name, _ in handles],
        loc="outside lower center", ncols=2, handlelength=3.2,
        title=f"grey: {len(drawn) - len(named)} more" if len(drawn) > len(named) else None,
        title_fontsize=points(8),
    )  # fmt: skip
    for text, key, (_, _, place) in zip(
        legend.get_texts(), legend.legend_handles, handles, strict=True
    ):
        text.set_parse_math(False)
        text.set_gid(f"label-{place}")
        if key is not None:
            key.set_gid(f"key-{place}")
    return figure


def power_figure(ranking: Ranking) -> Figure | None:
    """Draw seeds per arm against the smallest difference that they show with 80 % power.

    Marks what there is now, the margin and the observed gap; None without power figures.
    """
    curve, power = seed_curve(ranking), ranking.power
    if curve is None or power is None:
        return None
    figure, axes = new_figure(3.3)
    runs = f"{power.n_a}" if power.n_a == power.n_b else f"{power.n_a} and {power.n_b}"
    axes.grid(visible=True, axis="both")
    axes.set(xscale="log", yscale="log")
    axes.plot(curve.seeds, curve.detectable, color=SERIES[0], linewidth=1.9, gid="power")
    axes.plot(
        [power.n], [power.detectable_difference], "o", color=SERIES[0], markersize=7,
        label=f"now: {runs} runs detect a difference of "
        f"{significant(power.detectable_difference, 3)}",
        gid="now", linestyle="none",
    )  # fmt: skip
    numbers = Numbers.of(ranking)
    heights = [*curve.detectable]
    marks = (
        ("margin", ranking.margin, power.seeds_for_margin, "s", LIGHT["equivalent"]),
        ("observed gap", power.observed_gap, power.seeds_for_observed, "D", LIGHT["worse"]),
    )
    for name, height, seeds, marker, colour in marks:
        if not height:
            continue
        # a height far below the curve would squeeze all of it: the words tell it
        if height < min(curve.detectable) / 8 or height > max(curve.detectable) * 8:
            continue
        heights.append(height)
        needs = "out of reach" if seeds is None else f"{seeds:,} seeds"
        if seeds is not None and seeds <= curve.seeds[-1]:
            at, shown = [seeds], height
        else:
            at, shown = [curve.seeds[-1]], height
        axes.axhline(height, color=colour, linewidth=1.1, linestyle=(0, (4, 2.5)))
        axes.plot(
            at, [shown], marker if seeds is not None and seeds <= curve.seeds[-1] else ">",
            color=colour, markerfacecolor=PAPER, markersize=6, markeredgewidth=1.5,
            linestyle="none", label=f"{name} {numbers.amount(height)}: {needs}",
            gid=name.replace(" ", "-"),
        )  # fmt: skip
    axes.axvline(power.n, color=MUTED, linewidth=0.9, linestyle=(0, (1, 2)))
    _plain_ticks(axes, curve.seeds[0], curve.seeds[-1], min(heights), max(heights))
    axes.set_xlabel("seeds per arm, at 80 % power")
    unit = f" ({ranking.unit})" if ranking.unit else ""
    axes.set_ylabel(f"detectable difference{unit}")
    figure.legend(loc="outside lower center", handlelength=1.2)
    return figure


def _plain_ticks(axes: Axes, left: float, right: float, low: float, high: float) -> None:
    """Label logarithmic axes with plain numbers."""
    axes.set_xlim(left * 0.92, right * 1.08)
    axes.set_ylim(low * 0.8, high * 1.25)
    for axis in (axes.xaxis, axes.yaxis):
        one, other = axis.get_view_interval()
        subs = (1.0, 2.0, 5.0) if other <= 100.0 * one else (1.0, 3.0)
        axis.set_major_locator(LogLocator(subs=subs, numticks=12))
        axis.set_major_formatter(FuncFormatter(lambda value, _: significant(value, 3)))
        axis.set_minor_formatter(NullFormatter())
        axis.set_minor_locator(LogLocator(subs=()))
