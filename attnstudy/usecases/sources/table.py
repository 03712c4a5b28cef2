"""Samples from tables of results: CSV and parquet files, standard input, and data frames."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from attnstudy.errors import DataError, UsageError, near_miss
from attnstudy.stats import Source
from attnstudy.tables.asked import Arm, Asked, Reading
from attnstudy.tables.cells import gap_of
from attnstudy.tables.columns import Kind, columns_of
from attnstudy.tables.file_names import arms_in_names
from attnstudy.tables.filters import conditions_of, filtered, filters_on
from attnstudy.tables.grid import Grid, read_grid, stacked
from attnstudy.tables.layouts.units import refuse_mixed_units
from attnstudy.tables.names import refuse_respelled
from attnstudy.tables.points import Point
from attnstudy.tables.reading import read_table
from attnstudy.tables.text import read_text
from attnstudy.tables.words import alike, read_as, some
from attnstudy.usecases.sources.chosen import results_in, settle_choice
from attnstudy.usecases.sources.collected import Collected, direction_of
from attnstudy.usecases.sources.frames import grid_of_parquet
from attnstudy.usecases.sources.impossible import refuse_impossible
from attnstudy.usecases.sources.task_checks import (
    TaskNames,
    refuse_signs_of_some,
    refuse_unlike_tasks,
)

_MOST_ARMS = 20_000  # of which there are 200 million pairs

FILE = "file"
"""The column of file names where several files are read together."""
FROM_NAME = ("arm in file name", "seed in file name")
FOLD_FROM_NAME = ("arm in file name", "fold")
"""The columns instead of it, where the tables have no arms and the names of the files do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRequest:
    """Tables to rank."""

    sources: tuple[str | Grid, ...]
    """Paths, ``-`` for standard input, or tables that a program handed over."""
    metric: str | None = None
    """The column of results; None takes the only one there is."""
    direction: str | None = None
    layout: str | None = None
    """``rows-are-runs``, ``columns-are-arms`` or ``columns-are-runs``; None decides by evidence."""
    by: tuple[str, ...] = ()
    """The columns that make an arm; none decides by evidence."""
    seed_by: str | None = None
    """The column of seeds; None takes the one that is called so."""
    filters: tuple[str, ...] = ()
    """Rows to rank, as ``split=eval``; all of them hold."""
    allowed: tuple[str, ...] = ()
    """Columns that may differ between the runs of an arm."""
    point: Point = field(default_factory=Point)
    """Which point of a curve counts."""
    missing: str | None = None
    """``diverged``, ``absent`` or ``refuse`` for runs without a finite value."""
    items: int | None = None
    named: str | None = None
    """What the results are, where the column of results does not say it."""


def collect_table(request: TableRequest) -> Collected:
    """Read tables and return their samples.

    Raises:
        DataError: a file cannot be read, is no table, or holds what cannot be right.
        UsageError: a file or a column that was named is not there, or a table can be read in
            several ways.
    """
    return _collected(request, *_grid(request))


def collect_table_by_task(request: TableRequest, column: str) -> dict[str, Collected]:
    """Read tables and return the samples of each task, as if each had a table of its own.

    Raises:
        DataError: a row names no task, or as ``collect_table`` does.
        UsageError: there is no such column, or as ``collect_table`` does; the task is named.
    """
    what, grid = _grid(request)
    if column not in grid.header:
        raise UsageError(
            f"{what} has no column {column!r} of tasks{near_miss(column, grid.header)} "
            f"(there: {', '.join(filter(None, grid.header))})"
        )
    on_tasks, on_runs = filters_on(request.filters, column)
    grid, _ = filtered(grid, on_tasks)
    request = replace(request, filters=on_runs)
    index = grid.header.index(column)
    refuse_respelled(grid.columns[index], what)
    rows: dict[str, list[int]] = {}
    for row, cell in enumerate(grid.columns[index]):
        rows.setdefault(cell.strip(), []).append(row)
    if gap := next((task for task in rows if gap_of(task) is not None), None):
        rows[""] = rows.pop(gap)
    if "" in rows:
        raise DataError(
            f"{grid.place_of(rows[''][0])} of {what} names no task in column {column!r}: "
            "fill it in, or remove the row"
        )
    names = TaskNames(f"column {column!r}", what, f"'{column}!={{}}'")
    names.check(rows)
    refuse_signs_of_some(what, grid, column, rows)
    asked = replace(request, layout=_layout_of_tasks(request, grid, column, rows))
    found = {}
    header = grid.header[:index] + grid.header[index + 1 :]
    columns = grid.columns[:index] + grid.columns[index + 1 :]
    others = replace(grid, header=header, columns=columns, left_out=(), blocks=())
    for task, own in rows.items():
        part = others.taken(own)
        try:
            found[task] = _collected(asked, what, part)
        except (UsageError, DataError) as error:
            raise type(error)(f"{column} {task}: {error}") from error
    refuse_unlike_tasks(names, found)
    return found


def _layout_of_tasks(
    request: TableRequest, grid: Grid, column: str, rows: Mapping[str, Sequence[int]]
) -> str | None:
    """Return the layout of the tables of the tasks, where all of them together show it.

    With a row per task and nothing but numbers beside it, every column is an arm with one value.

    Raises:
        UsageError: that is so of most tasks alone.

    """
    if request.layout is not None or request.by or request.metric is not None:
        return request.layout
    others = [c for c in columns_of(grid) if c.name != column]
    plain = len(others) > 1 and all(c.kind in (Kind.NUMBER, Kind.GIVEN) for c in others)
    single = [task for task, own in rows.items() if len(own) == 1]
    if plain and len(rows) > 2 * (len(rows) - len(single)) > 0:
        task = next(task for task, own in rows.items() if len(own) > 1)
        raise UsageError(
            f"{column} {task} stands in {len(rows[task])} rows "
            f"({some([grid.place_of(row) for row in rows[task]], 4, 3)}), and most others in one: "
            "keep one of them, or number the runs in a column of seeds"
        )
    return "columns-are-arms" if plain and all(len(own) == 1 for own in rows.values()) else None


def _collected(request: TableRequest, what: str, grid: Grid) -> Collected:
    conditions = conditions_of(request.filters)
    results = results_in(grid) if conditions else frozenset()
    grid, settled = filtered(grid, request.filters)
    asked = Asked(
        layout=request.layout,
        by=request.by,
        seed_by=request.seed_by,
        metric=request.metric,
        point=request.point,
        direction=request.direction,
        missing=request.missing,
        allowed=request.allowed,
        settled=settled,
    )
    reading = read_table(grid, asked, what)
    refuse_mixed_units(grid, what, reading)
    if len(reading.arms) > _MOST_ARMS:
        raise DataError(
            f"{what} has {len(reading.arms):,} arms ({reading.arms_in}), and a ranking compares "
            f"each with each, up to {_MOST_ARMS:,}: say what makes an arm with --by, or rank some "
            "of them with --filter"
        )
    if not any(arm.runs or arm.diverged for arm in reading.arms):
        raise DataError(
            f"{what} has no column of runs: a ranking needs the values, not their summary; "
            "'attnstudy audit' checks summaries"
        )
    ranked = {reading.results_in or reading.metric}
    if reading.layout == "columns-are-arms":
        ranked |= {arm.name for arm in reading.arms}
    metric = request.named or reading.metric
    seeded = _seeded(reading)
    samples = {arm.name: _values(arm, seeded=seeded) for arm in reading.arms}
    refuse_impossible(metric, request.direction, samples)
    return Collected(
        samples=samples,
        source=_source(reading, what, request.named or request.metric),
        metric=metric,
        direction=direction_of(metric, request.direction),
        items=request.items,
        diverged={arm.name: _diverged(arm, seeded=seeded) for arm in reading.arms},
        folds=reading.folds,
        best_of_itself=request.point.of is not None and request.point.of == metric,
        notes=(
            *reading.notes,
            *settle_choice(conditions, ranked, results),
            *alike(arm.name for arm in reading.arms),
        ),
    )


def _seeded(reading: Reading) -> bool:
    return not any(None in arm.runs.seeds or None in arm.diverged for arm in reading.arms)


def _values(arm: Arm, *, seeded: bool) -> dict[int, float] | list[float]:
    if seeded:
        pairs = zip(arm.runs.seeds, arm.runs.values, strict=True)
        return {seed: value for seed, value in pairs if seed is not None}
    return list(arm.runs.values)


def _diverged(arm: Arm, *, seeded: bool) -> int | tuple[int, ...]:
    seeds = tuple(seed for seed in arm.diverged if seed is not None)
    return seeds if seeded else len(arm.diverged)


def _source(reading: Reading, what: str, asked: str | None) -> Source:
    counts = {arm.name: len(arm.runs) + len(arm.diverged) for arm in reading.arms}
    metric = asked or reading.metric
    if reading.metric != reading.results_in and asked in (None, reading.results_in):
        metric = f"{reading.metric} (column {reading.results_in})"
    if reading.layout != "rows-are-runs":
        metric += " (by --metric)" if asked else " (assumed: --metric names another)"
    return Source(
        name=what,
        read_as=read_as(
            counts,
            by=reading.arms_in,
            metric=metric,
            seed_by=reading.seeds_in,
            repetition="fold" if reading.folds else "seed" if reading.seed_by else "run",
            at=None if reading.point is None else reading.point.words,
        ),
        layout=reading.layout,
        by=reading.by,
        seed_by=reading.seed_by,
        left_out=reading.left_out,
    )


def _grid(request: TableRequest) -> tuple[str, Grid]:
    """Return what is read, in words, and all of it as one grid."""
    if request.sources.count("-") > 1:
        raise UsageError("standard input can be read once: give - once")
    given = [one for one in request.sources if isinstance(one, str)]
    twice = [name for name in given if given.count(name) > 1]
    if twice:
        raise UsageError(f"{twice[0]} is given twice: its runs would count twice")
    called = _called(given)
    grids = [
        ("the data", one) if isinstance(one, Grid) else (called[one], _read(one))
        for one in request.sources
    ]
    if len(grids) == 1:
        return grids[0]
    what = some([name for name, _ in grids], 6, 4)
    column = FILE
    while any(column in grid.header for _, grid in grids):
        column += "_"
    together = stacked(grids, column)
    arms = None if request.by or _has_arms(grids) else arms_in_names([name for name, _ in grids])
    if arms is None:
        _refuse_unnamed_curves(request, what, grids)
        return what, together
    by_file = dict(zip((name for name, _ in grids), arms, strict=True))
    *others, files = together.columns
    said = (
        tuple(by_file[name].arm for name in files),
        tuple(by_file[name].number for name in files),
    )
    columns = FOLD_FROM_NAME if arms[0].fold else FROM_NAME
    header = (*together.header[:-1], *columns)
    return what, replace(together, header=header, columns=(*others, *said))


def _refuse_unnamed_curves(
    request: TableRequest, what: str, grids: Sequence[tuple[str, Grid]]
) -> None:
    """Refuse the curves of several runs, a file each, where nothing says whose they are."""
    steps = [c.shown for c in columns_of(grids[0][1]) if c.kind is Kind.STEP and c.varies]
    if steps and not (request.by or request.seed_by or request.filters or _has_arms(grids)):
        raise UsageError(
            f"each of {what} has a curve ({steps[0]}), and their names do not tell arms and seeds: "
            "call the files after arm and seed, as late_seed0.csv, or add columns of arm and seed"
        )


def _has_arms(grids: Sequence[tuple[str, Grid]]) -> bool:
    """Whether tables have columns that may make arms, or number runs."""
    kinds = (Kind.ARM, Kind.TEXT, Kind.SEED, Kind.FOLD)
    return any(column.kind in kinds for _, grid in grids for column in columns_of(grid))


def _called(sources: Sequence[str]) -> dict[str, str]:
    """Return what sources are called in a report, which readers on other machines see too.

    Absolute paths are told from the last folder on that they share.
    """
    names = {one: _name(one) for one in sources}
    whole = [one for one in sources if Path(one).is_absolute()]
    if not whole:
        return names
    shared = os.path.commonpath([Path(one).parent for one in whole])
    short = names | {one: os.path.relpath(one, shared) for one in whole}
    return short if len(set(short.values())) == len(short) else names


def _name(source: str) -> str:
    return "standard input" if source == "-" else source


def _read(source: str) -> Grid:
    name = _name(source)
    try:
        if source != "-" and source.endswith((".parquet", ".pq")):
            return grid_of_parquet(Path(source), name)
        raw = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except FileNotFoundError as error:
        raise UsageError(f"there is no file {name}: name a CSV or parquet file") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(f"{name} cannot be read ({reason}): name a CSV or parquet file") from error
    _refuse_databases(raw, name)
    text = read_text(raw, name)
    del raw
    return read_grid(text, name)


def _refuse_databases(raw: bytes, name: str) -> None:
    kinds: Sequence[tuple[Callable[[bytes], bool], str]] = (
        (
            lambda data: data.startswith(b"SQLite format 3\0"),
            "is a database: give an MLflow database with --tracking-uri and --experiment, and an "
            "Optuna study as the CSV of study.trials_dataframe()",
        ),
        (
            lambda data: data.startswith(b"PK\x03\x04"),
            "is a spreadsheet or an archive: save the table as CSV in UTF-8",
        ),
        (
            lambda data: data.startswith(b"PAR1"),
            "is a parquet file: call it .parquet",
        ),
        (
            lambda data: data.lstrip()[:1] in (b"{", b"["),
            "is JSON: turn it into a table with a row per run and columns for its arm, seed and "
            "result, as pandas.DataFrame(...).to_csv writes it",
        ),
        (lambda data: data.lstrip()[:1] == b"<", "is a web page: save the table as CSV"),
    )  # fmt: skip
    for matches, said in kinds:
        if matches(raw):
            raise DataError(f"{name} {said}")
