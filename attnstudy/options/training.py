"""Options of what is trained, and how."""

from __future__ import annotations

from pathlib import Path

import click

from attnstudy import seeds, space
from attnstudy.executors import EXECUTORS, check_address
from attnstudy.options import values
from attnstudy.options.commands import known_variant
from attnstudy.options.completing import complete_variant
from attnstudy.options.declaring import POSITIVE, option, together
from attnstudy.options.sections import under
from attnstudy.options.settings import options_of
from attnstudy.trainings.placement.settings import SETTINGS, SIZES

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
    "--arm",
    "variant",
    multiple=True,
    type=values.Checked("variant", known_variant),
    shell_complete=complete_variant,
    help="vanilla, early, late, double, all (these), a control (early-conv, late-conv, "
    "double-conv), package.module:factory, or an arm of the study's file; repeatable.  "
    "[default: all]",
)

task = option(
    "--task",
    "task",
    metavar="NAME",
    multiple=True,
    help="This task of the study's file alone; repeatable.  [default: all]",
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
    options_of(SIZES),
    under("Training", options_of(SETTINGS)),
)

how_to_train = under(
    "Where it runs",
    option(
        "--device",
        type=click.Choice(("auto", "cpu", "cuda")),
        default="auto",
        help="Where to train.",
    ),
    option(
        "--threads",
        type=POSITIVE,
        help="Threads per run; fixed at the study's first run.  [default: 1]",
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
        help="Seeds of an arm trained at once in one process; auto: 1.",
    ),
    option(
        "--executor",
        type=values.Choice(EXECUTORS),
        default="processes",
        help="inline trains in this process, one run after the other; ray on a Ray cluster.",
    ),
    option(
        "--address",
        type=values.Checked("address", check_address),
        help="Address of the Ray cluster: host:port, or ray://host:port from outside of it.  "
        "[default: RAY_ADDRESS, else the one on this machine]",
    ),
    option(
        "--cpus-per-run",
        type=values.Checked("number", values.cpus),
        help="Cores that a run is given on a Ray cluster.  [default: its threads]",
    ),
    option(
        "--gpus-per-run",
        type=values.Checked("number", values.gpus),
        default="0",
        help="GPUs that a run is given on a Ray cluster, such as 1 or 0.25.",
    ),
    option(
        "--checkpoint-minutes",
        type=values.Checked("minutes", values.minutes),
        default="10",
        help="Longest training without a checkpoint; there is one after every epoch too.",
    ),
)

how_to_run = under(
    "Where it runs",
    how_to_train,
    option("--wait", is_flag=True, help="Wait for runs that another command is training."),
    option(
        "--strict",
        is_flag=True,
        help="Refuse to go on with another torch, thread count or hardware than a run began with.",
    ),
)

accept_code = option(
    "--accept-code",
    is_flag=True,
    help="Keep runs of a training of your own that were made before its code changed.",
)

tuning_storage = option(
    "--storage",
    metavar="PLACE",
    help="Where Optuna keeps the trials: a journal file, or postgresql+psycopg2://...  "
    "[default: tuning.journal beside the study's file]",
)

how_to_tune = together(
    option("--trials", type=POSITIVE, default=20, help="Trials per arm, in total."),
    option(
        "--seeds-per-trial",
        type=POSITIVE,
        help="Seeds that each trial is trained with.  [default: 3]",
    ),
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
