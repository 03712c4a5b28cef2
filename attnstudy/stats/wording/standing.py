"""How pairs stand to the margin: every pair in exactly one class, so that the counts add up."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from attnstudy.stats.comparisons.decisions import Decision
from attnstudy.stats.comparisons.design import Design
from attnstudy.stats.vocabulary import Verdict
from attnstudy.stats.wording.phrases import amount, equality, listed, order


class Standing(Enum):
    """What is shown of a pair when there is a margin: for one pair, and for several."""

    MORE = ("differs by more than the margin", "differ by more than the margin")
    LESS = ("differs by less than the margin", "differ by less than the margin")
    EITHER = (
        "differs, possibly by less than the margin",
        "differ, possibly by less than the margin",
    )
    EQUIVALENT = ("is equivalent", "are equivalent")
    UNDECIDED = ("remains undecided", "remain undecided")
    DIVERGED = ("is left open by diverged runs", "are left open by diverged runs")
    UNTESTED = ("was not tested", "were not tested")


_ALONE = {
    Standing.MORE: "the difference is larger than the margin of {margin}",
    Standing.LESS: "the difference is smaller than the margin of {margin}",
    Standing.EITHER: "the difference may be smaller than the margin of {margin}",
    Standing.UNDECIDED: "neither a difference nor equivalence within {margin} is shown",
    Standing.DIVERGED: "diverged runs leave open how it stands to the margin of {margin}",
}


def standing(decision: Decision, margin: float) -> Standing:
    """Return the class of a pair."""
    if decision.p is None or decision.verdict is Verdict.DESCRIPTIVE:
        return Standing.UNTESTED
    if decision.vetoed:
        return Standing.DIVERGED
    if decision.verdict is Verdict.EQUIVALENT:
        return Standing.EQUIVALENT
    if not decision.different:
        return Standing.UNDECIDED
    if decision.within(margin):
        return Standing.LESS
    low, high = decision.low, decision.high
    assert low is not None
    assert high is not None
    return Standing.MORE if low >= margin or high <= -margin else Standing.EITHER


def beside_margin(decision: Decision, margin: float | None) -> str:
    """Return how a pair that is shown different stands to the margin; "" without one."""
    if margin is None:
        return ""
    return {
        Standing.MORE: "more than the margin",
        Standing.LESS: "less than the margin",
        Standing.EITHER: "possibly less than the margin",
    }.get(standing(decision, margin), "")


def margin_text(names: Sequence[str], decisions: Sequence[Decision], design: Design) -> str:
    """Return how all pairs stand to the margin, each counted once; "" without a margin."""
    if design.margin is None:
        return ""
    margin = amount(design.margin, design)
    classes: dict[Standing, list[Decision]] = {kind: [] for kind in Standing}
    for decision in decisions:
        classes[standing(decision, design.margin)].append(decision)
    if len(decisions) == 1:
        (found,) = (kind for kind, pairs in classes.items() if pairs)
        if found is Standing.EQUIVALENT:
            pair = decisions[0]
            return f"{names[pair.a]} and {names[pair.b]} are equivalent within {margin}"
        return _ALONE.get(found, "").format(margin=margin)
    total = len(decisions)
    parts: list[str] = []
    for kind, pairs in classes.items():
        if pairs:
            number = f"{len(pairs):,}" if parts else f"{len(pairs):,} of {total:,} pairs"
            if len(pairs) == total:
                number = f"all {total:,} pairs"
            parts.append(f"{number} {_said(names, kind, pairs)}")
    return f"against the margin of {margin}: {', '.join(parts)}"


def _said(names: Sequence[str], kind: Standing, pairs: Sequence[Decision]) -> str:
    text = kind.value[len(pairs) > 1]
    if kind in (Standing.MORE, Standing.LESS, Standing.EITHER):
        text += f" ({listed([order(names, pair) for pair in pairs])})"
    elif kind is Standing.EQUIVALENT:
        text += f" ({listed([equality(names, pair) for pair in pairs])})"
    return text
