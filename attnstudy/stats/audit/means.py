"""Printed means and SDs against what the values give."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import combinations

from attnstudy.stats.audit.repairs import mean_repairs, sd_repairs
from attnstudy.stats.audit.results import Finding, Kind, NumberCheck, Repair, RowCheck
from attnstudy.stats.audit.rounding import Rounding, agreements, square_root, text_of
from attnstudy.stats.audit.table import Row, Table, variance_of
from attnstudy.stats.audit.underlying import mean_explained, sd_explained
from attnstudy.tables.cells import Printed, clip

_PLACES = 4  # of a recomputed number beside which nothing is printed
_SHOWN = 5  # repairs a finding lists; the others are counted


def check_rows(table: Table, items: int | None, scale: int | None) -> tuple[RowCheck, ...]:
    """Return for each row what it prints beside what its values give.

    Args:
        table: the table.
        items: number of test items, where known.
        scale: 100 for percentages, 1 for fractions, None where accuracies cannot be told.

    """
    return tuple(
        RowCheck(
            row=row.name,
            n=row.n,
            values=_values(row, table),
            mean=_check_mean(row, items, scale),
            sd=_check_sd(row, items, scale),
        )
        for row in table.rows
    )


def check_means(table: Table, checks: Sequence[RowCheck]) -> Iterator[Finding]:
    """Yield a finding for each printed mean that the values cannot have."""
    for row, check in zip(table.rows, checks, strict=True):
        if row.mean is None or row.exact_mean is None or not check.mean.wrong:
            continue
        difference = row.mean.value - row.exact_mean
        off = text_of(abs(difference), row.mean.places)
        yield _finding(
            Kind.WRONG_MEAN,
            row,
            table.mean_column,
            check.mean,
            mean_repairs(row, table),
            f"{clip(row.name)}: the printed mean {row.mean.text} is {off} too "
            f"{'high' if difference > 0 else 'low'}: the mean of the {len(row.cells)} values is "
            f"{check.mean.recomputed}.",
        )


def check_sds(table: Table, checks: Sequence[RowCheck]) -> Iterator[Finding]:
    """Yield a finding for each printed SD that is right with neither divisor, n - 1 nor n."""
    for row, check in zip(table.rows, checks, strict=True):
        if row.sd is None or table.sd_column is None or not check.sd.wrong:
            continue
        with_n = _text(_sds(row)[1], row.sd)
        yield _finding(
            Kind.WRONG_SD,
            row,
            table.sd_column,
            check.sd,
            sd_repairs(row, table.sd_column),
            f"{clip(row.name)}: the printed SD {row.sd.text} is not that of the {len(row.cells)} "
            f"values, {check.sd.recomputed} (with divisor n instead of n - 1: {with_n}).",
        )


def new_ties(table: Table, checks: Sequence[RowCheck]) -> Iterator[str]:
    """Yield a sentence for each two rows of unlike printed means whose values' means are equal.

    One of the printed means has to be wrong: rounded values may be equal by rounding.
    """
    for (a, of_a), (b, of_b) in combinations(zip(table.rows, checks, strict=True), 2):
        if a.mean is None or b.mean is None or a.mean.value == b.mean.value:
            continue
        if (of_a.mean.wrong or of_b.mean.wrong) and a.exact_mean == b.exact_mean:
            yield (
                f"the means of {clip(a.name)} and {clip(b.name)}, printed as {a.mean.text} and "
                f"{b.mean.text}, are a tie by the values: {of_a.mean.recomputed}"
            )


def rounding_notes(checks: Sequence[RowCheck]) -> Iterator[str]:
    """Yield a sentence for each printed mean or SD that is right only in an unusual way."""
    for row in checks:
        for what, check in (("mean", row.mean), ("SD", row.sd)):
            subject = f"the printed {what} of {clip(row.row)}, {check.printed},"
            if check.agrees == (Rounding.TRUNCATION,):
                yield f"{subject} agrees with {check.recomputed} by truncation only"
            if check.population:
                yield f"{subject} has divisor n instead of n - 1"
            if check.explained:
                yield (
                    f"{subject} is not that of the printed values, {check.recomputed}, but can be "
                    "that of the values before they were rounded"
                )
            if what == "SD" and check.printed is not None and row.n == 1 and any(row.values):
                yield f"{subject} cannot be checked: the row has one value"


def _values(row: Row, table: Table) -> tuple[str | None, ...]:
    by_column = {cell.column: cell.number.text for cell in row.cells}
    return tuple(by_column.get(column) for column in table.columns)


def _check_mean(row: Row, items: int | None, scale: int | None) -> NumberCheck:
    exact, printed = row.exact_mean, row.mean
    if not row.complete:
        exact = None
    if printed is None or exact is None:
        return NumberCheck(printed=printed.text if printed else None, recomputed=_text(exact, None))
    agrees = agreements(exact, printed)
    return NumberCheck(
        printed=printed.text,
        recomputed=_text(exact, printed),
        agrees=agrees,
        explained=not agrees and mean_explained(row, printed, items, scale),
    )


def _check_sd(row: Row, items: int | None, scale: int | None) -> NumberCheck:
    exact, printed = _sds(row) if row.complete else (), row.sd
    if printed is None or not exact:
        return NumberCheck(
            printed=printed.text if printed else None,
            recomputed=_text(exact[0], None) if exact else None,
        )
    sample, population = (agreements(sd, printed) for sd in exact)
    agrees = sample or population
    return NumberCheck(
        printed=printed.text,
        recomputed=_text(exact[0], printed),
        agrees=agrees,
        explained=not agrees and sd_explained(row, printed, items, scale),
        population=not sample and bool(population),
    )


def _finding(
    kind: Kind,
    row: Row,
    column: str | None,
    check: NumberCheck,
    repairs: tuple[Repair, ...],
    message: str,
) -> Finding:
    return Finding(
        kind=kind,
        row=row.name,
        column=column,
        printed=check.printed,
        recomputed=check.recomputed,
        repairs=repairs[:_SHOWN],
        repairs_found=len(repairs),
        message=message,
    )


def _sds(row: Row) -> tuple[Decimal, ...]:
    """Return the exact SD with divisor n - 1 and with n; nothing below two values."""
    n = len(row.cells)
    if n < 2:
        return ()
    return tuple(square_root(variance_of(row.values, divisor=d)) for d in (n - 1, n))


def _text(exact: Decimal | None, printed: Printed | None) -> str | None:
    if exact is None:
        return None
    return text_of(exact, printed.places if printed else _PLACES)
