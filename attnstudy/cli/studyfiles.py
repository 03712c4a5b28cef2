"""``study new``, ``study show`` and ``study check``."""

from __future__ import annotations

from typing import Any

import click

from attnstudy import options
from attnstudy.cli.common import print_result, say, tell
from attnstudy.cli.tuning import tune


@click.group("study")
def study() -> None:
    """Write, show and check the files of studies."""


@study.command(
    epilog=options.examples("attnstudy study new mine --question 'Which of the two is better?'"),
)
@click.argument("name")
@options.option(
    "--question", default="Which of the arms is better?", help="What the study is to answer."
)
@options.quiet
def new(name: str, question: str, **_: Any) -> int:
    """Write studies/NAME/study.toml, to be edited."""
    from attnstudy.usecases import studyfiles

    path = studyfiles.new_study(name, question)
    say(f"{path} is written: edit it, then 'attnstudy run {name}'.")
    return 0


_what_a_study_says = options.together(
    options.study_argument,
    options.study_name,
    options.what_to_run,
    options.how_to_run,
    options.tuned,
    options.until_decided,
    options.store,
    options.quiet,
    options.as_json,
)


@study.command(
    cls=options.StudyFileCommand,
    epilog=options.examples("attnstudy study show mine"),
)
@_what_a_study_says
def show(**given: Any) -> int:
    """Show what a study declares and which plans are recorded for it."""
    from attnstudy import render

    found = _overview()
    print_result(
        render.study_json(found) if given["as_json"] else None, lambda: render.study_text(found)
    )
    return 0


@study.command(
    cls=options.StudyFileCommand,
    epilog=options.examples("attnstudy study check mine"),
)
@_what_a_study_says
def check(**given: Any) -> int:
    """Check that a study's file makes sense; no code of its own is run, and nothing trained."""
    from attnstudy import asking, render

    options.check_file(tune)  # its table, which no other command reads
    study = options.current_study()
    if study.declares_tuning:
        asking.refuse_arms_beside_tuning(study)
    found = _overview(imported=False)
    print_result(
        render.study_json(found) if given["as_json"] else None,
        lambda: render.study_check_text(found),
    )
    if note := asking.unchecked_settings(study):
        tell(note)
    return 0


def _overview(*, imported: bool = True) -> Any:
    from attnstudy import asking
    from attnstudy.errors import UsageError
    from attnstudy.usecases import studyfiles

    requests = asking.run_requests(options.given_here(), imported=imported)
    if requests[0].declared is None:
        raise UsageError(
            "name a study with a file: 'attnstudy study new NAME' writes one under studies/"
        )
    return studyfiles.overview(requests)


COMMANDS = (study,)
