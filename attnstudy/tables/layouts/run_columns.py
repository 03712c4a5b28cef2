"""Where columns are runs: which of them are, and which are means, SDs and numbers of runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from attnstudy.errors import DataError, UsageError
from attnstudy.tables import headings
from attnstudy.tables.asked import quoted
from attnstudy.tables.cells import clip, in_brackets, split_summary
from attnstudy.tables.columns import Column, Kind
from attnstudy.tables.headings import Role
from attnstudy.tables.layouts.aggregates import is_mean_of
from attnstudy.tables.layouts.aggregates_left_out import (
    column_left_out,
    refuse_leading_means,
    without_means,
)
from attnstudy.tables.layouts.numbers import others_of
from attnstudy.tables.layouts.shape import unclear_columns
from attnstudy.tables.layouts.source import Table

SUMMARY = "a summary, not a run"
"""Why means, SDs and numbers of runs are left out of a ranking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunColumns:
    """What the columns of numbers are."""

    values: tuple[Column, ...]
    mean: Column | None
    sd: Column | None
    count: Column | None
    left_out: tuple[str, ...]
    notes: tuple[str, ...]


def run_columns(table: Table, kept: Sequence[int]) -> RunColumns:
    """Return what each column of numbers is, by its heading and by what it holds."""
    known = (*table.shape.arms,)
    numeric = [
        c for c in table.columns
        if c not in known and c.numeric and c.name and c.kind is not Kind.STATE
    ]  # fmt: skip
    roles = dict(
        zip((c.index for c in numeric), headings.roles([c.name for c in numeric]), strict=True)
    )
    # a column of seeds or dates is no result, whatever its heading
    given = (Kind.SEED, Kind.STEP, Kind.BOOKKEEPING, Kind.NOTHING, Kind.GIVEN, Kind.FOLD)
    values = [c for c in numeric if roles[c.index] is Role.VALUE and c.kind not in given]
    groups = headings.run_headings([c.name for c in values])
    chosen = _chosen(table, groups)
    left_out, notes = [], []
    if chosen:
        among = frozenset(chosen)
        odd = [c for c in values if c.name not in among]
        values = [c for c in values if c.name in among]
        left_out += [column_left_out(c, "by its heading it is no run") for c in odd]
    mean, sd, count = (
        _only(numeric, roles, role, chosen) for role in (Role.MEAN, Role.SD, Role.COUNT)
    )
    if any(split_summary(c.cells[row]) for c in values for row in kept):
        return _of_summaries(table, values, kept, count)
    if mean is None and len(values) == 1 and (sd is not None or count is not None):
        mean = values.pop()
        notes.append(f"column {clip(mean.name)!r} is taken for the means")
    elif mean is not None and values and not chosen and table.asked.layout is None:
        rows = table.beside(mean, values, kept)
        if len(values) > 1 and 2 * sum(is_mean_of(n, others_of(found)) for n, found in rows) >= len(
            rows
        ):
            raise unclear_columns(values, table.what)
        left_out += [column_left_out(c, "the means are not those of such columns") for c in values]
        values = []
    elif len(values) > 1 and not chosen and table.asked.layout is None:
        raise unclear_columns(values, table.what)
    if not chosen:
        values, means = without_means(table, values, kept)
        left_out += means
        refuse_leading_means(table, values, kept)
    if mean is None and not values:
        raise DataError(
            f"{table.what} has no column of numbers beside the names: give one column per run, or "
            "columns mean, sd and n"
        )
    statistics = [c for c in (mean, sd, count) if c is not None]
    taken = {column.index for column in (*known, *values, *statistics)}
    said = {beginning for phrase in left_out for beginning in _beginnings(phrase)}
    for column in table.columns:
        if column.index in taken or not column.name:
            continue
        if column_left_out(column, "")[:-1] not in said:
            left_out.append(column_left_out(column, _why(column)))
            said.update(_beginnings(left_out[-1]))
    left_out += [column_left_out(c, SUMMARY) for c in statistics]
    return RunColumns(
        values=tuple(values), mean=mean, sd=sd, count=count, left_out=tuple(left_out),
        notes=tuple(notes),
    )  # fmt: skip


def _beginnings(phrase: str) -> Iterator[str]:
    """Give all parts of a phrase that a phrase on another column may begin with."""
    for start in re.finditer("column ", phrase):
        for end in re.finditer(r" \(", phrase):
            if start.start() < end.end():
                yield phrase[start.start() : end.end()]


def _why(column: Column) -> str:
    if not column.numeric:
        return "it holds no numbers"
    return "by its heading it holds no results of runs"


def _chosen(table: Table, groups: dict[str, list[str]]) -> list[str]:
    """Return the headings of the runs; none where the headings do not tell."""
    if len(groups) == 1:
        return next(iter(groups.values()))
    if not groups:
        return []
    found = headings.runs_of(table.asked.metric or "", groups)
    if found is None:
        raise UsageError(
            f"{table.what} has runs of several metrics ({', '.join(groups)}): choose one with "
            "--metric"
        )
    return found


def _only(
    columns: Sequence[Column], roles: dict[int, Role], role: Role, runs: Sequence[str]
) -> Column | None:
    """Return the column of a role; of several, where the runs are there, that of their metric."""
    like = [c for c in columns if roles[c.index] is role and c.kind is not Kind.NOTHING]
    if len(like) > 1 and runs:
        metric = headings.words_of(headings.common_stem(runs)) - {"split"}
        like = [c for c in like if metric <= headings.words_of(c.name)] or like
    if len(like) > 1 and role is not Role.COUNT and not runs:
        names = " and ".join(repr(clip(c.name)) for c in like[:2])
        raise DataError(f"columns {names} both look like the {role}: keep one of them")
    return like[0] if like else None


def _of_summaries(
    table: Table, values: Sequence[Column], kept: Sequence[int], count: Column | None
) -> RunColumns:
    """Return the columns of a table whose cells are means with their spread."""
    mixed = [c for c in values if any(split_summary(c.cells[row]) for row in kept)]
    asked = [c for c in mixed if c.name == table.asked.metric]
    if len(mixed) > 1 and len(asked) != 1:
        raise UsageError(
            f"the cells of {table.what} are summaries, such as {mixed[0].cells[kept[0]]!r}: "
            "attnstudy audit reads one column of them, chosen with --metric "
            f"({quoted([c.name for c in mixed])}), and with --n the number of runs behind each; a "
            "ranking needs the runs themselves"
        )
    column = (asked or mixed)[0]
    _refuse_whole_brackets(table, column, kept)
    others = [column_left_out(c, "not asked for") for c in values if c is not column]
    return RunColumns(
        values=(), mean=column, sd=column, count=count, left_out=tuple(others), notes=(),
    )  # fmt: skip


def _refuse_whole_brackets(table: Table, column: Column, kept: Sequence[int]) -> None:
    """Refuse ``90.0 (2)``: what is in brackets has no decimals, as ranks have none.

    Raises:
        UsageError: naming the first such cell.

    """
    cells = [column.cells[row] for row in kept]
    inner = [found for cell in cells if (found := in_brackets(cell)) is not None]
    if not inner or not all(found.isdecimal() for found in inner):
        return
    exact = any(re.search(r"[.,]", cell.split("(")[0]) for cell in cells)
    if exact or sorted(map(int, inner)) == list(range(1, len(cells) + 1)):
        first = next(cell for cell in cells if in_brackets(cell) is not None)
        raise UsageError(
            f"the numbers in brackets of {column.name!r}, such as {clip(first)!r}, are whole, so "
            "they may be ranks, numbers of runs or last digits: write an SD behind ±, or leave the "
            "brackets out"
        )
