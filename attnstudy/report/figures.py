"""The figures of a ranking: numbers in, matplotlib figures or files out."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Literal, TypeAlias

from matplotlib.figure import Figure

from attnstudy.files import reported
from attnstudy.report.context import Context
from attnstudy.report.intervals import differences_figure, runs_figure
from attnstudy.report.lines import curves_figure, power_figure
from attnstudy.report.matrix import superiority_figure
from attnstudy.report.style import styled
from attnstudy.stats import Ranking

Format: TypeAlias = Literal["svg", "png", "pdf"]

# nothing that differs between two times of writing the same figure
_NO_METADATA = {
    "svg": dict.fromkeys(("Creator", "Date", "Format", "Type")),
    "png": {"Software": None},
    "pdf": dict.fromkeys(("Creator", "Producer", "CreationDate")),
}
_DOTS_PER_INCH = 200


def ranking_figures(ranking: Ranking, context: Context) -> dict[str, Figure]:
    """Return the figures that apply, by name: runs, differences, superiority, power, curves.

    Args:
        ranking: what was found.
        context: for the learning curves.

    """
    with styled():
        figures = {
            "runs": runs_figure(ranking),
            "differences": differences_figure(ranking) if ranking.pairs else None,
            "superiority": superiority_figure(ranking),
            "power": power_figure(ranking),
            "curves": curves_figure(ranking, context),
        }
    return {name: figure for name, figure in figures.items() if figure is not None}


def figures(ranking: Ranking, folder: str | Path | None = None) -> dict[str, Figure]:
    """Return the figures of a ranking, by name, and write them into a folder if one is given.

    Args:
        ranking: what ``attnstudy.rank`` returned.
        folder: where to write each figure as SVG and PNG; it is made if it is not there.

    Raises:
        StoreError: the folder cannot be written.

    """
    if folder is not None:
        write_figures(ranking, Context(), Path(folder))
    return ranking_figures(ranking, Context())


def write_figures(ranking: Ranking, context: Context, folder: Path) -> None:
    """Write each figure as SVG and PNG into a folder.

    Args:
        ranking: what was found.
        context: for the learning curves.
        folder: is made if it is not there.

    Raises:
        StoreError: the folder cannot be written.

    """
    formats: tuple[Format, ...] = ("svg", "png")
    with reported(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for kind in formats:
            for name, content in figure_bytes(ranking, context, kind).items():
                (folder / f"{name}.{kind}").write_bytes(content)


def figure_bytes(ranking: Ranking, context: Context, format: Format) -> dict[str, bytes]:
    """Return the same figures as files of their own; the same ranking gives the same bytes.

    Args:
        ranking: what was found.
        context: for the learning curves.
        format: ``svg`` or ``png``.

    """
    figures = ranking_figures(ranking, context)
    return {name: written(figure, name, format) for name, figure in figures.items()}


def written(figure: Figure, name: str, format: Format, *, transparent: bool = False) -> bytes:
    """Return a figure as the bytes of a file.

    Args:
        figure: drawn in the style of the reports.
        name: makes the identifiers inside an SVG.
        format: ``svg`` or ``png``.
        transparent: leave out the paper behind it.

    """
    buffer = io.BytesIO()
    settings = {"svg.hashsalt": name}
    with styled(**settings):
        figure.savefig(
            buffer, format=format, dpi=_DOTS_PER_INCH if format == "png" else "figure",
            transparent=transparent, metadata=_NO_METADATA[format],
        )  # fmt: skip
    return buffer.getvalue()
