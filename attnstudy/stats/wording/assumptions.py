"""What the tests take for granted, what tests without it say, and what the data say of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attnstudy.stats.comparisons.design import Design
from attnstudy.stats.evidence.normality import suspicious_shape
from attnstudy.stats.results import Flag, Pair
from attnstudy.stats.samples import Sample
from attnstudy.stats.vocabulary import Verdict
from attnstudy.stats.wording.numbers import count
from attnstudy.stats.wording.phrases import listed, p_text

OUTLIER = "influential"
"""Kind of the flags on values that stand out."""


def assumption_notes(
    samples: Sequence[Sample], pairs: Sequence[Pair], flags: Sequence[Flag], design: Design
) -> Iterator[str]:
    """Yield that runs are taken to be roughly normal, and where the data speak against it.

    Args:
        samples: the arms.
        pairs: with their robustness lines, where these were asked for.
        flags: on values that stand out.
        design: for the pairing, with the alpha of one look.

    """
    tested = [pair for pair in pairs if pair.p_adjusted is not None]
    if not tested:
        return
    what = "runs"
    if design.paired:
        what = "differences between runs with the same seed"
    if design.folds is not None:
        what = "differences between the runs of a fold"
    yield f"{what} are assumed to be roughly normal; {_without_it(tested, design)}"
    yield from _conservative(tested, design)
    against = list(_against(samples, flags, design))
    if not against:
        return
    leaning = [f"{pair.a} − {pair.b}" for pair in tested if _leans(pair)]
    yield (
        f"the data cast doubt on that assumption: {' and '.join(against)}"
        + (f"; {_rests(leaning)} on that assumption: other tests do not agree" if leaning else "")
    )


def _rests(pairs: Sequence[str]) -> str:
    if len(pairs) == 1:
        return f"the difference {pairs[0]} rests"
    return f"the differences {listed(pairs, last=' and ')} rest"


def _conservative(tested: Sequence[Pair], design: Design) -> Iterator[str]:
    """Yield why the primary test can leave open what the other tests decide."""
    open_ = [
        f"{pair.a} − {pair.b}"
        for pair in tested
        if pair.verdict is Verdict.UNDECIDED
        and (pair.p_adjusted or 0.0) > design.alpha  # else diverged runs leave it open
        and pair.robust is not None
        and pair.robust.answer == "disagrees"
    ]
    if open_:
        yield (
            f"{listed(open_, last=' and ')}: another test claims a difference and the primary one "
            "does not, which is possible as the primary test is the conservative one with few or "
            "unequal runs, and rank tests give outlying runs less weight; the verdict always "
            "follows the primary test"
        )


def _without_it(tested: Sequence[Pair], design: Design) -> str:
    """Return what the tests without an assumption about the distribution decide."""
    answers: dict[str, list[str]] = {"agrees": [], "disagrees": [], "cannot decide": []}
    for pair in tested:
        # these tests are of a difference, and cannot confirm that there is none
        if pair.robust and pair.robust.answer and pair.verdict is not Verdict.EQUIVALENT:
            answers[pair.robust.answer].append(f"{pair.a} − {pair.b}")
    if not any(answers.values()):
        none = "no test without that assumption is shown"
        if design.folds is not None:
            none += ", as permutation and rank tests take runs to be independent"
        return none
    test = "sign-flip" if design.paired else "permutation and rank"
    parts = []
    if alike := answers["agrees"]:
        parts.append(f"agree on {count(len(alike), 'pair')}")
    if unlike := answers["disagrees"]:
        parts.append(f"disagree on {count(len(unlike), 'pair')} ({listed(unlike)})")
    if few := answers["cannot decide"]:
        parts.append(f"have too few runs to decide {count(len(few), 'pair')}")
    return f"{test} tests, which do not assume it, {listed(parts, last=' and ')}"


def _against(samples: Sequence[Sample], flags: Sequence[Flag], design: Design) -> Iterator[str]:
    shape = None if design.paired else suspicious_shape(samples)
    if shape is not None:
        yield f"{shape.words} (p {p_text(shape.p)})"
    outlying = sum(flag.kind == OUTLIER for flag in flags)
    if outlying:
        stand = "stands" if outlying == 1 else "stand"
        yield (
            f"{count(outlying, 'value')} {stand} out from the spread of all runs (see the flags), "
            "which a wider spread of the arm would explain as well"
        )


def _leans(pair: Pair) -> bool:
    """Tell whether a difference is shown that other tests could confirm and do not."""
    shown = pair.verdict in (Verdict.BETTER, Verdict.WORSE)
    return shown and pair.robust is not None and pair.robust.answer == "disagrees"
