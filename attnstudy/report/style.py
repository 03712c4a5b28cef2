"""One look for every figure: its colours by role, each of which a page can set anew.

A figure is drawn in the light colours below. Every role has a colour of its own, so that a page
can replace it by a CSS variable of the role's name and follow the reader's light or dark screen.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from attnstudy.errors import UsageError
from attnstudy.shown import in_line
from attnstudy.stats import Ranking, Verdict
from attnstudy.stats.wording.numbers import percent_suffix

INK, MUTED, GRID, PAPER, BAND = "#1b1f26", "#565f6c", "#d4d9e0", "#ffffff", "#c9cfd8"

LIGHT: Mapping[str, str] = {
    "ink": INK,
    "muted": MUTED,
    "grid": GRID,
    "paper": PAPER,
    "band": BAND,
    "better": "#04694e",
    "worse": "#a83e08",
    "equivalent": "#2253ad",
    "undecided": "#5f6774",
    "descriptive": "#626a77",
    "series-1": "#1766b4",
    "series-2": "#b9521b",
    "series-3": "#12805a",
    "series-4": "#8246ab",
    "series-5": "#866500",
    "series-6": "#b8356f",
}
"""Role -> colour; all differ, and text in each is legible on white (contrast 4.5 or more), apart
from grid, paper and band, which carry no text."""

DARK: Mapping[str, str] = {
    "ink": "#e8ebf0",
    "muted": "#a9b2bf",
    "grid": "#363d48",
    "paper": "#181c23",
    "band": "#4a5362",
    "better": "#4fd0a4",
    "worse": "#ff9c6b",
    "equivalent": "#8db5ff",
    "undecided": "#a6afbd",
    "descriptive": "#a2abb9",
    "series-1": "#6eb2f6",
    "series-2": "#f59a60",
    "series-3": "#56cd97",
    "series-4": "#cb9ff0",
    "series-5": "#dfba4c",
    "series-6": "#f488b6",
}
"""The same roles on a dark screen."""

SERIES = tuple(colour for role, colour in LIGHT.items() if role.startswith("series-"))
DASHES = ("-", (0, (5, 1.5)), (0, (5, 1.5, 1, 1.5)), (0, (1, 1)), (0, (8, 2)), (0, (3, 1, 1, 1)))
"""Line styles of the series, so that they differ without colour."""

MARKERS: Mapping[Verdict, tuple[str, str, bool]] = {
    Verdict.BETTER: ("^", "-", True),
    Verdict.WORSE: ("v", "-", True),
    Verdict.EQUIVALENT: ("s", (0, (5, 1.5)), True),  # type: ignore[dict-item]
    Verdict.UNDECIDED: ("o", (0, (1.5, 1.2)), False),  # type: ignore[dict-item]
    Verdict.DESCRIPTIVE: ("x", "-", True),
}
"""Verdict -> marker, line style, filled: it can be read without colour."""

WIDTH = 4.1
"""Inches: text stays legible on a phone, and two figures stand side by side on a desk."""
FONT_SIZE = 9.0
"""Points of the text beside axes, to which all other sizes keep their proportion."""

_SETTINGS: Mapping[str, Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": FONT_SIZE,
    "text.color": INK,
    "text.parse_math": False,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.grid.axis": "x",
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "axes.linewidth": 0.8,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "legend.frameon": False,
    "figure.figsize": (WIDTH, 3.0),
    "svg.fonttype": "none",
    "pdf.fonttype": 42,  # publishers refuse fonts of type 3
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a user wants otherwise than the reports have it."""

    width: float | None = None
    """Inches; None as each figure has it."""
    font_size: float | None = None
    """Points; None for ``FONT_SIZE``, or that of the style."""
    style: Mapping[str, Any] | None = None
    """Settings of matplotlib that go before those of the reports."""
    transparent: bool = False
    """Whether the paper behind a figure is left out."""

    @property
    def settings(self) -> dict[str, Any]:
        """All of it as settings of matplotlib."""
        settings = dict(self.style or {})
        if self.font_size is not None:
            settings["font.size"] = self.font_size
        if self.width is not None:
            settings["figure.figsize"] = (self.width, 3.0)
        return settings


PLAIN = Look()
"""The look of the reports."""

_REFUSED = ("text.usetex", "text.parse_math")
_NEVER: Mapping[str, Any] = {"text.usetex": False, "text.parse_math": False}


def read_style(path: Path) -> dict[str, Any]:
    """Return the settings in a style file of matplotlib.

    Raises:
        UsageError: it is not there, or no style; the message names the line.

    """
    said: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("matplotlib")
    before = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read = mpl.rc_params_from_file(path, use_default_template=False)
            found: dict[str, Any] = {str(name): value for name, value in read.items()}
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise UsageError(f"the style {path} cannot be read ({reason}): name a .mplstyle") from error
    finally:
        logger.removeHandler(handler)
        logger.propagate = before
    if said:
        raise UsageError(f"the style {path} is none of matplotlib's: {' '.join(said[0].split())}")
    for name in _REFUSED:
        if found.get(name):
            raise UsageError(
                f"the style {path} sets {name}, but names of arms are plain text: leave it out"
            )
    return found


@contextmanager
def styled(look: Look = PLAIN, **settings: str) -> Iterator[None]:
    """Draw in the style of the reports, whatever the user's own settings of matplotlib are."""
    chosen = {**_SETTINGS, **_proportions(look), **look.settings, **settings, **_NEVER}
    with matplotlib.style.context(["default", chosen]), quiet():
        yield


def _proportions(look: Look) -> dict[str, float]:
    """Return the sizes of labels that go with the size of the text."""
    size = float(look.settings.get("font.size", FONT_SIZE))
    small = 8.5 * size / FONT_SIZE
    names = ("xtick.labelsize", "ytick.labelsize", "legend.fontsize")
    return {"axes.labelsize": size, **dict.fromkeys(names, small)}


def points(size: float) -> float:
    """Return a size of text as it is where text beside axes has the size of the style."""
    return size * _scale()


def room(columns: int) -> int:
    """Return how many characters go where ``columns`` go by default."""
    asked = float(mpl.rcParams["figure.figsize"][0]) / WIDTH
    return max(round(columns * asked / _scale()), 6)


def wide(width: float) -> float:
    """Return the width of a figure: the one that was asked for, else its own."""
    asked = float(mpl.rcParams["figure.figsize"][0])
    return width if asked == WIDTH else asked


def tall(height: float) -> float:
    """Return the height of a figure, which grows with its text."""
    return height * max(_scale(), 0.7)


def _scale() -> float:
    return float(mpl.rcParams["font.size"]) / FONT_SIZE


@contextmanager
def quiet() -> Iterator[None]:
    """Let a name stand that the font of the measuring lacks; the reader's font may have it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        warnings.filterwarnings("ignore", "Matplotlib currently does not support")
        warnings.filterwarnings("ignore", "constrained_layout not applied")
        yield


def new_figure(height: float, *, width: float = WIDTH) -> tuple[Figure, Axes]:
    """Return a figure with one pair of axes; sizes in inches."""
    figure = Figure(figsize=(wide(width), tall(height)), layout="constrained")
    return figure, figure.subplots()


def of_metric(ranking: Ranking) -> str:
    """Return the label of an axis with values of the metric."""
    unit = percent_suffix(ranking.metric, ranking.unit)
    return in_line(ranking.metric.replace("_", " ")) + unit


def of_differences(ranking: Ranking) -> str:
    """Return the label of an axis with differences."""
    unit = f" ({ranking.unit})" if ranking.unit else ""
    return f"difference in {in_line(ranking.metric.replace('_', ' '))}{unit}"
