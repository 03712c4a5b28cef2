"""Figures of a search: its trials one after the other, and what made the difference."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from attnstudy.report.figures import written
from attnstudy.report.style import INK, MUTED, PAPER, SERIES, new_figure, styled
from attnstudy.shown import in_line

if TYPE_CHECKING:  # at run time it would bring Optuna, which a run's figures do not need
    from attnstudy.usecases.tuning.results import ArmTuning


def tuning_figures(tuning: ArmTuning) -> Mapping[str, bytes]:
    """Return the figures of a search that apply: file name and PNG."""
    figures: dict[str, Figure] = {}
    with styled():
        if tuning.best is not None:
            figures["history"] = history_figure(tuning)
        if tuning.importances:
            figures["importances"] = importances_figure(tuning)
    return {f"{name}.png": written(figure, name, "png") for name, figure in figures.items()}


def history_figure(tuning: ArmTuning) -> Figure:
    """Draw each trial's value, its seeds, and the best value so far."""
    figure, axes = new_figure(3.0, width=5.5)
    complete = [trial for trial in tuning.finished if trial.value is not None]
    numbers = [trial.number for trial in complete]
    values = [trial.value for trial in complete if trial.value is not None]
    for trial in complete:
        seeds = list(trial.by_seed.values())
        axes.plot(
            [trial.number] * len(seeds), seeds, "o", color=SERIES[0], alpha=0.35, markersize=3.2,
            markeredgewidth=0.0,
        )  # fmt: skip
    axes.plot(
        numbers, values, "D", color=INK, markerfacecolor=PAPER, markersize=4.6, label="trial (mean)"
    )
    axes.plot([], [], "o", color=SERIES[0], alpha=0.5, markersize=3.2, label="its seeds")
    so_far = [*accumulate(values, lambda a, b: tuning.config.best_of((a, b)))]
    axes.step(
        numbers, so_far, where="post", color=SERIES[1], linewidth=1.5, label="best so far",
    )  # fmt: skip
    for state, marker, called in (("pruned", "|", "stopped early"), ("failed", "x", "failed")):
        ended = [trial.number for trial in tuning.finished if trial.state.value == state]
        if ended:
            axes.plot(
                ended, [0.03] * len(ended), marker, color=MUTED, markersize=6, linestyle="none",
                transform=axes.get_xaxis_transform(),
                label=called,
            )  # fmt: skip
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y")
    axes.set(
        xlabel="trial",
        ylabel="final validation accuracy (%)" if tuning.config.percent else tuning.config.metric,
        title=in_line(f"{tuning.config.study}: tuning of {tuning.arm}"),
    )
    axes.legend(loc="lower right")
    return figure


def importances_figure(tuning: ArmTuning) -> Figure:
    """Draw each field's share of the variance between trials."""
    names = list(tuning.importances)[::-1]
    shares = [100 * tuning.importances[name] for name in names]
    figure, axes = new_figure(0.9 + 0.34 * len(names), width=5.5)
    bars = axes.barh(
        [name.replace("_", " ") for name in names], shares, color=SERIES[0], height=0.6
    )
    axes.bar_label(bars, labels=[f"{share:.0f} %" for share in shares], padding=3)
    axes.set_xlim(0, 112)
    axes.set(
        xlabel="share of the variance between trials (%, fANOVA)",
        title=in_line(f"{tuning.config.study}: tuning of {tuning.arm}"),
    )
    return figure
