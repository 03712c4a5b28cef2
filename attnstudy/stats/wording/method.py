"""How the pairs of a ranking were tested, in a line."""

from __future__ import annotations

from attnstudy.stats.digits import percent
from attnstudy.stats.results import Ranking
from attnstudy.stats.vocabulary import INTERVAL_NAMES, OVERLAP, Method


def method_words(ranking: Ranking) -> str:
    """Return how the pairs were tested, and at which error rate."""
    if ranking.method == "descriptive":
        return f"differences described, none tested: {OVERLAP}"
    calibrated = any(pair.calibrated for pair in ranking.pairs)
    name = tested_by(ranking.method, ranking.control, calibrated=calibrated)
    level = percent(ranking.pair_alpha)
    kind = INTERVAL_NAMES[ranking.interval]
    text = f"{name}; {kind} {level} intervals; family-wise error {ranking.alpha:g}"
    if ranking.looks is not None:
        text += f", {ranking.pair_alpha:.3g} at each of {len(ranking.looks.declared)} looks"
    return text


def tested_by(method: Method, control: str | None, *, calibrated: bool) -> str:
    """Return the test, the pairs it compares, and the correction."""
    pairs = "all pairs" if control is None else f"against {control}"
    name = {
        "games-howell": f"Games-Howell, {pairs}",
        "holm": f"Welch, {pairs}, Holm",
        "control": f"Welch {pairs}, Holm",
        "paired": f"paired by seed, {pairs}, Holm",
        "paired-folds": f"paired by fold, {pairs}, corrected for overlapping training data "
        "(Nadeau and Bengio), Holm",
        "descriptive": "",
    }[method]
    if calibrated:
        name += ", calibrated"
    return name


def unused_words(ranking: Ranking) -> str:
    """Return that the means are of more runs than a difference is of; "" where they are not."""
    arms = {arm.name: arm.n + arm.diverged for arm in ranking.arms}
    declared = ranking.looks.declared if ranking.looks else ()
    if not any(
        pair.look is not None and max(arms[pair.a], arms[pair.b]) > declared[pair.look - 1]
        for pair in ranking.pairs
    ):
        return ""
    return (
        "The numbers of a pair are of the runs up to its look, and the means of the arms of all "
        "their runs."
    )
