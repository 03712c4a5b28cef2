"""What each column of a table is, by its heading and by what it holds."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

from attnstudy.tables import headings
from attnstudy.tables.cells import (
    Gap,
    gap_of,
    is_number,
    is_plain,
    looks_numeric,
    split_summary,
)
from attnstudy.tables.grid import Grid
from attnstudy.tables.headings import Role
from attnstudy.tables.seeds import whole_seed

COUNTED = frozenset({
    "finished", "complete", "completed", "done", "success", "succeeded", "successful", "ok",
    "active", "fertig", "abgeschlossen", "termine", "terminado", "completado", "completato",
})  # fmt: skip
"""States of runs that count."""
FAILED = frozenset({
    "failed", "fail", "crashed", "error", "killed", "aborted", "cancelled", "canceled", "timeout",
    "oom", "out_of_memory", "node_fail", "preempted", "interrupted", "terminated", "broken",
    "fehlgeschlagen", "abgebrochen", "echoue", "fallido", "fallito", "pruned",
})  # fmt: skip
"""States of runs that ended without a result."""
OPEN = frozenset({
    "running", "pending", "queued", "scheduled", "waiting", "starting", "created", "paused",
    "suspended", "deleted", "laeuft", "lauft", "wartend", "en cours", "en curso", "in corso",
})  # fmt: skip
"""States of runs that have not ended."""


class Kind(StrEnum):
    """What a column is."""

    NOTHING = "nothing"
    BOOKKEEPING = "bookkeeping"
    STATE = "state"
    SEED = "seed"
    FOLD = "fold"
    STEP = "step"
    TASK = "task"
    ARM = "arm"
    TEXT = "text"
    GIVEN = "setting"
    METRIC = "metric"
    STATISTIC = "statistic"
    NUMBER = "number"


MEASURES = (Kind.METRIC, Kind.NUMBER, Kind.STATISTIC)
"""Kinds of columns of numbers that may be results."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    index: int
    name: str
    kind: Kind
    cells: tuple[str, ...]
    numeric: bool
    """Whether it holds numbers."""

    @property
    def shown(self) -> str:
        """Its name for the reader."""
        return self.name or f"column {self.index + 1}, which has no heading"

    @property
    def filled(self) -> tuple[str, ...]:
        """Its cells that hold something."""
        return tuple(cell for cell in self.cells if gap_of(cell) is not Gap.EMPTY)

    @property
    def counts_time(self) -> bool:
        """Whether it is a time that grows from row to row, as beside a curve."""
        numbers = [float(cell) for cell in self.cells if re.fullmatch(r"\d+(\.\d+)?", cell)]
        grows = all(a < b for a, b in pairwise(numbers))
        return (
            len(numbers) == len(self.cells) > 1
            and grows
            and ("time" in headings.words_of(self.name))
        )

    @property
    def measured(self) -> bool:
        """Whether its numbers are those of measurements, by their variety."""
        return self.numeric and are_measured(self.cells)

    @property
    def varies(self) -> bool:
        """Whether it holds several values."""
        return len(set(self.cells)) > 1


def are_measured(cells: Sequence[str]) -> bool:
    """Whether numbers are measurements rather than settings.

    A setting takes few values, which several runs share; a measurement has nearly as many values
    as there are runs, and decimals.
    """
    filled = [cell for cell in cells if gap_of(cell) is None]
    decimals = sum("." in cell or "," in cell for cell in filled)
    return 2 * len(set(filled)) > len(filled) and 2 * decimals > len(filled)


def columns_of(grid: Grid) -> tuple[Column, ...]:
    """Return what each column of a table is."""
    found = []
    for index, name in enumerate(grid.header):
        cells = grid.column(index)
        plain = all(map(is_plain, cells))
        # names of arms may be numbers, some of them, as 50% beside others
        numeric = (plain or _numeric(cells)) and not (
            headings.is_arm(name) and not _all_numbers(cells)
        )
        kind = _kind(index, name, cells, numeric=numeric, plain=plain)
        found.append(Column(index, name, kind, cells, numeric))
    if not any(c.kind is Kind.METRIC for c in found):
        # where nothing else is measured, the time that a run took is the result
        found = [
            replace(c, kind=Kind.METRIC)
            if c.kind is Kind.BOOKKEEPING and c.numeric and headings.is_time(c.name)
            else c
            for c in found
        ]
    if any(headings.roles([c.name]) == (Role.SD,) for c in found if c.numeric):
        # beside an SD, "seeds" and "runs" count the runs of a summary
        found = [
            replace(c, kind=Kind.STATISTIC)
            if c.kind is Kind.SEED and headings.roles([c.name]) == (Role.COUNT,)
            else c
            for c in found
        ]
    return tuple(found)


def state_of(heading: str, cell: str) -> str | None:
    """Return ``counts``, ``failed``, ``open`` or ``diverged``; None where the state is unknown."""
    word = headings.folded(cell).replace("-", "_").rpartition(".")[2]
    about = headings.folded(heading)
    if word in ("true", "1", "yes", "false", "0", "no", "1.0", "0.0"):
        said = word in ("true", "1", "yes", "1.0")
        if about == "done" and word[0].isdecimal():  # of an episode, not of a run
            return None
        if about in ("diverged", "failed", "crashed"):
            return about.replace("crashed", "failed") if said else "counts"
        return "counts" if said else "failed"
    if word == "diverged":
        return "diverged"
    if word in COUNTED:
        return "counts"
    if word in FAILED:
        return "failed"
    return "open" if word in OPEN or not word else None


def _numeric(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if gap_of(cell) is not Gap.EMPTY]
    numbers = sum(is_plain(cell) or (looks_numeric(cell) and _a_number(cell)) for cell in filled)
    return bool(filled) and 2 * numbers >= len(filled) and numbers > 0


def _all_numbers(cells: Sequence[str]) -> bool:
    return all(map(_a_number, cells))


def _a_number(cell: str) -> bool:
    return gap_of(cell) is not None or is_number(cell) or split_summary(cell) is not None


def _kind(index: int, name: str, cells: tuple[str, ...], *, numeric: bool, plain: bool) -> Kind:
    filled: Sequence[str] = (
        cells if plain else [cell for cell in cells if gap_of(cell) not in (Gap.EMPTY, Gap.UNCLEAR)]
    )
    # a heading without a column below it says what is missing; only nameless ones are nothing
    if not filled and headings.is_arm(name) and any(cells):  # arms called none and null
        return Kind.ARM
    if not filled:
        return Kind.METRIC if headings.is_metric(name) else Kind.NOTHING
    if not name or name.startswith("Unnamed:") or name in ("#", "index", "X"):
        unique = len(set(filled)) == len(filled) and all(cell.isdecimal() for cell in filled)
        if unique or _restarts(filled) or (numeric and name):
            return Kind.NOTHING
        return Kind.ARM if index == 0 and not numeric else Kind.TEXT
    special = _special(name, filled, numeric=numeric, plain=plain)
    if special is not None:
        return special
    if not numeric:
        # scikit-learn's searches have the configuration as a dictionary
        if headings.is_arm(name) or (
            name == "params" and all(re.fullmatch(r"\{.*\}", cell) for cell in filled)
        ):
            return Kind.ARM
        return Kind.BOOKKEEPING if headings.is_bookkeeping(name) else Kind.TEXT
    return _kind_of_numbers(name, filled)


def _restarts(cells: Sequence[str]) -> bool:
    """Whether cells count up from 0 again and again, as the index of joined tables does."""
    if cells[0] != "0" or not all(cell.isdecimal() for cell in cells):
        return False
    return all(b == "0" or int(b) == int(a) + 1 for a, b in itertools.pairwise(cells))


def _special(name: str, filled: Sequence[str], *, numeric: bool, plain: bool) -> Kind | None:
    """Return state, fold, seed, step or task where heading and contents agree on it."""
    if headings.is_state(name):
        known = sum(state_of(name, cell) is not None for cell in filled)
        if 2 * known > len(filled):
            return Kind.STATE
    labels = filled if plain else [c for c in filled if not headings.is_statistic(c)]
    numbered = bool(labels) and all(whole_seed(cell) is not None for cell in labels)
    if numbered and headings.is_fold(name, labels) and not headings.names_a_run(name):
        return Kind.FOLD
    # a few that are no numbers are mistakes, and are refused where the seeds are read
    if headings.is_seed(name) and 2 * sum(whole_seed(x) is not None for x in labels) > len(labels):
        return Kind.SEED
    if headings.is_step(name) and numeric:
        return Kind.STEP
    return Kind.TASK if headings.is_task(name) and (not numeric or _a_unit(name, filled)) else None


def _a_unit(name: str, filled: Sequence[str]) -> bool:
    return headings.is_unit(name) and not are_measured(filled)


def _kind_of_numbers(name: str, filled: Sequence[str]) -> Kind:
    if "=" in name:  # lr=0.1 is the name of an arm
        return Kind.NUMBER
    if headings.is_arm(name) and not are_measured(filled):
        return Kind.ARM
    if headings.is_bookkeeping(name):
        return Kind.BOOKKEEPING
    measured = are_measured(filled)
    if headings.is_given(name):
        # the highest accuracy of all iterations: what it is, the numbers have to tell
        return Kind.NUMBER if measured and headings.measured_words(name) else Kind.GIVEN
    if headings.is_metric(name) or (measured and headings.is_time(name)):
        return Kind.METRIC
    (role,) = headings.roles([name])
    if headings.is_statistic(name) or role is Role.SD:
        return Kind.STATISTIC
    if headings.counts_something(name) and not measured:
        return Kind.GIVEN
    return Kind.NUMBER
