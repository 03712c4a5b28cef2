"""What ``rank`` writes beside its answer: page, figures, methods."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attnstudy import options
from attnstudy.cli.common import address_of, note, print_result
from attnstudy.errors import UsageError
from attnstudy.redaction import command_elsewhere

if TYPE_CHECKING:
    from collections.abc import Mapping

    from attnstudy.report.context import Context
    from attnstudy.report.style import Look
    from attnstudy.stats import Ranking
    from attnstudy.stats.tasks import TaskRanking
    from attnstudy.usecases.ranking import RankReport

_OF_FIGURES = ("figure_width", "font_size", "figure_style", "transparent")


def refuse_without_figures(given: Mapping[str, Any]) -> None:
    """Refuse what is about figures where none is written, and a look that makes no sense."""
    asked = [name for name in _OF_FIGURES if given[name]]
    if asked and not given["figures"]:
        raise UsageError(
            f"{options.place(asked[0])} is about the figures: say with --figures where to write "
            "them, or leave it out"
        )
    if asked:
        look(given)


def look(given: Mapping[str, Any]) -> Look:
    """Return how the figures are to look."""
    from attnstudy.report.figures import look_of

    return look_of(
        width=given["figure_width"],
        font_size=given["font_size"],
        style=given["figure_style"],
        transparent=given["transparent"],
    )


def check_methods(given: Mapping[str, Any]) -> None:
    """Refuse methods in the place of an answer of another form, and a file that is no LaTeX."""
    file = given["methods"]
    if file is None:
        return
    if file == "-":
        if given["as_json"] or given["form"] != "text":
            raise UsageError(
                "--methods without a file prints text in the place of the ranking: name a file, as "
                "--methods methods.tex, or leave --format and --json out"
            )
    elif Path(file).suffix != ".tex":
        raise UsageError(
            f"--methods {file} names no .tex file: write --methods methods.tex, or name the study "
            "before --methods"
        )


def write_methods(ranking: Ranking | TaskRanking, given: Mapping[str, Any]) -> bool:
    """Print the methods, or write them to files; tell whether they were printed."""
    if given["methods"] is None:
        return False
    from attnstudy.render import methods
    from attnstudy.stats.tasks import TaskRanking

    versions = _versions("attnstudy", "numpy", "scipy")
    if isinstance(ranking, TaskRanking):
        said = methods.tasks_methods_of(ranking, versions)
    else:
        said = methods.methods_of(ranking, versions)
    if given["methods"] == "-":
        print_result(None, lambda: methods.methods_text(said), given["output"])
        return True
    file = Path(given["methods"])
    bib = file.with_suffix(".bib")
    print_result(None, lambda: methods.methods_latex(said, bib.name), file)
    print_result(None, lambda: methods.methods_bib(said), bib)
    return False


def write_report(result: RankReport, given: dict[str, Any], form: str) -> None:
    """Write HTML and figures, and store them in MLflow, as asked."""
    from attnstudy.render.exports import rank_markdown
    from attnstudy.report.figures import figure_bytes, write_figures
    from attnstudy.report.html import ranking_html
    from attnstudy.usecases import logging_reports

    context = _context(result)
    if form == "html":
        page = ranking_html(result.ranking, context)
        print_result(None, lambda: page, given["output"])
    if given["figures"]:
        write_figures(result.ranking, context, given["figures"], look(given))
        note(f"The figures are in {given['figures']}.")
    if given["log"]:
        files = {"report.html": ranking_html(result.ranking, context).encode()}
        for name, content in figure_bytes(result.ranking, context, "png").items():
            files[f"{name}.png"] = content
        shown = rank_markdown(result)
        run_id = logging_reports.log_report(result, address_of(given), files, shown)
        note(f"Report stored in MLflow as run {run_id}.")


def _context(result: RankReport) -> Context:
    """Return what the report tells beside the ranking."""
    return surroundings(
        question=result.collected.question,
        runs=result.collected.runs,
        curves=result.collected.curves,
        calibration=result.calibration,
        components=result.components,
        claims=result.claims,
    )


def surroundings(**told: Any) -> Context:
    """Return what a report tells beside a ranking: when and by what it was made, and what else."""
    import datetime

    from attnstudy.report.context import Context

    return Context(
        made_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        versions=_versions("attnstudy", "numpy", "scipy", "torch", "mlflow"),
        **told,
        command=command_elsewhere(["attnstudy", *sys.argv[1:]]),
    )


def _versions(*names: str) -> dict[str, str]:
    """Return the versions of Python and of packages."""
    import platform
    from importlib import metadata

    return {"python": platform.python_version()} | {n: metadata.version(n) for n in names}
