"""A ranking over several tasks as text, Markdown, CSV and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attnstudy.render.exports import csv_text, markdown_table
from attnstudy.render.ranking import components_text
from attnstudy.render.tables import table, wrapped
from attnstudy.shown import in_line, in_markdown
from attnstudy.stats import components_words
from attnstudy.stats.tasks.tables import (
    TITLES,
    Rows,
    arm_rows,
    average_rows,
    new_rows,
    ranks_words,
    task_rows,
)
from attnstudy.stats.wording.components import components_table, components_title
from attnstudy.stats.wording.numbers import percent_suffix

if TYPE_CHECKING:
    from attnstudy.stats import ClaimCheck
    from attnstudy.stats.tasks import TaskRanking
    from attnstudy.usecases.ranking.tasks import TaskReport

_TOLD = 4  # tasks that are not in the average


def tasks_json(report: TaskReport) -> dict[str, Any]:
    """Return the JSON of the ranking, with the claims."""
    answer = report.ranking.to_json()
    answer["claims"] = [
        {"claim": check.claim, "supported": check.supported, "reason": check.reason}
        for check in report.claims
    ]
    answer["components"] = None if report.components is None else report.components.to_json()
    return answer


def tasks_text(report: TaskReport) -> str:
    """Return the three answers with their tables, and what to look at."""
    ranking = report.ranking
    lines = [in_line(_head(ranking))]
    if ranking.source is not None:
        lines += wrapped(ranking.source.words)
    lines += ["", *wrapped(f"{ranking.status.upper()}: {ranking.status_reason}")]
    lines += wrapped(f"Verdict: {ranking.verdict}")
    for title, sentence, tables in _parts(ranking):
        lines += ["", title, "─" * len(title), *wrapped(sentence)]
        for headings, rows, right in tables:
            lines += ["", table(headings, rows, right=right)]
    for title, items in (
        ("Claims", _claims(report.claims)),
        ("Notes", list(ranking.notes)),
        ("Left out", [f"{left.run}: {left.reason}" for left in ranking.excluded]),
    ):
        if items:
            lines += ["", f"{title}:"]
            for item in items:
                lines += wrapped(item, indent="- ")
    if report.components is not None:
        lines += ["", components_text(report.components)]
    return "\n".join(lines)


def tasks_markdown(report: TaskReport) -> str:
    """Return the three answers as Markdown."""
    ranking = report.ranking
    blocks = [f"**{in_markdown(ranking.verdict[:1].upper() + ranking.verdict[1:])}.**"]
    if ranking.source is not None:
        blocks.append(f"{in_markdown(ranking.source.words)}.")
    blocks.append(f"{ranking.status.capitalize()}: {in_markdown(ranking.status_reason)}.")
    for title, sentence, tables in _parts(ranking):
        blocks += [f"### {title}", in_markdown(sentence)]
        blocks += [markdown_table(headings, rows) for headings, rows, _ in tables]
    remarks = [*_claims(report.claims, "claim "), *ranking.notes]
    if report.components is not None:
        blocks.append(f"{in_markdown(components_title(report.components))}:")
        blocks.append(markdown_table(*components_table(report.components)))
        remarks += components_words(report.components)
    remarks += [f"left out: {left.run} ({left.reason})" for left in ranking.excluded]
    if remarks:
        blocks.append("\n".join(f"- {in_markdown(remark)}" for remark in remarks))
    return "\n\n".join(blocks)


def tasks_csv(report: TaskReport) -> str:
    """Return a row for each answer about a pair, in full precision."""
    ranking = report.ranking
    rows: list[list[object]] = [
        ["question", "task", "a", "b", "difference", "ci_low", "ci_high", "p_adjusted", "verdict",
         "wins", "ties", "losses", "scale", "status"]
    ]  # fmt: skip
    none = [""] * 3
    end = [ranking.scale, ranking.status]
    for task in ranking.tasks:
        alike = ["metric", ranking.status]
        for one in task.ranking.pairs:
            numbers = [one.difference, one.ci_low, one.ci_high, one.p_adjusted]
            of = ["each", task.name, one.a, one.b]
            rows.append([*of, *numbers, one.verdict.value, *none, *alike])
    for pair in ranking.average.pairs:
        numbers = [pair.difference, pair.ci_low, pair.ci_high, pair.p_adjusted]
        rows.append(["average", "", pair.a, pair.b, *numbers, pair.verdict.value, *none, *end])
    for other in ranking.new.pairs:
        numbers = [other.difference, other.ci_low, other.ci_high, other.wilcoxon_p]
        counts = [other.wins, other.ties, other.losses]
        rows.append(["new", "", other.a, other.b, *numbers, other.verdict.value, *counts, *end])
    return csv_text(rows)


def tasks_latex(report: TaskReport) -> str:
    """Return the tasks, and the pairs decided on average, as a table of LaTeX."""
    return report.ranking.to_latex()


_Table = tuple[list[str], list[list[str]], str]


def _parts(ranking: TaskRanking) -> list[tuple[str, str, list[_Table]]]:
    """Return title, sentence and tables of each question."""
    average: list[_Table] = [_with_right(arm_rows(ranking), 1)]
    if ranking.average.pairs:
        average.append(_with_right(average_rows(ranking), 2))
    new: list[_Table] = [_with_right(new_rows(ranking), 1)]
    return [
        (TITLES[0], ranking.each.sentence, [_with_right(task_rows(ranking), 1)]),
        (TITLES[1], ranking.average.sentence + _left_out(ranking), average),
        (TITLES[2], " ".join([ranking.new.sentence, *ranks_words(ranking)]), new),
    ]


def _with_right(rows: Rows, kept: int) -> _Table:
    headings, cells = rows
    return headings, cells, "<" + ">" * (len(headings) - kept)


def _head(ranking: TaskRanking) -> str:
    unit = percent_suffix(ranking.metric, ranking.unit)
    named = f"study {ranking.study}" if ranking.study else "ranking"
    ways = {task.direction for task in ranking.tasks}
    way = f"{ranking.direction}d" if len(ways) == 1 else "turned so that more is better"
    return f"{named} over {len(ranking.tasks)} tasks, {ranking.metric}{unit}, {way}"


def _left_out(ranking: TaskRanking) -> str:
    left = ranking.average.left_out
    if not left or not ranking.average.tasks:
        return ""
    more = f"; and {len(left) - _TOLD} more" if len(left) > _TOLD else ""
    return f" Not in the average: {'; '.join(left[:_TOLD])}{more}."


def _claims(claims: tuple[ClaimCheck, ...], start: str = "") -> list[str]:
    return [
        f"{start}{c.claim}: {'supported' if c.supported else 'NOT supported'} ({c.reason})"
        for c in claims
    ]
