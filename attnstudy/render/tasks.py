"""A ranking over several tasks as text, Markdown, CSV and JSON."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from attnstudy.render.comparison import Rows
from attnstudy.render.exports import escaped, markdown_table
from attnstudy.render.tables import table, wrapped
from attnstudy.stats.digits import percent
from attnstudy.stats.wording.numbers import NONE, Numbers, p_value, ranks, two

if TYPE_CHECKING:
    from attnstudy.stats import ClaimCheck
    from attnstudy.stats.tasks import NewTaskPair, TaskRanking
    from attnstudy.stats.tasks.results import OneTask
    from attnstudy.usecases.ranking_tasks import TaskReport

_MOST_ARMS = 6  # in a row of the table of tasks; of more, the best and the worst are named
_TOLD = 4  # tasks that are not in the average
_TITLES = (
    "On each task",
    "On average over these tasks",
    "On a new task like these",
)


def tasks_json(report: TaskReport) -> dict[str, Any]:
    """Return the JSON of the ranking, with the claims."""
    answer = report.ranking.to_json()
    answer["claims"] = [
        {"claim": check.claim, "supported": check.supported, "reason": check.reason}
        for check in report.claims
    ]
    return answer


def tasks_text(report: TaskReport) -> str:
    """Return the three answers with their tables, and what to look at."""
    ranking = report.ranking
    lines = [_head(ranking)]
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
    return "\n".join(lines)


def tasks_markdown(report: TaskReport) -> str:
    """Return the three answers as Markdown."""
    ranking = report.ranking
    blocks = [f"**{escaped(ranking.verdict[:1].upper() + ranking.verdict[1:])}.**"]
    if ranking.source is not None:
        blocks.append(f"{escaped(ranking.source.words)}.")
    blocks.append(f"{ranking.status.capitalize()}: {escaped(ranking.status_reason)}.")
    for title, sentence, tables in _parts(ranking):
        blocks += [f"### {title}", escaped(sentence)]
        blocks += [markdown_table(headings, rows) for headings, rows, _ in tables]
    remarks = [*_claims(report.claims, "claim "), *ranking.notes]
    remarks += [f"left out: {left.run} ({left.reason})" for left in ranking.excluded]
    if remarks:
        blocks.append("\n".join(f"- {escaped(remark)}" for remark in remarks))
    return "\n\n".join(blocks)


def tasks_csv(report: TaskReport) -> str:
    """Return a row for each answer about a pair, in full precision."""
    ranking = report.ranking
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["question", "task", "a", "b", "difference", "ci_low", "ci_high", "p_adjusted", "verdict",
         "wins", "ties", "losses", "scale", "status"]
    )  # fmt: skip
    end = [ranking.scale, ranking.status]
    for task in ranking.tasks:
        alike = ["metric", ranking.status]
        for one in task.ranking.pairs:
            numbers = [one.difference, one.ci_low, one.ci_high, one.p_adjusted]
            writer.writerow(
                ["each", task.name, one.a, one.b, *numbers, one.verdict.value, *[""] * 3, *alike]
            )
    for pair in ranking.average.pairs:
        numbers = [pair.difference, pair.ci_low, pair.ci_high, pair.p_adjusted]
        writer.writerow(
            ["average", "", pair.a, pair.b, *numbers, pair.verdict.value, *[""] * 3, *end]
        )
    for other in ranking.new.pairs:
        numbers = [other.difference, other.ci_low, other.ci_high, other.wilcoxon_p]
        counts = [other.wins, other.ties, other.losses]
        writer.writerow(["new", "", other.a, other.b, *numbers, other.verdict.value, *counts, *end])
    return text.getvalue()


_Table = tuple[list[str], list[list[str]], str]


def _parts(ranking: TaskRanking) -> list[tuple[str, str, list[_Table]]]:
    """Return title, sentence and tables of each question."""
    average: list[_Table] = [_with_right(arm_rows(ranking), 1)]
    if ranking.average.pairs:
        average.append(_with_right(average_rows(ranking), 2))
    new: list[_Table] = [_with_right(new_rows(ranking), 1)]
    return [
        (_TITLES[0], ranking.each.sentence, [_with_right(task_rows(ranking), 1)]),
        (_TITLES[1], ranking.average.sentence + _left_out(ranking), average),
        (_TITLES[2], " ".join([ranking.new.sentence, *ranks_words(ranking)]), new),
    ]


def _with_right(rows: Rows, kept: int) -> _Table:
    headings, cells = rows
    return headings, cells, "<" + ">" * (len(headings) - kept)


def _head(ranking: TaskRanking) -> str:
    unit = " (%)" if ranking.unit == "points" else ""
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


def task_rows(ranking: TaskRanking) -> Rows:
    """Return a row a task: what its arms reached, with the letters of its own family."""
    arms = [arm.name for arm in ranking.arms]
    if len(arms) > _MOST_ARMS:
        return ["task", "best", "runs", "shown"], [_short_row(task) for task in ranking.tasks]
    return ["task", *arms], [[task.name, *_cells(task, arms)] for task in ranking.tasks]


def _cells(task: OneTask, arms: list[str]) -> list[str]:
    numbers = Numbers.of(task.ranking, minus="-")
    there = {arm.variant: arm for arm in task.ranking.arms}
    cells = []
    for name in arms:
        arm = there.get(name)
        if arm is None or arm.mean is None:
            cells.append(NONE)
            continue
        spread = "" if arm.sd is None else f" ± {numbers.plain(arm.sd)}"
        cells.append(f"{numbers.plain(arm.mean)}{spread}{f' {arm.group}' if arm.group else ''}")
    return cells


def _short_row(task: OneTask) -> list[str]:
    pairs = task.ranking.pairs
    shown = sum(pair.verdict.value in ("better", "worse") for pair in pairs)
    runs = sum(arm.n for arm in task.ranking.arms)
    best = task.ranking.arms[0].variant
    return [task.name, best, f"{runs:,}", f"{shown:,} of {len(pairs):,}"]


def _numbers(ranking: TaskRanking) -> Numbers:
    if ranking.scale == "sd":
        return Numbers("", 2, "-")
    spreads = sorted((task.sd or 0.0, task.name) for task in ranking.tasks)
    return Numbers.of(
        next(t for t in ranking.tasks if t.name == spreads[len(spreads) // 2][1]).ranking, minus="-"
    )


def arm_rows(ranking: TaskRanking) -> Rows:
    """Return the arms over all tasks, best on average first."""
    numbers = _numbers(ranking)
    grouped = any(arm.group is not None for arm in ranking.arms)
    diverged = any(arm.diverged for arm in ranking.arms)
    mean = "mean" if ranking.scale == "metric" else "from mean (SD)"
    headings = ["arm", "tasks", "runs", mean, *(["ranks", "group"] if grouped else [])]
    headings += [*(["diverged"] if diverged else []), "mean rank"]
    rows = []
    for arm in ranking.arms:
        value = numbers.plain(arm.mean) if ranking.scale == "metric" else numbers.signed(arm.mean)
        row = [arm.name, str(arm.tasks), f"{arm.runs:,}", value]
        row += [ranks(arm.rank_low, arm.rank_high), arm.group or NONE] if grouped else []
        row += [str(arm.diverged)] if diverged else []
        rows.append([*row, two(arm.mean_rank)])
    return headings, rows


def average_rows(ranking: TaskRanking) -> Rows:
    """Return the pairs on average over these tasks."""
    numbers = _numbers(ranking)
    headings = ["pair", "difference", f"{percent(ranking.alpha)} interval", "adj. p", "verdict"]
    return headings, [
        [
            f"{pair.a} − {pair.b}",
            numbers.signed(pair.difference),
            numbers.interval(pair.ci_low, pair.ci_high, signed=True),
            NONE if pair.verdict.value == "equivalent" else p_value(pair.p_adjusted, ranking.alpha),
            pair.verdict.value,
        ]
        for pair in ranking.average.pairs
    ]


def new_rows(ranking: TaskRanking) -> Rows:
    """Return the pairs on a new task like these."""
    numbers = _numbers(ranking)
    believed = any(pair.posterior is not None for pair in ranking.new.pairs)
    headings = ["pair", "won–tied–lost", "difference", "Wilcoxon p", "sign p", "t p"]
    headings += ["P(a), P(=), P(b)" if ranking.margin else "P(a), P(b)"] if believed else []
    rows = []
    for pair in ranking.new.pairs:
        p = (pair.wilcoxon_p, pair.sign_p, pair.t_p)
        row = [
            f"{pair.a} − {pair.b}",
            f"{pair.wins}–{pair.ties}–{pair.losses}",
            numbers.signed(pair.difference),
            *(p_value(value, ranking.alpha) for value in p),
        ]
        row += [_believed(pair, ranking)] if believed else []
        rows.append([*row, pair.verdict.value])
    return [*headings, "verdict"], rows


def _believed(pair: NewTaskPair, ranking: TaskRanking) -> str:
    if pair.posterior is None:
        return NONE
    one = pair.posterior
    shown = (one.a_better, one.equivalent, one.b_better)
    return ", ".join(two(value) for value in (shown if ranking.margin else shown[::2]))


def ranks_words(ranking: TaskRanking) -> list[str]:
    """Return the tests of mean ranks in a sentence; none without them."""
    found = ranking.mean_ranks
    if found is None:
        return []
    f = "" if found.iman_davenport is None else f", Iman-Davenport F {two(found.iman_davenport)}"
    return [
        f"For those who must report them, and for no verdict: Friedman's chi-squared is "
        f"{two(found.friedman)} (p {_related(found.friedman_p)}){f}, and Nemenyi's critical "
        f"difference of mean ranks {two(found.critical_difference)}; they depend on which other "
        "arms are in the pool."
    ]


def _related(p: float) -> str:
    text = p_value(p)
    return text if text[0] in "<>" else f"= {text}"
