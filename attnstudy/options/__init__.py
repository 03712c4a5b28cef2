"""Every option that commands share, written once.

Each can also be given as ``ATTNSTUDY_<NAME>``, and those of a study in its file: the command
line goes before the environment, and that before the file.
"""

from __future__ import annotations

from pathlib import Path

import click

from attnstudy import study
from attnstudy.options.blaming import blamed, check_file, place
from attnstudy.options.commands import (
    RankCommand,
    StudyCommand,
    StudyFileCommand,
    current_study,
)
from attnstudy.options.completing import complete_study
from attnstudy.options.declaring import POSITIVE, option, together
from attnstudy.options.given import command_for_programs, given_here, given_in_program
from attnstudy.options.ranking import (
    alpha,
    direction,
    how_to_draw,
    how_to_rank,
    how_to_read,
    how_to_read_a_table,
    tuned,
    until_decided,
    what_to_rank,
)
from attnstudy.options.sections import HelpContext, SectionedCommand, examples, under
from attnstudy.options.training import (
    accept_code,
    data_dir,
    dataset,
    how_to_run,
    how_to_train,
    how_to_tune,
    task,
    tuning_storage,
    variant,
    what_to_run,
)

__all__ = [
    "POSITIVE",
    "HelpContext",
    "RankCommand",
    "SectionedCommand",
    "StudyCommand",
    "StudyFileCommand",
    "alpha",
    "as_json",
    "blamed",
    "check_file",
    "command_for_programs",
    "current_study",
    "data_dir",
    "dataset",
    "direction",
    "examples",
    "given_here",
    "given_in_program",
    "how_to_draw",
    "how_to_rank",
    "how_to_read",
    "how_to_read_a_table",
    "how_to_run",
    "how_to_train",
    "how_to_tune",
    "no_figures",
    "no_models",
    "of_rank",
    "of_run",
    "of_tune",
    "option",
    "place",
    "quiet",
    "republish",
    "store",
    "store_folder",
    "study_argument",
    "study_known",
    "study_name",
    "talk",
    "task",
    "together",
    "tuned",
    "tuning_storage",
    "under",
    "until_decided",
    "variant",
    "what_to_rank",
    "what_to_run",
]

study_argument = click.argument(
    "study_argument", metavar="[STUDY]", required=False, shell_complete=complete_study
)
study_name = option(
    "--study",
    metavar="NAME",
    shell_complete=complete_study,
    help=f"Name of the study and of its MLflow experiment.  [default: {study.DEFAULT_STUDY}]",
)
study_known = option(
    "--study",
    metavar="NAME",
    shell_complete=complete_study,
    help="Name of the study and of its MLflow experiment.",
)
"""The same where no study is meant unless one is named."""

store_folder = option(
    "--store",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("mlruns"),
    help="Folder of the run folders and of the embedded MLflow store.",
)

store = together(
    store_folder,
    option(
        "--tracking-uri",
        env=("MLFLOW_TRACKING_URI",),
        help="MLflow server or database to use instead of the embedded store.",
    ),
)

republish = option(
    "--republish",
    is_flag=True,
    help="Bring back in MLflow what was deleted there in the UI, and predictions altered there.",
)

no_figures = option(
    "--no-figures",
    is_flag=True,
    help="Send no figures to MLflow: drawing them is most of the work of publishing a run.",
)

no_models = option(
    "--no-models",
    is_flag=True,
    help="Keep no weights and no model of the runs, which are nearly all of what they take on disk "
    "and in an export; predictions and curves are kept.",
)

quiet = option("--quiet", "-q", is_flag=True, help="Show warnings and the result only.")
talk = together(
    quiet,
    option("--no-progress", is_flag=True, help="Show no progress."),
)

as_json = option("--json", "as_json", is_flag=True, help="Print the result as JSON.")

of_run = together(
    study_argument,
    under(
        "What is run",
        study_name,
        task,
        what_to_run,
        tuned,
        option("--rerun", is_flag=True, help="Train again what is complete already."),
        accept_code,
        option("--dry-run", is_flag=True, help="Show what would be trained, and how long."),
    ),
    how_to_run,
    until_decided,
    under("Store and MLflow", store, republish, no_figures, no_models),
    under("Output", talk, as_json),
)
"""Everything that ``run`` can be told."""

of_tune = together(
    study_argument,
    under(
        "What is tried",
        study_name,
        how_to_tune,
        what_to_run,
        option("--dry-run", is_flag=True, help="Show what would be tried."),
    ),
    how_to_train,
    under("Store and MLflow", store),
    under("Output", talk, as_json),
)
"""Everything that ``tune`` can be told."""

of_rank = together(
    study_argument,
    under("What is ranked", study_known, what_to_rank),
    how_to_rank,
    under("Store and MLflow", store),
    under("Output", talk, as_json),
)
"""Everything that ``rank`` can be told, but for the form of its answer."""
