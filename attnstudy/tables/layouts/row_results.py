"""What the runs of a table with a row per run, or per point of a run's curve, came to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from attnstudy.tables.asked import quoted
from attnstudy.tables.cells import Gap, Printed, clip, gap_of
from attnstudy.tables.columns import Column
from attnstudy.tables.headings import words_of
from attnstudy.tables.layouts.curves import RunKeys, point_of_curve, steps_of
from attnstudy.tables.layouts.rows_left_out import Rows
from attnstudy.tables.layouts.source import Table
from attnstudy.tables.points import mirrored, mirrors
from attnstudy.tables.seeds import whole_seed


@dataclass(frozen=True, slots=True)
class Results:
    """What the runs came to."""

    rows: Sequence[int]
    """The row of each run; of a curve, the row of the point."""
    diverged: frozenset[int]
    """Rows of runs that have no value, as they diverged."""
    empty: frozenset[int]
    """Rows of runs that have none, as their cell is empty."""


def results_of_rows(table: Table, metric: Column, rows: Rows) -> Results:
    """Return the result of each run, a row each."""
    return _results(table, metric, rows.kept, rows.failed, [*rows.kept, *rows.failed])


def _results(
    table: Table,
    metric: Column,
    measured: Sequence[int],
    failed: Sequence[int],
    order: Sequence[int],
) -> Results:
    """Return the results of runs in some order.

    Args:
        table: the table.
        metric: the column of results.
        measured: rows that should have a result.
        failed: rows that have none.
        order: all of them.

    Raises:
        DataError: naming the first seed that is no whole number, or the first cell that is none.

    """
    seed = table.shape.seed
    if table.reads_plainly(metric) and (
        seed is None or all(whole_seed(cell) is not None for cell in seed.distinct)
    ):
        return Results(order, frozenset(failed), frozenset())
    found: dict[Gap, list[int]] = {Gap.DIVERGED: [], Gap.EMPTY: []}
    for row in measured:
        table.seed(row)
        value = table.number(row, metric)
        if isinstance(value, Gap):
            found[value].append(row)
    for row in failed:
        table.seed(row)
    return Results(order, frozenset((*failed, *found[Gap.DIVERGED])), frozenset(found[Gap.EMPTY]))


def results_of_curves(
    table: Table,
    labels: Sequence[str],
    metric: Column,
    step: Column,
    runs: RunKeys,
    rows: Rows,
) -> Results:
    """Return the result of each run, a point of its curve."""
    for row in rows.failed:
        table.seed(row)
    curves = runs.grouped(rows.kept)
    points: list[int] = []
    for of in curves:
        run = _run_words(table, labels, of[0])
        found = point_of_curve(table, metric, step, of, run)
        if found is None:
            rows.left_out.append(f"{run}, without a value at {table.asked.point.words}")
            continue
        table.seed(found)
        points.append(found)
    of_best = next((c for c in table.columns if c.name == table.asked.point.of), metric)
    if of_best is not metric and curves:
        both = (((table.number(r, metric), table.number(r, of_best)) for r in of) for of in curves)
        if all(mirrors(_floats(pairs)) for pairs in both):
            rows.notes.append(mirrored(metric.name, of_best.name))
    if table.asked.point.rule == "last":
        rows.notes += _notes_on_ends(table, labels, metric, step, curves)
    return _results(table, metric, points, rows.failed, [*rows.failed, *points])


def _floats(
    pairs: Iterable[tuple[Printed | Gap, Printed | Gap]],
) -> Iterator[tuple[float, float]]:
    for a, b in pairs:
        if isinstance(a, Printed) and isinstance(b, Printed):
            yield float(a.value), float(b.value)


def _notes_on_ends(
    table: Table,
    labels: Sequence[str],
    metric: Column,
    step: Column,
    curves: Sequence[Sequence[int]],
) -> list[str]:
    """Return what to say of curves that do not end at the same step.

    A curve ends with its last row, or before it with its last value.
    """
    ends: dict[str, set[float]] = {}
    empty = metric.having(lambda cell: gap_of(cell) is Gap.EMPTY)
    for of in curves:
        there = [row for row in of if metric.cells[row] not in empty] or of
        ends.setdefault(labels[of[0]], set()).add(max(steps_of(table, step, there)))
    every = set().union(*ends.values())
    if len(every) < 2:
        return []
    if all(len(own) == 1 for own in ends.values()):
        said = quoted([f"{clip(arm)} at {min(own):g}" for arm, own in ends.items()])
        return [
            f"all curves of an arm end at the same {step.name}, and those of other arms at another "
            f"({said}): a difference between the arms may be due to that; --at {_at(step)}="
            f"{min(every):g} compares them at the same"
        ]
    return [
        f"the curves do not end at the same step ({min(every):g} to {max(every):g}): runs that "
        "were cut short count with their last point"
    ]


def _at(step: Column) -> str:
    return "epoch" if "epoch" in words_of(step.name) else "step"


def _run_words(table: Table, labels: Sequence[str], row: int) -> str:
    seed = table.shape.seed
    if seed is None:
        return f"the run of {labels[row]} in {table.place(row)}"
    return f"{seed.name} {seed.cells[row]} of {labels[row]}"
