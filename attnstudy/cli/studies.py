"""``run``, ``status`` and ``sync``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from attnstudy import options
from attnstudy.cli.common import (
    address_of,
    data_dir_of,
    find_own_variants,
    named_study,
    print_result,
)
from attnstudy.errors import EXIT_ENVIRONMENT, EXIT_SOME_FAILED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from attnstudy.runs import RunFolder


@click.command(cls=options.StudyFileCommand)
@options.study_argument
@options.study_name
@options.what_to_run
@options.how_to_run
@options.store
@options.option("--rerun", is_flag=True, help="Train again what is complete already.")
@options.republish
@options.option("--dry-run", is_flag=True, help="Show what would be trained, and how long.")
@options.talk
@options.as_json
def run(**given: Any) -> int:
    """Train every variant with every seed that has no result yet.

    STUDY is a study file, its folder, or its name under studies/. Results are kept in the store
    and published to MLflow; runs that are complete are skipped.
    """
    if given["executor"] == "processes" and not given["dry_run"]:
        from attnstudy.executors import prepare_workers

        prepare_workers("attnstudy.usecases.worker")  # first, to be done when this process is
    from attnstudy import render
    from attnstudy.usecases import estimating, planning, running

    terminal = render.Terminal(quiet=given["quiet"], progress=not given["no_progress"])
    with terminal.decoding() as decoding:
        plan = planning.make_plan(_run_request(given), decoding)
    if given["dry_run"]:
        expected = estimating.estimate(plan) if plan.pending else None
        answer = render.plan_json(plan, expected) if given["as_json"] else None
        print_result(answer, lambda: render.plan_text(plan, expected))
        return 0
    result = running.run_study(plan, terminal, _figures)
    if warning := running.sync_warning(result):
        terminal.warn(warning)
    answer = render.run_json(result) if given["as_json"] else None
    print_result(answer, lambda: render.run_text(result))
    if result.lost is not None:
        raise result.lost
    return EXIT_SOME_FAILED if result.failed else 0


@click.command(cls=options.StudyCommand)
@options.study_argument
@options.study_name
@options.store
@options.as_json
def status(**given: Any) -> int:
    """Show what is done, running and missing in each study."""
    from attnstudy import render
    from attnstudy.usecases import studies

    address = address_of(given)
    names = studies.choose_studies(address, named_study(given))
    found = [studies.study_status(address, name) for name in names]
    answer = render.status_json(found) if given["as_json"] else None
    print_result(answer, lambda: render.status_text(found, address))
    return 0


@click.command(cls=options.StudyCommand)
@options.study_argument
@options.study_name
@options.store
@options.republish
@options.talk
def sync(**given: Any) -> int:
    """Deliver to MLflow what it has not confirmed yet."""
    from attnstudy import render
    from attnstudy.usecases import studies

    address = address_of(given)
    terminal = render.Terminal(quiet=given["quiet"], progress=not given["no_progress"])
    with terminal.counting("delivering runs") as progress:
        done = studies.sync(
            address,
            named_study(given),
            _figures,
            progress,
            terminal.warn,
            republish=given["republish"],
        )
    click.echo(render.sync_text(done, address))
    return EXIT_ENVIRONMENT if done.refused else 0


def _figures(folder: RunFolder) -> Mapping[str, bytes]:
    from attnstudy import report  # matplotlib: only where a run is published

    return report.run_figures(folder)


def _run_request(given: dict[str, Any]) -> Any:
    from attnstudy.study import expand_variants
    from attnstudy.usecases.planning import RunRequest

    study = options.current_study()
    same = (
        "seeds", "dataset", "train_size", "val_size", "attention", "channels", "epochs",
        "batch_size", "lr", "optimizer", "weight_decay", "augmentation", "precision", "device",
        "threads", "workers", "executor", "fuse", "rerun", "wait", "strict", "checkpoint_minutes",
        "republish",
    )  # fmt: skip
    find_own_variants()
    return RunRequest(
        study=study.name,
        question=study.question,
        variants=expand_variants(given["variant"] or ("all",)),
        data_dir=data_dir_of(given),
        address=address_of(given),
        **{name: given[name] for name in same},
    )


COMMANDS = (run, status, sync)
