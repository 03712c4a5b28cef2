"""The smallest changes to a row after which its printed mean or SD is right."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from attnstudy.stats.audit.respelling import one_digit, transposed
from attnstudy.stats.audit.results import Edit, Repair
from attnstudy.stats.audit.rounding import (
    Rounding,
    agreements,
    as_decimal,
    rounded,
    square_root,
    truncation_only,
)
from attnstudy.stats.audit.table import Cell, Row, Table, mean_of, variance_of
from attnstudy.tables.cells import Printed, clip


@dataclass(frozen=True, slots=True)
class _Candidate:
    simplicity: int
    """0 is simplest."""
    description: str
    edit: Edit | None
    values: tuple[Fraction, ...]
    """The row's values afterwards."""
    agreeing: tuple[Rounding, ...]
    """Roundings under which the printed mean is right afterwards."""


def mean_repairs(row: Row, table: Table) -> tuple[Repair, ...]:
    """Return the single changes that make a wrong printed mean right, simplest first.

    In this order: one digit of the mean changed; two digits of it transposed; the mean being the
    row's median or another row's mean; one digit of a value changed; two transposed; a value left
    out of the mean; a value copied from a cell beside it, or from one further off; the mean
    mistaken in several digits. Changes that contradict a printed SD come
    after all others, and what agrees by truncation only after the same change that does not.
    """
    if row.mean is None or row.exact_mean is None or table.mean_column is None:
        return ()
    found = [
        *_in_mean(row, row.mean, row.exact_mean, table.mean_column),
        *_other_statistic(row, row.mean, table),
        *_in_values(row, row.mean, table),
    ]
    order = sorted(
        range(len(found)),
        key=lambda i: (
            not _fits_sd(row, found[i].values),
            found[i].simplicity,
            truncation_only(found[i].agreeing),
            i,
        ),
    )
    return tuple(_repair(row, found[i]) for i in order)


def sd_repairs(row: Row, column: str) -> tuple[Repair, ...]:
    """Return the single changes that make a wrong printed SD right, simplest first."""
    n = len(row.cells)
    if row.sd is None or n < 2:
        return ()
    repairs = []
    for description, changed in _slips(row.sd):
        if _sd_agreements(row.values, changed):
            edit = Edit(row=row.name, column=column, printed=row.sd.text, repaired=changed.text)
            repairs.append(Repair(description=f"{description} in the SD", edits=(edit,)))
    if agreements(square_root(variance_of(row.values, divisor=n * (n - 1))), row.sd):
        repairs.append(Repair(description="it is the standard error of the mean", edits=()))
    return tuple(repairs)


def _slips(printed: Printed) -> Iterator[tuple[str, Printed]]:
    yield from (("one digit changed", changed) for changed in one_digit(printed))
    yield from (("two digits transposed", changed) for changed in transposed(printed))


def _in_mean(row: Row, printed: Printed, exact: Decimal, column: str) -> Iterator[_Candidate]:
    slipped = False
    for description, changed in _slips(printed):
        if agreeing := agreements(exact, changed):
            slipped = True
            edit = Edit(row=row.name, column=column, printed=printed.text, repaired=changed.text)
            simplicity = 0 if description.startswith("one") else 1
            text = f"{description} in the mean"
            yield _Candidate(simplicity, text, edit, row.values, agreeing)
    if not slipped:
        right = printed.with_digits(f"{rounded(exact, printed.places):f}")
        edit = Edit(row=row.name, column=column, printed=printed.text, repaired=right.text)
        yield _Candidate(9, "the mean mistaken", edit, row.values, agreements(exact, right))


def _other_statistic(row: Row, printed: Printed, table: Table) -> Iterator[_Candidate]:
    ordered = sorted(row.values)
    middle = ordered[(len(ordered) - 1) // 2 : len(ordered) // 2 + 1]
    if agreeing := agreements(as_decimal(mean_of(tuple(middle))), printed):
        yield _Candidate(2, "the mean is the median of the values", None, row.values, agreeing)
    for other in table.rows:
        if other is not row and other.exact_mean is not None:
            text = f"the mean is that of {clip(other.name)}"
            if agreeing := agreements(other.exact_mean, printed):
                yield _Candidate(2, text, None, row.values, agreeing)


def _in_values(row: Row, printed: Printed, table: Table) -> Iterator[_Candidate]:
    by_value = sorted(table.cells, key=lambda cell: cell.number.value)
    n = len(row.cells)
    total = sum(row.values, Fraction(0))
    reach = n * printed.unit
    for i, cell in enumerate(row.cells):
        needed = n * Fraction(printed.value) - (total - row.values[i])
        low, high = as_decimal(needed - reach), as_decimal(needed + reach)
        for simplicity, description, number in (
            *_slips_of_value(cell),
            *_copies(cell, by_value, low, high, table),
        ):
            if not low <= number.value <= high or number.value == cell.number.value:
                continue
            values = (*row.values[:i], Fraction(number.value), *row.values[i + 1 :])
            if agreeing := agreements(as_decimal(mean_of(values)), printed):
                edit = _edit(cell, number.text)
                yield _Candidate(simplicity, description, edit, values, agreeing)
        rest = row.values[:i] + row.values[i + 1 :]
        if rest and (agreeing := agreements(as_decimal(mean_of(rest)), printed)):
            text = f"{clip(cell.column)} left out of the mean"
            yield _Candidate(6, text, _edit(cell, None), rest, agreeing)


def _slips_of_value(cell: Cell) -> Iterator[tuple[int, str, Printed]]:
    column = clip(cell.column)
    for changed in one_digit(cell.number):
        yield 3, f"one digit changed in {column}", changed
    for changed in transposed(cell.number):
        yield 4, f"two digits transposed in {column}", changed


def _copies(
    cell: Cell, by_value: list[Cell], low: Decimal, high: Decimal, table: Table
) -> Iterator[tuple[int, str, Printed]]:
    """Yield the other cells between ``low`` and ``high``, the nearest of each value."""
    names = [row.name for row in table.rows]

    def distance(other: Cell) -> int:
        rows = abs(names.index(other.row) - names.index(cell.row))
        return rows + abs(table.columns.index(other.column) - table.columns.index(cell.column))

    nearest: dict[Decimal, Cell] = {}
    for other in by_value[bisect_left(by_value, low, key=lambda c: c.number.value) :]:
        if other.number.value > high:
            break
        known = nearest.get(other.number.value)
        if other is not cell and (known is None or distance(other) < distance(known)):
            nearest[other.number.value] = other
    for other in nearest.values():
        place = f"{clip(other.row)}/{clip(other.column)}"
        text = f"the value of {place} in the place of {clip(cell.column)}"
        yield 7 if distance(other) == 1 else 8, text, other.number


def _edit(cell: Cell, repaired: str | None) -> Edit:
    return Edit(row=cell.row, column=cell.column, printed=cell.number.text, repaired=repaired)


def _sd_agreements(values: tuple[Fraction, ...], printed: Printed) -> tuple[Rounding, ...]:
    """Return the roundings under which an SD is right, with divisor n - 1 or else n."""
    n = len(values)
    sample = agreements(square_root(variance_of(values, divisor=n - 1)), printed)
    return sample or agreements(square_root(variance_of(values, divisor=n)), printed)


def _fits_sd(row: Row, values: tuple[Fraction, ...]) -> bool:
    return row.sd is None or len(values) < 2 or bool(_sd_agreements(values, row.sd))


def _repair(row: Row, candidate: _Candidate) -> Repair:
    description = candidate.description
    if candidate.edit is not None:
        to = candidate.edit.repaired
        description += f" ({candidate.edit.printed} -> {to})" if to is not None else ""
    if truncation_only(candidate.agreeing):
        description += ", and the mean truncated"
    if row.sd is not None and candidate.values != row.values and _fits_sd(row, candidate.values):
        description += "; the printed SD is right then"
    return Repair(
        description=description, edits=(candidate.edit,) if candidate.edit is not None else ()
    )
