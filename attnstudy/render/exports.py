"""A ranking for papers, spreadsheets and programs: Markdown, CSV and JSON."""

from __future__ import annotations

import csv
import io
import re
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
    blocks = [f"**{escaped(verdict)}.** {escaped(ranking.sentence)}"]
    if (order := order_words(ranking)) is not None:
        blocks.append(f"{escaped(order)}.")
    if ranking.source is not None:
        blocks.append(f"{escaped(ranking.source.words)}.")
    blocks.append(f"{ranking.status.capitalize()}: {escaped(ranking.status_reason)}.")
    blocks.append(markdown_table(*arm_table(ranking, f"mean{unit}")))
    if ranking.pairs:
        blocks.append(escaped(method_words(ranking)) + ":")
        blocks.append(markdown_table(*pair_table(ranking)))
        blocks += map(escaped, table_words(ranking))
        if ranking.looks is not None:
            blocks.append(escaped(looks_words(ranking)))
        blocks.append("\n".join(f"- {escaped(line)}" for line in advice_words(ranking)))
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
        blocks.append(f"{escaped(title)}:")
        blocks.append("\n".join(f"- {escaped(rate)}" for rate in rates))
    if report.components is not None:
        blocks.append(f"{escaped(components_title(report.components))}:")
        blocks.append(markdown_table(*components_table(report.components)))
        remarks = [*components_words(report.components), *remarks]
    if remarks:
        blocks.append("\n".join(f"- {escaped(remark)}" for remark in remarks))
    return "\n\n".join(blocks)


def markdown_table(headings: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown, all columns but the first to the right."""
    lines = [headings, ["---"] + ["---:"] * (len(headings) - 1), *rows]
    return "\n".join("| " + " | ".join(map(escaped, line)) + " |" for line in lines)


def escaped(text: str) -> str:
    """Return a text in which nothing is taken for Markdown or HTML."""
    text = " ".join(text.split())
    return re.sub(r"([\\`*_<>|\[\]])", r"\\\1", text)


def rank_latex(report: RankReport) -> str:
    """Return the arms and the decided pairs as a table of LaTeX."""
    return report.ranking.to_latex()


def rank_csv(report: RankReport) -> str:
    """Return one row per pair, with the arms' descriptions beside, in full precision."""
    ranking = report.ranking
    arms = {arm.name: arm for arm in ranking.arms}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    fields = ("difference", "ci_low", "ci_high", "p_adjusted", "hedges_g", "prob_superiority")
    writer.writerow(
        ["a", "b", "n_a", "n_b", "mean_a", "mean_b", "sd_a", "sd_b", *fields, "verdict", "method",
         "look", "status", "interval"]
    )  # fmt: skip
    for pair in ranking.pairs:
        a, b = arms[pair.a], arms[pair.b]
        own = [getattr(pair, name) for name in fields]
        writer.writerow(
            [a.name, b.name, a.n, b.n, a.mean, b.mean, a.sd, b.sd, *own, pair.verdict.value,
             ranking.method, pair.look, ranking.status, ranking.interval]
        )  # fmt: skip
    if not ranking.pairs:
        for arm in ranking.arms:
            writer.writerow([arm.name, "", arm.n, "", arm.mean, "", arm.sd])
    return text.getvalue()
