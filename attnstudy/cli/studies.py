"""``run``, ``status``, ``sync`` and ``checklist``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from attnstudy import asking, options
from attnstudy.cli.common import address_of, named_study, print_result, say
from attnstudy.errors import EXIT_ENVIRONMENT, EXIT_SOME_FAILED

if TYPE_CHECKING:
    from attnstudy.running.planning import RunRequest


@click.command(
    cls=options.StudyFileCommand,
    epilog=options.examples(
        "attnstudy run --variant double --seeds 5",
        "attnstudy run mine --dry-run",
        "attnstudy run mine --workers 4 --max-hours 8",
        "attnstudy run mine --until-decided",
    ),
)
@options.of_run
def run(**given: Any) -> int:
    """Train every arm with every seed that has no result yet.

    STUDY is a study file, its folder, or its name under studies/; the study is called as the folder
    of its file, unless --study says otherwise. Of a study with [tasks.NAME] the tasks are trained
    one after the other. Results are kept in the store and published to MLflow; runs that are
    complete are skipped.
    """
    asked = options.given_here()
    if not given["dry_run"]:
        asking.prepare_workers(asked)
    from attnstudy import render
    from attnstudy.running import estimating, outcomes, planning
    from attnstudy.usecases.conducting import conduct

    terminal = render.Terminal(quiet=given["quiet"], progress=not given["no_progress"])
    all_tasks = asking.run_requests(asked)
    requests = asking.chosen_requests(asked, all_tasks)
    if given["dry_run"]:
        plans = []
        for request in requests:
            with terminal.decoding() as decoding:
                plan = planning.make_plan(request, decoding)
            most = estimating.TIMED_BY_DRY_RUN
            plans.append((plan, estimating.estimate(plan, most=most) if plan.pending else None))
        looks = _looks(requests[0]) if given["until_decided"] else ()
        answer = render.plan_json(plans, looks) if given["as_json"] else None
        print_result(answer, lambda: render.plan_text(plans, looks))
        return 0
    done = conduct(
        requests,
        terminal,
        asking.figures_of(asked),
        all_tasks=all_tasks,
        until_decided=given["until_decided"],
        max_hours=given["max_hours"],
        seen=lambda look, of: terminal.say(render.look_text(look, of)),
    )
    if (decided := done.decided) is not None:
        answer = render.decided_json(decided) if given["as_json"] else None
        print_result(answer, lambda: render.decided_text(decided))
    else:
        answer = render.run_json(done.reports) if given["as_json"] else None
        print_result(answer, lambda: render.run_text(done.reports))
    if done.reports and (warning := outcomes.sync_warning(done.reports[-1])):
        terminal.warn(warning)
    if done.lost is not None:
        raise done.lost
    return EXIT_SOME_FAILED if done.failed else 0


@click.command(
    cls=options.StudyCommand,
    epilog=options.examples(
        "attnstudy status",
        "attnstudy status mine --json",
        "attnstudy status --verify",
    ),
)
@options.study_argument
@options.study_known
@options.store
@options.option(
    "--verify", is_flag=True, help="Read every file of the runs, and name those that are damaged."
)
@options.talk
@options.as_json
def status(**given: Any) -> int:
    """Show what is done, running and missing in each study, and in its tuning.

    What is seen to be damaged is named. --verify reads all of it, and ends with exit code 3 if
    anything is damaged.
    """
    from attnstudy import render
    from attnstudy.usecases import studies

    address = address_of(given)
    found, tunings = studies.standing(address, named_study(given))
    verified = None
    if given["verify"]:
        terminal = render.Terminal(quiet=given["quiet"], progress=not given["no_progress"])
        with terminal.counting("reading runs") as progress:
            verified = studies.verify_all(address, found, tunings, progress)
    answer = render.status_json(found, tunings, verified) if given["as_json"] else None
    print_result(answer, lambda: render.status_text(found, tunings, address, verified))
    return EXIT_ENVIRONMENT if verified is not None and verified.damage else 0


@click.command(
    cls=options.StudyCommand,
    epilog=options.examples(
        "attnstudy sync mine", "attnstudy sync mine --tracking-uri http://host:5000"
    ),
)
@options.study_argument
@options.study_known
@options.store
@options.republish
@options.no_figures
@options.talk
def sync(**given: Any) -> int:
    """Deliver to MLflow what it has not confirmed yet."""
    from attnstudy import render
    from attnstudy.usecases import syncing

    address = address_of(given)
    terminal = render.Terminal(quiet=given["quiet"], progress=not given["no_progress"])
    with terminal.counting("delivering runs") as progress:
        done = syncing.sync(
            address,
            named_study(given),
            asking.figures_of(options.given_here()),
            progress,
            terminal.warn,
            republish=given["republish"],
        )
    say(render.sync_text(done, address))
    return EXIT_ENVIRONMENT if done.refused or done.damaged else 0


@click.command(
    cls=options.StudyCommand,
    epilog=options.examples("attnstudy checklist mine"),
)
@options.study_argument
@options.study_known
@options.tuning_storage
@options.store
@options.quiet
@options.as_json
def checklist(**given: Any) -> int:
    """Answer what reproducibility checklists ask for, from what the store knows of a study.

    Runs, seeds, time, hardware, parameters, data, settings, search, selection and statistics, as
    the checklists of NeurIPS, ICML and ACL ask for them. What is not recorded is said to be that.
    """
    from attnstudy import render
    from attnstudy.usecases.checklist import checklist_of

    name = named_study(given)
    storage = given["storage"]
    if storage is None and name is not None:
        storage = str(options.current_study().journal)
    found = checklist_of(address_of(given), name, storage)
    answer = render.checklist_json(found) if given["as_json"] else None
    print_result(answer, lambda: render.checklist_text(found))
    return 0


def _looks(request: RunRequest) -> tuple[int, ...]:
    """Return the seeds per arm at each look of a study that runs until it is decided."""
    declared = request.declared
    return () if declared is None else declared.analysis.looks or ()


COMMANDS = (run, status, sync, checklist)
