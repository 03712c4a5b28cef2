"""``rank`` and ``audit``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from attnstudy import asking, options
from attnstudy.cli.common import address_of, print_result
from attnstudy.errors import EXIT_SOME_FAILED, UsageError, command_without_passwords

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from attnstudy.asking import Given
    from attnstudy.report.context import Context
    from attnstudy.report.style import Look
    from attnstudy.stats import Ranking
    from attnstudy.stats.tasks import TaskRanking
    from attnstudy.usecases.ranking import RankReport


@click.command(cls=options.RankCommand)
@options.of_rank
@options.option(
    "--format",
    "form",
    type=click.Choice(("text", "markdown", "latex", "csv", "json", "html")),
    default="text",
    help="Form of the result.",
)
@options.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file instead."
)
@options.option(
    "--figures",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the figures into a folder, as SVG, PNG and PDF.",
)
@options.how_to_draw
@options.option(
    "--methods",
    metavar="[FILE.tex]",
    is_flag=False,
    flag_value="-",
    help="Print what was done in this ranking, for a paper; or write it to FILE.tex, and what it "
    "cites to FILE.bib.",
)
@options.option("--log", is_flag=True, help="Store the report in MLflow beside the runs.")
def rank(**given: Any) -> int:
    """Rank arms by the distribution of a metric over seeds, with error control.

    STUDY is the name of a study that ran; without it, and without --experiment or --from, the
    only study there is.
    """
    from attnstudy.render import Terminal
    from attnstudy.render.exports import rank_csv, rank_json, rank_latex, rank_markdown
    from attnstudy.render.ranking import rank_text
    from attnstudy.usecases import ranking
    from attnstudy.usecases.sources import SeveralTasksError

    _refuse_empty(given)
    _refuse_without_figures(given)
    _check_methods(given)
    form = "json" if given["as_json"] else given["form"]
    if given["components"] and form in ("latex", "csv"):
        raise UsageError(
            f"--components has no place in --format {form}: use text, markdown, html or json"
        )
    if given["task_by"] is not None:
        return _rank_tasks(given)
    wants_report = form == "html" or given["figures"] or given["log"]
    asked = options.given_here()
    source = _source(asked, with_curves=bool(wants_report))
    request = asking.rank_request(asked, source)
    terminal = Terminal()
    try:
        with terminal.counting("reading runs", plain_from=1000) as progress:
            result = ranking.rank(request, lambda read: progress(read, None))
    except SeveralTasksError as several:
        return _rank_tasks(given, several.tasks)
    _refuse_without_tasks(given)
    if wants_report:
        _write_report(result, given, form)
    if _write_methods(result.ranking, given):
        form = "methods"
    if form not in ("html", "methods"):
        texts = {
            "text": rank_text, "markdown": rank_markdown, "latex": rank_latex, "csv": rank_csv,
        }  # fmt: skip
        answer = rank_json(result) if form == "json" else None
        print_result(answer, lambda: texts[form](result), given["output"])
    return 0 if all(check.supported for check in result.claims) else EXIT_SOME_FAILED


@click.command()
@click.argument("table")
@options.option("--items", type=options.POSITIVE, help="Test items behind each accuracy.")
@options.option("--runs", "logs", type=click.Path(), help="CSV of logged runs to compare with.")
@options.option("--n", type=options.POSITIVE, help="Runs behind each mean, where none are given.")
@options.how_to_read
@options.alpha
@options.direction
@options.as_json
def audit(table: str, **given: Any) -> int:
    """Check the arithmetic and the claims of a printed results table.

    TABLE is a CSV file, or - for standard input: names, values as printed, and the mean (and SD)
    as printed; or mean, SD and n alone. Exit code 1 when there are findings.
    """
    from attnstudy import render
    from attnstudy.tables.asked import Asked
    from attnstudy.usecases import ranking

    _refuse_empty(given)
    result = ranking.audit_table(
        table,
        items=given["items"],
        logs=given["logs"],
        alpha=given["alpha"],
        direction=given["direction"],
        asked=Asked(
            layout=given["layout"],
            by=_names(given["by"]),
            seed_by=given["seed_by"],
            metric=given["metric"],
        ),
        n=given["n"],
        standard_input=sys.stdin.buffer.read() if table == "-" else b"",
    )
    answer = result.to_json() if given["as_json"] else None
    print_result(answer, lambda: render.audit_text(result))
    return EXIT_SOME_FAILED if result.findings else 0


def _refuse_empty(given: dict[str, Any]) -> None:
    """Refuse options that name nothing, as a variable of a shell that is not set does."""
    for name in ("by", "seed_by", "metric", "task_by", "of", "at"):
        text = given.get(name)
        if text is not None and not text.strip(", "):
            raise UsageError(f"{options.place(name)} is empty: give a name, or leave it out")


def _refuse_without_figures(given: Mapping[str, Any]) -> None:
    """Refuse what is about figures where none is written, and a look that makes no sense."""
    asked = [name for name in _OF_FIGURES if given[name]]
    if asked and not given["figures"]:
        raise UsageError(
            f"{options.place(asked[0])} is about the figures: say with --figures where to write "
            "them, or leave it out"
        )
    if asked:
        _look(given)


_OF_FIGURES = ("figure_width", "font_size", "figure_style", "transparent")


def _look(given: Mapping[str, Any]) -> Look:
    """Return how the figures are to look."""
    from attnstudy.report.figures import look_of

    return look_of(
        width=given["figure_width"],
        font_size=given["font_size"],
        style=given["figure_style"],
        transparent=given["transparent"],
    )


def _check_methods(given: Mapping[str, Any]) -> None:
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


def _write_methods(ranking: Ranking | TaskRanking, given: Mapping[str, Any]) -> bool:
    """Print the methods, or write them to files; tell whether they were printed."""
    if given["methods"] is None:
        return False
    from attnstudy.render import methods
    from attnstudy.render.methods_tasks import tasks_methods_of
    from attnstudy.stats.tasks import TaskRanking

    versions = _versions("attnstudy", "numpy", "scipy")
    if isinstance(ranking, TaskRanking):
        said = tasks_methods_of(ranking, versions)
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


def _names(text: str | None) -> tuple[str, ...]:
    """Return the names in a list with commas."""
    return tuple(name for part in (text or "").split(",") if (name := part.strip()))


def _source(given: Given, *, with_curves: bool) -> Any:
    """Return what to rank: a table, any experiment, or a study; one of them."""
    from attnstudy.tables.points import point_of
    from attnstudy.usecases import sources

    named = given["study"] or given["study_argument"]
    asked = {
        options.place("study_argument" if given["study_argument"] else "study"): named,
        options.place("experiments"): given["experiments"],
        options.place("tables"): given["tables"],
    }
    several = [name for name, value in asked.items() if value]
    if len(several) > 1:
        raise UsageError(f"{' and '.join(several)} name two things to rank: give one of them")
    by = _names(given["by"])
    of_results = {
        "metric": given["metric"],
        "direction": given["direction"],
        "by": by,
        "seed_by": given["seed_by"],
        "filters": given["filters"],
        "allowed": given["allowed"],
        "missing": given["missing"],
        "items": given["items"],
    }
    if named is None and (given["tables"] or given["experiments"]):
        _refuse(given, ("task",), "--from and --experiment: --filter selects what is ranked there")
    if given["tables"]:
        _refuse(given, ("config",), "--from: --filter selects rows there")
        return sources.TableRequest(
            **of_results,
            sources=given["tables"],
            layout=given["layout"],
            point=point_of(given["at"], given["of"]),
        )
    if given["experiments"]:
        if not by or given["metric"] is None:
            raise UsageError(
                "--experiment also needs --by (params.NAME or tags.NAME: what makes an arm) "
                "and --metric"
            )
        _refuse(given, ("config",), "--experiment: --filter selects runs there")
        _refuse(given, ("layout",), "--experiment: a run of MLflow is a run")
        return sources.ExperimentRequest(
            **of_results,
            experiments=given["experiments"],
            point=point_of(given["at"], given["of"]),
            address=address_of(given),
        )
    for name in (
        "by", "seed_by", "filters", "items", "layout", "at", "of", "missing", "folds",
    ):  # fmt: skip
        if given[name]:
            raise UsageError(
                f"{options.place(name)} goes with --experiment or --from: a study of "
                "attnstudy's own knows it"
            )
    return asking.study_source(given, with_curves=with_curves)


_OF_TASKS = ("question", "task_scale", "weights", "directions")


def _refuse_without_tasks(given: Mapping[str, Any]) -> None:
    """Refuse what is about several tasks where there is one."""
    for name in _OF_TASKS:
        if given[name]:
            raise UsageError(
                f"{options.place(name)} is about several tasks: say with --task-by on which task "
                "a run was made, or leave it out"
            )


def _rank_tasks(given: dict[str, Any], of_study: Sequence[str] = ()) -> int:
    """Rank over several tasks, and print it; of a study, these are its tasks."""
    from attnstudy.render import Terminal
    from attnstudy.render.tasks import (
        tasks_csv,
        tasks_json,
        tasks_latex,
        tasks_markdown,
        tasks_text,
    )
    from attnstudy.usecases.ranking_tasks import TaskRankRequest, rank_by_task
    from attnstudy.usecases.sources import StudyRequest

    form = "json" if given["as_json"] else given["form"]
    for name in ("look", "looks", "calibrate", "folds", "log"):
        if given[name]:
            raise UsageError(
                f"{options.place(name)} is for one task: leave it out, or rank one task with "
                f"{'--task' if of_study else '--filter'}"
            )
    asked = options.given_here()
    source: Any = asking.task_sources(asked, of_study)
    if not of_study:
        source = _source(asked, with_curves=False)
        if isinstance(source, StudyRequest):
            raise UsageError(
                "--task-by goes with --experiment or --from: a study names its tasks in its file"
            )
    request = TaskRankRequest(
        source=source,
        said=asked.said("alpha", "correction", "control", "margin", "paired", "looks"),
        task_by=given["task_by"],
        question=given["question"],
        scale=given["task_scale"],
        weights={
            task: _weight(task, text)
            for task, text in _by_task("weights", given["weights"]).items()
        },
        directions=_by_task("directions", given["directions"]),
        claims=given["claims"],
        components=given["components"],
    )
    with Terminal().counting("reading runs", plain_from=1000) as progress:
        result = rank_by_task(request, lambda read: progress(read, None))
    if form == "html":
        from attnstudy.report.tasks_html import tasks_html

        page = tasks_html(
            result.ranking, _surroundings(claims=result.claims, components=result.components)
        )
        print_result(None, lambda: page, given["output"])
    if given["figures"]:
        from attnstudy.report.over_tasks import write_task_figures

        write_task_figures(result.ranking, given["figures"], _look(given))
        click.echo(f"The figures are in {given['figures']}.", err=True)
    if _write_methods(result.ranking, given):
        form = "methods"
    texts = {
        "text": tasks_text, "markdown": tasks_markdown, "latex": tasks_latex, "csv": tasks_csv,
    }  # fmt: skip
    if form not in ("html", "methods"):
        answer = tasks_json(result) if form == "json" else None
        print_result(answer, lambda: texts[form](result), given["output"])
    return 0 if all(check.supported for check in result.claims) else EXIT_SOME_FAILED


def _by_task(option: str, given: Sequence[str]) -> dict[str, str]:
    """Return what was given for each task, as TASK=VALUE."""
    found: dict[str, str] = {}
    for text in given:
        task, equals, value = text.rpartition("=")
        if not equals or not task.strip() or not value.strip():
            raise UsageError(f"{options.place(option)} {text!r}: write TASK=VALUE")
        if task.strip() in found:
            raise UsageError(f"{options.place(option)} names {task.strip()!r} twice: once is meant")
        found[task.strip()] = value.strip()
    return found


def _weight(task: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"the weight of {task} is {text!r}: give a number above 0") from None


def _refuse(given: Mapping[str, Any], names: Sequence[str], where: str) -> None:
    """Refuse options that would do nothing."""
    for name in names:
        if given[name]:
            raise UsageError(f"{options.place(name)} does not go with {where}")


def _write_report(result: RankReport, given: dict[str, Any], form: str) -> None:
    """Write HTML and figures, and store them in MLflow, as asked."""
    from attnstudy.report.figures import figure_bytes, write_figures
    from attnstudy.report.html import ranking_html
    from attnstudy.usecases import logging_reports

    context = _context(result)
    if form == "html":
        page = ranking_html(result.ranking, context)
        print_result(None, lambda: page, given["output"])
    if given["figures"]:
        write_figures(result.ranking, context, given["figures"], _look(given))
        click.echo(f"The figures are in {given['figures']}.", err=True)
    if given["log"]:
        files = {"report.html": ranking_html(result.ranking, context).encode()}
        for name, content in figure_bytes(result.ranking, context, "png").items():
            files[f"{name}.png"] = content
        run_id = logging_reports.log_report(result, address_of(given), files)
        click.echo(f"Report stored in MLflow as run {run_id}.", err=True)


def _context(result: RankReport) -> Context:
    """Return what the report tells beside the ranking."""
    return _surroundings(
        question=result.collected.question,
        runs=result.collected.runs,
        curves=result.collected.curves,
        calibration=result.calibration,
        components=result.components,
        claims=result.claims,
    )


def _surroundings(**told: Any) -> Context:
    """Return what a report tells beside a ranking: when and by what it was made, and what else."""
    import datetime

    from attnstudy.report.context import Context

    return Context(
        made_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        versions=_versions("attnstudy", "numpy", "scipy", "torch", "mlflow"),
        **told,
        command=command_without_passwords(["attnstudy", *sys.argv[1:]]),
    )


def _versions(*names: str) -> dict[str, str]:
    """Return the versions of Python and of packages."""
    import platform
    from importlib import metadata

    return {"python": platform.python_version()} | {n: metadata.version(n) for n in names}


COMMANDS = (rank, audit)
