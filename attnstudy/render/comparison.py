"""The pieces that every form of a ranking is made of: tables of arms and pairs, and words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attnstudy.stats import Verdict
from attnstudy.stats.vocabulary import SEEDS, shown_group
from attnstudy.stats.wording.method import unused_words
from attnstudy.stats.wording.numbers import NONE, Numbers, p_value, ranks, two
from attnstudy.stats.wording.verdicts import nothing_observed

if TYPE_CHECKING:
    from attnstudy.stats import Arm, Flag, Pair, Ranking

Rows = tuple[list[str], list[list[str]]]
"""Headings and rows of a table."""

_OTHERS = {"agrees": "agree", "disagrees": "disagree", "cannot decide": "too few"}
_STAR = "*"
_ADVICES = 8  # different advices shown
_NAMED = 6  # pairs named for each
_SHOWN = 1_000  # pairs in a table that people read


def arm_table(ranking: Ranking, mean: str = "mean") -> Rows:
    """Return the arms, best first; ``mean`` is the heading of their means."""
    numbers = Numbers.of(ranking)
    grouped = any(arm.group is not None for arm in ranking.arms)
    diverged = any(arm.diverged for arm in ranking.arms)
    headings = ["arm", "n", mean, "SD", "min", "max"]
    headings += ["ranks", "group"] if grouped else []
    headings += ["diverged"] if diverged else []
    rows = []
    for arm in ranking.arms:
        row = [arm.name, f"{arm.n:,}"]
        row += map(numbers.plain, (arm.mean, arm.sd, arm.min, arm.max))
        row += [ranks(arm.rank_low, arm.rank_high), shown_group(arm.group)] if grouped else []
        row += [str(arm.diverged)] if diverged else []
        rows.append(row)
    return headings, rows


def pair_table(ranking: Ranking) -> Rows:
    """Return the pairs, with looks and seed correlations where there are any.

    Of very many the decided ones come first, and ``table_words`` says that others are left out.
    """
    numbers = Numbers.of(ranking)
    correlated = any(pair.seed_correlation is not None for pair in ranking.pairs)
    headings = ["pair", "difference", "interval", "adj. p", "g", "P(a>b)", "others"]
    headings += [f"{ranking.repetition} r"] if correlated else []
    headings += ["look"] if ranking.looks else []
    rows = []
    pairs = ranking.pairs
    if len(pairs) > _SHOWN:
        pairs = tuple(sorted(pairs, key=lambda pair: pair.verdict is Verdict.UNDECIDED))[:_SHOWN]
    for pair in pairs:
        row = [
            f"{pair.a} − {pair.b}",
            numbers.signed(pair.difference),
            numbers.interval(pair.ci_low, pair.ci_high, signed=True) + _STAR * pair.includes_zero,
            p_value(pair.shown_p, ranking.pair_alpha),
            two(pair.hedges_g),
            two(pair.prob_superiority),
            _others(pair),
        ]
        row += [two(pair.seed_correlation, signed=True)] if correlated else []
        row += [NONE if pair.look is None else str(pair.look)] if ranking.looks else []
        rows.append([*row, pair.verdict.value])
    return [*headings, "verdict"], rows


def _others(pair: Pair) -> str:
    """Return what other tests say of a difference; of equivalence they say nothing."""
    if pair.robust is None or pair.robust.answer is None or pair.verdict is Verdict.EQUIVALENT:
        return NONE
    return _OTHERS[pair.robust.answer]


def table_words(ranking: Ranking) -> list[str]:
    """Return what has to stand beside the table of pairs, a line each."""
    lines = []
    if len(ranking.pairs) > _SHOWN:
        lines.append(
            f"{_SHOWN:,} of {len(ranking.pairs):,} pairs are shown, those that are decided first: "
            "--format csv or json has all of them"
        )
    if any(pair.includes_zero for pair in ranking.pairs):
        lines.append(
            f"{_STAR} includes zero: that the pair differs rests on Holm's adjusted p; the "
            "Bonferroni interval is wider"
        )
    if any(pair.verdict is Verdict.EQUIVALENT for pair in ranking.pairs):
        lines.append(
            "equivalent: the interval lies within the margin; no p and no other tests are shown, "
            "as they test for a difference"
        )
    if any(pair.robust is not None for pair in ranking.pairs):
        lines.append(_robust_words(ranking))
    return lines


def order_words(ranking: Ranking) -> str | None:
    """Return the order as a chain; None where there is none, or the verdict says it already."""
    if ranking.order is None or ranking.order in ranking.verdict:
        return None
    braces = " (in braces: not shown different)" if "{" in ranking.order else ""
    return f"Order: {ranking.order}{braces}"


def looks_words(ranking: Ranking) -> str:
    """Return how far the declared looks are done, and what is still open; "" without looks."""
    return " ".join(filter(None, (_done_words(ranking), unused_words(ranking))))


def _done_words(ranking: Ranking) -> str:
    looks = ranking.looks
    if looks is None:
        return ""
    declared, done = looks.declared, looks.done
    open_ = sum(p.verdict in (Verdict.UNDECIDED, Verdict.DESCRIPTIVE) for p in ranking.pairs)
    seeds = ", ".join(map(str, declared))
    text = f"Looks at {seeds} seeds per arm: {done} of {len(declared)} done, "
    if not open_:
        return f"{text}every pair is decided."
    text += f"{open_:,} of {len(ranking.pairs):,} pairs open"
    if done < len(declared):
        return f"{text}; the next look is at {declared[done]} seeds."
    return f"{text}; no further look is declared."


def advice_words(ranking: Ranking) -> list[str]:
    """Return what to do, each advice once with the pairs that it is for."""
    pairs: dict[str, list[str]] = {}
    arms = {arm.name: arm for arm in ranking.arms}
    needed_words = _needed_words(ranking)
    for pair in ranking.pairs:
        named, shared = f"{pair.a} − {pair.b}", pair.advice
        if few := re.search(r"; a test needs (\d+)\.$", shared):  # how few: among the notes
            shared = (
                f"{pair.verdict.advice.rstrip('.')}, as a test needs {few[1]} values of each arm."
            )
        elif pair.verdict is Verdict.UNDECIDED and SEEDS in shared:  # only their numbers differ
            shared = f"{pair.verdict.advice} {needed_words}"
            if len(pairs.get(shared, ())) < _NAMED:
                named += f" ({_needed(ranking, pair, arms[pair.a], arms[pair.b])})"
        pairs.setdefault(shared, []).append(named)
    lines = []
    for advice, those in list(pairs.items())[:_ADVICES]:
        if len(those) > 1:
            advice = _of_several(advice)
        more = f" and {len(those) - _NAMED:,} more" if len(those) > _NAMED else ""
        lines.append(f"{', '.join(those[:_NAMED])}{more}: {advice}")
    if len(pairs) > _ADVICES:
        rest = sum(map(len, list(pairs.values())[_ADVICES:]))
        lines.append(f"the advice for {rest:,} more pairs is in the JSON")
    return lines


def _needed_words(ranking: Ranking) -> str:
    text = f"In brackets: {SEEDS} to detect the observed difference"
    if ranking.margin is None:
        return f"{text}."
    amount = Numbers.of(ranking).amount
    text += f" / to show equivalence within {amount(ranking.margin)} if nothing differs"
    if any(_beyond(ranking, p) for p in ranking.pairs if p.verdict is Verdict.UNDECIDED):
        text += f" ({NONE} where the observed difference is not within it)"
    return f"{text}."


def _beyond(ranking: Ranking, pair: Pair) -> bool:
    """Tell whether what was observed speaks against equivalence."""
    return ranking.margin is not None and abs(pair.difference or 0.0) >= ranking.margin


def _needed(ranking: Ranking, pair: Pair, a: Arm, b: Arm) -> str:
    n = min(a.n, b.n)
    parts = [_seeds(pair.seeds_for_observed, n)]
    if nothing_observed(pair.difference or 0.0, a.mean or 0.0, b.mean or 0.0):
        parts = ["no difference observed"]
    if ranking.margin is not None:
        parts.append(NONE if _beyond(ranking, pair) else _seeds(pair.seeds_for_equivalence, n))
    return " / ".join(parts)


def _seeds(seeds: int | None, n: int) -> str:
    return "over 1,000" if seeds is None else f"{max(seeds, n + 1):,}"


def _of_several(advice: str) -> str:
    """Return an advice for one pair in the words for several."""
    for one, several in (
        ("Do not rank these two", "Do not rank the two arms of any of these pairs"),
        ("Report the difference with its interval", "Report each difference with its interval"),
        ("Choose between them by cost: they", "Choose within each of these pairs by cost: the two"),
    ):
        advice = advice.replace(one, several)
    return advice


def _robust_words(ranking: Ranking) -> str:
    """Return what the column ``others`` says, and by which tests."""
    lines = [pair.robust for pair in ranking.pairs if pair.robust is not None]
    tests = ["sign flips" if ranking.method == "paired" else "permutation"]
    if any(line.mannwhitney_p is not None for line in lines):
        tests.append("Mann-Whitney")
    if any(line.brunnermunzel_p is not None for line in lines):
        tests.append("Brunner-Munzel")
    return (
        f"others: whether tests that assume no normal distribution ({', '.join(tests)}) decide "
        "the pair the same way; too few: they could not decide whatever the runs gave"
    )


def flag_words(flag: Flag) -> str:
    """Return a flag, with the verdict that stands without its value."""
    if flag.verdict_without is None:
        return flag.message
    return f"{flag.message.rstrip('.')}; without it: {flag.verdict_without}"


def chance_words(ranking: Ranking) -> list[str]:
    """Return the ranking with chance in the place of diverged runs, a line; or nothing."""
    view = ranking.with_chance
    if view is None:
        return []
    numbers = Numbers.of(ranking)
    order = ", ".join(
        f"{name} {numbers.plain(mean)}" for name, mean in zip(view.order, view.means, strict=True)
    )
    return [
        f"with chance ({numbers.plain(view.chance)}) in the place of runs that diverged: "
        f"{order}; {view.verdict}"
    ]
