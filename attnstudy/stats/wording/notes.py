"""Notes: remarks that a reader of a ranking needs, a sentence each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from scipy import special

from attnstudy.stats.comparisons.decisions import Decision, decide
from attnstudy.stats.comparisons.design import Design
from attnstudy.stats.comparisons.pooled import dunnett, tukey_kramer
from attnstudy.stats.evidence.spreads import compare_spreads
from attnstudy.stats.measurements import Measurements
from attnstudy.stats.results import Flag, Pair
from attnstudy.stats.samples import MIN_RUNS, Sample, best_first
from attnstudy.stats.vocabulary import OVERLAP, Verdict
from attnstudy.stats.wording.assumptions import assumption_notes
from attnstudy.stats.wording.phrases import includes_zero, listed, order, p_text
from attnstudy.stats.wording.verdicts import verdict_text

_SOURCE = "Nadeau and Bengio (Machine Learning 52 (2003) 239-281)"
_LEVEL = 0.05  # at which an SD is said to be above what independent errors give


def find_notes(
    samples: Sequence[Sample],
    decisions: Sequence[Decision],
    design: Design,
    measured: Measurements,
    *,
    pairs: Sequence[Pair],
    flags: Sequence[Flag],
) -> Iterator[str]:
    """Yield the notes of a study, in the order in which they are shown.

    Args:
        samples: the arms, best first.
        decisions: the pairs.
        design: the whole procedure.
        measured: with what is known of how the runs were measured.
        pairs: as they are shown, with their robustness lines.
        flags: on values that stand out.

    """
    yield from _folds(samples, decisions, design)
    yield from assumption_notes(samples, pairs, flags, design.at_each_look())
    if design.looks is not None:
        yield from _sequential(samples, decisions, design, design.looks)
    yield from _calibrated(decisions)
    yield from _left_out(samples)
    yield from _divergence(samples, measured.chance)
    yield from _pooled_claims(samples, decisions, design)
    if measured.items is not None and design.unit == "points" and design.folds is None:
        yield from _beyond_binomial(samples, measured.items)
    if design.interval == "bonferroni":
        yield from _wider_intervals(samples, decisions, design)


def _wider_intervals(
    samples: Sequence[Sample], decisions: Sequence[Decision], design: Design
) -> Iterator[str]:
    """Yield how the intervals go with Holm's decisions, which are sharper."""
    names = [sample.arm for sample in samples]
    crossing = [order(names, d) for d in decisions if includes_zero(d)]
    if crossing:
        yield (
            f"the interval of {listed(crossing, last=' and of ')} includes zero: that the "
            "difference is shown rests on Holm's adjusted p; the intervals are Bonferroni's, "
            "which are wider"
        )
    # of a single pair Holm and Bonferroni make the same interval
    if len(decisions) > 1 and any(d.verdict is Verdict.EQUIVALENT for d in decisions):
        yield (
            "differences by Holm and equivalence by Bonferroni's intervals each hold at the "
            "family's error rate, but not both at once"
        )


def pairing_notes(
    samples: Sequence[Sample], design: Design, *, planned: bool, predictions: bool
) -> Iterator[str]:
    """Yield what to know of an analysis that compares seed by seed.

    Args:
        samples: the arms with all their seeds.
        design: nothing is to be said of one that is not paired, or that is of folds.
        planned: whether a plan was recorded, which then chose the pairing.
        predictions: whether the predictions of every run are known.

    """
    if not design.paired or design.folds is not None:
        return
    if not planned:
        unpaired = replace(design, paired=False)
        arms = best_first(samples, design.direction)
        verdict = verdict_text(arms, decide(arms, unpaired), unpaired)
        yield (
            "comparing seed by seed was not declared before the first run: a choice between two "
            "analyses that is made with the data at hand does not keep the error rate, so this "
            f"one is exploratory; without pairing: {verdict}"
        )
    if predictions:
        yield "what would hold on new test items is told for the analysis without pairing alone"


def _folds(
    samples: Sequence[Sample], decisions: Sequence[Decision], design: Design
) -> Iterator[str]:
    """Yield what is assumed of the folds of a cross-validation, and what is not known of them."""
    if design.folds is None:
        return
    if design.folds == "unknown":
        if len(samples) > 1:
            yield (
                "no tests, intervals and groups are shown, as they would take the folds to be "
                "independent and can claim far too often; with --folds TRAIN/TEST the corrected "
                f"resampled t test of {_SOURCE} compares them fold by fold"
            )
        return
    train, test = design.folds
    yield (
        f"{OVERLAP} ({train:,} training and {test:,} test items each): the variance of a mean of k "
        f"folds is taken as 1/k + {test:,}/{train:,} times that between folds, after {_SOURCE}, as "
        f"if any two folds correlated by {test / (train + test):.3g}, the share of the test items; "
        "no unbiased estimate of it exists (Bengio and Grandvalet, J. Mach. Learn. Res. 5 (2004) "
        "1089-1105), so the error rate is kept approximately, and can be above where a model "
        "changes much with its training data"
    )
    if any(d.verdict is Verdict.UNDECIDED for d in decisions):
        yield (
            "how many folds would settle a pair is not said: more folds of the same data make 1/k "
            f"smaller and leave {test:,}/{train:,}, which only more data change"
        )


def _calibrated(decisions: Sequence[Decision]) -> Iterator[str]:
    pairs = [d for d in decisions if d.calibrated]
    if pairs:
        tested = sum(d.p is not None for d in decisions)
        which = "every pair" if len(pairs) == tested else f"{len(pairs):,} of {tested:,} pairs"
        yield (
            f"the p-value of {which} is calibrated: for so few runs, unequal numbers of them or "
            "unequal spreads, Welch's degrees of freedom would claim more often than they promise"
        )


def _left_out(samples: Sequence[Sample]) -> Iterator[str]:
    short = [f"{s.arm} ({s.n})" for s in samples if not s.tested]
    if short and len(samples) > 1:
        yield (
            f"described but not tested, for having fewer than {MIN_RUNS} values: {', '.join(short)}"
        )


def _sequential(
    samples: Sequence[Sample],
    decisions: Sequence[Decision],
    design: Design,
    looks: Sequence[int],
) -> Iterator[str]:
    yield (
        f"sequential looks at {', '.join(map(str, looks))} seeds: each has error rate "
        f"{design.alpha / len(looks):.3g}, with matching intervals; a pair is frozen at the look "
        "that decides it, and stopping there biases its difference away from zero; the runs of a "
        "look are those with the lowest seeds of each arm, taken to be the first that were made"
    )
    done = max((d.look for d in decisions if d.look is not None), default=0)
    reached = looks[done - 1] if done else 0
    waiting = [f"{s.arm} ({s.n - reached:,})" for s in samples if s.n > reached]
    if waiting:
        why = "no further look is due yet" if done else "no look is due yet"
        if all(d.decided for d in decisions):
            why = "every pair is decided"
        elif done == len(looks):
            why = "no further look is declared"
        yield f"not used, as {why}: the runs beyond {reached:,} seeds of {', '.join(waiting)}"


def _divergence(samples: Sequence[Sample], chance: float | None) -> Iterator[str]:
    diverged = [f"{s.arm} ({s.diverged} of {s.n + s.diverged})" for s in samples if s.diverged]
    if diverged:
        yield (
            f"runs diverged: {', '.join(diverged)}; their arms are never called better, and "
            "mean and spread are those of the other runs"
        )
        if chance is None:
            yield (
                "the ranking with chance accuracy in the place of diverged runs is not shown, as "
                "the chance level is not known"
            )


def _pooled_claims(
    samples: Sequence[Sample], decisions: Sequence[Decision], design: Design
) -> Iterator[str]:
    """Yield what Tukey's and Dunnett's tests would claim where Games-Howell does not."""
    if design.method != "games-howell" or any(d.look is not None for d in decisions):
        return
    tested = [index for index, sample in enumerate(samples) if sample.tested]
    arms = [samples[index] for index in tested]
    undecided = [d for d in decisions if d.p is not None and d.p > design.alpha]
    place = {arm: index for index, arm in enumerate(tested)}
    pairs = [(place[d.a], place[d.b]) for d in undecided]
    pooled = tukey_kramer(arms, pairs) if pairs else None
    claims = [(p, i) for i, p in enumerate(pooled or ()) if p <= design.alpha]
    if not claims:
        return
    p_tukey, first = min(claims)
    p_dunnett = dunnett(arms, *pairs[first])
    better, worse = (arms[index].arm for index in pairs[first])
    more = f", and {len(claims) - 1:,} more" if len(claims) > 1 else ""
    yield (
        f"pooled-variance methods would have claimed {better} > {worse} "
        f"(Tukey p {p_text(p_tukey)}, Dunnett p {p_text(p_dunnett)}){more}: {_why_pooled(arms)}"
    )


def _why_pooled(arms: Sequence[Sample]) -> str:
    """Return why pooling the SDs claims more, and whether the data contradict it."""
    if any(arm.sd == 0.0 for arm in arms):
        return "they assume equal SDs, and some arms have no spread at all"
    spreads = compare_spreads(arms)
    ratio = 1.0 if spreads is None else spreads.ratio
    if spreads is not None and spreads.differ:
        return (
            f"they assume equal SDs, and these differ {ratio:.1f}-fold, more than chance "
            f"explains (F tests, p {p_text(spreads.p)})"
        )
    fewest, most = min(arm.n for arm in arms), max(arm.n for arm in arms)
    runs = f"{fewest} runs" if fewest == most else f"{fewest} to {most} runs"
    return (
        "they assume equal SDs and so have more degrees of freedom; with "
        f"{runs} per arm this study cannot tell whether the SDs are equal (they differ "
        f"{ratio:.1f}-fold, which chance may explain)"
    )


def _beyond_binomial(samples: Sequence[Sample], items: int) -> Iterator[str]:
    """Yield which arms spread more than independent errors would, each by its own accuracy."""
    above, surely = [], []
    for sample in samples:
        if sample.tested and 0.0 < sample.mean < 100.0:
            bound = math.sqrt(sample.mean * (100.0 - sample.mean) / items)
            if sample.sd > bound:
                digits = 2 if f"{sample.sd:.2f}" != f"{bound:.2f}" else 4
                above.append(f"{sample.arm} {sample.sd:.{digits}f} against {bound:.{digits}f}")
                # (n - 1) s^2 / bound^2 is chi-squared where errors are independent
                squares = (sample.n - 1) * (sample.sd / bound) ** 2
                if len(samples) * float(special.chdtrc(sample.n - 1, squares)) <= _LEVEL:
                    surely.append(sample.arm)
    if not above:
        return
    conclusion = "which chance may explain with so few runs"
    if surely:
        conclusion = (
            f"by more than chance explains for {listed(surely, last=' and ')}, where runs differ "
            "in more than chance hits, as short trainings do"
        )
    yield (
        f"the SD is above the points that independent errors on {items:,} test items would give "
        f"({', '.join(above)}), {conclusion}"
    )
