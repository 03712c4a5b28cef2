"""The shape of a table: decided by what it shows, asked about where that leaves two readings.

In this order:

1. what ``--layout`` says;
2. a column of arms (named by ``--by``, known by its heading, or the only text that varies), and
   beside it a column of seeds or folds, a column that ``--metric`` names, or arms that have
   several rows: *rows are runs*. Numbers beside a metric that are as varied as results are may be
   the metric that is meant: then ``--metric`` has to say it;
3. a column of arms with one row each, and columns numbered as runs are (``run 1``, ``seed=3``,
   ``acc_0``): *columns are runs*; with a single column of results, *rows are runs*, one each;
4. no column of arms, and columns of numbers that are neither called as metrics nor as runs:
   *columns are arms*, a row per run. A heading that is a setting's is an arm's where the numbers
   below are as varied as results are. A column that is unlike the others (of another size, and
   with fewer decimals or repeated) may be a setting, and columns that are numbered alike
   (``base_0``, ``base_1``, ``ours_0``, ``ours_1``) may be runs: both are refused;
5. anything else is refused, with the readings that are possible.

In every layout a row or column that is called as a statistic is one where its numbers recompute or
are of another size than the results; else an arm has that name, and a mean that does not recompute
is refused. Numbers that are the means of others without saying so are left out where that is
hardly chance, and refused where it may be.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from attnstudy.errors import DataError, UsageError, near_miss
from attnstudy.tables import headings
from attnstudy.tables.asked import Asked, Layout, quoted
from attnstudy.tables.cells import split_summary
from attnstudy.tables.columns import MEASURES, Column, Kind
from attnstudy.tables.headings import Role
from attnstudy.tables.seeds import whole_seed

JOINT = " / "
"""What stands between the parts of an arm's name that several columns make."""

TASKS = "rank over several tasks with --task-by {name}, or one task with --filter {name}=VALUE"


@dataclass(frozen=True, slots=True)
class Shape:
    """Which columns are what."""

    layout: Layout
    arms: tuple[Column, ...]
    """Columns that make the arms, or where columns are arms, the arms."""
    seed: Column | None
    """The column that numbers the repetitions."""
    values: tuple[Column, ...]
    """Columns of results: one where rows are runs, unless nothing tells which."""


def shape_of(columns: Sequence[Column], asked: Asked, what: str) -> Shape:
    """Return the shape of a table.

    Raises:
        UsageError: a column that was named is not there, or the shape is not clear.
        DataError: there are no numbers.

    """
    named = {column.name: column for column in columns if column.name}
    by = tuple(_existing(name, named) for name in asked.by)
    if len(set(asked.by)) < len(asked.by):
        raise UsageError(f"--by names a column twice ({', '.join(asked.by)}): name each once")
    seed = _existing(asked.seed_by, named) if asked.seed_by else _seed_column(columns, by, asked)
    if asked.metric is not None and asked.metric not in headings.run_headings(list(named)):
        _refuse_misspelt(asked.metric, named)
    if asked.layout == "columns-are-arms":
        if by:
            raise UsageError("--by names columns of arms, and --layout says that columns are arms")
        return _columns_are_arms(columns, seed, what)
    arms = by or _arm_columns(columns, seed, asked)
    if arms:
        return _with_arms(columns, arms, seed, asked, what)
    if asked.layout is not None:
        raise UsageError(f"{what} has no column that names the arms: say which with --by")
    return _without_arms(columns, seed, asked, what)


def measures(columns: Iterable[Column], *but: Column | None) -> tuple[Column, ...]:
    """Return the columns of numbers that may be results."""
    return tuple(c for c in columns if c.kind in MEASURES and c not in but)


def _existing(name: str, named: dict[str, Column]) -> Column:
    if name not in named:
        raise UsageError(
            f"the table has no column {name!r}{near_miss(name, named)} (there: {', '.join(named)})"
        )
    return named[name]


def _refuse_misspelt(metric: str, named: dict[str, Column]) -> None:
    runs = headings.run_headings(list(named))
    if metric not in named and near_miss(metric, named) and not headings.runs_of(metric, runs):
        _existing(metric, named)


def _seed_column(columns: Sequence[Column], by: Sequence[Column], asked: Asked) -> Column | None:
    found = [c for c in columns if c.kind is Kind.SEED and c not in by]
    exact = [c for c in found if "seed" in headings.words_of(c.name)]
    if len(found) > 1 and len(exact) != 1:
        names = ", ".join(c.name for c in found)
        raise UsageError(f"columns {names} may all number the repetitions: choose with --seed-by")
    folds = [
        c for c in columns if c.kind is Kind.FOLD and c not in by and c.name not in asked.settled
    ]
    return next(iter(exact or found), next(iter(folds), None))


def _arm_columns(
    columns: Sequence[Column], seed: Column | None, asked: Asked
) -> tuple[Column, ...]:
    """Return the column of arms that a table shows; None where it has none.

    Raises:
        UsageError: there are several.

    """
    used = {seed.name if seed else "", asked.metric or "", *asked.settled}
    free = [c for c in columns if c.name not in used or not c.name]
    by_heading = [c for c in free if c.kind is Kind.ARM]
    varying = [c for c in by_heading if c.varies] or by_heading
    texts = [
        c
        for c in free
        if c.kind is Kind.TEXT and c.varies and c.name not in asked.allowed
        and not headings.is_never_arm(c.name)
    ]  # fmt: skip
    names = [c for c in free if headings.folded(c.name) in ("name", "nom", "nombre", "nome")]
    settings = [
        c
        for c in free
        if c.kind is Kind.GIVEN and c.varies and not c.measured
        and c.repeats and c.name not in asked.allowed
    ]  # fmt: skip
    for candidates in (
        varying,
        [c for c in texts if c.repeats],
        names,
        texts,
        settings if seed is not None or not texts else [],
    ):
        if len(candidates) == 1:
            return (candidates[0],)
        if candidates:
            listed = quoted([c.shown for c in candidates])
            pair = ",".join(c.name for c in candidates[:2])
            raise UsageError(
                f"several columns may make the arms ({listed}): say which with --by, or take them "
                f"together with --by {pair}"
            )
    return ()


def labels_of(arms: Sequence[Column]) -> tuple[str, ...]:
    """Return the name of the arm of every row."""
    if len(arms) == 1 and all(type(cell) is str for cell in arms[0].distinct):
        return arms[0].cells
    return tuple(JOINT.join(cells) for cells in zip(*(c.cells for c in arms), strict=True))


def _with_arms(
    columns: Sequence[Column],
    arms: tuple[Column, ...],
    seed: Column | None,
    asked: Asked,
    what: str,
) -> Shape:
    free = [c for c in columns if c not in arms and c is not seed]
    free_of_filters = [c for c in free if c.name not in asked.settled or c.name == asked.metric]
    values = measures(free_of_filters) or tuple(c for c in free if c.kind is Kind.GIVEN)
    named = tuple(c for c in free if c.name == asked.metric)
    if asked.layout == "rows-are-runs":
        return Shape("rows-are-runs", arms, seed, named or values)
    if asked.layout == "columns-are-runs":
        return Shape("columns-are-runs", arms, None, values)
    labels = labels_of(arms)
    repeated = len(set(labels)) < len(labels)
    runs = headings.run_headings([c.name for c in values])
    side_by_side = bool(runs) and not repeated and asked.seed_by is None
    if named and not repeated and any(map(split_summary, named[0].distinct)):
        return Shape("columns-are-runs", arms, None, values)
    if named or (seed is not None and not side_by_side) or (repeated and not runs):
        return Shape("rows-are-runs", arms, seed, named or values)
    if repeated:
        twice = next(name for name in labels if labels.count(name) > 1)
        apart = [c.name for c in free if c.kind not in MEASURES and c.varies and c.name]
        differs = f"; {quoted(apart)} differ{'s' * (len(apart) == 1)}" if apart else ""
        raise UsageError(
            f"{what} has columns of runs ({quoted(next(iter(runs.values())))}) and several rows of "
            f"{twice}{differs}: choose rows with --filter, or name all that makes an arm with --by"
        )
    return _one_row_an_arm(arms, values, runs, labels, asked, what)


def _one_row_an_arm(
    arms: tuple[Column, ...],
    values: tuple[Column, ...],
    runs: dict[str, list[str]],
    labels: Sequence[str],
    asked: Asked,
    what: str,
) -> Shape:
    shown = quoted([c.shown for c in values])
    if not values:
        raise DataError(
            f"{what} has no column of numbers beside the names: give one column per run, or "
            "columns mean, sd and n"
        )
    of_runs = [label for label in labels if not headings.is_statistic(label)]
    if not asked.by and of_runs and all(_labels_a_run(label, arms[0].name) for label in of_runs):
        return Shape("columns-are-arms", values, arms[0], values)
    if len(labels) > 1 and all(headings.is_metric(label) for label in labels):
        raise UsageError(
            f"the rows of {what} are metrics ({quoted(labels)}), one value each: a ranking needs "
            "the results of several runs of one metric"
        )
    if arms[0].kind is Kind.TASK:
        raise UsageError(TASKS.format(name=arms[0].name))
    if len(runs) == 1:
        return Shape("columns-are-runs", arms, None, values)
    if len(runs) > 1:
        chosen = headings.runs_of(asked.metric or "", runs)
        if chosen is None:
            raise UsageError(
                f"{what} has runs of several metrics ({', '.join(runs)}): choose one with --metric"
            )
        others = {name for names in runs.values() for name in names} - set(chosen)
        return Shape(
            "columns-are-runs", arms, None, tuple(c for c in values if c.name not in others)
        )
    found = headings.roles([c.name for c in values])
    results = [c for c, role in zip(values, found, strict=True) if role is Role.VALUE]
    summary = any(role in (Role.MEAN, Role.SD, Role.COUNT) for role in found) or any(
        split_summary(cell) for c in values for cell in c.distinct
    )
    summaries = bool(results) and all(any(map(split_summary, c.distinct)) for c in results)
    several = len(results) > 1 and all(c.kind is Kind.METRIC for c in results)
    if summaries or (summary and not several):
        return Shape("columns-are-runs", arms, None, values)
    if len(results) <= 1:
        return Shape("rows-are-runs", arms, None, values)
    if headings.may_number_runs([c.name for c in results]):  # mae_1 to mae_4: runs, or horizons
        raise unclear_columns(results, what)
    if all(c.kind is Kind.METRIC for c in results):
        raise UsageError(
            f"{what} has one value of each metric an arm ({shown}), and a ranking needs several "
            "runs of one: name one with --metric to describe it"
        )
    raise unclear_columns(results, what)


def unclear_columns(columns: Sequence[Column], what: str) -> UsageError:
    """Return the refusal of columns that may be runs or something else."""
    shown = quoted([c.shown for c in columns])
    return UsageError(
        f"{what} has one row per arm and columns {shown}, which can be read in two ways: as runs "
        "of the arm, then say --layout columns-are-runs; or as different metrics or datasets, then "
        "name one with --metric to describe it"
    )


def _labels_a_run(label: str, heading: str) -> bool:
    """Whether a label numbers a run: ``run 3`` does, ``S3`` only where the heading says so."""
    if whole_seed(label) is None or label.isdecimal() or not headings.names_a_run(label):
        return False
    return headings.surely_names_a_run(label) or headings.is_seed(heading) or not heading


def _without_arms(columns: Sequence[Column], seed: Column | None, asked: Asked, what: str) -> Shape:
    tasks = [c for c in columns if c.kind is Kind.TASK]
    steps = [c for c in columns if c.kind is Kind.STEP or c.counts_time]
    # numbers as varied as measurements may be an arm's, though its name is that of a setting
    numbers = {c.index for c in measures(columns, seed)}
    values = tuple(
        c for c in columns if c.index in numbers or (c.kind is Kind.GIVEN and c.measured)
    )
    if not values:
        raise DataError(f"{what} has no column of results: give the results of runs as numbers")
    names = [c.name for c in values]
    if tasks and tasks[0].varies and len(values) > 1:
        raise UsageError(
            f"the rows of {what} are {tasks[0].name}s and its columns methods or metrics "
            f"({quoted(names)}): {TASKS.format(name=tasks[0].name)}"
        )
    if len(columns[0].cells) == 1:
        raise UsageError(
            f"{what} has a single row and no column that names the arms: give a row per run, with "
            "its arm, or say --layout columns-are-arms if every column is an arm with one run"
        )
    metrics = [c for c in values if c.kind is Kind.METRIC]
    settings = [c.name for c in columns if c.kind is Kind.GIVEN and c.varies and not c.measured]
    chart = any(name.endswith(("__MIN", "__MAX")) for name in names)  # as W&B exports it
    if (steps or chart) and seed is None:
        counter = (steps or columns)[0].shown
        raise UsageError(
            f"{what} has steps ({counter}) in its rows and curves in its columns "
            f"({quoted(names, 3)}), and nothing says which run belongs to which arm: export a "
            "table with a row per run, with its arm, seed and result, instead of a chart, or give "
            "several files that are called after arm and seed"
        )
    if len(values) == 1 or len(metrics) == len(values) or headings.run_headings(names):
        hint = f" (perhaps {', '.join(settings)})" if settings else ""
        raise UsageError(
            f"{what} has no column that names the arms: add one, or name it with --by{hint}"
        )
    if asked.layout is None and headings.number_runs_of_arms(names):
        raise UsageError(
            f"the columns of {what} look like runs of arms ({quoted(names)}): give one row per run "
            "with its arm and seed, or, if every column is an arm, say --layout columns-are-arms"
        )
    # base_acc beside base_loss: two metrics, not two arms
    mixed = (
        len({headings.measured_words(name) for name in names}) > 1
        or len({parts for name in names if (parts := headings.split_words(name))}) > 1
        or all(headings.split_words(name) for name in names)
    )
    # energy_mae beside force_mae, UAS beside LAS: arms, or metrics of one method
    alike = all(map(headings.is_language, names)) or (
        asked.metric is None
        and (
            all(headings.measured_words(name) for name in names)
            or all(re.fullmatch(r"[A-Z]{3,5}", name) for name in names)
        )
    )
    if metrics or settings or mixed or alike:
        odd = quoted([c.name for c in metrics] or settings or names)
        raise UsageError(
            f"{what} has no column that is clearly one of arms, which can be read in two ways: "
            f"every column is an arm, then say --layout columns-are-arms (but {odd} looks like "
            "none); or a column makes the arms, then name it with --by"
        )
    return _columns_are_arms(columns, seed, what)


def _columns_are_arms(columns: Sequence[Column], seed: Column | None, what: str) -> Shape:
    labels = None
    if seed is None:
        texts = [c for c in columns if not c.numeric and c.kind in (Kind.ARM, Kind.TEXT)]
        labels = next(
            (
                c
                for c in texts
                if all(_labels_a_run(x, c.name) or headings.is_statistic(x) for x in c.distinct)
            ),
            None,
        )
    kinds = (*MEASURES, Kind.GIVEN, Kind.ARM)
    arms = tuple(c for c in columns if c.numeric and c.kind in kinds and c is not seed)
    if not arms:
        raise DataError(f"{what} has no column of numbers")
    return Shape("columns-are-arms", arms, seed or labels, arms)
