"""The one sentence to publish: the claim and its evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from attnstudy.stats.comparisons.decisions import Decision
from attnstudy.stats.comparisons.design import Design
from attnstudy.stats.comparisons.looks import Looks
from attnstudy.stats.evidence.normality import suspicious_shape
from attnstudy.stats.samples import MIN_RUNS, Sample
from attnstudy.stats.vocabulary import ASK_FOLDS, OVERLAP, Verdict
from attnstudy.stats.wording.numbers import count, significant
from attnstudy.stats.wording.phrases import LISTED, amount, equality, evidence, listed
from attnstudy.stats.wording.standing import beside_margin

_TEST_NAMES = {
    "games-howell": "Games-Howell",
    "holm": "Welch's t with Holm's correction",
    "control": "Welch's t against the control with Holm's correction",
    "paired": "paired t over shared seeds with Holm's correction",
    "paired-folds": "Nadeau and Bengio's corrected resampled t over paired folds with Holm's "
    "correction",
}


def sentence(
    samples: Sequence[Sample],
    decisions: Sequence[Decision],
    design: Design,
    *,
    confirmatory: bool,
    looks: Looks | None,
) -> str:
    """Return one sentence to publish: the claim and its evidence.

    Args:
        samples: the arms, best first.
        decisions: the pairs.
        design: the whole procedure.
        confirmatory: whether a plan was kept.
        looks: those done, where looks are declared.

    """
    testable = [d for d in decisions if d.p is not None]
    if not testable:
        return _descriptive(samples, decisions, design, waiting=looks is not None)
    samples, testable = _as_tested(samples, testable)
    single = design.at_each_look()  # whose intervals the pairs have
    test = _TEST_NAMES[design.method]
    if any(d.calibrated for d in testable):
        test += ", calibrated"
    frame = (
        f"With {_runs(samples, design)} and family-wise error rate {design.alpha:g} "
        f"({test}{_looked(looks, single)}, {'confirmatory' if confirmatory else 'exploratory'})"
    )
    claims = list(_claims(samples, testable, single))
    claim = ", and ".join([", ".join(claims[:-1]), claims[-1]]) if len(claims) > 1 else claims[0]
    claim += _left_out(samples, testable, decisions)
    lost = sum(sample.diverged for sample in samples)
    if lost:
        claim += f"; {count(lost, 'run')} diverged and {_are(lost)} not part of these means"
    claim += _assumed(samples, testable, design)
    if single.alpha < design.alpha:
        claim += "; looks that may stop a study early bias these estimates"
    return f"{frame}, {claim}."


def _as_tested(
    samples: Sequence[Sample], testable: Sequence[Decision]
) -> tuple[list[Sample], list[Decision]]:
    """Return the arms with the runs that were tested, and the pairs.

    Only a pair that an earlier look decided keeps the number of its runs, as the sentence has to
    say it.
    """
    most = max((d.runs for d in testable if d.runs is not None), default=None)
    tested = list(samples)
    for arm in {arm for d in testable for arm in (d.a, d.b)}:
        reached = max((d.runs or 0 for d in testable if arm in (d.a, d.b)), default=0)
        tested[arm] = samples[arm].first(reached or None)
    return tested, [replace(d, runs=None) if d.runs == most else d for d in testable]


def _evidence(decision: Decision, design: Design) -> str:
    """Return the evidence of a pair, with its runs where they are not those of the others."""
    text = evidence(decision, design)
    return text if decision.runs is None else f"{text}, at the look at {decision.runs:,} runs"


def _claims(
    samples: Sequence[Sample], testable: Sequence[Decision], single: Design
) -> Iterator[str]:
    """Yield what is shown and what is not; every tested pair is in exactly one of the claims."""
    names = [sample.arm for sample in samples]
    different = [d for d in testable if d.different]
    denied = [d for d in testable if d.denied]
    equivalent = [d for d in testable if d.verdict is Verdict.EQUIVALENT]
    rest = [d for d in testable if not d.decided and not d.denied]
    yield from _differences(names, different, single)
    yield from _denials(samples, [d.unvetoed() for d in denied], single)
    if not different and rest:
        other = "other " if denied else ""
        yield _nothing_shown(names, testable, rest, single, other=other, more=bool(equivalent))
    if equivalent:
        yield _equivalences(names, equivalent, single)
    if rest and (different or equivalent):
        yield f"{count(len(rest), 'pair')} remain{'s' * (len(rest) == 1)} undecided"


def _nothing_shown(
    names: Sequence[str],
    testable: Sequence[Decision],
    rest: Sequence[Decision],
    design: Design,
    *,
    other: str,
    more: bool,
) -> str:
    """Return that no difference is significant; in brackets what is largest if ``more`` follows."""
    what = design.metric.replace("_", " ")
    between = f"from {design.control}"
    if design.control is None:
        compared = sorted({arm for d in testable for arm in (d.a, d.b)})
        between = f"between {listed([names[arm] for arm in compared], last=' and ')}"
    largest = max(rest, key=lambda d: abs(d.difference or 0.0))
    text = f"no {other}difference in {what} {between} is significant"
    said = f"{names[largest.a]} − {names[largest.b]}, is {_evidence(largest, design)}"
    if more:
        return f"{text} (the largest undecided one, {said})"
    text += f"; the largest, {said}"
    if design.margin is not None:
        text += f"; no two are shown equivalent within {amount(design.margin, design)}"
    return text


def _differences(
    names: Sequence[str], different: Sequence[Decision], design: Design
) -> Iterator[str]:
    """Yield a claim for each winner, the largest difference first; many are counted."""
    ordered = sorted(different, key=lambda d: -abs(d.difference or 0.0))
    shown = ordered if len(ordered) <= LISTED + 1 else ordered[:LISTED]
    over: dict[int, list[str]] = {}
    for pair in shown:
        winner, loser = pair.winner_first()
        beside = beside_margin(pair, design.margin)
        proof = "; ".join(filter(None, [_evidence(pair.as_won(), design), beside]))
        over.setdefault(winner, []).append(f"{names[loser]} ({proof})")
    better = "higher" if design.maximize else "lower (better)"
    what = design.metric.replace("_", " ")
    for winner, losers in over.items():
        yield f"{names[winner]} has a {better} {what} than {listed(losers, last=' and ')}"
    if len(ordered) > len(shown):
        yield f"{len(ordered) - len(shown):,} more pairs differ"


def _denials(
    samples: Sequence[Sample], denied: Sequence[Decision], design: Design
) -> Iterator[str]:
    """Yield what the finished runs show and the diverged ones do not allow to be claimed."""
    if not denied:
        return
    names = [sample.arm for sample in samples]
    found = list(_differences(names, denied, design))
    found[0] = f"among the finished runs alone {found[0]}"
    arms = sorted({d.winner_first()[0] for d in denied})
    lost = [f"{names[arm]} ({count(samples[arm].diverged, 'diverged run')})" for arm in arms]
    verb = "is" if len(lost) == 1 else "are"
    found[-1] += f", but {listed(lost, last=' and ')} {verb} not called better for that"
    yield from found


def _equivalences(names: Sequence[str], equivalent: Sequence[Decision], design: Design) -> str:
    within = f"equivalent within the margin of {amount(design.margin or 0.0, design)}"
    if len(equivalent) == 1:
        pair = equivalent[0]
        return f"{names[pair.a]} and {names[pair.b]} are {within} ({_evidence(pair, design)})"
    pairs = [f"{equality(names, pair)} ({_evidence(pair, design)})" for pair in equivalent]
    return f"the pairs {listed(pairs, last=' and ')} are {within}"


def _descriptive(
    samples: Sequence[Sample], decisions: Sequence[Decision], design: Design, *, waiting: bool
) -> str:
    what = design.metric.replace("_", " ")
    if len(samples) == 1:
        only = samples[0]
        mean = f", mean {significant(only.mean)}" if only.n else ""
        return (
            f"{count(only.n, 'run')} of {only.arm} ({what}{mean}) can be described but not "
            "ranked: a ranking needs a second arm."
        )
    runs = _runs(samples, design)
    names = listed([sample.arm for sample in samples], last=" and ")
    if not design.compared:
        return (
            f"With {runs} the {what} of {names} can be described but not ranked: {OVERLAP}; "
            f"{ASK_FOLDS}."
        )
    ready = [sample for sample in samples if sample.tested]
    no_spread = "so no difference can be held against chance and nothing is ranked"
    if len(ready) >= 2 and decisions and all(sample.flat for sample in ready):
        same = "give the same value"
        if any(sample.rounded for sample in ready):
            same = "are equal up to rounding"
        return f"The spread of {what} is zero: all runs of an arm {same}, {no_spread}."
    if waiting and len(ready) >= 2:
        return f"With {runs} no declared look is complete, so no {what} is compared yet."
    if any(samples[d.a].tested and samples[d.b].tested for d in decisions):
        return (
            f"The differences in {what} are the same at every {design.repetition}, up to rounding, "
            f"{no_spread}."
        )
    return (
        f"With {runs} the {what} of {names} can be described but not ranked: a test needs "
        f"two arms with {MIN_RUNS} runs each."
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
        f"{sample.arm} ({count(sample.n, 'run')})"
        for arm, sample in enumerate(samples)
        if arm not in compared
    ]
    text = f"; not tested: {listed(missing)}" if missing else ""
    flat = [d for d in decisions if d.p is None and {d.a, d.b} <= compared]
    if flat:
        text += f"; {count(len(flat), 'pair')} without any spread {_was(len(flat))} not tested"
    return text + _constant(samples, testable)


def _constant(samples: Sequence[Sample], testable: Sequence[Decision]) -> str:
    """Return which claims have the spread of one arm alone."""
    claimed = {arm for d in testable if d.decided or d.vetoed for arm in (d.a, d.b)}
    constant = [samples[arm] for arm in sorted(claimed) if samples[arm].flat]
    if not constant:
        return ""
    names = listed([sample.arm for sample in constant], last=" and ")
    do, them = ("does", "it") if len(constant) == 1 else ("do", "them")
    extent = "beyond rounding" if any(sample.rounded for sample in constant) else "at all"
    return (
        f"; {names} {do} not vary {extent}: differences from {them} rest on the spread of the "
        "other arm alone"
    )


def _assumed(samples: Sequence[Sample], testable: Sequence[Decision], design: Design) -> str:
    """Return that claims assume what the shape of the runs speaks against."""
    if design.paired or not any(d.decided or d.vetoed for d in testable):
        return ""
    shape = suspicious_shape(samples)
    if shape is None:
        return ""
    return f"; {shape.short}, and these claims assume roughly normal runs"


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def _runs(samples: Sequence[Sample], design: Design) -> str:
    fewest, most = min(s.n for s in samples), max(s.n for s in samples)
    run = "run" if design.folds is None else "fold"
    spread = count(fewest, run) if fewest == most else f"{fewest:,} to {most:,} {run}s"
    return f"{spread} per arm"
