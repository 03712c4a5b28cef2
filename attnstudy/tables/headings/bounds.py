"""What values a metric can have, as far as its name says."""

from __future__ import annotations

import re
from typing import NamedTuple

from attnstudy.tables.headings.folding import folded, words_of
from attnstudy.tables.headings.vocabulary import (
    DERIVED,
    GIVEN,
    MEASURED,
    OTHER_STATISTICS,
    RELATIVE,
    SD,
    SECOND,
    SHARES,
)

_RATES = frozenset({"success", "win", "pass", "hit"})
_CORRELATIONS = frozenset({
    "pearson", "spearman", "kendall", "correlation", "corr", "kappa", "mcc",
})  # fmt: skip
_OF_TEXTS = frozenset({"bleu", "sacrebleu", "rouge", "rougel", "chrf", "meteor"})
_ERRORS = frozenset({"fpr", "eer", "ece"})
_BESIDE = frozenset({
    "score", "scores", "rate", "balanced", "macro", "micro", "weighted", "value", "result",
    "performance", "metric", "match", "exact", "top", "roc", "pr", "cross",
})  # fmt: skip
_EXTREMES = frozenset({"min", "max", "minimum", "maximum", "median", "best", "worst"})
_F_SCORE = re.compile(r"f\d*score|f\d+")


class Bounds(NamedTuple):
    """What values a metric has, as fractions; a hundred times as much in percent."""

    low: float | None
    """The least one; None where there is none. The largest is 1."""
    seldom_few_percent: bool
    """Whether values between 1 and 10 are hardly ever percentages."""


def bounds_of(metric: str) -> Bounds | None:
    """Return what values a metric of that name has; None where the name does not say it.

    A difference, a ratio and the like of what is bounded is not: ``acc_gain``, ``relative F1``.
    """
    name = folded(metric)
    words = {re.sub(r"(?<=[a-z])\d+$", "", word) for word in words_of(metric)}
    if re.search(r"[δ∆]|\s[-−–+]\s", name):
        return None
    squared = re.search(r"(?:^|[^a-z])r(?:2|\^2|[ _-]?squared)(?![a-z0-9])", name)
    if squared and not words & (RELATIVE | DERIVED) - {"adjusted", "adj"}:
        return Bounds(None, seldom_few_percent=True)
    shares = words & SHARES or any(_F_SCORE.fullmatch(word) for word in words_of(metric))
    shares = shares or ("rate" in words and words & _RATES) or {"exact", "match"} <= words
    shares = shares or ("auc" in words and bool(words & {"roc", "pr"})) or "top" in words
    known = SHARES | _CORRELATIONS | _OF_TEXTS | _ERRORS | _BESIDE | _RATES | {"f", "auc"}
    of_others = (MEASURED - known) | SECOND | RELATIVE | DERIVED | SD
    of_others |= (GIVEN - {"epoch", "step"}) | (OTHER_STATISTICS - _EXTREMES)
    if words & of_others:
        return None
    if words & _CORRELATIONS:
        return Bounds(-1.0, seldom_few_percent=True)
    if words & (_OF_TEXTS | _ERRORS):
        return Bounds(0.0, seldom_few_percent=False)
    return Bounds(0.0, seldom_few_percent=True) if shares else None


def says_percent(metric: str) -> bool:
    """Whether the name of a metric says that it is in percent."""
    return re.search(r"%|\bpct\b|percent|prozent|pourcent|porcent", folded(metric)) is not None
