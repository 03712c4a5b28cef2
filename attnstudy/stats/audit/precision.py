"""Numbers that show more or fewer decimals than the others of their kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from attnstudy.stats.audit.results import Finding, Kind
from attnstudy.stats.audit.table import Table
from attnstudy.tables.cells import Printed, clip

_EACH = 3  # unlike numbers up to which each has a finding of its own
_LISTED = 4  # numbers named in a finding of several

_Place: TypeAlias = tuple[str, str, Printed]  # row, column, number


def check_precision(table: Table) -> Iterator[Finding]:
    """Yield a finding for each number of unlike precision, or one for all where they are many.

    Values, means and SDs are three kinds; what most of a kind show is its precision.
    """
    for kind in (
        [(cell.row, cell.column, cell.number) for cell in table.cells],
        [(row.name, table.mean_column or "", row.mean) for row in table.rows if row.mean],
        [(row.name, table.sd_column or "", row.sd) for row in table.rows if row.sd],
    ):
        counts = Counter(number.places for _, _, number in kind)
        if len(counts) > 1:
            usual = counts.most_common(1)[0][0]
            odd = [place for place in kind if place[2].places != usual]
            like = [number for _, _, number in kind if number.places == usual]
            yield from _each(odd, like) if len(odd) <= _EACH else _together(odd, like)


def _each(odd: Sequence[_Place], like: Sequence[Printed]) -> Iterator[Finding]:
    usual = like[0].places
    with_zero = next((n for n in like if n.places and n.digits.endswith("0")), None)
    rest = f"the other {len(like)} have" if len(like) > 1 else "the other has"
    for row, column, number in odd:
        message = (
            f"{clip(row)}, {clip(column)}: {number.text} has {_decimals(number.places)} where "
            f"{rest} {_decimals(usual)}"
        )
        if number.places < usual and with_zero is not None:
            message += f"; zeros at the end are not dropped elsewhere ({with_zero.text})"
        yield _finding((row, column, number), f"{message}.")


def _together(odd: Sequence[_Place], like: Sequence[Printed]) -> Iterator[Finding]:
    listed = ", ".join(f"{n.text} ({clip(row)}/{clip(column)})" for row, column, n in odd[:_LISTED])
    message = (
        f"{len(odd)} of {len(odd) + len(like)} numbers do not have {_decimals(like[0].places)} as "
        f"the others: {listed}, ..."
    )
    if all(number.places < like[0].places for _, _, number in odd):
        message += " Some software drops zeros at the end, which one number in ten has."
    yield _finding(odd[0], message)


def _finding(place: _Place, message: str) -> Finding:
    row, column, number = place
    return Finding(
        kind=Kind.MIXED_PRECISION, row=row, column=column, printed=number.text, message=message
    )


def _decimals(places: int) -> str:
    return "1 decimal" if places == 1 else f"{places or 'no'} decimals"
