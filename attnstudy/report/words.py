"""The report's explanations: how pairs were compared, and power, each in plain words."""

from __future__ import annotations

from attnstudy.report.markup import esc, name
from attnstudy.report.tables import level
from attnstudy.stats import Power, Ranking
from attnstudy.stats.vocabulary import OVERLAP
from attnstudy.stats.wording.method import unused_words
from attnstudy.stats.wording.numbers import (
    Numbers,
    equivalence_asked,
    pairing_words,
    runs_words,
    seeds_words,
    significant,
)

_METHODS = {
    "games-howell": "All pairs by Games–Howell, which does not assume equal variances.",
    "holm": "All pairs by Welch's t, adjusted by Holm.",
    "paired": "All pairs by the paired t over the seeds that both share, adjusted by Holm.",
    "paired-folds": "All pairs by the corrected resampled t over paired folds, adjusted by Holm.",
}


_AGAINST = {
    "paired": "the paired t over shared seeds",
    "paired-folds": "the corrected resampled t over paired folds",
}


def comparison_words(ranking: Ranking) -> list[str]:
    """Return how the pairs were compared, an item of HTML each."""
    if ranking.method == "descriptive":
        return [f"Differences are described and none is tested: {OVERLAP}."]
    if ranking.control is not None:
        test = _AGAINST.get(ranking.method, "Welch's t")
        method = f"Every arm against {name(ranking.control)} by {test}, adjusted by Holm."
    else:
        method = _METHODS[ranking.method]
    if any(pair.calibrated for pair in ranking.pairs):
        method += " P-values and intervals are calibrated for few or unequal runs."
    confidence = level(ranking.pair_alpha)
    if len(ranking.pairs) == 1:
        interval = f"The interval is one of {confidence} confidence."
    elif ranking.interval != "bonferroni":
        interval = f"The {confidence} intervals hold for all pairs at once."
    else:
        interval = (
            f"The intervals are Bonferroni's: {confidence} for all pairs at once. Decisions rest "
            "on Holm's adjusted p, which is sharper: a pair may be shown different although its "
            "interval includes zero."
        )
    items = [method, interval]
    if ranking.looks is not None:
        items.append(
            f"The error rate is split evenly over {len(ranking.looks.declared)} declared looks; a "
            "pair keeps the decision of its look. Stopping early biases the estimates."
        )
        if unused := unused_words(ranking):
            items.append(unused)
    if ranking.folds is not None:
        training, tested = ranking.folds
        items.append(
            f"The folds overlap in their training data ({training:,} training and {tested:,} test "
            "items each): standard errors are widened after Nadeau and Bengio (2003), and tests "
            "that take runs to be independent are left out."
        )
    items.append(
        "P(first better) is the share of run pairs in which the first arm's run is better; "
        "Hedges g is the difference in standard deviations, corrected for few runs."
    )
    if ranking.folds is not None:
        return items
    others = (
        "The other tests assume no normal distribution. Each p shown is of its pair alone; whether "
        "they agree is judged after Holm's correction over all pairs. They never replace the first."
    )
    if any(pair.robust and pair.robust.answer == "cannot decide" for pair in ranking.pairs):
        others += (
            " Where they cannot decide, even the smallest p that so few runs can give is too large."
        )
    items.append(others)
    return items


def power_words(ranking: Ranking) -> list[str]:
    """Return what the study can see, an item of HTML each; nothing without power figures."""
    power = ranking.power
    if power is None:
        return []
    amount = Numbers.of(ranking).amount
    run = "run" if ranking.folds is None else "fold"
    items = [
        f"For {name(power.a)} against {name(power.b)}, with the spreads observed: "
        f"{esc(runs_words(power, run))} detect a true difference of "
        f"<strong>{amount(power.detectable_difference)}</strong> or more with 80 % power.",
        f"Their spread: a standard deviation of {amount(power.sd)}, which may be up to "
        f"{amount(power.sd_upper)} in truth (80 % confidence).",
    ]
    if ranking.folds is not None:
        return items
    if ranking.margin is not None:
        goal = f"a difference as large as the margin ({amount(ranking.margin)})"
        items.append(
            _needed(f"detect {goal}", power.seeds_for_margin, power.hours_for_margin, power)
        )
    if equivalence_asked(ranking):
        goal = f"show equivalence within {amount(ranking.margin or 0.0)}, if nothing differs"
        items.append(_needed(goal, power.seeds_for_equivalence, None, power))
    if power.observed_gap:
        goal = (
            f"detect a true difference as large as the observed one ({amount(power.observed_gap)})"
        )
        items.append(_needed(goal, power.seeds_for_observed, power.hours_for_observed, power))
    if paired := pairing_words(power):
        items.append(paired)
    return items


def _needed(goal: str, seeds: int | None, hours: float | None, power: Power) -> str:
    text = f"To {goal}: <strong>{seeds_words(seeds, power.n)}</strong>"
    more = hours is not None and seeds is not None and seeds > power.n
    return f"{text}{f', about {significant(hours or 0.0, 2)} hours more' if more else ''}."
