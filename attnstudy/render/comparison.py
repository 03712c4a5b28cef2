"""The pieces that every form of a ranking is made of: tables of arms and pairs, and words."""

from __future__ import annotations

from collections.abc import Sequence

from attnstudy.render.tables import number
from attnstudy.stats import Flag, Pair, Ranking, Verdict

Rows = tuple[list[str], list[list[str]]]
"""Headings and rows of a table."""

NONE = "–"
_LISTED = 4  # pairs named one by one


def arm_table(ranking: Ranking, mean: str = "mean") -> Rows:
    """Return the variants, best first; ``mean`` is the heading of their means."""
    grouped = any(arm.group is not None for arm in ranking.arms)
    diverged = any(arm.diverged for arm in ranking.arms)
    headings = ["variant", "n", mean, "SD", "min", "max"]
    headings += ["ranks", "group"] if grouped else []
    headings += ["diverged"] if diverged else []
    rows = []
    for arm in ranking.arms:
        row = [arm.variant, str(arm.n), *map(number, (arm.mean, arm.sd, arm.min, arm.max))]
        if grouped:
            row += [_ranks(arm.rank_low, arm.rank_high), arm.group or NONE]
        if diverged:
            row.append(str(arm.diverged))
        rows.append(row)
    return headings, rows


def pair_table(ranking: Ranking) -> Rows:
    """Return the pairs, with looks and seed correlations where there are any."""
    correlated = any(pair.seed_correlation is not None for pair in ranking.pairs)
    headings = ["pair", "difference", "interval", "adj. p", "Hedges g", "P(a>b)"]
    headings += ["seed r"] if correlated else []
    headings += ["look"] if ranking.looks else []
    rows = []
    for pair in ranking.pairs:
        row = [
            f"{pair.a} − {pair.b}",
            NONE if pair.difference is None else f"{pair.difference:+.2f}",
            _interval(pair),
            _p_value(pair.p_adjusted),
            number(pair.hedges_g),
            number(pair.prob_superiority),
        ]
        row += [number(pair.seed_correlation)] if correlated else []
        row += [NONE if pair.look is None else str(pair.look)] if ranking.looks else []
        rows.append([*row, pair.verdict.value])
    return [*headings, "verdict"], rows


def method_words(ranking: Ranking) -> str:
    """Return how the pairs were tested, and at which error rate."""
    pairs = "all pairs" if ranking.control is None else f"against {ranking.control}"
    name = {
        "games-howell": f"Games-Howell, {pairs}",
        "holm": f"Welch, {pairs}, Holm",
        "control": f"Welch {pairs}, Holm",
        "paired": f"paired by seed, {pairs}, Holm",
    }[ranking.method]
    kind = "simultaneous" if ranking.interval == "simultaneous" else "Bonferroni"
    level = f"{100 * (1 - ranking.pair_alpha):.4g} %"
    text = f"{name}; {kind} {level} intervals; family-wise error {ranking.alpha:g}"
    if ranking.looks is not None:
        text += f", {ranking.pair_alpha:.3g} at each of {len(ranking.looks.declared)} looks"
    return text


def looks_words(ranking: Ranking) -> str:
    """Return how far the declared looks are done, and what is still open; "" without looks."""
    looks = ranking.looks
    if looks is None:
        return ""
    declared, done = looks.declared, looks.done
    open_ = sum(p.verdict in (Verdict.UNDECIDED, Verdict.DESCRIPTIVE) for p in ranking.pairs)
    seeds = ", ".join(map(str, declared))
    text = f"Looks at {seeds} seeds a variant: {done} of {len(declared)} done, "
    if not open_:
        return f"{text}every pair is decided."
    text += f"{open_} of {len(ranking.pairs)} pairs open"
    if done < len(declared):
        return f"{text}; the next look is at {declared[done]} seeds."
    return f"{text}; no further look is declared."


def robust_words(ranking: Ranking) -> str:
    """Return what the tests say that assume no distribution; "" where there are none."""
    lines = [(pair, pair.robust) for pair in ranking.pairs if pair.robust is not None]
    if not lines:
        return ""
    tests = ["permutation"] if ranking.method != "paired" else ["sign flips"]
    if any(line.mannwhitney_p is not None for _, line in lines):
        tests.append("Mann-Whitney")
    if any(line.brunnermunzel_p is not None for _, line in lines):
        tests.append("Brunner-Munzel")
    parts = []
    for answer, words in (
        ("agrees", "agree on"),
        ("disagrees", "disagree on"),
        ("cannot decide", "with so few runs cannot decide"),
    ):
        pairs = [pair for pair, line in lines if line.answer == answer]
        if pairs:
            parts.append(f"{words} {_which(pairs, len(lines))}")
    return f"Tests that assume no normal distribution ({', '.join(tests)}): {'; '.join(parts)}."


def chance_words(ranking: Ranking) -> str:
    """Return the ranking with chance for the runs that diverged; "" where none did."""
    view = ranking.with_chance
    if view is None:
        return ""
    return (
        f"With chance ({view.chance:g}) in the place of every run that diverged: {view.verdict}; "
        f"order {', '.join(view.order)}."
    )


def flag_words(flag: Flag) -> str:
    """Return a flag, with the verdict that stands without its value."""
    if flag.verdict_without is None:
        return flag.message
    return f"{flag.message.rstrip('.')}; without it: {flag.verdict_without}"


def _which(pairs: Sequence[Pair], total: int) -> str:
    if len(pairs) == total:
        return "the pair" if total == 1 else f"all {total} pairs"
    if len(pairs) > _LISTED:
        return f"{len(pairs)} of {total} pairs"
    return ", ".join(f"{pair.a} − {pair.b}" for pair in pairs)


def _ranks(low: int | None, high: int | None) -> str:
    if low is None or high is None:
        return NONE
    return str(low) if low == high else f"{low}–{high}"


def _interval(pair: Pair) -> str:
    if pair.ci_low is None or pair.ci_high is None:
        return NONE
    return f"[{pair.ci_low:+.2f}, {pair.ci_high:+.2f}]"


def _p_value(p: float | None) -> str:
    if p is None:
        return NONE
    return "< .001" if p < 0.001 else f"{p:.3f}".removeprefix("0")
