"""The tables of the page: arms, pairs, new test items, runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attnstudy.report.context import Context
from attnstudy.report.marks import of_pairs, places
from attnstudy.report.markup import details, esc, name, pair_name, table
from attnstudy.report.names import numbered, shorten
from attnstudy.stats import Pair, Ranking, Scope, ScopePair, Verdict
from attnstudy.stats.digits import percent
from attnstudy.stats.vocabulary import INTERVAL_NAMES, shown_group
from attnstudy.stats.wording.numbers import (
    NONE,
    Numbers,
    count,
    exact,
    p_value,
    ranks,
    significant,
    two,
)

FEW_PAIRS = 15
"""Pairs up to which all of them are shown at once."""

_LONG = 48  # columns of a name in a pair

SYMBOLS = {
    Verdict.BETTER: "▲",
    Verdict.WORSE: "▼",
    Verdict.EQUIVALENT: "■",
    Verdict.UNDECIDED: "○",
    Verdict.DESCRIPTIVE: "×",
}
"""What marks a verdict beside its word and colour."""


def level(alpha: float) -> str:
    """Return the confidence that goes with an error rate, in percent."""
    return percent(alpha)


def arms_table(ranking: Ranking) -> str:
    """Return the arms, best first."""
    numbers = Numbers.of(ranking)
    grouped = any(arm.group is not None for arm in ranking.arms)
    diverged = any(arm.diverged for arm in ranking.arms)
    headings = ["arm", "n", "mean", "SD", "median", "min", "max"]
    headings += [f"own {level(ranking.alpha)} interval"]
    headings += ["ranks", "group"] if grouped else []
    headings += ["diverged"] if diverged else []
    rows = []
    with_place = numbered(ranking)
    words = {0, headings.index("group")} if grouped else {0}
    for place, arm in enumerate(ranking.arms, start=1):
        number = f'<span class="place">{place}</span> ' if with_place else ""
        row = [number + name(arm.name), f"{arm.n:,}"]
        row += map(numbers.plain, (arm.mean, arm.sd, arm.median, arm.min, arm.max))
        row.append(numbers.interval(arm.ci_low, arm.ci_high))
        if grouped:
            row += [ranks(arm.rank_low, arm.rank_high), esc(shown_group(arm.group))]
        if diverged:
            row.append(str(arm.diverged))
        rows.append(row)
    unit = " in percent" if ranking.unit == "points" else ""
    metric = ranking.metric.replace("_", " ")
    return table(
        f"Arms by {metric}{unit}, best first", headings, rows, left=sorted(words),
        arms=[str(place) for place in range(len(rows))],
    )  # fmt: skip


def pairs_tables(ranking: Ranking) -> str:
    """Return the pairs; where they are many, those without a decision on request."""
    pairs = ranking.pairs
    if len(pairs) <= FEW_PAIRS:
        return _pairs(ranking, pairs, "Every pair")
    open_ = [p for p in pairs if p.verdict in (Verdict.UNDECIDED, Verdict.DESCRIPTIVE)]
    decided = [p for p in pairs if p.verdict not in (Verdict.UNDECIDED, Verdict.DESCRIPTIVE)]
    parts = []
    if decided:
        caption = f"The {count(len(decided), 'pair')} with a decision, of {len(pairs):,}"
        shown = _pairs(ranking, decided, caption)
        parts.append(details(caption, shown) if len(decided) > 4 * FEW_PAIRS else shown)
    if open_:
        caption = f"{count(len(open_), 'pair')} without a decision"
        parts.append(details(caption, _pairs(ranking, open_, caption)))
    return "\n".join(parts)


def _pairs(ranking: Ranking, pairs: Sequence[Pair], caption: str) -> str:
    numbers = Numbers.of(ranking)
    looks = any(pair.look is not None for pair in pairs)
    correlated = any(pair.seed_correlation is not None for pair in pairs)
    kind = INTERVAL_NAMES[ranking.interval]
    headings = ["pair", "verdict", "difference", f"{kind} {level(ranking.pair_alpha)} interval"]
    headings += ["adjusted p", "Hedges g", "P(first better)", "other tests"]
    headings += [f"{ranking.repetition} correlation"] if correlated else []
    headings += ["look"] if looks else []
    rows = []
    for pair in pairs:
        row = [
            _pair_name(pair.a, pair.b),
            verdict(pair.verdict),
            numbers.signed(pair.difference),
            _interval(pair, numbers),
            esc(p_value(pair.shown_p, ranking.pair_alpha)),
            two(pair.hedges_g, signed=True),
            _superiority(pair),
            _robust(pair, ranking.pair_alpha),
        ]
        row += [two(pair.seed_correlation, signed=True)] if correlated else []
        row += [_look(ranking, pair)] if looks else []
        rows.append(row)
    unit = f", differences in {ranking.unit}" if ranking.unit else ""
    remarks = [esc(remark) for remark in _remarks(pairs)]
    return table(
        f"{caption}{unit}", headings, rows, left=(0, 1, 7), remarks=remarks,
        arms=_about(ranking, pairs),
    )  # fmt: skip


def _about(ranking: Ranking, pairs: Iterable[Pair | ScopePair]) -> list[str]:
    names = [arm.name for arm in ranking.arms]
    return [places(two) for two in of_pairs(names, ((pair.a, pair.b) for pair in pairs))]


def _remarks(pairs: Sequence[Pair]) -> list[str]:
    """Return what to do about each pair; what goes for several stands at the first of them."""
    said: set[str] = set()
    remarks = []
    for pair in pairs:
        general = pair.verdict.advice
        remark = pair.advice.removeprefix(general).lstrip() if general in said else pair.advice
        remarks.append("" if pair.advice in said else remark)
        said |= {pair.advice, general if pair.advice.startswith(general) else ""}
    return remarks


def _pair_name(a: str, b: str) -> str:
    """Return both names; the table of arms has them in full where they are very long."""
    return pair_name(shorten(a, _LONG), shorten(b, _LONG))


def verdict(found: Verdict) -> str:
    """Return a verdict as a word with its mark and colour."""
    return (
        f'<span class="verdict {found.value}"><span aria-hidden="true">{SYMBOLS[found]}</span> '
        f"{found.value}</span>"
    )


def _interval(pair: Pair, numbers: Numbers) -> str:
    text = numbers.interval(pair.ci_low, pair.ci_high, signed=True)
    small = []
    if pair.se is not None:
        small.append(f"SE {significant(pair.se, 3)}")
    if pair.df is not None:
        small.append(f"df {significant(pair.df, 3)}")
    if pair.within_margin is not None:
        small.append("inside the margin" if pair.within_margin else "not inside the margin")
    if pair.includes_zero:
        small.append("includes zero: the difference rests on Holm’s p, this interval is wider")
    return text + (f"<small>{', '.join(small)}</small>" if small else "")


def _superiority(pair: Pair) -> str:
    text = two(pair.prob_superiority)
    if pair.prob_superiority_low is None or pair.prob_superiority_high is None:
        return text
    ends = f"{two(pair.prob_superiority_low)}, {two(pair.prob_superiority_high)}"
    return f"{text}<small>[{ends}]</small>"


def _look(ranking: Ranking, pair: Pair) -> str:
    if pair.look is None or ranking.looks is None:
        return NONE
    return f"{pair.look} <small>{ranking.looks.declared[pair.look - 1]} seeds</small>"


def _robust(pair: Pair, alpha: float) -> str:
    line = pair.robust
    if line is None or line.answer is None:
        return NONE
    if pair.verdict is Verdict.EQUIVALENT:
        return f"{NONE}<small>they test for a difference</small>"
    named = (
        ("permutation", line.permutation_p),
        ("Mann–Whitney", line.mannwhitney_p),
        ("Brunner–Munzel", line.brunnermunzel_p),
        ("smallest possible", line.smallest_possible_p),
    )
    small = ", ".join(f"{test} {esc(p_value(p, alpha))}" for test, p in named if p is not None)
    return f"{esc(line.answer)}<small>{small}</small>"


def scope_table(ranking: Ranking, scope: Scope) -> str:
    """Return the pairs as they would be on new test items; nothing without predictions."""
    if not scope.pairs:
        return ""
    numbers = Numbers.of(ranking)
    headings = ["pair", "difference", "interval on new seeds and items", "holds"]
    headings += ["SE of seeds", "SE of items", "SE of both", "df", "crossed bootstrap"]
    rows = [
        [
            _pair_name(pair.a, pair.b),
            numbers.signed(pair.difference),
            numbers.interval(pair.ci_low, pair.ci_high, signed=True),
            "yes" if pair.holds else "no",
            *(significant(se, 3) for se in (pair.se_seeds, pair.se_images, pair.se)),
            NONE if pair.df is None else significant(pair.df, 3),
            numbers.interval(pair.bootstrap_low, pair.bootstrap_high, signed=True),
        ]
        for pair in scope.pairs
    ]
    caption = f"Would it hold on new test items? {scope.images:,} of them"
    about = _about(ranking, scope.pairs)
    return table(caption, headings, rows, left=(0,), arms=about)


def values_table(ranking: Ranking) -> str:
    """Return every value of every arm, as measured."""
    rows = [
        [
            name(arm.name),
            ", ".join(
                exact(value)
                if arm.seeds is None
                else f"{exact(value)} ({ranking.repetition} {seed})"
                for value, seed in zip(arm.values, arm.seeds or arm.values, strict=True)
            )
            or NONE,
        ]
        for arm in ranking.arms
    ]
    return table(
        "Every value, as measured", ["arm", "values"], rows, left=(0, 1),
        arms=[str(place) for place in range(len(rows))],
    )  # fmt: skip


def runs_table(ranking: Ranking, context: Context) -> str:
    """Return the runs that the ranking used."""
    place = {arm.name: str(at) for at, arm in enumerate(ranking.arms)}
    rows = [
        [name(run.name), f"<code>{esc(run.run_id or 'not there yet')}</code>", exact(run.value)]
        for run in context.runs
    ]
    return table(
        "Every run that was used", ["run", "id", "value"], rows, left=(0, 1),
        arms=[place.get(run.arm or "", "") for run in context.runs],
    )  # fmt: skip
