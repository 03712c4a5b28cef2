"""A ranking for papers, spreadsheets and programs: Markdown, CSV and JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from attnstudy.render.comparison import (
    advice_words,
    arm_table,
    chance_words,
    flag_words,
    looks_words,
    order_words,
    pair_table,
    table_words,
)
from attnstudy.shown import in_csv, in_markdown
from attnstudy.stats import calibration_words, components_words
from attnstudy.stats.wording.components import components_table, components_title
from attnstudy.stats.wording.method import method_words
from attnstudy.stats.wording.shown_flags import shown_flags

if TYPE_CHECKING:
    from attnstudy.usecases.ranking import RankReport


def rank_json(report: RankReport) -> dict[str, Any]:
    """Return the JSON of the ranking, with what else was asked; null where it was not."""
    answer = report.ranking.to_json()
    answer["claims"] = [
        {"claim": check.claim, "supported": check.supported, "reason": check.reason}
        for check in report.claims
    ]
    answer["earlier_studies"] = [
        {
            "study": one.study.study,
            "config": one.study.config,
            "runs": one.study.runs,
            "seeds": list(one.study.seeds),
            "started_at": one.study.started_at,
            "status": one.status,
            "verdict": one.verdict,
        }
        for one in report.earlier
    ]
    answer["calibration"] = None if report.calibration is None else report.calibration.to_json()
    answer["components"] = None if report.components is None else report.components.to_json()
    return answer


def rank_markdown(report: RankReport) -> str:
    """Return the ranking as Markdown, for a paper's appendix or a pull request."""
    ranking = report.ranking
    unit = " (%)" if ranking.unit == "points" else ""
    verdict = ranking.verdict[:1].upper() + ranking.verdict[1:]
    blocks = [f"**{in_markdown(verdict)}.** {in_markdown(ranking.sentence)}"]
    if (order := order_words(ranking)) is not None:
        blocks.append(f"{in_markdown(order)}.")
    if ranking.source is not None:
        blocks.append(f"{in_markdown(ranking.source.words)}.")
    blocks.append(f"{ranking.status.capitalize()}: {in_markdown(ranking.status_reason)}.")
    blocks.append(markdown_table(*arm_table(ranking, f"mean{unit}")))
    if ranking.pairs:
        blocks.append(in_markdown(method_words(ranking)) + ":")
        blocks.append(markdown_table(*pair_table(ranking)))
        blocks += map(in_markdown, table_words(ranking))
        if ranking.looks is not None:
            blocks.append(in_markdown(looks_words(ranking)))
        blocks.append("\n".join(f"- {in_markdown(line)}" for line in advice_words(ranking)))
    remarks = [
        *chance_words(ranking),
        *(f"flag: {flag_words(flag)}" for flag in shown_flags(ranking)),
        *ranking.notes,
        *(f"left out: {left.run} ({left.reason})" for left in ranking.excluded),
        *(
            f"claim {c.claim}: {'supported' if c.supported else 'NOT supported'} ({c.reason})"
            for c in report.claims
        ),
    ]
    if report.calibration is not None:
        title, *rates = calibration_words(report.calibration)
        blocks.append(f"{in_markdown(title)}:")
        blocks.append("\n".join(f"- {in_markdown(rate)}" for rate in rates))
    if report.components is not None:
        blocks.append(f"{in_markdown(components_title(report.components))}:")
        blocks.append(markdown_table(*components_table(report.components)))
        remarks = [*components_words(report.components), *remarks]
    if remarks:
        blocks.append("\n".join(f"- {in_markdown(remark)}" for remark in remarks))
    return "\n\n".join(blocks)


def markdown_table(headings: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown, all columns but the first to the right."""
    line = ["---"] + ["---:"] * (len(headings) - 1)
    shown = [[in_markdown(cell) for cell in row] for row in (headings, *rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (shown[0], line, *shown[1:]))


def rank_latex(report: RankReport) -> str:
    """Return the arms and the decided pairs as a table of LaTeX."""
    return report.ranking.to_latex()


def rank_csv(report: RankReport) -> str:
    """Return one row per pair, with the arms' descriptions beside, in full precision."""
    ranking = report.ranking
    arms = {arm.name: arm for arm in ranking.arms}
    fields = ("difference", "ci_low", "ci_high", "p_adjusted", "hedges_g", "prob_superiority")
    rows: list[list[object]] = [
        ["a", "b", "n_a", "n_b", "mean_a", "mean_b", "sd_a", "sd_b", *fields, "verdict", "method",
         "look", "status", "interval"]
    ]  # fmt: skip
    for pair in ranking.pairs:
        a, b = arms[pair.a], arms[pair.b]
        own = [getattr(pair, name) for name in fields]
        rows.append(
            [a.name, b.name, a.n, b.n, a.mean, b.mean, a.sd, b.sd, *own, pair.verdict.value,
             ranking.method, pair.look, ranking.status, ranking.interval]
        )  # fmt: skip
    if not ranking.pairs:
        rows += [[arm.name, "", arm.n, "", arm.mean, "", arm.sd] for arm in ranking.arms]
    return csv_text(rows)


def csv_text(rows: Iterable[Iterable[object]]) -> str:
    """Return rows as CSV, in which no text is a formula."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(map(in_csv, row) for row in rows)
    return text.getvalue()
