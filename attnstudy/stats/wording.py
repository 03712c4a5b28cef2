"""Words for numbers: verdict, sentence and advice, so that every output says the same."""

from __future__ import annotations

from collections.abc import Sequence

from attnstudy.stats.decisions import Decision
from attnstudy.stats.design import Design
from attnstudy.stats.numbers import count, p_value
from attnstudy.stats.power import Needed
from attnstudy.stats.results import Looks
from attnstudy.stats.samples import MIN_RUNS, Sample
from attnstudy.stats.vocabulary import INTERVAL_NAMES, Verdict

_LISTED = 4  # pairs named in a verdict or sentence; the rest are counted

_TEST_NAMES = {
    "games-howell": "Games-Howell",
    "holm": "Welch's t with Holm's correction",
    "control": "Welch's t against the control with Holm's correction",
    "paired": "paired t over shared seeds with Holm's correction",
}


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
        text += f": {_listed([_order(names, d) for d in different])}"
    else:
        text = f"a full ranking is defensible: {' > '.join(names)}"
    if different and not design.maximize:
        text += " (lower is better)"
    denied = [_order(names, d.unvetoed()) for d in testable if d.denied]
    if denied:
        text += f"; runs that diverged forbid {_listed(denied)}"
    equivalent = [
        f"{names[d.a]} = {names[d.b]}" for d in testable if d.verdict is Verdict.EQUIVALENT
    ]
    if equivalent:
        text += f"; equivalent within {amount(design.margin or 0.0, design)}: {_listed(equivalent)}"
    return text


def sentence(
    samples: Sequence[Sample],
    decisions: Sequence[Decision],
    design: Design,
    single: Design,
    *,
    confirmatory: bool,
    looks: Looks | None = None,
) -> str:
    """Return one sentence to publish: the claim and its evidence.

    Args:
        samples: the arms, best first.
        decisions: the pairs.
        design: the whole procedure.
        single: one look of it, whose intervals the pairs have; else the same.
        confirmatory: whether a plan was kept.
        looks: the looks, where there are.

    """
    testable = [d for d in decisions if d.p is not None]
    if not testable:
        return _descriptive_sentence(samples, decisions, design, waiting=single is not design)
    names = [sample.variant for sample in samples]
    different = [d for d in testable if d.different]
    what = design.metric.replace("_", " ")
    test = _TEST_NAMES[design.method]
    if any(d.calibrated for d in testable):
        test += ", calibrated"
    frame = (
        f"With {_runs(samples)} and family-wise error rate {design.alpha:g} "
        f"({test}{_looked(looks, single)}, {'confirmatory' if confirmatory else 'exploratory'})"
    )
    open_ = [d for d in testable if not d.different and not d.denied]
    claims = []
    if different:
        better = "better (higher)" if design.maximize else "better (lower)"
        claims.append(f"{what} is shown {better} for {_shown(names, different, single)}")
    claims += _denials(samples, [d.unvetoed() for d in testable if d.denied], single)
    if different and open_:
        claims.append(f"no order is shown for {count(len(open_), 'other pair')}")
    elif open_:
        largest = max(open_, key=lambda d: abs(d.difference or 0.0))
        other = "other " if claims else ""
        between = f"from {design.control}"
        if design.control is None:
            compared = sorted({arm for d in testable for arm in (d.a, d.b)})
            between = f"between {_listed([names[arm] for arm in compared], last=' and ')}"
        claims.append(
            f"no {other}difference in {what} {between} is "
            f"significant; the largest, {names[largest.a]} - {names[largest.b]}, is "
            f"{evidence(largest, single)}"
        )
    claim = ", and ".join(claims)
    equivalent = sum(d.verdict is Verdict.EQUIVALENT for d in testable)
    if equivalent:
        margin = amount(design.margin or 0.0, design)
        claim += f"; {count(equivalent, 'pair')} shown equivalent within {margin}"
    claim += _left_out(samples, testable, decisions)
    lost = sum(sample.diverged for sample in samples)
    if lost:
        claim += f"; {count(lost, 'run')} diverged, outside these means"
    if single.alpha < design.alpha:
        claim += "; looks that may stop a study early bias these estimates"
    return f"{frame}, {claim}."


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
    if decision.different and decision.within(design.margin):
        return f"{general} It is smaller than the margin and may not matter."
    if decision.verdict is Verdict.UNDECIDED and needed is not None:
        return f"{general} {_settled_by(needed, min(a.n, b.n), design)}"
    return general


def _settled_by(needed: Needed, n: int, design: Design) -> str:
    """Return the seeds that would settle a pair one way or the other."""
    if needed.observed is None:
        text = "Detecting the observed difference would need over 1,000 seeds per arm."
    else:
        # with so many it is a matter of luck already, and one more does not change that
        seeds = max(needed.observed, n + 1)
        text = f"Detecting the observed difference would need about {seeds} seeds per arm."
    if design.margin is None:
        return text
    margin = amount(design.margin, design)
    if needed.equivalence is None:
        return f"{text} Showing equivalence within {margin} would need over 1,000."
    return f"{text} Showing equivalence within {margin} would need about {needed.equivalence}."


def evidence(decision: Decision, design: Design) -> str:
    """Return difference, interval and p-value of a tested pair, as they stand in a paper."""
    kind = INTERVAL_NAMES[design.interval]
    unit = f" {design.unit}" if design.unit else ""
    low, high = interval_text(decision.low, decision.high, design)
    return (
        f"{number(decision.difference or 0.0, design, digits=3)}{unit}, {kind} "
        f"{100 * (1 - design.alpha):.4g} % interval {low} to {high}, "
        f"adjusted p {p_text(decision.p, design.alpha)}"
    )


def p_text(p: float | None, alpha: float = 0.05) -> str:
    """Return a p-value with its relation, as ``= .145`` or ``< .001``."""
    if p is None:
        return "not defined"
    text = p_value(p, alpha)
    return text if text[0] in "<>" else f"= {text}"


def number(value: float, design: Design, *, digits: int = 2) -> str:
    """Return a difference with its sign: fixed decimals for points, else significant ones."""
    return f"{value:+.{digits}f}" if design.unit == "points" else f"{value:+.4g}"


def interval_text(low: float | None, high: float | None, design: Design) -> tuple[str, str]:
    """Return both ends of an interval, never rounded onto the zero that they exclude."""
    if low is None or high is None:
        return "?", "?"
    digits = 2
    while digits < 6 and low * high > 0.0 and round(min(abs(low), abs(high)), digits) == 0.0:
        digits += 1
    return number(low, design, digits=digits), number(high, design, digits=digits)


def amount(value: float, design: Design) -> str:
    """Return a margin or spread with its unit, without sign."""
    return f"{value:.4g} {design.unit}".strip()


def _descriptive_sentence(
    samples: Sequence[Sample], decisions: Sequence[Decision], design: Design, *, waiting: bool
) -> str:
    what = design.metric.replace("_", " ")
    if len(samples) == 1:
        only = samples[0]
        mean = f", mean {only.mean:.4g}" if only.n else ""
        return (
            f"{count(only.n, 'run')} of {only.variant} ({what}{mean}) can be described but not "
            "ranked: a ranking needs a second variant."
        )
    ready = [sample for sample in samples if sample.tested]
    if len(ready) >= 2 and decisions and all(sample.sd == 0.0 for sample in ready):
        return (
            f"The spread of {what} is zero: all runs of a variant give the same value, so no "
            "difference can be held against chance and nothing is ranked."
        )
    if waiting and len(ready) >= 2:
        return f"With {_runs(samples)} no declared look is complete, so no {what} is compared yet."
    return (
        f"With {_runs(samples)} the {what} of {_listed([s.variant for s in samples], last=' and ')}"
        f" can be described but not ranked: a test needs two variants with {MIN_RUNS} runs each."
    )


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


def _shown(names: Sequence[str], different: Sequence[Decision], design: Design) -> str:
    """Return pairs with their evidence, winners first, the largest difference first."""
    ordered = sorted(different, key=lambda d: -abs(d.difference or 0.0))
    return _listed([f"{_order(names, d)} ({evidence(d.as_won(), design)})" for d in ordered])


def _denials(
    samples: Sequence[Sample], denied: Sequence[Decision], design: Design
) -> tuple[str, ...]:
    """Return what the finished runs show and the diverged ones forbid to claim, if anything."""
    if not denied:
        return ()
    names = [sample.variant for sample in samples]
    arms = sorted({d.winner_first()[0] for d in denied})
    lost = [f"{names[arm]} ({count(samples[arm].diverged, 'run')})" for arm in arms]
    return (
        f"the finished runs alone differ for {_shown(names, denied, design)}, but runs that "
        f"diverged forbid to call better {_listed(lost)}",
    )


def _looked(looks: Looks | None, single: Design) -> str:
    if looks is None:
        return ""
    return f" at {looks.done} of {len(looks.declared)} declared looks, each at {single.alpha:.3g}"


def _left_out(
    samples: Sequence[Sample], testable: Sequence[Decision], decisions: Sequence[Decision]
) -> str:
    """Return what was not tested, and which arms borrow the spread of the other."""
    compared = {arm for d in testable for arm in (d.a, d.b)}
    missing = [
        f"{sample.variant} ({count(sample.n, 'run')})"
        for arm, sample in enumerate(samples)
        if arm not in compared
    ]
    text = f"; not tested: {_listed(missing)}" if missing else ""
    flat = [d for d in decisions if d.p is None and {d.a, d.b} <= compared]
    if flat:
        text += f"; {count(len(flat), 'pair')} without any spread not tested"
    constant = [samples[arm].variant for arm in sorted(compared) if samples[arm].sd == 0.0]
    if constant:
        text += (
            f"; all runs of {_listed(constant, last=' and of ')} agree, so these differences "
            "rest on the spread of the other arm alone"
        )
    return text


def _order(names: Sequence[str], decision: Decision) -> str:
    winner, loser = decision.winner_first()
    return f"{names[winner]} > {names[loser]}"


def _listed(items: Sequence[str], *, last: str = ", ") -> str:
    if len(items) > _LISTED + 1:
        return f"{', '.join(items[:_LISTED])} and {len(items) - _LISTED} more"
    return last.join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else items[0]


def _runs(samples: Sequence[Sample]) -> str:
    fewest, most = min(s.n for s in samples), max(s.n for s in samples)
    spread = count(fewest, "run") if fewest == most else f"{fewest} to {most} runs"
    return f"{spread} per variant"
