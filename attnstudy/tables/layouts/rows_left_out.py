"""Rows that are no runs: unfinished ones, statistics of other rows, and parents of other runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from attnstudy.errors import DataError, UsageError
from attnstudy.tables import headings
from attnstudy.tables.asked import quoted
from attnstudy.tables.cells import Gap, Printed, clip, gap_of
from attnstudy.tables.columns import Column, Kind, state_of
from attnstudy.tables.layouts.aggregates import SUSPECTED, is_mean_of, means_throughout, standing_of
from attnstudy.tables.layouts.numbers import others_of
from attnstudy.tables.layouts.source import Table


@dataclass(slots=True)
class Rows:
    """The rows that are still in, and what was left out."""

    kept: Sequence[int]
    failed: Sequence[int]
    """Rows of runs that count as diverged by their state."""
    left_out: list[str]
    notes: list[str] = field(default_factory=list)


def without_unfinished(
    table: Table, labels: Sequence[str] = ()
) -> tuple[Sequence[int], Sequence[int], list[str]]:
    """Return the rows of runs that finished, those that count as diverged, and what was left out.

    Args:
        table: the table.
        labels: for every row its arm, where a row is a run of one.

    Raises:
        UsageError: a state is not known, or runs of an arm were stopped for how they went.
        DataError: no run finished, or one did not and ``--missing refuse`` was said.

    """
    every: Sequence[int] = range(len(table.grid))
    failed: list[int] = []
    pruned: list[int] = []
    left_out = []
    for column in (c for c in table.columns if c.kind is Kind.STATE):
        if column in table.shape.arms or column.name in table.asked.settled:
            continue
        out: dict[str, list[str]] = {}
        states = {cell: state_of(column.name, cell) for cell in column.distinct}
        kept = []
        for row in every:
            cell, place = column.cells[row], table.place(row)
            state = states[cell]
            if state is None:
                raise UsageError(
                    f"{table.what}: {column.name} in {place} is {clip(cell)!r}, and it is not "
                    "known whether such a run counts: choose rows with --filter, as "
                    f"{column.name}!={cell}"
                )
            if state == "counts":
                kept.append(row)
                continue
            if table.asked.missing == "refuse":
                raise DataError(
                    f"{table.what}: the run in {place} has {column.name} {clip(cell)!r}, and "
                    "--missing refuse was said"
                )
            if state == "diverged" or (state == "failed" and table.asked.missing == "diverged"):
                failed.append(row)
            else:
                if cell.casefold().endswith("pruned") and table.asked.missing is None:
                    pruned.append(row)
                out.setdefault(f"{column.name} {cell or 'empty'}", []).append(place)
        every = kept
        left_out += [
            f"{len(places)} run{'s' * (len(places) > 1)} with {why} ({quoted(places, 4)})"
            for why, places in out.items()
        ]
    if not every and not failed:
        raise DataError(f"{table.what} has no run that finished: nothing can be ranked")
    if labels and pruned:
        _refuse_pruned(table, labels, pruned, every)
    return every, failed, left_out


def _refuse_pruned(
    table: Table, labels: Sequence[str], pruned: Sequence[int], kept: Sequence[int]
) -> None:
    """Ask about runs that were stopped for how they went, unless the same was run to its end.

    Raises:
        UsageError: naming their number.

    """
    seed = table.shape.seed

    def run(row: int) -> tuple[str, str | None]:
        return labels[row], None if seed is None else seed.cells[row]

    ended = set() if seed is None else set(map(run, kept))
    lost = [row for row in pruned if run(row) not in ended]
    if lost:
        raise UsageError(
            f"{table.what} has {len(lost)} pruned run{'s' * (len(lost) > 1)} "
            f"({quoted(counted(labels[row] for row in lost))}), stopped for how they went, so what "
            "is left are the better ones: say --missing diverged to count them as failed, or "
            "--missing absent to leave them out all the same"
        )


def leave_out_statistics(table: Table, labels: Sequence[str], metric: Column, rows: Rows) -> None:
    """Take out the rows of means and SDs that stand among the runs."""
    seed = table.shape.seed
    if seed is not None:
        out = _having(seed, headings.is_statistic, rows.kept)
        rows.kept = sorted({*rows.kept} - {*out}) if out else rows.kept
        for row in out:
            mine = [r for r in rows.kept if labels[r] == labels[row]]
            _recompute(table, labels, metric, row, mine, rows)
        if out:
            said = " and ".join(dict.fromkeys(seed.cells[r] for r in out))
            rows.left_out.append(
                f"{len(out)} row{'s' * (len(out) > 1)} of {said} "
                f"({quoted(counted(labels[r] for r in out))})"
            )
    names = dict.fromkeys(map(labels.__getitem__, rows.kept))
    for name in names:
        of = _arm_of_statistic(name, names)
        if of is None:
            continue
        mine = [row for row in rows.kept if labels[row] == name]
        others = [row for row in rows.kept if labels[row] != name and of in ("", labels[row])]
        label = "mean" if of else name
        standing = standing_of(label, _beside(table, metric, mine, others))
        if seed is not None and standing != "statistic":
            standing = standing_of(label, [
                pair for row in mine for pair in _beside(table, metric, [row], [
                    r for r in others if seed.cells[r] == seed.cells[row]
                ])
            ])  # fmt: skip
        # "base median" with as many runs as "base" is an arm of that name, with one a statistic
        if standing == "arm" and (not of or len(mine) > 1):
            continue
        if of and standing == "unclear" and len(mine) > 1:
            continue
        if standing == "arm":
            standing = "unclear"
        if standing == "unclear" and others:
            many = "s" * (len(mine) > 1)
            raise UsageError(
                f"{table.what} has {len(mine)} row{many} called {name!r}, which may be an arm or "
                "a statistic of others, and it is not the mean of the other rows: rename the arm, "
                f"or leave the row{many} out with --filter {table.shape.arms[0].name}!={name}"
            )
        rows.kept = [row for row in rows.kept if labels[row] != name]
        rows.left_out.append(
            f"row {name} ({'the mean' if headings.is_mean(name) else 'a statistic'} of other rows)"
        )
    if not rows.kept and not rows.failed:
        raise DataError(
            f"{table.what} has no rows of runs: a ranking needs the values, not their summary"
        )


def leave_out_parents(table: Table, labels: Sequence[str], metric: Column, rows: Rows) -> None:
    """Take out the rows of runs that others were started from, which sum those up.

    Raises:
        DataError: a row has no seed, and is neither empty nor the mean of its arm.

    """
    parents = {
        cell for c in table.columns if headings.is_parent(c.name) for cell in c.taken(rows.kept)
    }
    ids = [
        c for c in table.columns if c.kind is Kind.BOOKKEEPING and not headings.is_parent(c.name)
    ]
    over = {
        row for c in ids for row in _having(c, lambda cell: cell in parents and cell, rows.kept)
    }
    if over:
        rows.kept = [row for row in rows.kept if row not in over]
        rows.left_out.append(
            f"{len(over)} run{'s' * (len(over) > 1)} that {'are' if len(over) > 1 else 'is'} the "
            f"parent of other runs ({quoted(counted(labels[r] for r in over))})"
        )
    seed = table.shape.seed
    if seed is None:
        return
    unnumbered = _having(seed, lambda cell: gap_of(cell) is Gap.EMPTY, rows.kept)
    if not unnumbered:
        return
    out = set(unnumbered)
    numbered = [row for row in rows.kept if row not in out]
    summing = [row for row in unnumbered if table.number(row, metric) is not Gap.EMPTY]
    if summing:
        results: dict[str, list[int]] = {}
        for row in numbered:
            results.setdefault(labels[row], []).append(row)
        of = {
            label: others_of(_printed(table, metric, results.get(label, ())))
            for label in dict.fromkeys(labels[row] for row in summing)
        }
        means = [(n, of[labels[row]]) for row in summing for n in _printed(table, metric, [row])]
        if len(means) < len(summing) or not means_throughout(means, SUSPECTED):
            raise DataError(
                f"{table.what}: {table.place(summing[0])} has no {seed.name}: "
                f"fill it in, or leave such rows out with --filter '{seed.name}!='"
            )
    rows.kept = numbered
    many = len(unnumbered) > 1
    rows.left_out.append(
        f"{len(unnumbered)} row{'s' * many} without a {seed.name}, empty or the mean of "
        f"{'their' if many else 'its'} arm ({quoted(counted(labels[r] for r in unnumbered))})"
    )


def _having(column: Column, holds: Callable[[str], object], rows: Sequence[int]) -> list[int]:
    """Return in which of some rows something holds of a column's cell."""
    found = column.having(holds)
    return [row for row in rows if column.cells[row] in found] if found else []


def _arm_of_statistic(name: str, names: Iterable[str]) -> str | None:
    """Return whose statistic a name is: "" for all arms; None where it is the name of an arm."""
    if headings.is_statistic(name):
        return ""
    words = headings.words_of(name)
    for other in names:
        rest = words - headings.words_of(other)
        if rest and headings.words_of(other) < words and headings.is_statistic(" ".join(rest)):
            return other
    return None


def _printed(table: Table, metric: Column, rows: Sequence[int]) -> list[Printed]:
    """Return the numbers that stand in some rows."""
    return [value for row in rows if isinstance(value := table.number(row, metric), Printed)]


def _beside(
    table: Table, metric: Column, rows: Sequence[int], others: Sequence[int]
) -> list[tuple[Printed, list[Printed]]]:
    """Return the number in each row with those of other rows."""
    values = _printed(table, metric, others)
    return [(number, values) for number in _printed(table, metric, rows)]


def _is_mean(table: Table, metric: Column, row: int, others: Sequence[int]) -> bool:
    mine = _printed(table, metric, [row])
    values = others_of(_printed(table, metric, others))
    return any(is_mean_of(number, values) for number in mine)


def _recompute(
    table: Table,
    labels: Sequence[str],
    metric: Column,
    row: int,
    others: Sequence[int],
    rows: Rows,
) -> None:
    seed = table.shape.seed
    if seed is None or not headings.is_mean(seed.cells[row]) or not others:
        return
    if not _is_mean(table, metric, row, others) and len(others) > 1:
        rows.notes.append(
            f"the mean printed for {clip(labels[row])} ({metric.cells[row]}) is not that of its "
            "runs"
        )


def counted(names: Iterable[str]) -> list[str]:
    """Return each name once, with how often it is there."""
    return [name if n == 1 else f"{n} of {name}" for name, n in Counter(names).items()]
