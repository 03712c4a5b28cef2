"""Rows that are no runs of their own: copies, second tables, and evaluations of one run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from attnstudy.errors import DataError, UsageError
from attnstudy.tables import headings
from attnstudy.tables.asked import quoted
from attnstudy.tables.cells import clip, gap_of
from attnstudy.tables.columns import Column, Kind
from attnstudy.tables.layouts.source import Table


def refuse_rows_of_one_run(table: Table, labels: Sequence[str], rows: Sequence[int]) -> None:
    """Refuse rows of one arm that have the id, the name or the start of one run.

    Args:
        table: with a row per run, as it seems.
        labels: for every row its arm.
        rows: those that would count as runs.

    Raises:
        UsageError: naming the first such run.

    """
    own = (*table.shape.arms, table.shape.seed)
    for column in table.columns:
        if column.kind is not Kind.BOOKKEEPING or not column.varies or not column.repeats:
            continue
        if column in own or column.name in (*table.asked.allowed, table.asked.metric):
            continue
        shared = _shared(column, labels, rows, numbered=table.shape.seed is not None)
        if shared is not None:
            (arm, cell), many = shared
            name = clip(column.name)
            raise UsageError(
                f"{table.what} has {many} rows of {clip(arm)} with {name} {clip(cell)}, which are "
                "no repetitions if they are of one run: give one result per run, their mean for "
                f"example; or, if each row is a run, say --allow-differences {name}"
            )


def _shared(
    column: Column, labels: Sequence[str], rows: Sequence[int], *, numbered: bool
) -> tuple[tuple[str, str], int] | None:
    """Return arm and cell of rows that a column says are of one run, and how many they are.

    Where seeds number the runs, only an id of the run itself weighs more than they do. An arm that
    has one value throughout, its name perhaps, is not told apart by it.
    """
    gaps = column.having(lambda cell: gap_of(cell) is not None or not cell.strip())
    counts = Counter(
        (labels[row], column.cells[row]) for row in rows if column.cells[row] not in gaps
    )
    repeated = [(key, many) for key, many in counts.items() if many > 1]
    values = Counter(arm for arm, _ in counts)
    apart = [(key, many) for key, many in repeated if values[key[0]] > 1]
    if headings.is_run_id(column.name):
        return next(iter(apart if numbered else repeated), None)
    if numbered or not apart:
        return None
    if headings.identifies_run(column.name):
        return apart[0]
    # of a time or a note several runs may share one; hardly every run of every arm one with others
    together = len(repeated) == len(counts) and min(values.values()) > 1
    nested = len({cell for _, cell in counts}) == len(counts)
    return apart[0] if together and nested and not headings.is_of_groups(column.name) else None


def refuse_blocks(table: Table, labels: Sequence[str], kept: Sequence[int]) -> None:
    """Refuse tables below one another whose runs nothing tells apart.

    Raises:
        UsageError: naming the line of the second header.

    """
    if table.shape.seed is not None:
        return
    grid = table.grid
    first: dict[tuple[int, str], int] = {}
    last: dict[tuple[int, str], int] = {}
    for row in kept if grid.blocks else ():
        key, line = (grid.file_of[row] if grid.files else 0, labels[row]), grid.numbers[row]
        first[key], last[key] = min(first.get(key, line), line), max(last.get(key, line), line)
    for file, line in grid.blocks:
        if any(first[key] < line < last[key] for key in first if key[0] == file):
            raise UsageError(
                f"{table.what} has a second header in line {line}, with runs of the same arms "
                "below it, and nothing tells what the two parts are: give them as two files with "
                "--from, or number the runs in a column of seeds"
            )


def refuse_copies(table: Table, kept: Sequence[int]) -> None:
    """Refuse two rows that are the same run, by its id and in every cell.

    Raises:
        DataError: naming both.

    """
    ids = [
        c
        for c in table.columns
        if c.kind is Kind.BOOKKEEPING and {"id", "uuid", "run"} & headings.words_of(c.name)
        and not headings.may_be_shared(c.name)
    ]  # fmt: skip
    if not all(c.repeats for c in ids):  # two rows that are alike have the same id
        return
    seen: dict[tuple[str, ...], int] = {}
    for row in kept if ids else ():
        cells = tuple(c[row] for c in table.grid.columns)
        if cells in seen:
            raise DataError(
                f"{table.what}: {table.place(row)} is the run of {table.place(seen[cells])} "
                f"again ({ids[0].name} {ids[0].cells[row]}): keep one of the two"
            )
        seen[cells] = row


def refuse_twice(table: Table, name: str, found: Sequence[int]) -> None:
    """Refuse two rows of an arm with one seed.

    Raises:
        DataError: naming the second one, and what tells the two apart.

    """
    if len(set(table.seeds(found))) == len(found):
        return
    seen: dict[int | None, int] = {}
    for row in found:
        seed = table.seed(row)
        if seed in seen:
            first = seen[seed]
            apart = [
                c.name
                for c in table.columns
                if c.name and c.kind not in (Kind.METRIC, Kind.BOOKKEEPING, Kind.STATE)
                and c.cells[first] != c.cells[row] and not c.measured
            ]  # fmt: skip
            advice = "keep one of the two"
            if apart:
                advice = (
                    f"the rows differ in {quoted(apart, 3)}, so choose rows with --filter "
                    f"{apart[0]}=VALUE, or make it part of the arm with --by"
                )
            raise DataError(
                f"{table.what}: seed {seed} of {clip(name)} appears twice (again in "
                f"{table.place(row)}): {advice}"
            )
        seen[seed] = row
