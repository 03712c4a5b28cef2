"""A ranking as text that fits 100 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
from attnstudy.render.tables import duration, table, wrapped
from attnstudy.shown import in_line
from attnstudy.stats import calibration_words, components_words
from attnstudy.stats.wording.components import components_table, components_title
from attnstudy.stats.wording.method import method_words
from attnstudy.stats.wording.numbers import (
    Numbers,
    equivalence_asked,
    pairing_words,
    percent_suffix,
    runs_words,
    seeds_words,
)
from attnstudy.stats.wording.shown_flags import shown_flags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnstudy.stats import Calibration, Components, Ranking
    from attnstudy.usecases.ranking import RankReport


def ranking_text(ranking: Ranking, first: Sequence[str] = ()) -> str:
    """Return the arms, the pairs, what may be said, and what to look at.

    Args:
        ranking: what was found.
        first: what the reader has to know before.

    """
    head = [f"study {ranking.study}" if ranking.study else "ranking"]
    if ranking.config:
        head.append(f"configuration {ranking.config}")
    unit = percent_suffix(ranking.metric, ranking.unit)
    head.append(f"{ranking.metric}{unit}, {ranking.direction}d")
    lines = [in_line(", ".join(head))]
    if ranking.source is not None:
        lines += wrapped(ranking.source.words)
    lines += [line for text in first for line in wrapped(text)]
    lines += ["", _aligned(*arm_table(ranking))]
    if ranking.pairs:
        lines += ["", *wrapped(method_words(ranking)), "", _aligned(*pair_table(ranking))]
        lines += [line for words in table_words(ranking) for line in wrapped(words)]
    if ranking.looks is not None:
        lines += ["", *wrapped(looks_words(ranking))]
    lines += ["", *wrapped(f"{ranking.status.upper()}: {ranking.status_reason}")]
    lines += wrapped(f"Verdict: {ranking.verdict}")
    if (order := order_words(ranking)) is not None:
        lines += wrapped(order)
    lines += ["", *wrapped(ranking.sentence)]
    scope = "" if ranking.scope is None else f"Scope: {ranking.scope.message}."
    words = (power_words(ranking), scope)
    if any(words):
        lines += ["", *(line for text in words if text for line in wrapped(text))]
    for title, items in (
        ("What to do", advice_words(ranking)),
        ("Diverged runs", chance_words(ranking)),
        ("Flags", [flag_words(flag) for flag in shown_flags(ranking)]),
        ("Notes", list(ranking.notes)),
        ("Left out", [f"{left.run}: {left.reason}" for left in ranking.excluded]),
    ):
        if items:
            lines += ["", f"{title}:"]
            for item in items:
                lines += wrapped(item, indent="- ")
    return "\n".join(lines)


def rank_text(report: RankReport) -> str:
    """Return the ranking, and what else was asked: claims, calibration, components."""
    parts = [ranking_text(report.ranking, earlier_words(report))]
    if report.claims:
        rows = [
            [check.claim, "supported" if check.supported else "NOT supported", check.reason]
            for check in report.claims
        ]
        parts.append(table(["claim", "", "because"], rows))
    if report.calibration is not None:
        parts.append(_calibration(report.calibration))
    if report.components is not None:
        parts.append(components_text(report.components))
    return "\n\n".join(parts)


def earlier_words(report: RankReport) -> list[str]:
    """Return a line for each earlier study of the same."""
    return [
        f"Earlier study of the same arms, settings and dataset: {one.study.words}, {one.said}."
        for one in report.earlier
    ]


def _aligned(headings: list[str], rows: list[list[str]]) -> str:
    """Return a table whose numbers are at the right; only names are folded."""
    kinds = {"arm": " ", "pair": " ", "group": " ", "others": "<", "verdict": "<"}
    return table(headings, rows, right="".join(kinds.get(heading, ">") for heading in headings))


def _calibration(calibration: Calibration) -> str:
    title, *rates = calibration_words(calibration)
    return "\n".join([f"{title}:", *(line for one in rates for line in wrapped(one, indent="- "))])


def components_text(components: Components) -> str:
    """Return the components of variance, and what the design cannot tell apart."""
    lines = [*wrapped(f"{components_title(components)}:")]
    if components.components:
        headings, rows = components_table(components)
        lines += ["", table(headings, rows, right="<>>>>")]
    lines += [""]
    lines += [line for one in components_words(components) for line in wrapped(one, indent="- ")]
    return "\n".join(lines)


def power_words(ranking: Ranking) -> str:
    """Return what the study can see, and what it would take to see more; "" if unknown."""
    power = ranking.power
    if power is None:
        return ""
    amount = Numbers.of(ranking).amount
    runs = runs_words(power, "run" if ranking.folds is None else "fold")
    parts = [
        f"Power ({power.a} against {power.b}): {runs} detect a true difference of "
        f"{amount(power.detectable_difference)} in 80 % of studies"
    ]
    asked = []
    seeds_help = ranking.folds is None
    if ranking.margin is not None and seeds_help:
        what = "a difference as large as the margin"
        asked.append((power.seeds_for_margin, power.hours_for_margin, what))
    if power.observed_gap and seeds_help:
        asked.append((power.seeds_for_observed, power.hours_for_observed, "the observed gap"))
    for seeds, hours, what in asked:
        told = hours is not None and seeds is not None and seeds > power.n
        time = f" ({duration(3600 * (hours or 0.0))} more training)" if told else ""
        parts.append(f"detecting {what} would need {seeds_words(seeds, power.n)}{time}")
    if equivalence_asked(ranking):
        needs = seeds_words(power.seeds_for_equivalence, power.n)
        margin = amount(ranking.margin or 0.0)
        parts.append(f"showing equivalence within {margin}, if nothing differs, would need {needs}")
    if ranking.interval == "bonferroni" and len(ranking.pairs) > 1:
        parts.append("all of it without help from the other pairs, which Holm's steps may give")
    text = "; ".join(parts) + "."
    paired = pairing_words(power)
    return f"{text} {paired}" if paired else text
