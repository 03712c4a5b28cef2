"""Every option that commands share, written once.

Each can also be given as ``ATTNSTUDY_<NAME>``, and those of a study in its file: the command
line goes before the environment, and that before the file.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from attnstudy import seeds, space, study
from attnstudy.options import values
from attnstudy.options.commands import (
    RankCommand,
    StudyCommand,
    StudyFileCommand,
    current_study,
    known_variant,
    said,
)

__all__ = ["RankCommand", "StudyCommand", "StudyFileCommand", "current_study", "said"]

F = TypeVar("F", bound=Callable[..., Any])
Decorator = Callable[[F], F]


def option(*names: str, env: tuple[str, ...] = (), **settings: Any) -> Decorator[Any]:
    """Declare an option that can also be given in the environment."""
    long = next(name for name in names if name.startswith("--"))[2:].partition("/")[0]
    long = long.replace("-", "_").upper()
    settings.setdefault("show_default", settings.get("default") is not None)
    return click.option(*names, envvar=(f"ATTNSTUDY_{long}", *env), **settings)


def together(*decorators: Decorator[Any]) -> Decorator[Any]:
    """Return one decorator that applies several, in the order in which they are listed."""

    def decorate(function: F) -> F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


POSITIVE = click.IntRange(min=1)

study_argument = click.argument("study_argument", metavar="[STUDY]", required=False)
study_name = option(
    "--study",
    metavar="NAME",
    help=f"Name of the study and of its MLflow experiment.  [default: {study.DEFAULT_STUDY}]",
)

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

data_dir = option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for downloads and decoded images.  [default: the user's cache folder]",
)

dataset = option(
    "--dataset",
    default="cifar10",
    help="cifar10, digits, or a folder with train-*.parquet and test-*.parquet.",
)

variant = option(
    "--variant",
    multiple=True,
    type=values.Checked("variant", known_variant),
    help="vanilla, early, late, double, all, package.module:factory, or an arm of the study's "
    "file; repeatable.  [default: all]",
)

what_to_run = together(
    variant,
    option(
        "--seeds",
        type=values.Checked("seeds", seeds.parse_seeds),
        default="5",
        help="5 (for 0 to 4), 0-29, 1,4,7, or 7-7 for seed 7 alone.",
    ),
    dataset,
    data_dir,
    option("--train-size", type=POSITIVE, help="Training images.  [default: all]"),
    option(
        "--val-size",
        type=POSITIVE,
        help="Validation images, the last of the training file.  [default: a tenth, at most 1000]",
    ),
    option(
        "--attention",
        type=values.Choice(study.ATTENTIONS),
        default="spatial",
        help="Over positions (the formula) or over channels (the notebook's code).",
    ),
    option(
        "--channels",
        type=values.Checked("a,b", values.channels),
        default="64,32",
        help="Output channels of the two convolutions.",
    ),
    option("--epochs", type=POSITIVE, default=10, help="Passes over the training images."),
    option("--batch-size", type=POSITIVE, default=64, help="Images a step."),
    option(
        "--lr",
        type=values.Checked("number", values.learning_rate),
        default="1e-3",
        help="Learning rate.",
    ),
    option(
        "--optimizer",
        type=values.Choice(study.OPTIMIZERS),
        default="adam",
        help="Otherwise at PyTorch's defaults; sgd has a momentum of 0.9.",
    ),
    option(
        "--weight-decay",
        type=values.Checked("number", values.weight_decay),
        default="0",
        help="Of all optimizers: L2 for adam and sgd, decoupled for adamw.",
    ),
    option(
        "--augmentation",
        type=values.Choice(study.AUGMENTATIONS),
        default="none",
        help="Of training images, drawn anew every epoch: shifts of up to 4 pixels, mirroring.",
    ),
    option(
        "--precision",
        type=values.Choice(study.PRECISIONS),
        default="float32",
        help="Arithmetic of the training; scores are always taken in float32.",
    ),
)

how_to_train = together(
    option(
        "--device",
        type=click.Choice(("auto", "cpu", "cuda")),
        default="auto",
        help="Where to train.",
    ),
    option(
        "--threads",
        type=POSITIVE,
        help="Threads a run; fixed at the study's first run.  [default: 1]",
    ),
    option(
        "--workers",
        type=values.Checked("workers", values.workers),
        default="auto",
        help="Runs at once, each in a process of its own.",
    ),
    option(
        "--fuse",
        type=values.Checked("N", values.fuse),
        default="auto",
        help="Seeds of a variant trained at once in one process; auto: 1 on a CPU.",
    ),
    option(
        "--executor",
        type=click.Choice(("processes", "inline")),
        default="processes",
        help="inline trains in this process, one run after the other.",
    ),
    option(
        "--checkpoint-minutes",
        type=values.Checked("minutes", values.minutes),
        default="10",
        help="Longest training without a checkpoint; there is one after every epoch too.",
    ),
)

how_to_run = together(
    how_to_train,
    option("--wait", is_flag=True, help="Wait for runs that another command is training."),
    option(
        "--strict",
        is_flag=True,
        help="Refuse to go on with another torch, thread count or hardware than a run began with.",
    ),
)

tuning_storage = option(
    "--storage",
    metavar="PLACE",
    help="Where Optuna keeps the trials: a journal file, or postgresql+psycopg2://...  "
    "[default: tuning.journal beside the study's file]",
)

how_to_tune = together(
    option("--trials", type=POSITIVE, default=20, help="Trials a variant, in total."),
    option("--seeds-per-trial", type=POSITIVE, help="Seeds a trial is trained with.  [default: 3]"),
    option(
        "--tuning-seeds",
        type=values.Checked("seeds", seeds.parse_seeds),
        help="These seeds instead: none that the study is ranked by.  [default: from 1,000,000 on]",
    ),
    option(
        "--pruner",
        type=values.Checked("pruner", values.one_of("pruner", space.PRUNERS)),
        metavar="|".join(space.PRUNERS),
        default="none",
        help="Stop trials that are worse than the best, seed by seed (wilcoxon), or than the "
        "median of the others, epoch by epoch (median).",
    ),
    option(
        "--sampler",
        type=values.Checked("sampler", values.one_of("sampler", space.SAMPLERS)),
        metavar="|".join(space.SAMPLERS),
        default="tpe",
        help="How trials are proposed: by a tree-structured Parzen estimator, or at random.",
    ),
    option(
        "--sampler-seed",
        type=click.IntRange(0, 2**63 - 1),
        default=0,
        help="Decides what is proposed.",
    ),
    tuning_storage,
)

alpha = option(
    "--alpha",
    type=values.Checked("number", values.alpha),
    default="0.05",
    help="Family-wise error rate.",
)

margin = option(
    "--margin",
    type=values.Checked("number", values.margin),
    help="Largest difference that does not matter, in the metric's unit.",
)

looks = option(
    "--looks",
    metavar="N,N,...",
    type=values.Checked("looks", values.looks),
    help="Declared looks at so many seeds a variant, such as 5,10,20: each gets its share of "
    "alpha, and a decided pair stays decided.",
)

tuned = together(
    option(
        "--tuned",
        is_flag=True,
        help="Train each variant with the best configuration that 'attnstudy tune' found for it.",
    ),
    tuning_storage,
)

until_decided = together(
    option(
        "--until-decided",
        is_flag=True,
        help="Add seeds at each look to the pairs that are not decided yet; by default looks are "
        "at 5, 10, 20, 30 and 50 seeds.",
    ),
    option("--max-seeds", type=POSITIVE, help="Seeds a variant at the last look."),
    option(
        "--max-hours",
        type=values.Checked("hours", values.hours),
        help="Stop training after so long; a look that is not complete then is not taken.",
    ),
    alpha,
    margin,
    looks,
)

direction = option(
    "--direction",
    type=click.Choice(("maximize", "minimize")),
    help="Which way is better.  [default: minimize for losses, errors and times]",
)

what_to_rank = together(
    option("--metric", help="Metric to rank by.  [default: test_accuracy]"),
    direction,
    option("--config", metavar="ID", help="Configuration to rank, when a study has several."),
    option(
        "--allow-differences",
        "allowed",
        metavar="FIELD",
        multiple=True,
        help="Field in which runs may differ and be compared all the same; repeatable.",
    ),
    option("--experiment", metavar="NAME", help="Any MLflow experiment; needs --by and --metric."),
    option(
        "--from",
        "table",
        metavar="FILE",
        help="A CSV or parquet file (one row a run, or one row a variant), or - for stdin.",
    ),
    option(
        "--by", metavar="FIELD", help="What makes a variant: params.NAME, tags.NAME or a column."
    ),
    option("--seed-by", metavar="FIELD", help="What numbers the repetitions, likewise."),
    option("--filter", metavar="TEXT", help="MLflow filter on the runs of --experiment."),
    option("--items", type=POSITIVE, help="Test items behind an accuracy in percent."),
)

how_to_rank = together(
    alpha,
    option(
        "--correction",
        type=click.Choice(("games-howell", "holm")),
        default="games-howell",
        help="How all pairs are tested.",
    ),
    option("--control", metavar="VARIANT", help="Compare all others with this one only."),
    margin,
    option(
        "--paired/--unpaired",
        default=False,
        help="Compare seed by seed (paired t, Holm); exploratory unless a plan chose it before the "
        "first run.",
    ),
    option("--look", metavar="K/N", help="This is look K of N declared ones: each gets alpha/N."),
    looks,
    option(
        "--assert",
        "claims",
        metavar="CLAIM",
        multiple=True,
        help="Exit 1 unless the data support it: 'a > b', or 'a = b' within the margin.",
    ),
    option(
        "--calibrate",
        is_flag=True,
        help="Estimate how often this design claims a difference among equals.",
    ),
)

republish = option(
    "--republish",
    is_flag=True,
    help="Bring back in MLflow what was deleted there in the UI.",
)

talk = together(
    option("--quiet", "-q", is_flag=True, help="Show warnings and the result only."),
    option("--no-progress", is_flag=True, help="Show no progress."),
)

as_json = option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
