"""``audit``: what is wrong with a printed table, and whether it matters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from attnstudy.errors import UsageError
from attnstudy.stats.audit.duplicates import check_duplicates, duplicate_notes
from attnstudy.stats.audit.granularity import check_granularity, granularity_notes
from attnstudy.stats.audit.influence import check_influence
from attnstudy.stats.audit.logs import Logged, check_logged, log_notes, read_logged
from attnstudy.stats.audit.means import check_means, check_rows, check_sds, new_ties, rounding_notes
from attnstudy.stats.audit.precision import check_precision
from attnstudy.stats.audit.rerank import (
    changes_order,
    changes_verdict,
    missing_mean_notes,
    rank_printed,
    rank_values,
    spread_notes,
    verdicts_otherwise,
)
from attnstudy.stats.audit.results import Audit, Finding, Kind, RowCheck
from attnstudy.stats.audit.table import Table, read_table
from attnstudy.stats.results import Ranking
from attnstudy.stats.vocabulary import Direction
from attnstudy.tables import headings
from attnstudy.tables.asked import Asked
from attnstudy.tables.directions import assumed, less_is_better, way_of
from attnstudy.tables.text import read_text

_PERCENT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """What is audited."""

    table: Table
    runs: tuple[Logged, ...]
    items: int | None
    """Number of test items, as given or as the log says."""
    scale: int | None
    """100 for percentages, 1 for fractions."""
    alpha: float
    direction: Direction
    guessed: bool
    """Whether the direction is what the headings say."""

    @property
    def step(self) -> Fraction | None:
        """Value of one test item."""
        return Fraction(self.scale, self.items) if self.scale and self.items else None


def audit(
    table: str | bytes,
    *,
    items: int | None = None,
    logged: str | bytes | None = None,
    alpha: float = 0.05,
    direction: Direction | None = None,
    asked: Asked | None = None,
    n: int | None = None,
    what: str = "the table",
) -> Audit:
    """Recompute a printed results table and rank it by printed and by recomputed numbers.

    Args:
        table: CSV: the values of runs, in any of the shapes of ``tables.shape``, with the means
            and SDs as printed; or a table of summaries, with the number of runs (n).
        items: number of test items behind each accuracy; without it, what the log says.
        logged: CSV, one row per run: the arm and ``test_correct_of_<N>``.
        alpha: family-wise error rate of both rankings, and level of the test for influential
            values.
        direction: ``minimize`` where less is better; without it, what the headings of the means
            or of all values say.
        asked: how the table is to be read, where its contents leave that open.
        n: number of runs behind each mean of a table of summaries that does not say it.
        what: what the table is called in messages.

    Raises:
        DataError: a file is not the table that it should be; the message says what to do.
        UsageError: an argument makes no sense.

    """
    _check_count("test items", items)
    _check_count("runs", n)
    read = read_table(_text(table), asked, n=n, items=items, what=what)
    case = _case(read, items, logged, alpha, direction)
    direction = case.direction
    corrected = None
    if read.cells:
        corrected = rank_values(read, items=case.items, alpha=alpha, direction=direction)
    printed = rank_printed(read, alpha=alpha, direction=direction)
    reordered = changes_order(read)
    decided_otherwise = (
        printed is not None and corrected is not None and changes_verdict(printed, corrected)
    )
    rows = check_rows(read, case.items, case.scale)
    findings = _findings(case, rows, corrected)
    order = "becomes a tie" if any(new_ties(read, rows)) else ""
    order = "changes" if reordered else order
    return Audit(
        findings=findings,
        ranking_printed=printed,
        ranking_corrected=corrected,
        changes_order=reordered,
        changes_verdict=decided_otherwise,
        columns=read.columns,
        mean_column=read.mean_column,
        sd_column=read.sd_column,
        rows=rows,
        items=case.items,
        alpha=alpha,
        notes=tuple(_notes(case, rows, findings, printed)),
        sentence=_sentence(findings, printed, corrected, order, decided_otherwise),
    )


def _check_count(of: str, number: int | None) -> None:
    if number is not None and (
        isinstance(number, bool) or not isinstance(number, int) or number < 1
    ):
        raise UsageError(f"the number of {of} is {number!r}: give a whole number above 0")


def _case(
    read: Table,
    items: int | None,
    logged: str | bytes | None,
    alpha: float,
    direction: Direction | None,
) -> _Case:
    runs = read_logged(_text(logged), read) if logged is not None else ()
    known = items or (runs[0].items if runs else None)
    return _Case(
        table=read,
        runs=runs,
        items=known,
        # a number outside 0 to 100 does not keep accuracies from being percentages
        scale=read.scale or (_PERCENT if known is not None else None),
        alpha=alpha,
        direction=direction or ("minimize" if less_is_better(_metric(read) or "") else "maximize"),
        guessed=direction is None,
    )


def _metric(table: Table) -> str | None:
    """Return the name that says which way is better: that of the values, else of their mean."""
    if table.metric is not None:
        return table.metric
    stems = {headings.common_stem([column]) for column in table.columns}
    names = (stems.pop() if len(stems) == 1 else "", table.mean_column or "")
    return next(
        (name for name in names if way_of(name)),
        next((name for name in names[1:] if name and not headings.is_statistic(name)), None),
    )


def _text(data: str | bytes) -> str:
    return read_text(data) if isinstance(data, bytes) else data


def _findings(
    case: _Case, rows: Sequence[RowCheck], corrected: Ranking | None
) -> tuple[Finding, ...]:
    """Return everything that is found, by kind and then by place in the table."""
    table = case.table
    findings = [*check_means(table, rows), *check_sds(table, rows), *check_precision(table)]
    if case.items is not None and case.scale is not None:
        findings += check_granularity(table, case.items, case.scale)
    if corrected is not None:
        otherwise = verdicts_otherwise(table, alpha=case.alpha, direction=case.direction)
        if case.scale is not None:
            findings += check_logged(table, case.runs, case.scale, otherwise)
        findings += check_duplicates(table, corrected, case.step)
        findings += check_influence(table, case.alpha, lambda cell: otherwise(cell, None))
    kinds = list(Kind)
    places = [row.name for row in table.rows]
    return tuple(
        sorted(findings, key=lambda f: (kinds.index(f.kind), places.index(f.row or places[0])))
    )


def _notes(
    case: _Case, rows: Sequence[RowCheck], findings: Sequence[Finding], printed: Ranking | None
) -> Iterator[str]:
    table = case.table
    yield from table.notes
    yield from spread_notes(table, printed, alpha=case.alpha, direction=case.direction)
    metric = _metric(table)
    if case.guessed and metric is not None and (said := assumed(metric)):
        yield said
    yield from missing_mean_notes(table)
    yield from new_ties(table, rows)
    yield from rounding_notes(rows)
    if case.items is None or case.scale is None:
        yield "without the number of test items, impossible values cannot be told"
    else:
        yield from granularity_notes(table, case.items, case.scale)
    if case.runs:
        yield from log_notes(table, case.runs)
        if case.items != case.runs[0].items:
            yield f"the log counts right answers out of {case.runs[0].items}, not {case.items}"
    yield from duplicate_notes(table, case.step)
    if any(finding.repairs for finding in findings):
        yield (
            "repairs are hypotheses: changes after which the numbers agree, some of them by "
            "chance; they do not tell what happened"
        )


def _sentence(
    findings: Sequence[Finding],
    printed: Ranking | None,
    corrected: Ranking | None,
    order: str,
    decided_otherwise: bool,
) -> str:
    counts = Counter(finding.kind for finding in findings)
    listed = ", ".join(f"{counts[kind]} {kind}" for kind in Kind if counts[kind])
    found = f"{len(findings)} finding{'s' * (len(findings) != 1)}" if findings else "No findings"
    text = f"{found} ({listed})." if findings else f"{found}."
    if printed is None or corrected is None:
        only = printed or corrected
        return f"{text} Verdict: {only.verdict}." if only is not None else text
    if not order and not decided_otherwise:
        return f"{text} Neither the order nor the verdict changes: {corrected.verdict}."
    order = order or "does not change"
    if not decided_otherwise:
        return f"{text} The order of the means {order}, the verdict does not: {corrected.verdict}."
    return (
        f"{text} The order of the means {order}. The verdict changes from "
        f"{printed.verdict!r} to {corrected.verdict!r}."
    )
