"""A ranking in LaTeX: the arms, and below them the pairs that are decided."""

from __future__ import annotations

from collections.abc import Iterator

from attnstudy.shown import in_latex
from attnstudy.stats.digits import percent
from attnstudy.stats.latex.pieces import float_of, in_math, mean_and_sd, status_words, tabular
from attnstudy.stats.results import Pair, Ranking
from attnstudy.stats.vocabulary import INTERVAL_NAMES, Verdict, shown_group
from attnstudy.stats.wording.method import method_words, unused_words
from attnstudy.stats.wording.numbers import NONE, Numbers, count, p_value, percent_suffix
from attnstudy.stats.wording.phrases import listed

MOST_PAIRS = 40
"""Pairs that go on a page below the arms, from the best arm downwards; the CSV has all."""

_DECIDED = (Verdict.BETTER, Verdict.WORSE, Verdict.EQUIVALENT)


def ranking_latex(ranking: Ranking) -> str:
    """Return the ranking as a ``table`` of LaTeX; see ``Ranking.to_latex``."""
    tables = [_arms(ranking)]
    decided = [pair for pair in ranking.pairs if pair.verdict in _DECIDED]
    if decided:
        tables.append(_pairs(ranking, decided[:MOST_PAIRS]))
    named = (ranking.study or "ranking", ranking.config, ranking.metric)
    return float_of(list(_caption(ranking, len(decided))), named, tables)


def _arms(ranking: Ranking) -> str:
    numbers = Numbers.of(ranking)
    intervals = any(arm.ci_low is not None for arm in ranking.arms)
    grouped = any(arm.group is not None for arm in ranking.arms)
    diverged = any(arm.diverged for arm in ranking.arms)
    headings = ["arm", "$n$", r"mean $\pm$ SD"]
    headings += [in_latex(f"{percent(ranking.alpha)} interval")] if intervals else []
    headings += ["group"] if grouped else []
    headings += ["diverged"] if diverged else []
    rows = []
    for arm in ranking.arms:
        row = [in_latex(arm.name), in_math(f"{arm.n:,}")]
        row.append(mean_and_sd(numbers.plain(arm.mean), numbers.plain(arm.sd)))
        row += [in_math(numbers.interval(arm.ci_low, arm.ci_high))] if intervals else []
        row += [in_latex(shown_group(arm.group))] if grouped else []
        row += [in_math(str(arm.diverged))] if diverged else []
        rows.append(row)
    columns = "lrr" + "r" * intervals + "l" * grouped + "r" * diverged
    return tabular(columns, headings, rows)


def _pairs(ranking: Ranking, pairs: list[Pair]) -> str:
    numbers = Numbers.of(ranking)
    # one above the other, as a page of one column has no room for both
    interval = in_latex(f"{percent(ranking.pair_alpha)} interval")
    interval = rf"\shortstack[r]{{{in_latex(INTERVAL_NAMES[ranking.interval])}\\{interval}}}"
    p = r"\shortstack[r]{adjusted\\$p$}"
    headings = ["pair", "difference", interval, p, "verdict"]
    headings += ["look"] if ranking.looks else []
    rows = []
    for pair in pairs:
        low_high = numbers.interval(pair.ci_low, pair.ci_high, signed=True)
        row = [
            f"{in_latex(pair.a)} $-$ {in_latex(pair.b)}",
            in_math(numbers.signed(pair.difference)),
            in_math(low_high) + "$^{*}$" * pair.includes_zero,
            in_math(p_value(pair.shown_p, ranking.pair_alpha)),
            pair.verdict.value,
        ]
        row += [in_math(NONE if pair.look is None else str(pair.look))] if ranking.looks else []
        rows.append(row)
    return tabular("lrrrl" + "r" * bool(ranking.looks), headings, rows)


def _caption(ranking: Ranking, decided: int) -> Iterator[str]:
    """Yield the sentences under which the table can stand alone."""
    unit = percent_suffix(ranking.metric, ranking.unit)
    metric = in_latex(ranking.metric.replace("_", " ") + unit)
    fewest, most = min(a.n for a in ranking.arms), max(a.n for a in ranking.arms)
    runs = f"$n = {most:,}$" if fewest == most else f"$n = {fewest:,}$ to ${most:,}$"
    run = "folds" if ranking.repetition == "fold" else "runs"
    yield f"Mean $\\pm$ SD of {metric}, {ranking.direction}d, {runs} {run} of each arm."
    if any(arm.group is not None for arm in ranking.arms):
        yield "Arms that share a letter are not shown different."
    if ranking.pairs:
        method = in_latex(method_words(ranking))
        yield f"{method[:1].upper()}{method[1:]}."
        yield from _beside_pairs(ranking, decided)
    if any(arm.diverged for arm in ranking.arms):
        yield "Runs that diverged are not part of means."
    for flag in ranking.flags:
        if flag.kind == "best-epoch" and flag.arm is None:
            yield f"{in_latex(flag.message[:1].upper() + flag.message[1:])}."
    if ranking.source is not None and ranking.source.left_out:
        yield f"Left out: {in_latex('; '.join(ranking.source.left_out))}."
    yield status_words(ranking.status, ranking.status_reason, ranking.plan)


def _beside_pairs(ranking: Ranking, decided: int) -> Iterator[str]:
    """Yield what has to be known of the pairs, those that the table leaves out among them."""
    if unused := unused_words(ranking):
        yield unused
    undecided = [pair for pair in ranking.pairs if pair.verdict is Verdict.UNDECIDED]
    # a difference that is significant and not claimed is one that diverged runs forbid
    denied = [
        f"{in_latex(pair.a)} and {in_latex(pair.b)}"
        for pair in undecided
        if pair.p_adjusted is not None and pair.p_adjusted <= ranking.pair_alpha
    ]
    open_ = len(undecided) - len(denied)
    if denied:
        yield f"Diverged runs rule out to rank {listed(denied, last='; and ')}."
    if decided > MOST_PAIRS:
        yield f"Of {decided:,} decided pairs, {MOST_PAIRS} of the best arms are shown."
    if open_:
        others = " other" if decided else ""
        yield f"{count(open_, f'{others} pair'.strip())} {'is' if open_ == 1 else 'are'} undecided."
    untested = len(ranking.pairs) - decided - len(undecided)
    if untested and ranking.method != "descriptive":
        yield f"{count(untested, 'pair')} {'was' if untested == 1 else 'were'} not tested."
    if any(pair.includes_zero for pair in ranking.pairs):
        yield (
            "$^{*}$ includes zero: that the pair differs rests on Holm\\textquoteright{}s "
            "adjusted $p$."
        )
    if any(pair.verdict is Verdict.EQUIVALENT for pair in ranking.pairs):
        margin = in_latex(Numbers.of(ranking).amount(ranking.margin or 0.0))
        yield f"Equivalent: the interval lies within the margin of {margin}."
