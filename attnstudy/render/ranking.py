"""A ranking as text that fits 100 columns."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

from attnstudy.render.tables import duration, number, table, wrapped
from attnstudy.stats import Calibration, Flag, Pair, Ranking
from attnstudy.stats.vocabulary import INTERVAL_NAMES
from attnstudy.usecases.ranking import RankReport


def ranking_text(ranking: Ranking) -> str:
    """Return the arms, the pairs, what may be said, and what to look at."""
    percent = ranking.unit == "points"
    unit = " (%)" if percent else ""
    head = [f"study {ranking.study}" if ranking.study else "ranking"]
    if ranking.config:
        head.append(f"configuration {ranking.config}")
    head.append(f"{ranking.metric}{unit}, {ranking.direction}d")
    lines = [", ".join(head), "", _arms(ranking)]
    if ranking.pairs:
        lines += ["", _method(ranking), "", _pairs(ranking)]
    lines += ["", *wrapped(f"{ranking.status.upper()}: {ranking.status_reason}")]
    lines += wrapped(f"Verdict: {ranking.verdict}")
    lines += ["", *wrapped(ranking.sentence)]
    if ranking.power is not None:
        lines += ["", *wrapped(power_words(ranking))]
    if ranking.scope is not None:
        lines += wrapped(f"Scope: {ranking.scope.message}.")
    for title, items in (
        ("Flags", [_flag(flag) for flag in ranking.flags]),
        ("Notes", list(ranking.notes)),
        ("Left out", [f"{left.run}: {left.reason}" for left in ranking.excluded]),
    ):
        if items:
            lines += ["", f"{title}:"]
            for item in items:
                lines += wrapped(item, indent="- ")
    return "\n".join(lines)


def rank_text(report: RankReport) -> str:
    """Return the ranking, and what else was asked: claims and calibration."""
    parts = [ranking_text(report.ranking)]
    if report.claims:
        rows = [
            [check.claim, "supported" if check.supported else "NOT supported", check.reason]
            for check in report.claims
        ]
        parts.append(table(["claim", "", "because"], rows))
    if report.calibration is not None:
        parts.append(_calibration(report.calibration))
    return "\n\n".join(parts)


def rank_json(report: RankReport) -> dict[str, Any]:
    """Return the JSON of the ranking, with claims and calibration where they were asked for."""
    answer = report.ranking.to_json()
    answer["claims"] = [
        {"claim": check.claim, "supported": check.supported, "reason": check.reason}
        for check in report.claims
    ]
    answer["calibration"] = None if report.calibration is None else report.calibration.to_json()
    return answer


def _calibration(calibration: Calibration) -> str:
    promised = f"at most {calibration.alpha:g}"
    lines = [f"How often this design claims a difference among equals ({promised}):"]
    within = " within each seed" if calibration.within_seed else ""
    for what, rate in (
        (f"labels permuted{within}", calibration.permuted),
        ("simulated with each arm's own SD and n", calibration.simulated),
    ):
        lines += wrapped(
            f"{what}: {rate.rate:.4f} ± {rate.error:.4f} ({rate.replications:,} replications); "
            f"it cannot see {rate.cannot_see}",
            indent="- ",
        )
    return "\n".join(lines)


def rank_markdown(report: RankReport) -> str:
    """Return the ranking as Markdown, for a paper's appendix or a pull request."""
    ranking = report.ranking
    unit = " (%)" if ranking.unit == "points" else ""
    arms = [
        [
            a.variant, str(a.n), number(a.mean), number(a.sd), number(a.min), number(a.max),
            _ranks(a.rank_low, a.rank_high), a.group or "–",
        ]
        for a in ranking.arms
    ]  # fmt: skip
    pairs = [
        [
            f"{p.a} − {p.b}", "–" if p.difference is None else f"{p.difference:+.2f}", _interval(p),
            _p_value(p.p_adjusted), number(p.hedges_g), number(p.prob_superiority), p.verdict.value,
        ]
        for p in ranking.pairs
    ]  # fmt: skip
    blocks = [f"**{_markdown(ranking.verdict)}.** {_markdown(ranking.sentence)}"]
    blocks.append(f"{ranking.status.capitalize()}: {_markdown(ranking.status_reason)}.")
    heads = ["variant", "n", f"mean{unit}", "SD", "min", "max", "ranks", "group"]
    blocks.append(_markdown_table(heads, arms))
    if pairs:
        blocks.append(_method(ranking) + ":")
        heads = ["pair", "difference", "interval", "adj. p", "Hedges g", "P(a>b)", "verdict"]
        blocks.append(_markdown_table(heads, pairs))
    remarks = [
        *(f"flag: {_flag(flag)}" for flag in ranking.flags),
        *ranking.notes,
        *(f"left out: {left.run} ({left.reason})" for left in ranking.excluded),
        *(
            f"claim {c.claim}: {'supported' if c.supported else 'NOT supported'} ({c.reason})"
            for c in report.claims
        ),
    ]
    if remarks:
        blocks.append("\n".join(f"- {_markdown(remark)}" for remark in remarks))
    return "\n\n".join(blocks)


def _markdown_table(headings: list[str], rows: list[list[str]]) -> str:
    lines = [headings, ["---"] + ["---:"] * (len(headings) - 1), *rows]
    return "\n".join("| " + " | ".join(map(_markdown, line)) + " |" for line in lines)


def _markdown(text: str) -> str:
    """Return a text in which nothing is taken for Markdown or HTML."""
    text = " ".join(text.split())
    return re.sub(r"([\\`*_<>|\[\]])", r"\\\1", text)


def rank_csv(report: RankReport) -> str:
    """Return one row a pair, with the arms' descriptions beside, in full precision."""
    ranking = report.ranking
    arms = {arm.variant: arm for arm in ranking.arms}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    fields = ("difference", "ci_low", "ci_high", "p_adjusted", "hedges_g", "prob_superiority")
    writer.writerow(
        ["a", "b", "n_a", "n_b", "mean_a", "mean_b", "sd_a", "sd_b", *fields, "verdict", "method"]
    )
    for pair in ranking.pairs:
        a, b = arms[pair.a], arms[pair.b]
        own = [getattr(pair, name) for name in fields]
        writer.writerow(
            [a.variant, b.variant, a.n, b.n, a.mean, b.mean, a.sd, b.sd, *own, pair.verdict.value,
             ranking.method]
        )  # fmt: skip
    if not ranking.pairs:
        for arm in ranking.arms:
            writer.writerow([arm.variant, "", arm.n, "", arm.mean, "", arm.sd])
    return text.getvalue()


def power_words(ranking: Ranking) -> str:
    """Return what the study can see, and what it would take to see more; "" if unknown."""
    power = ranking.power
    if power is None:
        return ""
    unit = f" {ranking.unit}" if ranking.unit else ""
    parts = [
        f"Power: with {power.n} runs an arm and SDs of up to {power.sd_upper:.2f}{unit}, a true "
        f"difference of {power.detectable_difference:.2f}{unit} would be found in 80 % of studies"
    ]
    for seeds, hours, what in (
        (power.seeds_for_margin, power.hours_for_margin, "the margin"),
        (power.seeds_for_observed, power.hours_for_observed, "the observed gap at the top"),
    ):
        if seeds is not None:
            time = "" if hours is None else f" ({duration(3600 * hours)} of training more)"
            parts.append(f"{what} takes {seeds} seeds an arm{time}")
    return "; ".join(parts) + "."


def _flag(flag: Flag) -> str:
    if flag.verdict_without is None:
        return flag.message
    return f"{flag.message.rstrip('.')}; without it: {flag.verdict_without}"


def _method(ranking: Ranking) -> str:
    name = {
        "games-howell": "Games-Howell, all pairs",
        "holm": "Welch, all pairs, Holm",
        "control": f"Welch against {ranking.control}, Holm",
        "paired": "paired by seed, Holm",
    }[ranking.method]
    level = f"{100 * (1 - ranking.alpha):g} %"
    if ranking.interval == "sidak":
        name = "Welch, all pairs, Sidak (Tamhane's T2, for many arms)"
    kind = INTERVAL_NAMES[ranking.interval]
    return f"{name}; {kind} {level} intervals; family-wise error {ranking.alpha:g}"


def _arms(ranking: Ranking) -> str:
    grouped = any(arm.group is not None for arm in ranking.arms)
    diverged = any(arm.diverged for arm in ranking.arms)
    headings = ["variant", "n", "mean", "SD", "min", "max"]
    headings += ["ranks", "group"] if grouped else []
    headings += ["diverged"] if diverged else []
    rows = []
    for arm in ranking.arms:
        row = [arm.variant, str(arm.n), *map(number, (arm.mean, arm.sd, arm.min, arm.max))]
        if grouped:
            row += [_ranks(arm.rank_low, arm.rank_high), arm.group or "–"]
        if diverged:
            row.append(str(arm.diverged))
        rows.append(row)
    return table(headings, rows, right=" >>>>>" + (">" if grouped else ""))


def _ranks(low: int | None, high: int | None) -> str:
    if low is None or high is None:
        return "–"
    return str(low) if low == high else f"{low}–{high}"


def _pairs(ranking: Ranking) -> str:
    rows = [
        [
            f"{pair.a} − {pair.b}",
            "–" if pair.difference is None else f"{pair.difference:+.2f}",
            _interval(pair),
            _p_value(pair.p_adjusted),
            number(pair.hedges_g),
            number(pair.prob_superiority),
            pair.verdict.value,
        ]
        for pair in ranking.pairs
    ]
    headings = ["pair", "difference", "interval", "adj. p", "Hedges g", "P(a>b)", "verdict"]
    return table(headings, rows, right=" >>>>>")


def _interval(pair: Pair) -> str:
    if pair.ci_low is None or pair.ci_high is None:
        return "–"
    return f"[{pair.ci_low:+.2f}, {pair.ci_high:+.2f}]"


def _p_value(p: float | None) -> str:
    if p is None:
        return "–"
    return "< .001" if p < 0.001 else f"{p:.3f}".removeprefix("0")
