"""A ranking as text that fits 100 columns."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

from attnstudy.render.tables import duration, table, wrapped
from attnstudy.stats import Calibration, Flag, Ranking
from attnstudy.stats.numbers import NONE, Numbers, p_value, ranks, two
from attnstudy.stats.vocabulary import INTERVAL_NAMES
from attnstudy.usecases.ranking import RankReport

_OTHERS = {"agrees": "agree", "disagrees": "disagree", "cannot decide": "too few"}
_ADVICES = 8  # different advices shown
_NAMED = 6  # pairs named for each


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
        ("What to do", _advice(ranking) if ranking.pairs else []),
        ("Diverged runs", _chance(ranking)),
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
    headings, rows = _pair_rows(ranking)
    blocks = [f"**{_markdown(ranking.verdict)}.** {_markdown(ranking.sentence)}"]
    blocks.append(f"{ranking.status.capitalize()}: {_markdown(ranking.status_reason)}.")
    blocks.append(_markdown_table(*_arm_rows(ranking, unit)))
    if rows:
        blocks.append(_method(ranking) + ":")
        blocks.append(_markdown_table(headings, rows))
        blocks.append("\n".join(f"- {_markdown(line)}" for line in _advice(ranking)))
    remarks = [
        *_chance(ranking),
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
    amount = Numbers.of(ranking).amount
    parts = [
        f"Power: with {power.n} runs an arm and a common SD of up to {amount(power.sd_upper)}, a "
        f"true difference of {amount(power.detectable_difference)} would be found in 80 % of "
        "studies"
    ]
    for seeds, hours, what in (
        (power.seeds_for_margin, power.hours_for_margin, "the margin"),
        (
            power.seeds_for_observed,
            power.hours_for_observed,
            "the observed gap between the best two tested",
        ),
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
    headings, rows = _arm_rows(ranking)
    return table(headings, rows, right=" >>>>>" + (">" if "ranks" in headings else ""))


def _arm_rows(ranking: Ranking, unit: str = "") -> tuple[list[str], list[list[str]]]:
    """Return headings and cells of the variants."""
    numbers = Numbers.of(ranking, minus="-")
    grouped = any(arm.group is not None for arm in ranking.arms)
    diverged = any(arm.diverged for arm in ranking.arms)
    headings = ["variant", "n", f"mean{unit}", "SD", "min", "max"]
    headings += ["ranks", "group"] if grouped else []
    headings += ["diverged"] if diverged else []
    rows = []
    for arm in ranking.arms:
        row = [arm.variant, str(arm.n)]
        row += map(numbers.plain, (arm.mean, arm.sd, arm.min, arm.max))
        row += [ranks(arm.rank_low, arm.rank_high), arm.group or NONE] if grouped else []
        row += [str(arm.diverged)] if diverged else []
        rows.append(row)
    return headings, rows


def _pairs(ranking: Ranking) -> str:
    return table(*_pair_rows(ranking), right=" >>>>>  >")


def _pair_rows(ranking: Ranking) -> tuple[list[str], list[list[str]]]:
    """Return headings and cells of the pairs, the same for text and Markdown."""
    numbers = Numbers.of(ranking, minus="-")
    alpha = ranking.alpha / len(ranking.looks.declared) if ranking.looks else ranking.alpha
    correlated = any(pair.seed_correlation is not None for pair in ranking.pairs)
    headings = ["pair", "difference", "interval", "adj. p", "g", "P(a>b)", "verdict", "others"]
    headings += ["seed r"] if correlated else []
    rows = []
    for pair in ranking.pairs:
        row = [
            f"{pair.a} − {pair.b}",
            numbers.signed(pair.difference),
            numbers.interval(pair.ci_low, pair.ci_high, signed=True),
            p_value(pair.p_adjusted, alpha),
            two(pair.hedges_g, minus="-"),
            two(pair.prob_superiority),
            pair.verdict.value,
            _OTHERS[pair.robust.answer] if pair.robust and pair.robust.answer else NONE,
        ]
        row += [two(pair.seed_correlation, signed=True, minus="-")] if correlated else []
        rows.append(row)
    return headings, rows


def _advice(ranking: Ranking) -> list[str]:
    """Return what to do, each advice once with the pairs that it is for, and what others says."""
    pairs: dict[str, list[str]] = {}
    for pair in ranking.pairs:
        seeds = re.search(r"about (\d+) seeds", pair.advice)
        shared = re.sub(r"about \d+ seeds", "the seeds in brackets", pair.advice)
        named = f"{pair.a} − {pair.b}" + (f" ({seeds[1]})" if seeds else "")
        pairs.setdefault(shared, []).append(named)
    lines = []
    for advice, those in list(pairs.items())[:_ADVICES]:
        more = f" and {len(those) - _NAMED} more" if len(those) > _NAMED else ""
        lines.append(f"{', '.join(those[:_NAMED])}{more}: {advice}")
    if len(pairs) > _ADVICES:
        rest = sum(map(len, list(pairs.values())[_ADVICES:]))
        lines.append(f"the advice for {rest} more pairs is in the JSON")
    if any(pair.robust is not None for pair in ranking.pairs):
        lines.append(
            "others: whether permutation and rank tests, which assume no normal distribution, "
            "decide the pair the same way; too few: they could not decide whatever the runs gave"
        )
    return lines


def _chance(ranking: Ranking) -> list[str]:
    """Return the ranking with chance in the place of diverged runs, a line; or nothing."""
    view = ranking.with_chance
    if view is None:
        return []
    numbers = Numbers.of(ranking, minus="-")
    order = ", ".join(
        f"{name} {numbers.plain(mean)}" for name, mean in zip(view.order, view.means, strict=True)
    )
    return [
        f"with chance ({numbers.plain(view.chance)}) in the place of runs that diverged: "
        f"{order}; {view.verdict}"
    ]
