"""Values that stand out from the spread of the whole table."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from scipy import special

from attnstudy.stats.audit.printed import clip
from attnstudy.stats.audit.results import Finding, Kind
from attnstudy.stats.audit.table import Cell, Table


@dataclass(frozen=True, slots=True)
class Outlier:
    """A value with its externally studentised residual."""

    row: int
    """Index of its row."""
    position: int
    """Index within the row."""
    t: float
    """The residual; infinite where the other values have no spread."""
    p: float
    """Its two-sided p-value, times the number of values."""


def check_influence(
    table: Table, alpha: float, verdict_without: Callable[[Cell], str]
) -> Iterator[Finding]:
    """Yield a finding for each value that stands out from the spread of the table.

    Args:
        table: the table.
        alpha: level of the test; see ``outliers``.
        verdict_without: gives the verdict without a cell.

    """
    values = [[float(value) for value in row.values] for row in table.rows]
    for found in outliers(values, alpha):
        cell = table.rows[found.row].cells[found.position]
        verdict = verdict_without(cell)
        said = (
            f"stands out from the spread of all values (studentised residual {found.t:.2f}, "
            f"Bonferroni p {_p_text(found.p)})"
        )
        if math.isinf(found.t):
            said = "makes all of the spread: without it the values of every row are equal"
        yield Finding(
            kind=Kind.INFLUENTIAL,
            row=cell.row,
            column=cell.column,
            printed=cell.number.text,
            p=found.p,
            verdict_otherwise=verdict,
            message=(
                f"{clip(cell.row)}, {clip(cell.column)}: {cell.number.text} {said}. "
                f"Without it: {verdict}."
            ),
        )


def outliers(rows: Sequence[Sequence[float]], alpha: float) -> Iterator[Outlier]:
    """Yield the values whose adjusted p-value is below ``alpha``.

    Pooled one-way model: a mean for each row, one spread, N values in k rows. With the residual e,
    its leverage h = 1/n of the row and the sum of squares S of all residuals,
    t = e / (s (1 - h)^(1/2)), s^2 = (S - e^2 / (1 - h)) / (N - k - 1), has Student's distribution
    with N - k - 1 degrees of freedom; p is multiplied by N after Bonferroni. Cook and Weisberg,
    "Residuals and Influence in Regression" (1982), section 2.2.2. ``rank`` flags by the same test.

    A value alone in its row has no residual.

    Args:
        rows: the values of each row, in one unit.
        alpha: level of the test.

    """
    several = [(i, row) for i, row in enumerate(rows) if len(row) > 1]
    freedom = sum(len(row) - 1 for _, row in several) - 1
    residuals = [[value - math.fsum(row) / len(row) for value in row] for _, row in several]
    squares = math.fsum(e * e for errors in residuals for e in errors)
    if freedom < 1 or squares == 0.0:
        return
    count = sum(map(len, rows))
    for (i, row), errors in zip(several, residuals, strict=True):
        free = 1.0 - 1.0 / len(row)
        for position, e in enumerate(errors):
            left = squares - e * e / free
            t = math.copysign(math.inf, e)
            if left > 1e-12 * squares:  # less than that is rounding error
                t = e / math.sqrt(left / freedom * free)
            p = min(1.0, 2.0 * count * float(special.stdtr(freedom, -abs(t))))
            if p < alpha:
                yield Outlier(i, position, t, p)


def _p_text(p: float) -> str:
    return "< .0001" if p < 0.0001 else f"= {p:.4f}".replace("= 0.", "= .")
