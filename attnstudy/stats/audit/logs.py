"""Values of the table against what the logs of the same runs counted."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from attnstudy.errors import DataError, near_miss
from attnstudy.stats.audit.results import Edit, Finding, Kind, Repair
from attnstudy.stats.audit.rounding import (
    agreements,
    as_decimal,
    rounded,
    text_of,
    truncation_only,
)
from attnstudy.stats.audit.table import Cell, Row, Table
from attnstudy.tables.cells import Printed, clip
from attnstudy.tables.grid import read_grid
from attnstudy.tables.headings import is_arm

_COUNTS = re.compile(r"(?:.*[^a-z0-9])?correct[ _]of[ _]([1-9][0-9]{0,8})")


@dataclass(frozen=True, slots=True)
class Logged:
    """One run as its log has it."""

    row: str
    """Name of the arm."""
    correct: int
    """Test items that it got right."""
    items: int
    """Test items."""

    def accuracy(self, scale: int) -> Fraction:
        """Return the exact accuracy, in percent for a scale of 100."""
        return Fraction(scale * self.correct, self.items)


def read_logged(text: str, table: Table) -> tuple[Logged, ...]:
    """Return the runs of a CSV with a row per run: a name and ``test_correct_of_<N>``.

    Where several columns count right answers, the one of the test set is read.

    Raises:
        DataError: the text is no such CSV, a count is impossible, or no run is of the table.

    """
    grid = read_grid(text, "the log")
    counts = {i: m for i, h in enumerate(grid.header) if (m := _COUNTS.fullmatch(h.casefold()))}
    of_test = {i: m for i, m in counts.items() if "test" in grid.header[i].casefold()} or counts
    if len(of_test) != 1:
        raise DataError(
            f"the log has {'several columns' if of_test else 'no column'} of right answers in the "
            "test: give one, test_correct_of_10000 where the test has 10000 items"
        )
    ((column, match),) = of_test.items()
    arms = [i for i, h in enumerate(grid.header) if is_arm(h) or h.casefold() == "name"]
    name, items = (arms or [0])[0], int(match[1])
    runs = []
    for line, row in grid.rows:
        if not re.fullmatch(r"[0-9]{1,9}", row[column]) or int(row[column]) > items:
            raise DataError(
                f"line {line} of the log has {clip(row[column])!r} right answers: give a whole "
                f"number up to {items}"
            )
        runs.append(Logged(row[name], int(row[column]), items))
    names = [row.name for row in table.rows]
    if not any(run.row in names for run in runs):
        raise DataError(
            f"no run of the log is in the table: it has {clip(runs[0].row)!r}"
            f"{near_miss(runs[0].row, names)}; name the arms as the table does"
        )
    return tuple(runs)


def log_notes(table: Table, logged: Sequence[Logged]) -> Iterator[str]:
    """Yield what the log does not say about the table."""
    names = {row.name for row in table.rows}
    unknown = sorted({run.row for run in logged} - names)
    if unknown:
        yield f"the log has runs of {', '.join(map(clip, unknown[:4]))}, not in the table"
    known = sum(run.row in names for run in logged)
    if not table.cells:
        yield "a table of summaries has no values to compare with the log"
    elif known < len(table.cells):
        yield (
            f"the log has {known} of the {len(table.cells)} runs; the other values cannot be "
            "checked against it"
        )


def check_logged(
    table: Table, logged: Sequence[Logged], scale: int, otherwise: Callable[[Cell, Fraction], str]
) -> Iterator[Finding]:
    """Yield a finding for each logged accuracy that stands nowhere in its row.

    The table does not say which run a log belongs to. So each log takes a cell of its row that
    agrees with it when rounded; then, of the cells that are left, one that agrees when truncated;
    and what finds no cell is shown beside the nearest one.

    Args:
        table: the table.
        logged: the runs of the log.
        scale: 100 for percentages, 1 for fractions.
        otherwise: gives the verdict with another number in a cell.

    """
    for row in table.rows:
        runs = [run for run in logged if run.row == row.name]
        if row.cells and runs:
            yield from _check_row(row, runs, scale, otherwise)


def _check_row(
    row: Row, runs: list[Logged], scale: int, otherwise: Callable[[Cell, Fraction], str]
) -> Iterator[Finding]:
    free, waiting = list(row.cells), []
    for run in runs:
        exact = as_decimal(run.accuracy(scale))
        agreeing = ((cell, agreements(exact, cell.number)) for cell in free)
        right = next((cell for cell, a in agreeing if a and not truncation_only(a)), None)
        if right is None:
            waiting.append(run)
        else:
            free.remove(right)
    for run in waiting:
        accuracy = run.accuracy(scale)
        reasons = ((cell, _truncation(run, cell.number, scale)) for cell in free)
        truncated = next(((cell, why) for cell, why in reasons if why is not None), None)
        if truncated is not None:
            cell, why = truncated
        elif free:
            cell = min(free, key=lambda c: abs(Fraction(c.number.value) - accuracy))
            why = None
        else:
            yield Finding(
                kind=Kind.DISAGREES_WITH_LOG,
                row=row.name,
                recomputed=_text(run, scale, 4),
                message=f"{_said(run, scale)}, and no value of the row is left for it.",
            )
            continue
        free.remove(cell)
        yield _finding(run, cell, scale, why, otherwise(cell, accuracy))


def _finding(run: Logged, cell: Cell, scale: int, why: str | None, verdict: str) -> Finding:
    places = cell.number.places
    right = cell.number.with_digits(f"{rounded(as_decimal(run.accuracy(scale)), places):f}")
    edit = Edit(row=cell.row, column=cell.column, printed=cell.number.text, repaired=right.text)
    column = clip(cell.column)
    if why is not None:
        message = (
            f"{_said(run, scale)}; {column} has {cell.number.text}, truncated where it should be "
            f"rounded{why}."
        )
        description = f"{column} rounded instead of truncated"
    else:
        message = (
            f"{_said(run, scale)}, and no value of the row agrees; the nearest is "
            f"{cell.number.text} ({column})."
        )
        description = f"{column} as logged"
    return Finding(
        kind=Kind.DISAGREES_WITH_LOG,
        row=cell.row,
        column=cell.column,
        printed=cell.number.text,
        recomputed=_text(run, scale, places),
        repairs=(
            Repair(
                description=f"{description} ({cell.number.text} -> {right.text})", edits=(edit,)
            ),
        ),
        repairs_found=1,
        how="truncated" if why is not None else None,
        verdict_otherwise=verdict,
        message=f"{message} With the logged number: {verdict}.",
    )


def _truncation(run: Logged, printed: Printed, scale: int) -> str | None:
    """Return how truncation gives the printed number, as words to append; None if it does not.

    A percentage that ends within the printed decimals is still cut short where it was computed
    in binary: 100 * (6242 / 10000) is a little less than 62.42.
    """
    if truncation_only(agreements(as_decimal(run.accuracy(scale)), printed)):
        return ""
    ratio = run.correct / run.items
    single = np.float32(run.correct) / np.float32(run.items) * np.float32(scale)
    for formula, result in (
        (f"{scale} * ({run.correct} / {run.items})", scale * ratio),
        (f"{scale} * {run.correct} / {run.items}", scale * run.correct / run.items),
        (f"{run.correct} / {run.items} * {scale} in single precision", float(single)),
    ):
        cut = math.trunc(result * 10**printed.places)
        if Fraction(cut, 10**printed.places) == Fraction(printed.value):
            return f" (as binary numbers, {formula} is {result!r})"
    return None


def _said(run: Logged, scale: int) -> str:
    sign = " %" if scale == 100 else ""
    return (
        f"{clip(run.row)}: the log has {run.correct} of {run.items} right, which is "
        f"{_text(run, scale, 4)}{sign}"
    )


def _text(run: Logged, scale: int, places: int) -> str:
    return text_of(as_decimal(run.accuracy(scale)), places)
