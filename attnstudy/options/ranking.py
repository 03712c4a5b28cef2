"""Options of what is ranked and how, and of how many seeds are trained for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from attnstudy.options import values
from attnstudy.options.declaring import POSITIVE, Decorator, option, together
from attnstudy.options.sections import under
from attnstudy.options.training import tuning_storage

LAYOUTS = ("rows-are-runs", "columns-are-arms", "columns-are-runs")
MISSING = ("diverged", "absent", "refuse")
QUESTIONS = ("each", "average", "new")
SCALES = ("metric", "sd")

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
    help="Declared looks at so many seeds per arm, such as 5,10,20: each gets its share of "
    "alpha, and a decided pair stays decided.",
)

tuned = together(
    option(
        "--tuned",
        is_flag=True,
        help="Train each arm with the best configuration that 'attnstudy tune' found for it.",
    ),
    tuning_storage,
)

until_decided = under(
    "Seeds until it is decided",
    option(
        "--until-decided",
        is_flag=True,
        help="Add seeds at each look to the pairs that are not decided yet; by default looks are "
        "at 5, 10, 20, 30 and 50 seeds.",
    ),
    option("--max-seeds", type=POSITIVE, help="Seeds per arm at the last look."),
    option(
        "--max-hours",
        type=values.Checked("hours", values.hours),
        help="Stop training after so many hours; a look that is incomplete then is not taken.",
    ),
    alpha,
    margin,
    looks,
)

direction = option(
    "--direction",
    type=click.Choice(("maximize", "minimize")),
    help="Whether more or less is better.  [default: minimize for losses, errors and times]",
)


def _how_to_read(*, metric: str, layout: str, by: str, seed_by: str) -> Decorator[Any]:
    """Return the options that say how results are read, each with its help."""
    return under(
        "What is ranked",
        option("--metric", help=metric),
        option("--layout", type=values.Choice(LAYOUTS), help=layout),
        option("--by", metavar="FIELD,...", multiple=True, help=by),
        option("--seed-by", metavar="FIELD", help=seed_by),
    )


how_to_read = _how_to_read(
    metric="Metric to rank by.  [default: the study's, or the only one]",
    layout="Shape of the tables, where their contents leave it open.",
    by="What makes an arm: columns, or params.NAME and tags.NAME of an experiment; repeatable.",
    seed_by="Column (or params.NAME, tags.NAME) that numbers the repetitions.",
)

how_to_read_a_table = _how_to_read(
    metric="Column of results, or what the results are.  [default: the only one]",
    layout="Shape of the table, where its contents leave it open.",
    by="Columns that make an arm; repeatable.",
    seed_by="Column that numbers the repetitions.",
)

what_to_rank = under(
    "What is ranked",
    direction,
    option("--task", metavar="NAME", help="Task to rank, when a study has several."),
    option("--config", metavar="ID", help="Configuration to rank, when a study has several."),
    option(
        "--allow-differences",
        "allowed",
        metavar="FIELD",
        multiple=True,
        help="Field in which runs may differ and be compared all the same; repeatable.",
    ),
    option(
        "--experiment",
        "experiments",
        metavar="NAME",
        multiple=True,
        help="Any MLflow experiment; needs --by and --metric; repeatable.",
    ),
    option(
        "--from",
        "tables",
        metavar="FILE",
        multiple=True,
        help="A CSV or parquet file of results, or - for stdin; repeatable.",
    ),
    how_to_read,
    under(
        "Several tasks",
        option(
            "--task-by",
            metavar="FIELD",
            help="Column (or params.NAME, tags.NAME) with the task or dataset of a run: rank over "
            "several tasks.",
        ),
        option(
            "--tasks",
            "question",
            type=values.Choice(QUESTIONS),
            help="Which question about several tasks the verdict answers: on each of them, on "
            "average over these, or on a new one like these.  [default: all three, each with its "
            "sentence]",
        ),
        option(
            "--task-scale",
            type=values.Choice(SCALES),
            help="What differences over tasks are in: the metric's unit, or SDs of the runs.  "
            "[default: the unit of accuracies, else SDs]",
        ),
        option(
            "--task-weight",
            "weights",
            metavar="TASK=W",
            multiple=True,
            help="Weight of a task in the average; repeatable.  [default: all alike]",
        ),
        option(
            "--task-direction",
            "directions",
            metavar="TASK=WAY",
            multiple=True,
            help="A task on which the other way is better, as rmse-task=minimize; repeatable.",
        ),
    ),
    option(
        "--filter",
        "filters",
        metavar="TEXT",
        multiple=True,
        help="Runs to rank: COLUMN=VALUE for tables, MLflow's filters for experiments; repeatable.",
    ),
    option(
        "--at",
        metavar="POINT",
        help="Which point of a curve counts: last, step=N, or best (see --of).  [default: last]",
    ),
    option("--of", metavar="METRIC", help="The metric whose best step --at best takes."),
    option(
        "--missing",
        type=values.Choice(MISSING),
        help="What runs without a finite value are.  [default: nan and inf diverged, empty cells "
        "and failed runs left out]",
    ),
    option(
        "--folds",
        metavar="TRAIN/TEST",
        type=values.Checked("folds", values.folds),
        help="The repetitions are folds of a cross-validation with so many training and test "
        "items: compare fold by fold, corrected for the overlap.",
    ),
    option("--items", type=POSITIVE, help="Test items behind an accuracy in percent."),
)

how_to_draw = under(
    "Output",
    option(
        "--figure-width",
        metavar="INCHES",
        type=values.Checked("inches", values.size("width", "inches", "3.25")),
        help="Width of the figures.  [default: 4.1, for some of several tasks more]",
    ),
    option(
        "--font-size",
        metavar="PT",
        type=values.Checked("points", values.size("font size", "points", "8")),
        help="Size of their text.  [default: 9]",
    ),
    option(
        "--figure-style",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="A style file of matplotlib (.mplstyle), which goes before the figures' own style.",
    ),
    option("--transparent", is_flag=True, help="Leave out the paper behind the figures."),
)

how_to_rank = under(
    "Statistics",
    alpha,
    option(
        "--correction",
        type=click.Choice(("games-howell", "holm")),
        default="games-howell",
        help="How all pairs are tested.",
    ),
    option("--control", metavar="ARM", help="Compare all other arms with this one alone."),
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
    option(
        "--components",
        is_flag=True,
        help="Tell how much of the variance comes from seeds, test items and the rest; needs "
        "statsmodels.",
    ),
)
