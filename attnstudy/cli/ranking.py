"""``rank`` and ``audit``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from attnstudy import asking, options
from attnstudy.cli.common import print_result
from attnstudy.cli.outputs import refuse_outputs
from attnstudy.cli.ranked import form_of, names_in, ranking_source, refuse_empty
from attnstudy.cli.ranking_tasks import rank_tasks, refuse_without_tasks
from attnstudy.cli.reports import (
    check_methods,
    refuse_without_figures,
    write_methods,
    write_report,
)
from attnstudy.errors import EXIT_SOME_FAILED, UsageError


@click.command(
    cls=options.RankCommand,
    epilog=options.examples(
        "attnstudy rank --from results.csv",
        "attnstudy rank mine --format html --output ranking.html",
        "attnstudy rank mine --assert 'double > vanilla'",
        "attnstudy rank --experiment mine --by params.model --metric accuracy",
        "attnstudy rank --from results.csv --task-by dataset --tasks average",
    ),
)
@options.of_rank
@options.under(
    "Output",
    options.option(
        "--format",
        "form",
        type=click.Choice(("text", "markdown", "latex", "csv", "json", "html")),
        default="text",
        help="Form of the result.",
    ),
    options.option(
        "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file instead."
    ),
    options.option(
        "--figures",
        type=click.Path(file_okay=False, path_type=Path),
        help="Write the figures into a folder, as SVG, PNG and PDF.",
    ),
    options.how_to_draw,
    options.option(
        "--methods",
        metavar="[FILE.tex]",
        is_flag=False,
        flag_value="-",
        help="Print what was done in this ranking, for a paper; or write it to FILE.tex, and what "
        "it cites to FILE.bib.",
    ),
    options.option("--log", is_flag=True, help="Store the report in MLflow beside the runs."),
)
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

    refuse_empty(given)
    refuse_without_figures(given)
    check_methods(given)
    refuse_outputs(given)
    form = form_of(given)
    if given["components"] and form in ("latex", "csv"):
        raise UsageError(
            f"--components has no place in --format {form}: use text, markdown, html or json"
        )
    if given["task_by"] is not None:
        return rank_tasks(given)
    wants_report = form == "html" or given["figures"] or given["log"]
    asked = options.given_here()
    source = ranking_source(asked, with_curves=bool(wants_report))
    request = asking.rank_request(asked, source)
    terminal = Terminal(quiet=given["quiet"], progress=not given["no_progress"])
    try:
        with terminal.counting("reading runs", plain_from=1000) as progress:
            result = ranking.rank(request, lambda read: progress(read, None))
    except SeveralTasksError as several:
        return rank_tasks(given, several.tasks)
    refuse_without_tasks(given)
    if wants_report:
        write_report(result, given, form)
    if write_methods(result.ranking, given):
        form = "methods"
    if form not in ("html", "methods"):
        texts = {
            "text": rank_text, "markdown": rank_markdown, "latex": rank_latex, "csv": rank_csv,
        }  # fmt: skip
        answer = rank_json(result) if form == "json" else None
        print_result(answer, lambda: texts[form](result), given["output"])
    return 0 if all(check.supported for check in result.claims) else EXIT_SOME_FAILED


@click.command(
    epilog=options.examples(
        "attnstudy audit table.csv --items 10000", "attnstudy audit table.csv --runs logged.csv"
    )
)
@click.argument("table")
@options.option("--items", type=options.POSITIVE, help="Test items behind each accuracy.")
@options.option("--runs", "logs", type=click.Path(), help="CSV of logged runs to compare with.")
@options.option("--n", type=options.POSITIVE, help="Runs behind each mean, where none are given.")
@options.how_to_read_a_table
@options.alpha
@options.direction
@options.quiet
@options.as_json
def audit(table: str, **given: Any) -> int:
    """Check the arithmetic and the claims of a printed results table.

    TABLE is a CSV file, or - for standard input: names, values as printed, and the mean (and SD)
    as printed; or mean, SD and n alone. Exit code 1 when there are findings.
    """
    from attnstudy import render
    from attnstudy.tables.asked import Asked
    from attnstudy.usecases.auditing import audit_table

    refuse_empty(given)
    result = audit_table(
        table,
        items=given["items"],
        logs=given["logs"],
        alpha=given["alpha"],
        direction=given["direction"],
        asked=Asked(
            layout=given["layout"],
            by=names_in(given["by"]),
            seed_by=given["seed_by"],
            metric=given["metric"],
        ),
        n=given["n"],
        standard_input=sys.stdin.buffer.read() if table == "-" else b"",
    )
    answer = result.to_json() if given["as_json"] else None
    print_result(answer, lambda: render.audit_text(result))
    return EXIT_SOME_FAILED if result.findings else 0


COMMANDS = (rank, audit)
