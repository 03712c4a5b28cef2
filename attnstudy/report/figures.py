"""The figures of a ranking: numbers in, matplotlib figures or files out."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Literal, TypeAlias

from matplotlib.figure import Figure

from attnstudy.errors import UsageError
from attnstudy.files import reported, write_output
from attnstudy.report.context import Context
from attnstudy.report.intervals import differences_figure, runs_figure
from attnstudy.report.lines import curves_figure, power_figure
from attnstudy.report.matrix import superiority_figure
from attnstudy.report.style import PLAIN, Look, read_style, styled
from attnstudy.stats import Ranking

Format: TypeAlias = Literal["svg", "png", "pdf"]
FORMATS: tuple[Format, ...] = ("svg", "png", "pdf")

# nothing that differs between two times of writing the same figure
_NO_METADATA = {
    "svg": dict.fromkeys(("Creator", "Date", "Format", "Type")),
    "png": {"Software": None},
    "pdf": dict.fromkeys(("Creator", "Producer", "CreationDate")),
}
_DOTS_PER_INCH = 200


def ranking_figures(ranking: Ranking, context: Context, look: Look = PLAIN) -> dict[str, Figure]:
    """Return the figures that apply, by name: runs, differences, superiority, power, curves.

    Args:
        ranking: what was found.
        context: for the learning curves.
        look: what is wanted otherwise than in the reports.

    """
    with styled(look):
        figures = {
            "runs": runs_figure(ranking),
            "differences": differences_figure(ranking) if ranking.pairs else None,
            "superiority": superiority_figure(ranking),
            "power": power_figure(ranking),
            "curves": curves_figure(ranking, context),
        }
    return {name: figure for name, figure in figures.items() if figure is not None}


def figures(
    ranking: Ranking,
    folder: str | Path | None = None,
    *,
    width: float | None = None,
    font_size: float | None = None,
    style: str | Path | None = None,
    transparent: bool = False,
) -> dict[str, Figure]:
    """Return the figures of a ranking, by name, and write them into a folder if one is given.

    Args:
        ranking: what ``attnstudy.rank`` returned.
        folder: where to write each figure as SVG, PNG and PDF; it is made if it is not there.
        width: inches.
        font_size: points of the text beside axes; other sizes keep their proportion.
        style: a style file of matplotlib, which goes before the style of the figures.
        transparent: leave out the paper behind them.

    Raises:
        StoreError: the folder cannot be written.
        UsageError: a size makes no sense, or the style is none.

    """
    look = look_of(width=width, font_size=font_size, style=style, transparent=transparent)
    if folder is not None:
        write_figures(ranking, Context(), Path(folder), look)
    return ranking_figures(ranking, Context(), look)


_WIDTHS, _FONT_SIZES = (2.0, 40.0), (4.0, 40.0)


def look_of(
    *,
    width: float | None = None,
    font_size: float | None = None,
    style: str | Path | None = None,
    transparent: bool = False,
) -> Look:
    """Return what is wanted otherwise than in the reports.

    Raises:
        UsageError: a size makes no sense, or the style is none.

    """
    for what, unit, value, (low, high) in (
        ("width", "inches", width, _WIDTHS),
        ("font size", "points", font_size, _FONT_SIZES),
    ):
        if value is not None and not low <= value <= high:
            raise UsageError(
                f"a {what} of {value:g} {unit} leaves nothing to read: give {low:g} to {high:g}"
            )
    return Look(
        width=width,
        font_size=font_size,
        style=None if style is None else read_style(Path(style)),
        transparent=transparent,
    )


def write_figures(ranking: Ranking, context: Context, folder: Path, look: Look = PLAIN) -> None:
    """Write each figure as SVG, PNG and PDF into a folder.

    Args:
        ranking: what was found.
        context: for the learning curves.
        folder: is made if it is not there.
        look: what is wanted otherwise than in the reports.

    Raises:
        StoreError: the folder cannot be written.

    """
    with reported(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for kind in FORMATS:
            for name, content in figure_bytes(ranking, context, kind, look).items():
                write_output(folder / f"{name}.{kind}", content)


def figure_bytes(
    ranking: Ranking, context: Context, format: Format, look: Look = PLAIN
) -> dict[str, bytes]:
    """Return the same figures as files of their own; the same ranking gives the same bytes.

    Args:
        ranking: what was found.
        context: for the learning curves.
        format: ``svg``, ``png`` or ``pdf``.
        look: what is wanted otherwise than in the reports.

    """
    figures = ranking_figures(ranking, context, look)
    return {name: written(figure, name, format, look) for name, figure in figures.items()}


def written(figure: Figure, name: str, format: Format, look: Look = PLAIN) -> bytes:
    """Return a figure as the bytes of a file.

    Args:
        figure: drawn in the style of the reports.
        name: makes the identifiers inside an SVG.
        format: ``svg``, ``png`` or ``pdf``.
        look: in which it was drawn.

    """
    buffer = io.BytesIO()
    settings = {"svg.hashsalt": name}
    with styled(look, **settings):
        figure.savefig(
            buffer, format=format, dpi=_DOTS_PER_INCH if format == "png" else "figure",
            transparent=look.transparent, metadata=_NO_METADATA[format],
        )  # fmt: skip
    return buffer.getvalue()
