"""``run``, ``status`` and ``sync``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

from attnstudy import options
from attnstudy.cli.common import address_of, named_study, prepare_workers, print_result
from attnstudy.errors import EXIT_ENVIRONMENT, EXIT_SOME_FAILED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from attnstudy.runs import RunFolder
    from attnstudy.usecases.planning import RunRequest


@click.command(cls=options.StudyFileCommand)
@options.study_argument
@options.study_name
@options.what_to_run
@options.how_to_run
@options.tuned
@options.until_decided
@options.store
@options.option("--rerun", is_flag=True, help="Train again what is complete already.")
@options.republish
@options.no_figures
@options.no_models
@options.option("--dry-run", is_flag=True, help="Show what would be trained, and how long.")
@options.talk
@options.as_json
def run(**given: Any) -> int:
    """Train every variant with every seed that has no result yet.

    STUDY is a study file, its folder, or its name under studies/. Results are kept in the store
    and published to MLflow; runs that are complete are skipped.
    """
    if not given["dry_run"]:
        prepare_workers(given)
    from attnstudy import render
    from attnstudy.cli.requests import run_request
    from attnstudy.usecases import estimating, outcomes, planning, running

    terminal = render.Terminal(quiet=given["quiet"], progress=not given["no_progress"])
    request = run_request(given)

    def make_plan(wanted: planning.RunRequest) -> planning.RunPlan:
        with terminal.decoding() as decoding:
            return planning.make_plan(wanted, decoding)

    if given["dry_run"]:
        plan = make_plan(request)
        expected = estimating.estimate(plan) if plan.pending else None
        looks = _looks(request) if given["until_decided"] else ()
        answer = render.plan_json(plan, expected, looks) if given["as_json"] else None
        print_result(answer, lambda: render.plan_text(plan, expected, looks))
        return 0
    if given["until_decided"]:
        from attnstudy.usecases import deciding  # scipy: only where something is tested

        decided = deciding.run_until_decided(
            request, make_plan, terminal, _figures_of(given),
            lambda look, of: terminal.say(render.look_text(look, of)),
            max_hours=given["max_hours"] or math.inf,
        )  # fmt: skip
        reports = decided.reports
        answer = render.decided_json(decided) if given["as_json"] else None
        print_result(answer, lambda: render.decided_text(decided))
    else:
        result = running.run_study(make_plan(request), terminal, _figures_of(given))
        reports = (result,)
        answer = render.run_json(result) if given["as_json"] else None
        print_result(answer, lambda: render.run_text(result))
    if reports and (warning := outcomes.sync_warning(reports[-1])):
        terminal.warn(warning)
    for report in reports:
        if report.lost is not None:
            raise report.lost
    return EXIT_SOME_FAILED if any(report.failed for report in reports) else 0


@click.command(cls=options.StudyCommand)
@options.study_argument
@options.study_name
@options.store
@options.as_json
def status(**given: Any) -> int:
    """Show what is done, running and missing in each study, and in its tuning."""
    from attnstudy import render
    from attnstudy.usecases import studies

    address = address_of(given)
    found, tunings = studies.standing(address, named_study(given))
    answer = render.status_json(found, tunings) if given["as_json"] else None
    print_result(answer, lambda: render.status_text(found, tunings, address))
    return 0


@click.command(cls=options.StudyCommand)
@options.study_argument
@options.study_name
@options.store
@options.republish
@options.no_figures
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
            _figures_of(given),
            progress,
            terminal.warn,
            republish=given["republish"],
        )
    click.echo(render.sync_text(done, address))
    return EXIT_ENVIRONMENT if done.refused else 0


def _looks(request: RunRequest) -> tuple[int, ...]:
    """Return the seeds an arm at each look of a study that runs until it is decided."""
    declared = request.declared
    return () if declared is None else declared.analysis.looks or ()


def _figures_of(given: Mapping[str, Any]) -> Callable[[RunFolder], Mapping[str, bytes]]:
    return (lambda _: {}) if given["no_figures"] else run_figures


def run_figures(folder: RunFolder) -> Mapping[str, bytes]:
    """Return the figures that are published with a run, by file name."""
    from attnstudy.report import run  # matplotlib: only where a run is published

    return run.run_figures(folder)


COMMANDS = (run, status, sync)
