"""``tune`` and ``tune show``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from attnstudy import asking, options
from attnstudy.cli.common import print_result
from attnstudy.errors import EXIT_SOME_FAILED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from attnstudy.usecases.tuning.results import ArmTuning


class TuneGroup(options.StudyFileCommand, click.Group):
    """A command on a study that has subcommands too: their names are no studies."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the parameters; a subcommand is not called with those of this command."""
        found = super().get_params(ctx)
        if ctx.command is self:
            return found
        return [parameter for parameter in found if not isinstance(parameter, click.Argument)]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, and then the commands below this one."""
        super().format_options(ctx, formatter)
        self.format_commands(ctx, formatter)

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Return a subcommand's context where the first word is its name, else the command's."""
        if args and args[0] in self.commands:
            named = f"{info_name} {args[0]}"
            return self.commands[args[0]].make_context(named, args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.group(
    cls=TuneGroup,
    invoke_without_command=True,
    subcommand_metavar="| show ...",
    context_settings={"allow_interspersed_args": True},
    epilog=options.examples(
        "attnstudy tune mine --trials 40",
        "attnstudy tune mine --pruner wilcoxon --seeds-per-trial 5",
        "attnstudy tune show mine",
    ),
)
@options.of_tune
def tune(**given: Any) -> int:
    """Search the hyperparameters of each arm, on validation images alone.

    [tuning.space] of the study's file defines the search space; by default it is the batch size,
    the learning rate and the weight decay. Each trial is trained with a few seeds of its own, none
    of which the study is ranked by (--seeds); its value is the mean of their final validation
    accuracies. Test images are not read. Trials that ended are not repeated, and
    one that was interrupted goes on.
    """
    asked = options.given_here()
    if not given["dry_run"]:
        asking.prepare_workers(asked)
    from attnstudy import render
    from attnstudy.usecases.tuning import results as tuning_results
    from attnstudy.usecases.tuning.plan import make_tune_plan
    from attnstudy.usecases.tuning.tune_study import tune_study

    terminal = render.TuningTerminal(quiet=given["quiet"], progress=not given["no_progress"])
    with terminal.decoding() as decoding:
        plan = make_tune_plan(asking.tune_request(asked), decoding)
    if given["dry_run"]:
        store_dir = plan.request.address.store_dir
        ended = tuning_results.trials_that_ended(plan.place, store_dir, plan.configs)
        answer = render.tune_plan_json(plan, ended) if given["as_json"] else None
        print_result(answer, lambda: render.tune_plan_text(plan, ended))
        return 0
    result = tune_study(plan, terminal, _figures)
    if warning := render.tune_warning(result):
        terminal.warn(warning)
    answer = render.tune_json(result) if given["as_json"] else None
    print_result(answer, lambda: render.tune_text(result))
    if result.lost is not None:
        raise result.lost
    return EXIT_SOME_FAILED if result.failed_now else 0


@tune.command(
    cls=options.StudyCommand,
    epilog=options.examples("attnstudy tune show mine"),
)
@options.study_argument
@options.study_name
@options.variant
@options.tuning_storage
@options.store_folder
@options.quiet
@options.as_json
def show(**given: Any) -> int:
    """Show what a tuning found: best values, what it cost, what mattered, every trial."""
    from attnstudy import render
    from attnstudy.trainings.placement.variants import expand_variants
    from attnstudy.usecases.tuning import results as tuning_results

    study = options.current_study()
    storage = given["storage"] or str(study.journal)
    arms = given["variant"] or None
    if arms is not None and study.own is None:
        arms = expand_variants(arms)
    elif arms is not None and "all" in arms:
        arms = None
    found = tuning_results.read_tuning(study.name, storage, given["store"], arms)
    answer = render.tunings_json(found) if given["as_json"] else None
    print_result(answer, lambda: render.tunings_text(found))
    return 0


def _figures(tuning: ArmTuning) -> Mapping[str, bytes]:
    from attnstudy.report.tuning import tuning_figures  # matplotlib: only where one is published

    return tuning_figures(tuning)


COMMANDS = (tune,)
