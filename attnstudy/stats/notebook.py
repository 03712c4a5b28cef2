"""A ranking as what Python's prompt shows of it, and a Jupyter notebook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attnstudy.shown import in_html, in_line, with_minus
from attnstudy.stats.digits import percent, rounded
from attnstudy.stats.vocabulary import INTERVAL_NAMES, shown_group

if TYPE_CHECKING:
    from attnstudy.stats.results import Pair, Ranking


_MOST_PAIRS = 20


def ranking_as_text(ranking: Ranking) -> str:
    """Return verdict, arms and pairs in plain text; of many pairs the first."""
    arms = [
        [arm.name, f"{arm.n:,}", _number(arm.mean), _number(arm.sd), str(arm.diverged)]
        for arm in ranking.arms
    ]
    headings = ["arm", "n", "mean", "SD", "diverged"]
    if not any(arm.diverged for arm in ranking.arms):
        headings, arms = headings[:-1], [row[:-1] for row in arms]
    lines = [
        f"Ranking of {len(ranking.arms)} arms by {in_line(ranking.metric)}, "
        f"{ranking.direction}d, {ranking.status}",
        in_line(f"Verdict: {ranking.verdict}"),
        *([in_line(ranking.source.words)] if ranking.source is not None else []),
        "",
        *_aligned(headings, arms),
    ]
    if ranking.pairs:
        headings = ["pair", "difference", f"{percent(ranking.pair_alpha)} interval", "p", "verdict"]
        pairs = [
            [
                f"{pair.a} − {pair.b}", _number(pair.difference, "+"), _interval(pair),
                "–" if pair.shown_p is None else f"{pair.shown_p:.3g}", pair.verdict.value,
            ]
            for pair in ranking.pairs
        ]  # fmt: skip
        lines += ["", *_aligned(headings, pairs[:_MOST_PAIRS])]
        if len(pairs) > _MOST_PAIRS:
            lines.append(f"... and {len(pairs) - _MOST_PAIRS} more pairs: to_frame() has all")
    return "\n".join(lines)


def _aligned(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table: names and words at the left, numbers at the right."""
    table = [[in_line(cell) for cell in row] for row in (headings, *rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(headings))]
    left = ("arm", "pair", "verdict")
    return [
        "  ".join(
            cell.ljust(width) if heading in left else cell.rjust(width)
            for cell, width, heading in zip(row, widths, headings, strict=True)
        ).rstrip()
        for row in table
    ]


def ranking_as_html(ranking: Ranking) -> str:
    """Return verdict, sentence, arms and pairs; every name escaped."""
    arms = [
        [
            arm.name, f"{arm.n:,}", _number(arm.mean), _number(arm.sd),
            _range(arm.rank_low, arm.rank_high), shown_group(arm.group),
        ]
        for arm in ranking.arms
    ]  # fmt: skip
    pairs = [
        [
            f"{pair.a} − {pair.b}", _number(pair.difference, "+"),
            _interval(pair)
            + " (includes zero, wider than Holm's decision)" * pair.includes_zero,
            "–" if pair.shown_p is None else f"{pair.shown_p:.3g}", pair.verdict.value,
            *([str(pair.look or "–")] if ranking.looks else []),
        ]
        for pair in ranking.pairs
    ]  # fmt: skip
    parts = [
        f"<p><strong>{in_html(ranking.verdict)}</strong> ({in_html(ranking.status)})</p>",
        f"<p>{in_html(ranking.sentence)}</p>",
        _table(["arm", "n", "mean", "SD", "ranks", "group"], arms),
    ]
    if pairs:
        interval = f"{INTERVAL_NAMES[ranking.interval]} {percent(ranking.pair_alpha)} interval"
        headings = ["pair", "difference", interval, "adjusted p", "verdict"]
        parts.append(_table([*headings, "look"] if ranking.looks else headings, pairs))
    return "\n".join(parts)


def _interval(pair: Pair) -> str:
    return f"[{_number(pair.ci_low, '+')}, {_number(pair.ci_high, '+')}]"


def _number(value: float | None, sign: str = "-") -> str:
    return "–" if value is None else with_minus(rounded(value, sign=sign))


def _range(low: int | None, high: int | None) -> str:
    return "–" if low is None or high is None else f"{low}–{high}"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{in_html(heading)}</th>' for heading in headings)
    body = "".join(
        "<tr>" + "".join(f"<td>{in_html(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
