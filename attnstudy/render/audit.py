"""An audit as text."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from attnstudy.render.tables import table, wrapped

if TYPE_CHECKING:
    from attnstudy.stats import Ranking
    from attnstudy.stats.audit import Audit, NumberCheck


def audit_text(audit: Audit) -> str:
    """Return what was recomputed, what was found, and whether it changes anything."""
    lines = [_rows(audit), ""]
    for number, finding in enumerate(audit.findings, start=1):
        place = ", ".join(filter(None, [finding.row, finding.column]))
        lines += wrapped(f"{number}. {finding.kind.value}" + (f" ({place})" if place else ""))
        lines += wrapped(finding.message, indent="   ")
        if finding.repairs:
            lines.append("   what would explain it (hypotheses, simplest first):")
            for repair in finding.repairs:
                lines += wrapped(repair.description, indent="   - ")
        lines.append("")
    for title, ranking in (
        ("as printed", audit.ranking_printed),
        ("by the values", audit.ranking_corrected),
    ):
        if ranking is not None:
            lines += wrapped(f"Order {title}: {_order(ranking)}; {ranking.verdict}")
    lines += ["", *wrapped(audit.sentence)]
    if audit.notes:
        lines += ["", "Notes:"]
        for note in audit.notes:
            lines += wrapped(note, indent="- ")
    return "\n".join(lines)


def _order(ranking: Ranking) -> str:
    """Return the arms, best first, with an equals sign between equal means."""
    text = ranking.arms[0].name
    for better, arm in pairwise(ranking.arms):
        # sums of floating-point numbers may differ in the last digit
        tied = better.mean == arm.mean or (
            None not in (better.mean, arm.mean)
            and math.isclose(better.mean or 0.0, arm.mean or 0.0, rel_tol=1e-12)
        )
        text += f" {'=' if tied else '>'} {arm.name}"
    return text


def _rows(audit: Audit) -> str:
    with_sd = audit.sd_column is not None
    headings = ["row", "n", "mean printed", "recomputed", ""]
    headings += ["SD printed", "recomputed", ""] if with_sd else []
    rows = []
    for row in audit.rows:
        cells = [row.row, "–" if row.n is None else str(row.n)]
        cells += [row.mean.printed or "–", row.mean.recomputed or "–", _mark(row.mean)]
        if with_sd:
            cells += [row.sd.printed or "–", row.sd.recomputed or "–", _mark(row.sd)]
        rows.append(cells)
    return table(headings, rows, right=" >>> >>")


def _mark(check: NumberCheck) -> str:
    if check.printed is None or check.recomputed is None:
        return "not checked"
    return "wrong" if check.wrong else "ok"
