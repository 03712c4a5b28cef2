"""``prune``, ``export`` and ``import``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from attnstudy import options
from attnstudy.cli.common import address_of, data_dir_of, named_study, print_result, say
from attnstudy.cli.outputs import refuse_output
from attnstudy.errors import EXIT_SOME_FAILED, StoreError, UsageError

_FILE = click.Path(path_type=Path)


@click.command(
    cls=options.StudyCommand,
    epilog=options.examples("attnstudy prune mine", "attnstudy prune mine --repeated --yes"),
)
@options.study_argument
@options.study_known
@options.store_folder
@options.data_dir
@options.option("--repeated", is_flag=True, help="Also results that a later --rerun replaced.")
@options.option("--yes", "-y", is_flag=True, help="Remove without asking.")
@options.option("--dry-run", is_flag=True, help="Only list what would go.")
@options.quiet
@options.as_json
def prune(**given: Any) -> int:
    """Remove what nobody needs any more, after listing it.

    Checkpoints of finished runs, and what killed commands left half-written. Without STUDY: of all
    studies, and half-decoded images and half-done imports, which belong to none. Results stay.
    """
    from attnstudy import render
    from attnstudy.usecases import housekeeping, studies

    ask = not (given["yes"] or given["dry_run"])
    study = named_study(given)
    store_dir = given["store"]
    names = studies.choose_studies(_local(given), study)
    data_dir = None if study else data_dir_of(given)
    found = housekeeping.find_leftovers(store_dir, names, data_dir, repeated=given["repeated"])
    if ask and found.leftovers and (given["as_json"] or not sys.stdin.isatty()):
        why = "the answer is to be JSON" if given["as_json"] else "not a terminal"
        raise UsageError(f"cannot prompt: {why}; say --yes, or --dry-run to see what would go")
    if given["dry_run"]:
        answer = render.findings_json(found) if given["as_json"] else None
        print_result(answer, lambda: render.findings_text(found))
        return 0
    if not given["as_json"] and (ask or not given["quiet"]):
        say(render.findings_text(found))
    if ask and found.leftovers and not click.confirm("Remove them?"):
        say("Nothing was removed.")
        return 0
    removal = housekeeping.remove(store_dir, found.leftovers)
    if removal.failed:
        raise StoreError(render.removal_fault(removal))
    if given["as_json"]:
        print_result(render.removal_json(found, removal), None)
    elif found.leftovers:
        say(render.removal_text(removal))
    return 0


@click.command(
    cls=options.StudyCommand,
    epilog=options.examples(
        "attnstudy export mine mine.zip", "attnstudy export mine mine.zip --unfinished"
    ),
)
@click.argument("study_argument", metavar="STUDY")
@click.argument("file", type=_FILE)
@options.study_known
@options.store_folder
@options.option("--unfinished", is_flag=True, help="Unfinished runs too, to go on with elsewhere.")
@options.option("--tuning", is_flag=True, help="The runs of its tuning, instead of its own.")
@options.option("--skip-damaged", is_flag=True, help="Leave out runs that are damaged.")
@options.option("--force", is_flag=True, help="Replace FILE if it already exists.")
@options.talk
@options.as_json
def export(**given: Any) -> int:
    """Write a study's finished runs into one FILE, to import it on another machine.

    Every file is listed with its SHA-256. The same runs give the same FILE, to the byte. Runs that
    are being trained at this moment are left out. Of a tuning all runs go along, and from them
    'attnstudy tune' makes the trials anew on the other machine, without training.
    """
    from attnstudy import render
    from attnstudy.usecases import moving, studies

    study, file = options.current_study().name, given["file"]
    refuse_output(file, given["store"])
    if file.exists() and not (file.is_file() or file.is_dir()):
        raise UsageError(f"{file} is no regular file: name one to write the archive to")
    if given["tuning"]:
        study = studies.choose_tuning(_local(given), study)
    else:
        (study,) = studies.choose_studies(_local(given), study)
    terminal = render.Terminal(quiet=given["quiet"], progress=not given["no_progress"])
    with terminal.counting("exporting runs") as progress:
        report = moving.export_study(
            given["store"],
            study,
            file,
            unfinished=given["unfinished"] or given["tuning"],
            skip_damaged=given["skip_damaged"],
            force=given["force"],
            progress=progress,
        )
    answer = render.export_json(report) if given["as_json"] else None
    print_result(answer, lambda: render.export_text(report))
    return 0


@click.command(
    "import",
    epilog=options.examples("attnstudy import mine.zip"),
)
@click.argument("file", type=_FILE)
@options.store
@options.talk
@options.as_json
def import_(**given: Any) -> int:
    """Put the runs of an exported FILE into the store.

    All of FILE is verified before anything is put in place. Runs that are here already are never
    overwritten; exit code 1 when a run was not taken because another result is here.
    """
    from attnstudy import render
    from attnstudy.usecases import moving

    file: Path = given["file"]
    if not file.exists():
        raise UsageError(f"there is no file {file}: name the one that 'attnstudy export' wrote")
    address = address_of(given)
    terminal = render.Terminal(quiet=given["quiet"], progress=not given["no_progress"])
    with terminal.counting("importing runs") as progress:
        report = moving.import_study(address.store_dir, file, progress)
    answer = render.import_json(report) if given["as_json"] else None
    print_result(answer, lambda: render.import_text(report, address))
    return EXIT_SOME_FAILED if report.refused else 0


def _local(given: dict[str, Any]) -> Any:
    """Return the address of the embedded store: only its folder matters here."""
    from attnstudy.tracking import resolve

    return resolve(given["store"], None)


COMMANDS = (prune, export, import_)
