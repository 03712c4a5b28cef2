"""The report's explanations: how pairs were compared, and power, each in plain words."""

from __future__ import annotations

from attnstudy.report.markup import name
from attnstudy.report.tables import level
from attnstudy.stats import Power, Ranking
from attnstudy.stats.numbers import Numbers, count, significant

_METHODS = {
    "games-howell": "All pairs by Games–Howell, which does not assume equal variances.",
    "holm": "All pairs by Welch's t, adjusted by Holm.",
    "paired": "All pairs by the paired t over the seeds that both share, adjusted by Holm.",
}


def comparison_words(ranking: Ranking) -> list[str]:
    """Return how the pairs were compared, an item of HTML each."""
    if ranking.control is not None:
        test = "the paired t over shared seeds" if ranking.method == "paired" else "Welch's t"
        method = f"Every variant against {name(ranking.control)} by {test}, adjusted by Holm."
    else:
        method = _METHODS[ranking.method]
    if ranking.interval == "sidak":
        method = (
            "All pairs by Welch's t with Sidak's correction (Tamhane's T2), as Games–Howell errs "
            "too often for this many variants with so few runs."
        )
    confidence = level(ranking.pair_alpha)
    if ranking.interval != "bonferroni":
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
    items.append(
        "P(first better) is the share of run pairs in which the first variant's run is better; "
        "Hedges g is the difference in standard deviations, corrected for few runs."
    )
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
    items = [
        f"The spread: a pooled standard deviation of {amount(power.sd)}, at most "
        f"{amount(power.sd_upper)} with 80 % confidence. The figures here use the latter.",
        f"With {count(power.n, 'seed')} per variant, a true difference of "
        f"<strong>{amount(power.detectable_difference)}</strong> or more is shown with 80 % power.",
    ]
    if ranking.margin is not None:
        goal = f"a difference as large as the margin ({amount(ranking.margin)})"
        items.append(_needed(goal, power.seeds_for_margin, power.hours_for_margin, power))
    if power.observed_gap is not None:
        goal = (
            "a true difference as large as the one observed between the best two that were "
            f"tested ({amount(power.observed_gap)})"
        )
        items.append(_needed(goal, power.seeds_for_observed, power.hours_for_observed, power))
    return items


def _needed(goal: str, seeds: int | None, hours: float | None, power: Power) -> str:
    if seeds is None:
        return f"To show {goal}: out of reach, more than a million seeds per variant."
    text = f"To show {goal}: <strong>{count(seeds, 'seed')}</strong> per variant"
    if seeds <= power.n:
        return f"{text}, which are there."
    return f"{text}{'' if hours is None else f', about {significant(hours, 2)} hours more'}."
