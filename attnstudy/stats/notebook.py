"""A ranking as the small piece of HTML that a Jupyter notebook shows."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from attnstudy.stats.digits import percent, rounded
from attnstudy.stats.vocabulary import INTERVAL_NAMES

if TYPE_CHECKING:
    from attnstudy.stats.results import Ranking


def ranking_as_html(ranking: Ranking) -> str:
    """Return verdict, sentence, arms and pairs; every name escaped."""
    arms = [
        [
            arm.variant, f"{arm.n:,}", _number(arm.mean), _number(arm.sd),
            _range(arm.rank_low, arm.rank_high), arm.group or "–",
        ]
        for arm in ranking.arms
    ]  # fmt: skip
    pairs = [
        [
            f"{pair.a} − {pair.b}", _number(pair.difference, "+"),
            f"[{_number(pair.ci_low, '+')}, {_number(pair.ci_high, '+')}]"
            + " (includes zero, wider than Holm's decision)" * pair.includes_zero,
            "–" if pair.shown_p is None else f"{pair.shown_p:.3g}", pair.verdict.value,
            *([str(pair.look or "–")] if ranking.looks else []),
        ]
        for pair in ranking.pairs
    ]  # fmt: skip
    parts = [
        f"<p><strong>{escape(ranking.verdict)}</strong> ({escape(ranking.status)})</p>",
        f"<p>{escape(ranking.sentence)}</p>",
        _table(["variant", "n", "mean", "SD", "ranks", "group"], arms),
    ]
    if pairs:
        interval = f"{INTERVAL_NAMES[ranking.interval]} {percent(ranking.pair_alpha)} interval"
        headings = ["pair", "difference", interval, "adjusted p", "verdict"]
        parts.append(_table([*headings, "look"] if ranking.looks else headings, pairs))
    return "\n".join(parts)


def _number(value: float | None, sign: str = "-") -> str:
    return "–" if value is None else rounded(value, sign=sign)


def _range(low: int | None, high: int | None) -> str:
    return "–" if low is None or high is None else f"{low}–{high}"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
