"""Words for numbers: verdict and advice, so that every output says the same; and the sentence."""

from __future__ import annotations

from collections.abc import Sequence

from attnstudy.stats.decisions import Decision
from attnstudy.stats.design import Design
from attnstudy.stats.numbers import count
from attnstudy.stats.phrases import amount, includes_zero, listed, order
from attnstudy.stats.power import Needed
from attnstudy.stats.samples import MIN_RUNS, Sample
from attnstudy.stats.standing import margin_text
from attnstudy.stats.vocabulary import SEEDS, Verdict


def verdict_text(samples: Sequence[Sample], decisions: Sequence[Decision], design: Design) -> str:
    """Return in a few words what may be said of the whole study."""
    testable = [d for d in decisions if d.verdict is not Verdict.DESCRIPTIVE]
    if not testable:
        return "descriptive only: nothing can be tested"
    names = [sample.variant for sample in samples]
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
        needed: seeds that would settle it; none where it is decided or nothing is known.

    """
    a, b = samples[decision.a], samples[decision.b]
    general = decision.verdict.advice
    if decision.verdict is Verdict.DESCRIPTIVE:
        return f"{general} {_why_untested(a, b)}"
    if decision.vetoed:
        which = ", ".join(f"{s.variant} ({count(s.diverged, 'run')})" for s in (a, b) if s.diverged)
        return f"Report the runs that diverged beside the difference: {which}."
    if includes_zero(decision):
        general = (
            "Report the difference with Holm's adjusted p, on which the verdict rests; the "
            "Bonferroni interval is wider and includes zero."
        )
    if decision.different and decision.within(design.margin):
        return f"{general} It is smaller than the margin and may not matter."
    if decision.verdict is Verdict.UNDECIDED and needed is not None:
        return f"{general} {_settled_by(needed, min(a.n, b.n), design)}"
    return general


def _settled_by(needed: Needed, n: int, design: Design) -> str:
    """Return the seeds that would settle a pair one way or the other."""
    if needed.observed is None:
        text = f"Detecting the observed difference would need over 1,000 {SEEDS}."
    else:
        # where so many are there already it is a matter of luck, and a few more do not hurt
        seeds = max(needed.observed, n + 1)
        text = f"Detecting the observed difference would need about {seeds} {SEEDS}."
    if design.margin is None:
        return text
    margin = amount(design.margin, design)
    if needed.equivalence is None:
        return f"{text} Showing equivalence within {margin} would need over 1,000."
    return f"{text} Showing equivalence within {margin} would need about {needed.equivalence}."


def _why_untested(a: Sample, b: Sample) -> str:
    short = [s for s in (a, b) if not s.tested]
    if short:
        few = " and ".join(f"{s.variant} has {count(s.n, 'value')}" for s in short)
        return f"{few}; a test needs {MIN_RUNS}."
    if a.sd == 0.0 and b.sd == 0.0:
        return (
            f"The spread is zero: all runs of {a.variant} give {a.mean:.6g}, "
            f"all of {b.variant} {b.mean:.6g}."
        )
    return "The seeds of the first look are not complete."
