"""Figures of a run, drawn from its folder."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from attnstudy.runs import RunFolder, Start

INK, LOSS, VALIDATION = "#333333", "#7f8fa6", "#c0392b"


def run_figures(folder: RunFolder) -> Mapping[str, bytes]:
    """Return the figures of a finished run: file name and PNG.

    A learning curve always; a confusion matrix when there are predictions; what a few test
    images attend to when the model has attention.
    """
    started, result = folder.started(), folder.result()
    if started is None or result is None:
        return {}
    curve = _learning_curve(started, folder.journal(), result.val_accuracy_final)
    figures = {"learning_curve.png": _png(curve)}
    if "predictions.csv" in result.files:
        figures["confusion_matrix.png"] = _png(_confusion_matrix(started, folder))
    if "attention.npz" in result.files:
        with np.load(folder.path / "attention.npz") as arrays:
            figures["attention.png"] = _png(_attention(started, dict(arrays)))
    return figures


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


def _learning_curve(started: Start, journal: list[dict[str, Any]], final: float | None) -> Figure:
    spec = started.spec
    steps: list[int] = []
    losses: list[float] = []
    val_steps: list[int] = []
    accuracies: list[float] = []
    for record in journal:
        first = record["first_step"]
        steps.extend(range(first, first + len(record["train_loss"])))
        losses.extend(record["train_loss"])
        if record["val_accuracy"] is not None:
            val_steps.append(first + len(record["train_loss"]) - 1)
            accuracies.append(record["val_accuracy"])
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.plot(steps, losses, color=LOSS, alpha=0.35, linewidth=0.7)
    smooth = _smoothed(losses)
    axes.plot(steps, smooth, color=LOSS, linewidth=1.6, label="training loss (smoothed)")
    axes.set(xlabel="iteration", ylabel="training loss", title=f"{spec.study}: {spec.name}")
    axes.set_ylim(bottom=0)
    right = axes.twinx()
    right.plot(
        val_steps, accuracies, "o-", color=VALIDATION, markersize=3, label="validation accuracy"
    )
    if final is not None:
        right.plot([spec.iterations - 1], [final], "D", color=VALIDATION, label="after the last")
    right.set_ylabel("validation accuracy (%)", color=VALIDATION)
    right.set_ylim(0, 100)
    for epoch in range(1, spec.epochs):
        axes.axvline(epoch * spec.iterations_per_epoch - 0.5, color=INK, alpha=0.12, linewidth=0.8)
    handles = [*axes.get_lines()[1:2], *right.get_lines()]
    figure.legend(  # outside: where the curves leave room depends on the dataset
        handles, [str(h.get_label()) for h in handles], loc="outside lower center", ncols=3,
        frameon=False,
    )  # fmt: skip
    return figure


def _smoothed(values: list[float]) -> npt.NDArray[np.float64]:
    """Return the centred moving mean over a fortieth of the values, shorter at the ends."""
    if not values:
        return np.zeros(0)
    array = np.asarray(values)
    half = max(1, len(array) // 80)
    sums = np.concatenate([[0.0], np.cumsum(array)])
    low = np.maximum(np.arange(len(array)) - half, 0)
    high = np.minimum(np.arange(len(array)) + half + 1, len(array))
    smooth: npt.NDArray[np.float64] = (sums[high] - sums[low]) / (high - low)
    return smooth


def _confusion_matrix(started: Start, folder: RunFolder) -> Figure:
    names = started.dataset.class_names
    with (folder.path / "predictions.csv").open(encoding="utf-8", newline="") as file:
        rows = [(int(row["label"]), int(row["predicted"])) for row in csv.DictReader(file)]
    counts = np.zeros((len(names), len(names)), dtype=np.int64)
    np.add.at(counts, tuple(np.array(rows).T), 1)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = min(12.0, max(5.0, 1.8 + 0.55 * len(names)))
    figure = Figure(figsize=(size, size), layout="constrained")
    axes = figure.subplots()
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    ticks = range(len(names))
    few = len(names) <= 30
    if few:
        axes.set_xticks(ticks, names, rotation=45, ha="right")
        axes.set_yticks(ticks, names)
        for i in ticks:
            for j in ticks:
                colour = "white" if share[i, j] > 0.5 else INK
                axes.text(j, i, str(counts[i, j]), ha="center", va="center", color=colour, size=8)
    right = int(np.trace(counts))
    axes.set(
        xlabel="predicted",
        ylabel="true class",
        title=f"{started.spec.name}: {right:,} of {counts.sum():,} test images right",
    )
    return figure


def _attention(started: Start, arrays: dict[str, npt.NDArray[Any]]) -> Figure:
    """Draw one row an image: the image, then each map of each attention block."""
    maps = [name for name in arrays if "." in name]
    images, names = arrays["images"], started.dataset.class_names
    count = len(images)
    figure = Figure(figsize=(2.3 * (1 + len(maps)), 2.4 * count + 0.5), layout="constrained")
    grid = figure.subplots(count, 1 + len(maps), squeeze=False)
    _, height, width = started.dataset.image_shape
    for row in range(count):
        picture = images[row].transpose(1, 2, 0) / started.dataset.normalisation["scale"]
        shown = picture[..., 0] if picture.shape[2] == 1 else picture
        grid[row, 0].imshow(shown, cmap="gray", vmin=0, vmax=1)
        label, predicted = (names[int(arrays[key][row])] for key in ("labels", "predicted"))
        grid[row, 0].set_title(
            label if label == predicted else f"{label}\n(taken for {predicted})", size=9
        )
        for column, name in enumerate(maps, start=1):
            axes = grid[row, column]
            block, _, kind = name.partition(".")
            # scaled by itself: what matters is where an image looks, not how sharply
            axes.imshow(arrays[name][row], cmap="magma", vmin=0)
            if kind == "from_centre":
                axes.plot(width // 2, height // 2, "+", color="cyan", markersize=8)
            if row == 0:
                axes.set_title(f"{block}\n{_KINDS[kind]}", size=9)
    for axes in grid.flat:
        axes.set_xticks([])
        axes.set_yticks([])
    figure.suptitle(f"{started.spec.name}: what test images attend to")
    return figure


_KINDS = {
    "received": "received, mean over positions",
    "from_centre": "from the centre (+)",
    "channels": "channel (row) from channel",
}
