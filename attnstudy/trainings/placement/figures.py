"""Figures of a run, drawn from its folder.

Making axes and finding their places takes matplotlib several times as long as drawing them, and
the figures of a study's runs differ in their numbers alone. So a figure is made once for all runs
that look alike, and filled anew for each.
"""

from __future__ import annotations

import csv
import functools
import io
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.text import Text

from attnstudy.runs import DatasetFacts, LogRecord, RunFolder, Start
from attnstudy.trainings.placement.variants import iterations, iterations_per_epoch

INK, LOSS, VALIDATION = "#333333", "#7f8fa6", "#c0392b"
_DOTS_PER_INCH = 110
_FEW = 30
"""Classes up to which a confusion matrix shows names and numbers."""
_DRAWING = threading.Lock()  # a figure is filled by one thread at a time


def run_figures(folder: RunFolder) -> Mapping[str, bytes]:
    """Return the figures of a finished run: file name and PNG.

    A learning curve when there is more than a point of it; a confusion matrix when there are
    predictions; what a few test images attend to when the model has attention.
    """
    started, result = folder.started(), folder.result()
    if started is None or result is None or started.dataset is None:
        return {}
    facts = started.dataset
    figures = {}
    points = _points(folder.journal())
    with _DRAWING:
        if points.lines:
            figures["learning_curve.png"] = _learning_curve(
                started, points, result.metrics.get("val_accuracy_final")
            )
        if "predictions.csv" in result.files:
            figures["confusion_matrix.png"] = _confusion_matrix(started, facts, folder)
        if "attention.npz" in result.files:
            with np.load(folder.path / "attention.npz") as arrays:
                figures["attention.png"] = _attention(started, facts, dict(arrays))
    return figures


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    # ``savefig`` draws twice, the first time to find the places
    FigureCanvasAgg(figure).print_png(buffer)  # type: ignore[no-untyped-call]
    return buffer.getvalue()


def _settle(figure: Figure) -> None:
    """Find the places of a figure's axes now, and leave them there."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
    figure.set_layout_engine("none")


@dataclass(frozen=True, slots=True)
class _Points:
    """What a journal tells, by iteration."""

    steps: list[int]
    losses: list[float]
    val_steps: list[int]
    accuracies: list[float]

    @property
    def lines(self) -> bool:
        """Whether they make a line."""
        return max(len(self.losses), len(self.accuracies)) > 1


def _points(journal: Sequence[LogRecord]) -> _Points:
    points = _Points([], [], [], [])
    for name, step, value in (point for record in journal for point in record.points()):
        if name == "train_loss":
            points.steps.append(step)
            points.losses.append(value)
        elif name == "val_accuracy":
            points.val_steps.append(step)
            points.accuracies.append(value)
    return points


@dataclass(frozen=True, slots=True)
class _Curves:
    """A learning curve to fill."""

    figure: Figure
    axes: Axes
    loss: Line2D
    smooth: Line2D
    validation: Line2D
    last: Line2D | None
    """The score after the last update; a diverged run has none."""
    epochs: LineCollection


@functools.cache
def _curves(with_last: bool) -> _Curves:
    figure = Figure(figsize=(8, 4.5), dpi=_DOTS_PER_INCH)
    axes = figure.subplots()
    # the numbers at the axes differ in width from run to run, and this leaves room for all
    figure.subplots_adjust(left=0.085, right=0.925, bottom=0.18, top=0.94)
    axes.ticklabel_format(axis="y", scilimits=(-4, 4))
    (loss,) = axes.plot([], [], color=LOSS, alpha=0.35, linewidth=0.7)
    (smooth,) = axes.plot([], [], color=LOSS, linewidth=1.6, label="training loss (smoothed)")
    axes.set(xlabel="iteration", ylabel="training loss")
    right = axes.twinx()
    (validation,) = right.plot(
        [], [], "o-", color=VALIDATION, markersize=3, label="validation accuracy"
    )
    last = None
    if with_last:
        (last,) = right.plot([], [], "D", color=VALIDATION, label="after the last")
    right.set_ylabel("validation accuracy (%)", color=VALIDATION)
    right.set_ylim(0, 100)
    epochs = LineCollection(
        [], colors=INK, alpha=0.12, linewidths=0.8, transform=axes.get_xaxis_transform()
    )
    axes.add_collection(epochs, autolim=False)
    handles = [smooth, *right.get_lines()]
    figure.legend(  # outside: where the curves leave room depends on the dataset
        handles, [str(h.get_label()) for h in handles], loc="lower center", ncols=3,
        frameon=False,
    )  # fmt: skip
    return _Curves(figure, axes, loss, smooth, validation, last, epochs)


def _learning_curve(started: Start, points: _Points, final: float | None) -> bytes:
    spec, curves = started.spec, _curves(final is not None)
    curves.loss.set_data(points.steps, points.losses)
    curves.smooth.set_data(points.steps, _smoothed(points.losses))
    curves.validation.set_data(points.val_steps, points.accuracies)
    if curves.last is not None and final is not None:
        curves.last.set_data([iterations(spec) - 1], [final])
    ends = [epoch * iterations_per_epoch(spec) - 0.5 for epoch in range(1, spec.epochs)]
    curves.epochs.set_segments([[(end, 0), (end, 1)] for end in ends])
    axes = curves.axes
    axes.set_title(f"{spec.study}: {spec.name}")
    axes.set_ylim(auto=True)
    for each in axes.figure.axes:
        each.relim()
        each.autoscale_view()
    axes.set_ylim(bottom=0)
    return _png(curves.figure)


def _smoothed(values: Sequence[float]) -> npt.NDArray[np.float64]:
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


@dataclass(frozen=True, slots=True)
class _Matrix:
    """A confusion matrix to fill."""

    figure: Figure
    axes: Axes
    image: AxesImage
    numbers: Sequence[Text]
    """Row by row; none where there are too many classes."""


@functools.lru_cache(maxsize=4)
def _matrix(names: tuple[str, ...]) -> _Matrix:
    size = min(12.0, max(5.0, 1.8 + 0.55 * len(names)))
    figure = Figure(figsize=(size, size), dpi=_DOTS_PER_INCH, layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(np.zeros((len(names), len(names))), cmap="Blues", vmin=0, vmax=1)
    ticks = range(len(names))
    numbers = []
    if len(names) <= _FEW:
        axes.set_xticks(ticks, names, rotation=45, ha="right")
        axes.set_yticks(ticks, names)
        numbers = [
            axes.text(j, i, "", ha="center", va="center", size=8) for i in ticks for j in ticks
        ]
    axes.set(xlabel="predicted", ylabel="true class", title="0 of 0 right")
    _settle(figure)
    return _Matrix(figure, axes, image, numbers)


def _confusion_matrix(started: Start, facts: DatasetFacts, folder: RunFolder) -> bytes:
    names = facts.class_names
    with (folder.path / "predictions.csv").open(encoding="utf-8", newline="") as file:
        rows = [(int(row["label"]), int(row["predicted"])) for row in csv.DictReader(file)]
    counts = np.zeros((len(names), len(names)), dtype=np.int64)
    np.add.at(counts, tuple(np.array(rows).T), 1)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    matrix = _matrix(names)
    matrix.image.set_data(share)
    for number, count, part in zip(matrix.numbers, counts.flat, share.flat, strict=False):
        number.set(text=str(count), color="white" if part > 0.5 else INK)
    right = int(np.trace(counts))
    matrix.axes.set_title(f"{started.spec.name}: {right:,} of {counts.sum():,} test images right")
    return _png(matrix.figure)


@dataclass(frozen=True, slots=True)
class _Look:
    """What the places in a figure of attention depend on."""

    pictures: tuple[int, ...]
    """Shape of a picture."""
    maps: tuple[tuple[str, tuple[int, ...]], ...]
    """Name and shape of each map."""
    titles: tuple[str, ...]
    """Above each picture: one or two lines. The pictures are the same in all runs of a study."""


@dataclass(frozen=True, slots=True)
class _Grid:
    """A figure of attention to fill: one row per image, the image and then each map."""

    figure: Figure
    heading: Text
    images: Sequence[Sequence[AxesImage]]


@functools.lru_cache(maxsize=16)
def _grid(look: _Look) -> _Grid:
    count, columns = len(look.titles), 1 + len(look.maps)
    figure = Figure(
        figsize=(2.3 * columns, 2.4 * count + 0.5), dpi=_DOTS_PER_INCH, layout="constrained"
    )
    grid = figure.subplots(count, columns, squeeze=False)
    height, width = look.pictures[:2]
    images = []
    for row, title in zip(grid, look.titles, strict=True):
        shown = [row[0].imshow(np.zeros(look.pictures), cmap="gray", vmin=0, vmax=1)]
        row[0].set_title(title, size=9)
        for axes, (name, shape) in zip(row[1:], look.maps, strict=True):
            shown.append(axes.imshow(np.zeros(shape), cmap="magma"))
            if name.endswith(".from_centre"):
                axes.plot(width // 2, height // 2, "+", color="cyan", markersize=8)
        images.append(shown)
    for axes, (name, _) in zip(grid[0, 1:], look.maps, strict=True):
        block, _, kind = name.partition(".")
        axes.set_title(f"{block}\n{_KINDS[kind]}", size=9)
    for axes in grid.flat:
        axes.set_xticks([])
        axes.set_yticks([])
    heading = figure.suptitle("what test images attend to")
    _settle(figure)
    return _Grid(figure, heading, images)


def _attention(started: Start, facts: DatasetFacts, arrays: dict[str, npt.NDArray[Any]]) -> bytes:
    names, scale = facts.class_names, facts.normalisation["scale"]
    pictures = arrays["images"].transpose(0, 2, 3, 1) / scale
    if pictures.shape[3] == 1:
        pictures = pictures[..., 0]
    titles = []
    for place in range(len(pictures)):
        label, predicted = (names[int(arrays[key][place])] for key in ("labels", "predicted"))
        titles.append(label if label == predicted else f"{label}\n(taken for {predicted})")
    maps = {name: array for name, array in arrays.items() if "." in name}
    grid = _grid(
        _Look(
            pictures.shape[1:],
            tuple((name, array.shape[1:]) for name, array in maps.items()),
            tuple(titles),
        )
    )
    for place, images in enumerate(grid.images):
        images[0].set_data(pictures[place])
        for image, array in zip(images[1:], maps.values(), strict=True):
            image.set_data(array[place])
            # scaled by itself: what matters is where an image looks, not how sharply
            image.set_clim(0, array[place].max())
    grid.heading.set_text(f"{started.spec.name}: what test images attend to")
    return _png(grid.figure)


_KINDS = {
    "received": "received, mean over positions",
    "from_centre": "from the centre (+)",
    "channels": "channel (row) from channel",
}
