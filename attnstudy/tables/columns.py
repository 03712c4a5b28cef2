"""What each column of a table is, by its heading and by what it holds."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Sequence
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
from attnstudy.tables.tally import Tally, tally_of

_DIGITS = 40  # of the largest number that counts rows
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
    distinct: tuple[str, ...]
    """Each different cell, in the order in which they first stand there."""
    plain: bool
    """Whether all of them are numbers that can be read in one way alone."""
    measured: bool
    """Whether its numbers are those of measurements, by their variety."""

    @property
    def shown(self) -> str:
        """Its name for the reader."""
        return self.name or f"column {self.index + 1}, which has no heading"

    @property
    def counts_time(self) -> bool:
        """Whether it is a time that grows from row to row, as beside a curve."""
        if "time" not in headings.words_of(self.name):
            return False
        numbers = [float(cell) for cell in self.cells if re.fullmatch(r"\d+(\.\d+)?", cell)]
        return len(numbers) == len(self.cells) > 1 and all(a < b for a, b in pairwise(numbers))

    @property
    def varies(self) -> bool:
        """Whether it holds several values."""
        return len(set(self.distinct)) > 1

    @property
    def repeats(self) -> bool:
        """Whether it holds a value several times."""
        return len(set(self.distinct)) < len(self.cells)

    def taken(self, rows: Sequence[int]) -> Iterable[str]:
        """Return its cells in some rows."""
        return map(self.cells.__getitem__, rows)

    def having(self, holds: Callable[[str], object]) -> frozenset[str]:
        """Return which different cells something holds of."""
        return frozenset(filter(holds, self.distinct))


def are_measured(cells: Tally, *, plain: bool = False) -> bool:
    """Whether numbers are measurements rather than settings.

    A setting takes few values, which several runs share; a measurement has nearly as many values
    as there are runs, and decimals.

    Args:
        cells: numbers, and perhaps gaps.
        plain: whether there are no gaps.

    """
    filled = cells if plain else cells.where(lambda cell: gap_of(cell) is None)
    if 2 * filled.different <= filled.total:
        return False
    return 2 * filled.count(lambda cell: "." in cell or "," in cell) > filled.total


def columns_of(grid: Grid) -> tuple[Column, ...]:
    """Return what each column of a table is."""
    found = []
    for index, name in enumerate(grid.header):
        cells = grid.columns[index]
        tally = tally_of(cells)
        plain = all(map(is_plain, tally.cells))
        # names of arms may be numbers, some of them, as 50% beside others
        numeric = (plain or _numeric(tally)) and not (
            headings.is_arm(name) and not _all_numbers(tally)
        )
        measured = numeric and are_measured(tally, plain=plain)
        seen = _Seen(index, name, cells, tally, numeric, plain, measured)
        found.append(
            Column(
                index=index,
                name=name,
                kind=_kind(seen),
                cells=cells,
                numeric=numeric,
                distinct=tally.cells,
                plain=plain,
                measured=measured,
            )
        )
    if not any(c.kind is Kind.METRIC for c in found):
        # where nothing else is measured, the time that a run took is the result
        found = [
            replace(c, kind=Kind.METRIC)
            if c.kind is Kind.BOOKKEEPING and c.numeric and headings.is_time(c.name)
            else c
            for c in found
        ]
    if any(headings.has_role(c.name, Role.SD) for c in found if c.numeric):
        # beside an SD, "seeds" and "runs" count the runs of a summary
        found = [
            replace(c, kind=Kind.STATISTIC)
            if c.kind is Kind.SEED and headings.has_role(c.name, Role.COUNT)
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


@dataclass(frozen=True, slots=True)
class _Seen:
    """A column of which the kind is not known yet."""

    index: int
    name: str
    cells: tuple[str, ...]
    tally: Tally
    numeric: bool
    plain: bool
    measured: bool


def _numeric(cells: Tally) -> bool:
    filled = cells.where(lambda cell: gap_of(cell) is not Gap.EMPTY)
    numbers = filled.count(lambda c: is_plain(c) or (looks_numeric(c) and _a_number(c)))
    return 2 * numbers >= filled.total and numbers > 0


def _all_numbers(cells: Tally) -> bool:
    return all(map(_a_number, cells.cells))


def _a_number(cell: str) -> bool:
    return gap_of(cell) is not None or is_number(cell) or split_summary(cell) is not None


def _kind(seen: _Seen) -> Kind:
    index, name, cells, numeric = seen.index, seen.name, seen.cells, seen.numeric
    filled = seen.tally if seen.plain else seen.tally.where(_holds_something)
    # a heading without a column below it says what is missing; only nameless ones are nothing
    if not filled.cells and headings.is_arm(name) and any(cells):  # arms called none and null
        return Kind.ARM
    if not filled.cells:
        return Kind.METRIC if headings.is_metric(name) else Kind.NOTHING
    if not name or name.startswith("Unnamed:") or name in ("#", "index", "X"):
        unique = filled.different == filled.total and all(map(str.isdecimal, filled.cells))
        if unique or _restarts(list(filter(_holds_something, cells))) or (numeric and name):
            return Kind.NOTHING
        return Kind.ARM if index == 0 and not numeric else Kind.TEXT
    special = _special(seen, filled)
    if special is not None:
        return special
    if not numeric:
        # scikit-learn's searches have the configuration as a dictionary
        if headings.is_arm(name) or (
            name == "params" and all(re.fullmatch(r"\{.*\}", cell) for cell in filled.cells)
        ):
            return Kind.ARM
        return Kind.BOOKKEEPING if headings.is_bookkeeping(name) else Kind.TEXT
    return _kind_of_numbers(name, measured=seen.measured)


def _holds_something(cell: str) -> bool:
    return gap_of(cell) not in (Gap.EMPTY, Gap.UNCLEAR)


def _restarts(cells: Sequence[str]) -> bool:
    """Whether cells count up from 0 again and again, as the index of joined tables does."""
    if cells[0] != "0" or not all(cell.isdecimal() and len(cell) <= _DIGITS for cell in cells):
        return False
    return all(b == "0" or int(b) == int(a) + 1 for a, b in itertools.pairwise(cells))


def _special(seen: _Seen, filled: Tally) -> Kind | None:
    """Return state, fold, seed, step or task where heading and contents agree on it."""
    name, numeric = seen.name, seen.numeric
    if headings.is_state(name):
        known = filled.count(lambda cell: state_of(name, cell) is not None)
        if 2 * known > filled.total:
            return Kind.STATE
    labels = filled
    if not seen.plain:
        labels = filled.where(lambda cell: not headings.is_statistic(cell))
    numbered = bool(labels.cells) and all(map(_numbers_a_run, labels.cells))
    if numbered and headings.is_fold(name, labels.cells) and not headings.names_a_run(name):
        return Kind.FOLD
    # a few that are no numbers are mistakes, and are refused where the seeds are read
    if headings.is_seed(name) and (numbered or 2 * labels.count(_numbers_a_run) > labels.total):
        return Kind.SEED
    if headings.is_step(name) and numeric:
        return Kind.STEP
    unit = headings.is_unit(name) and not seen.measured
    return Kind.TASK if headings.is_task(name) and (not numeric or unit) else None


def _numbers_a_run(cell: str) -> bool:
    return whole_seed(cell) is not None


def _kind_of_numbers(name: str, *, measured: bool) -> Kind:
    if "=" in name:  # lr=0.1 is the name of an arm
        return Kind.NUMBER
    if headings.is_arm(name) and not measured:
        return Kind.ARM
    if headings.is_bookkeeping(name):
        return Kind.BOOKKEEPING
    if headings.is_given(name):
        # the highest accuracy of all iterations: what it is, the numbers have to tell
        return Kind.NUMBER if measured and headings.measured_words(name) else Kind.GIVEN
    if headings.is_metric(name) or (measured and headings.is_time(name)):
        return Kind.METRIC
    if headings.is_statistic(name) or headings.has_role(name, Role.SD):
        return Kind.STATISTIC
    if headings.counts_something(name) and not measured:
        return Kind.GIVEN
    return Kind.NUMBER
