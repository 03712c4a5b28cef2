"""Words for numbers: verdict and advice, so that every output says the same; and the sentence."""

from __future__ import annotations

from collections.abc import Sequence

from attnstudy.stats.comparisons.decisions import Decision
from attnstudy.stats.comparisons.design import Design
from attnstudy.stats.evidence.pair_power import Needed
from attnstudy.stats.samples import MIN_RUNS, ROUNDING, Sample
from attnstudy.stats.vocabulary import ASK_FOLDS, OVERLAP, SEEDS, Verdict
from attnstudy.stats.wording.numbers import count
from attnstudy.stats.wording.phrases import amount, includes_zero, listed, order
from attnstudy.stats.wording.standing import margin_text


def verdict_text(samples: Sequence[Sample], decisions: Sequence[Decision], design: Design) -> str:
    """Return in a few words what may be said of the whole study."""
    testable = [d for d in decisions if d.verdict is not Verdict.DESCRIPTIVE]
    if not design.compared and len(samples) > 1:
        return f"descriptive: {OVERLAP}; {ASK_FOLDS}"
    if not testable:
        return "descriptive only: nothing can be tested"
    names = [sample.arm for sample in samples]
    different = [d for d in testable if d.different]
    if not different:
        text = "no ranking is defensible"
        if design.control is not None:
            text = f"no difference from {design.control} is defensible"
    # a pair that a look decided keeps its order, whatever the means of all runs say later
    elif (
        len(different) < len(decisions)
        or design.control is not None
        or any(d.winner_first() != (d.a, d.b) for d in different)
    ):
        text = "a partial ranking is defensible"
        if len(different) == len(decisions):
            text = "every pair is ordered"
        if design.control is not None:
            text = "differences from the control are defensible"
        text += f": {listed([order(names, d) for d in different])}"
    else:
        text = f"a full ranking is defensible: {' > '.join(names)}"
    if different and not design.maximize:
        text += " (lower is better)"
    denied = [order(names, d.unvetoed()) for d in testable if d.denied]
    if denied:
        text += f"; diverged runs rule out {listed(denied)}"
    against_margin = margin_text(names, decisions, design)
    return f"{text}; {against_margin}" if against_margin else text


def advice(
    samples: Sequence[Sample], decision: Decision, design: Design, needed: Needed | None
) -> str:
    """Return what to do about a pair.

    Args:
        samples: the arms.
        decision: the pair.
        design: for the margin.
        needed: seeds that would settle it; None where it is decided or nothing is known.

    """
    a, b = samples[decision.a], samples[decision.b]
    general = decision.verdict.advice
    if decision.verdict is Verdict.DESCRIPTIVE:
        return f"{general.rstrip('.')}, as {_why_untested(a, b, design)}"
    if decision.vetoed:
        which = ", ".join(f"{s.arm} ({count(s.diverged, 'run')})" for s in (a, b) if s.diverged)
        return f"Report the runs that diverged beside the difference: {which}."
    if includes_zero(decision):
        general = (
            "Report the difference with Holm's adjusted p, on which the verdict rests; the "
            "Bonferroni interval is wider and includes zero."
        )
    if decision.different and decision.within(design.margin):
        return f"{general} It is smaller than the margin and may not matter."
    if decision.verdict is Verdict.UNDECIDED and needed is not None:
        return f"{general} {_settled_by(needed, decision, a, b, design)}"
    return general


def _settled_by(needed: Needed, decision: Decision, a: Sample, b: Sample, design: Design) -> str:
    """Return the seeds that would settle a pair one way or the other."""
    n, gap = min(a.n, b.n), decision.difference or 0.0
    if nothing_observed(gap, a.mean, b.mean):
        text = "No difference was observed."
    else:
        text = f"Detecting the observed difference would need {seeds_text(needed.observed, n)}."
    if design.margin is None or abs(gap) >= design.margin:  # then the data speak against it
        return text
    return (
        f"{text} Showing equivalence within {amount(design.margin, design)} would need "
        f"{seeds_text(needed.equivalence, n)} if nothing differs."
    )


def nothing_observed(difference: float, a: float, b: float) -> bool:
    """Tell whether the difference of two means is none but for rounding."""
    return abs(difference) <= ROUNDING * max(abs(a), abs(b))


def seeds_text(seeds: int | None, n: int) -> str:
    """Return how many seeds would settle a pair of which ``n`` are there and do not."""
    if seeds is None:
        return f"over 1,000 {SEEDS}"
    # where so many are there already it is a matter of luck, and a few more do not hurt
    return f"about {max(seeds, n + 1):,} {SEEDS}"


def _why_untested(a: Sample, b: Sample, design: Design) -> str:
    if not design.compared:
        return f"{OVERLAP}; {ASK_FOLDS}."
    short = [s for s in (a, b) if not s.tested]
    if short:
        few = " and ".join(f"{s.arm} has {count(s.n, 'value')}" for s in short)
        return f"{few}; a test needs {MIN_RUNS}."
    if a.flat and b.flat:
        return "neither of the two varies beyond rounding."
    if design.paired:
        return f"the two differ by the same amount at every {design.repetition}."
    return "the seeds of the first look are not complete."
