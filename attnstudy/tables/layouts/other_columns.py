"""Columns that are neither arm, seed nor result: what differs between the runs of an arm."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from attnstudy.errors import UsageError
from attnstudy.tables.asked import quoted
from attnstudy.tables.cells import clip, gap_of
from attnstudy.tables.columns import Column, Kind, are_measured
from attnstudy.tables.headings import (
    identifies_run,
    is_configuration,
    is_of_groups,
    is_surely_given,
    is_time,
    is_unit,
    may_be_shared,
    numbers_rows,
    surely_names_a_run,
)
from attnstudy.tables.layouts.shape import labels_of
from attnstudy.tables.layouts.source import Table
from attnstudy.tables.seeds import whole_seed
from attnstudy.tables.tally import tally_of

_SHOWN = 4
_SETTING = re.compile(r"\w['\"]?\s*(=|:\s)|^\s*\{.*:")
"""In a text that spells out settings, as ``lr=0.1`` and ``{'lr': 0.1}``."""
FEW = 3
"""Up to so many rows, texts that all differ may be settings as well as names."""


@dataclass(frozen=True, slots=True)
class OtherColumns:
    """What became of these columns."""

    left_out: tuple[str, ...]
    notes: tuple[str, ...]


def settle_columns(
    table: Table,
    labels: Sequence[str],
    kept: Sequence[int],
    metric: Column,
    step: Column | None,
) -> OtherColumns:
    """Refuse runs of one arm that differ in a column which nobody allowed to differ.

    Raises:
        UsageError: naming each such column, with its values.

    """
    own = (*table.shape.arms, table.shape.seed, metric, step)
    rest = [c for c in table.columns if c not in own and c.name]
    looked = _Look(table, labels, kept, step)
    measured = [c for c in rest if looked.other_result(c)]
    results = {c.index for c in measured}
    known = [c for c in rest if c.index not in results and looked.of_no_influence(c)]
    influence_free = {c.index for c in (*measured, *known)}
    settings = [c for c in rest if c.index not in influence_free]
    _refuse_tasks(table, rest, kept)
    within = [c for c in settings if _differs_within(c, labels, kept)]
    refused = [c for c in within if c.name not in table.asked.allowed]
    if refused:
        raise UsageError(_refusal(table, refused, kept))
    notes = [
        f"allowed to differ between runs of an arm: {c.name} ({_values(c, kept)})" for c in within
    ]
    differing = {c.index for c in within}
    between = [c for c in settings if c.index not in differing and len(set(c.taken(kept))) > 1]
    if between:
        listed = quoted([c.name for c in between])
        notes.append(
            f"the arms differ in {listed} too, so a difference between them may be due to that"
        )
    left_out = []
    for what, columns in (
        ("other results", measured),
        ("what names or dates runs", known),
    ):
        if columns:
            many = "s" * (len(columns) > 1)
            left_out.append(f"column{many} {quoted([c.name for c in columns], 12)} ({what})")
    return OtherColumns(tuple(left_out), tuple(notes))


@dataclass(frozen=True, slots=True)
class _Look:
    """The rows of a table, looked at for what may have made the runs of an arm differ."""

    table: Table
    labels: Sequence[str]
    kept: Sequence[int]
    step: Column | None

    def other_result(self, column: Column) -> bool:
        """Whether a column of numbers holds other results rather than a setting.

        Numbers of an unknown heading, and spreads, need seeds beside them: without seeds, what
        differs from row to row may be what was varied, or a row may be a summary.
        """
        if self.step is not None and column.kind in (Kind.METRIC, Kind.NUMBER, Kind.STATISTIC):
            return True  # points of curves, which need not be apart
        if column.kind is Kind.METRIC:
            return not self.crossed(column)
        if column.kind not in (Kind.NUMBER, Kind.STATISTIC) or self.table.shape.seed is None:
            return False
        if is_surely_given(column.name):
            return False
        return are_measured(tally_of(list(column.taken(self.kept)))) and not self.crossed(column)

    def of_no_influence(self, column: Column) -> bool:
        """Whether a column names, dates or numbers the runs and sets nothing."""
        if column.kind in (Kind.STATE, Kind.NOTHING):
            return True
        if column.kind is Kind.STEP:  # W&B keeps a count of its own
            return self.step is not None or column.name.startswith("_")
        if column.kind is Kind.BOOKKEEPING:
            return self.step is not None or self.only_names(column)
        if column.kind is Kind.SEED:
            return self.numbers_alike(column) or self.all_apart(column)
        return (
            column.kind is Kind.TEXT
            and self.table.shape.seed is not None
            and self.all_apart(column)
            and not is_configuration(column.name)
            and not any(map(_SETTING.search, column.taken(self.kept)))
        )

    def only_names(self, column: Column) -> bool:
        """Whether a column that by its heading names, dates or times runs does so to its cells.

        What several runs of an arm have in common with another arm may be what they were run on:
        an item, an hour, a configuration.
        """
        if numbers_rows(column.name):
            return True
        if is_time(column.name) and not may_be_shared(column.name):
            return not self.crossed(column)
        different = len(set(column.taken(self.kept)))
        if different in (1, len(self.kept)):
            return True  # of all runs, or of each run
        by_arm: dict[str, set[str]] = {}
        for row, cell in zip(self.kept, column.taken(self.kept), strict=True):
            by_arm.setdefault(self.labels[row], set()).add(cell)
        pairs = sum(map(len, by_arm.values()))
        if pairs == len(by_arm) or self.numbers_alike(column):
            return True  # of each arm, or as the seeds do
        if all(map(surely_names_a_run, set().union(*by_arm.values()))):  # run_0, run_1
            return True
        seeded = self.table.shape.seed is not None
        shared = may_be_shared(column.name) or is_of_groups(column.name)
        if different == pairs:  # no arm has a value of another
            return shared or not seeded or identifies_run(column.name)
        return shared and (seeded or pairs < len(self.kept))

    def crossed(self, column: Column) -> bool:
        """Whether several arms have the same two or more values, as those of a setting are."""
        values: dict[str, set[str]] = {}
        gaps = column.having(lambda cell: gap_of(cell) is not None)
        for row, cell in zip(self.kept, column.taken(self.kept), strict=True):
            if cell not in gaps:
                values.setdefault(self.labels[row], set()).add(cell)
        several = [frozenset(found) for found in values.values() if len(found) > 1]
        return len(set(several)) < len(several)

    def all_apart(self, column: Column) -> bool:
        """Whether no two rows share a value."""
        return len(self.kept) > FEW and len(set(column.taken(self.kept))) == len(self.kept)

    def numbers_alike(self, column: Column) -> bool:
        """Whether a column numbers the runs as the column of seeds does."""
        seed = self.table.shape.seed
        if seed is None:
            return False
        pairs = set(zip(seed.taken(self.kept), column.taken(self.kept), strict=True))
        return len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def _refuse_tasks(table: Table, columns: Sequence[Column], kept: Sequence[int]) -> None:
    """Refuse results of several tasks, also where every arm has one of its own.

    Raises:
        UsageError: naming them.

    """
    for column in columns:
        if column.kind is not Kind.TASK or column.name in table.asked.allowed:
            continue
        if len(set(column.taken(kept))) > 1:
            one = "one at a time" if is_unit(column.name) else "one task at a time"
            what = f"kinds of {column.name}" if is_unit(column.name) else "tasks"
            raise UsageError(
                f"{table.what} has results of several {what} ({column.name}: "
                f"{_values(column, kept)}), which are never pooled: rank over them with "
                f"--task-by {column.name}, or {one} with --filter {column.name}=VALUE"
            )


def _differs_within(column: Column, labels: Sequence[str], kept: Sequence[int]) -> bool:
    if not column.varies:
        return False
    first: dict[str, str] = {}
    return any(
        first.setdefault(labels[row], cell) != cell
        for row, cell in zip(kept, column.taken(kept), strict=True)
    )


def _refusal(table: Table, refused: Sequence[Column], kept: Sequence[int]) -> str:
    listed = "; ".join(f"{clip(c.name)}: {_values(c, kept)}" for c in refused[:_SHOWN])
    more = f"; and {len(refused) - _SHOWN} more columns" if len(refused) > _SHOWN else ""
    first = refused[0].name
    by = ",".join((*(c.name for c in table.shape.arms), first))
    seed = table.shape.seed
    folds = [c for c in refused if c.kind is Kind.FOLD]
    if folds and seed is not None:
        return (
            f"{seed.name} and {folds[0].name} of {table.what} number the repetitions together: "
            f"choose one repetition of the folds with --filter {seed.name}=N and --seed-by "
            f"{folds[0].name}, or give both as one column"
        )
    labels = labels_of(table.shape.arms)
    if seed is None and all(_may_number_runs(c, labels, kept) for c in refused):
        whole = all(whole_seed(cell) is not None for cell in refused[0].taken(kept))
        numbers = f"if it numbers them, say --seed-by {first}; else " if whole else ""
        return (
            f"runs of the same arm differ in {listed}, which may number them or be what they were "
            f"run on: {numbers}choose rows with --filter {first}=VALUE, or, if each row is a run "
            f"of its own, say --allow-differences {first}"
        )
    return (
        f"runs of the same arm differ in more than the seed ({listed}{more}), so they are no "
        f"repetitions: choose rows with --filter {first}=VALUE, make it part of the arm with "
        f"--by {by}, or say --allow-differences {first}"
    )


def _may_number_runs(column: Column, labels: Sequence[str], kept: Sequence[int]) -> bool:
    """Whether no two runs of an arm have the same number, name or date."""
    pairs = {(labels[row], column.cells[row]) for row in kept}
    return len(pairs) == len(kept) and (
        column.kind is Kind.BOOKKEEPING
        or all(c.isdecimal() or whole_seed(c) is not None for c in column.taken(kept))
    )


def _values(column: Column, kept: Sequence[int]) -> str:
    values = list(dict.fromkeys(column.taken(kept)))
    shown = [clip(value) if value else "(none)" for value in values[:_SHOWN]]
    return ", ".join(shown) + ", ..." * (len(values) > _SHOWN)
