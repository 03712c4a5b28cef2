"""Values that stand out from the spread of the whole table."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from attnstudy.stats.audit.results import Finding, Kind
from attnstudy.stats.audit.table import Cell, Table, samples_of
from attnstudy.stats.evidence.residuals import outliers
from attnstudy.stats.wording.numbers import two
from attnstudy.tables.cells import clip


def check_influence(
    table: Table, alpha: float, verdict_without: Callable[[Cell], str]
) -> Iterator[Finding]:
    """Yield a finding for each value that stands out from the spread of the table.

    Args:
        table: the table.
        alpha: level of the test; see ``outliers``.
        verdict_without: gives the verdict without a cell.

    """
    for found in outliers(samples_of(table), alpha):
        cell = table.rows[found.arm].cells[found.index]
        verdict = verdict_without(cell)
        said = (
            f"stands out from the spread of all values (studentised residual {two(found.t)}, "
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


def _p_text(p: float) -> str:
    return "< .0001" if p < 0.0001 else f"= {p:.4f}".replace("= 0.", "= .")
