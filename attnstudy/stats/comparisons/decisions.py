"""From samples to decided pairs: the primary analysis, without effects or words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from attnstudy.stats.comparisons.design import Design
from attnstudy.stats.comparisons.pairwise import Contrasts, all_pairs, holm_pairs, paired_holm
from attnstudy.stats.samples import Sample
from attnstudy.stats.vocabulary import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One pair of the family, decided or not; numbers are None where nothing was tested."""

    a: int
    """Index of the first arm among the samples."""
    b: int
    """Index of the second arm."""
    difference: float | None
    """Mean of a minus mean of b."""
    se: float | None = None
    """Standard error of the difference."""
    df: float | None = None
    """Degrees of freedom."""
    calibrated: float | None = None
    """Weight of the calibrated p-value, 0 where p is Games-Howell's or Welch's own."""
    p: float | None = None
    """Adjusted p-value."""
    low: float | None = None
    """Lower end of the family's interval."""
    high: float | None = None
    """Upper end of the family's interval."""
    verdict: Verdict = Verdict.DESCRIPTIVE
    """What may be said."""
    vetoed: Verdict | None = None
    """The verdict in favour of an arm that its diverged runs forbid; else None."""
    look: int | None = None
    """The look at which the pair was decided or last tested."""
    runs: int | None = None
    """Seeds per arm at that look: only the first so many runs were tested. None means all."""

    @property
    def decided(self) -> bool:
        """Whether the pair is settled, and frozen when looks follow."""
        return self.verdict in (Verdict.BETTER, Verdict.WORSE, Verdict.EQUIVALENT)

    @property
    def different(self) -> bool:
        """Whether one of the two is shown better."""
        return self.verdict in (Verdict.BETTER, Verdict.WORSE)

    def within(self, margin: float | None) -> bool | None:
        """Tell whether the interval lies inside +-margin; None without a margin or interval."""
        if margin is None or self.low is None or self.high is None:
            return None
        return -margin < self.low and self.high < margin

    def tested_of(self, samples: Sequence[Sample]) -> tuple[Sample, Sample]:
        """Return the two arms with the runs that were tested."""
        return samples[self.a].first(self.runs), samples[self.b].first(self.runs)

    def winner_first(self) -> tuple[int, int]:
        """Return the indices of a pair that is different, the better arm first."""
        return (self.a, self.b) if self.verdict is Verdict.BETTER else (self.b, self.a)

    def as_won(self) -> Decision:
        """Return the pair with the better arm first."""
        if self.verdict is not Verdict.WORSE or self.low is None or self.high is None:
            return self
        return replace(
            self,
            a=self.b,
            b=self.a,
            difference=-(self.difference or 0.0),
            low=-self.high,
            high=-self.low,
            verdict=Verdict.BETTER,
        )

    @property
    def denied(self) -> bool:
        """Whether the finished runs differ, and diverged ones forbid to call their arm better."""
        return self.vetoed in (Verdict.BETTER, Verdict.WORSE)

    def unvetoed(self) -> Decision:
        """Return the pair as its finished runs alone would decide it."""
        return replace(self, verdict=self.vetoed or self.verdict, vetoed=None)


def decide(samples: Sequence[Sample], design: Design) -> tuple[Decision, ...]:
    """Test the pairs of ``design`` among ``samples``, which are best first.

    An arm with fewer than three values takes part in no test and does not count in the family.
    For a paired design the samples come from ``match_seeds``.
    """
    pairs = design.pairs(samples)
    tested = testable(samples, pairs) if design.compared else []
    return decide_pairs(samples, design, pairs, tested)


def testable(samples: Sequence[Sample], pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the pairs of which both arms have enough values for a test."""
    return [(a, b) for a, b in pairs if samples[a].tested and samples[b].tested]


def decide_pairs(
    samples: Sequence[Sample],
    design: Design,
    pairs: Sequence[tuple[int, int]],
    tested: Sequence[tuple[int, int]],
    *,
    k: int | None = None,
) -> tuple[Decision, ...]:
    """Test the pairs in ``tested`` and describe the others of ``pairs``.

    Args:
        samples: the arms.
        design: how to test.
        pairs: indices of the arms of every pair to return, in that order.
        tested: the pairs among them to test.
        k: arms in the family; None means those that are in a tested pair.

    """
    rows: dict[tuple[int, int], tuple[float | None, ...]] = {}
    if tested:
        arms = sorted({arm for pair in tested for arm in pair})
        family = _contrasts(samples, design, arms, tested, k or len(arms))
        columns = (family.se, family.df, family.calibrated, family.p, family.low, family.high)
        table = np.stack(columns, axis=1).tolist()
        rows = {
            pair: tuple(None if math.isnan(number) else number for number in row)
            for pair, row in zip(tested, table, strict=True)
        }
    untested = (None,) * 6
    return tuple(_decision(samples, design, pair, rows.get(pair, untested)) for pair in pairs)


def _contrasts(
    samples: Sequence[Sample],
    design: Design,
    arms: Sequence[int],
    tested: Sequence[tuple[int, int]],
    k: int,
) -> Contrasts:
    place = {arm: index for index, arm in enumerate(arms)}
    a = np.array([place[pair[0]] for pair in tested])
    b = np.array([place[pair[1]] for pair in tested])
    if design.paired:
        values = np.stack([samples[arm].values for arm in arms])  # seeds agree: see match_seeds
        return paired_holm(values, a, b, alpha=design.alpha, overlap=design.overlap)
    mean = np.array([samples[arm].mean for arm in arms])
    sd = np.array([samples[arm].sd for arm in arms])
    n = np.array([samples[arm].n for arm in arms], dtype=np.float64)
    if design.method == "games-howell":
        return all_pairs(mean, sd, n, a, b, alpha=design.alpha, k=k, cautious=design.cautious)
    return holm_pairs(mean, sd, n, a, b, alpha=design.alpha, cautious=design.cautious)


def _decision(
    samples: Sequence[Sample],
    design: Design,
    pair: tuple[int, int],
    row: tuple[float | None, ...],
) -> Decision:
    a, b = (samples[index] for index in pair)
    difference = a.mean - b.mean if a.n and b.n else None
    se, df, calibrated, p, low, high = row
    verdict, vetoed = _verdict(design, (a.diverged, b.diverged), difference, p, low, high)
    return Decision(
        a=pair[0], b=pair[1], difference=difference, se=se, df=df, calibrated=calibrated, p=p,
        low=low, high=high, verdict=verdict, vetoed=vetoed,
    )  # fmt: skip


def judged(tested: Decision, design: Design, diverged: tuple[int, int]) -> Decision:
    """Return a pair with its verdict, given how many runs of its arms diverged."""
    difference, p, low, high = tested.difference, tested.p, tested.low, tested.high
    verdict, vetoed = _verdict(design, diverged, difference, p, low, high)
    return replace(tested, verdict=verdict, vetoed=vetoed)


def _verdict(
    design: Design,
    diverged: tuple[int, int],
    difference: float | None,
    p: float | None,
    low: float | None,
    high: float | None,
) -> tuple[Verdict, Verdict | None]:
    """Return the verdict of a pair, and the one that its diverged runs forbid."""
    if difference is None or p is None or low is None or high is None:
        return Verdict.DESCRIPTIVE, None
    # Holm's decisions are sharper than the Bonferroni intervals shown beside them
    different = (low > 0.0 or high < 0.0) if design.grouped else p <= design.alpha
    margin = design.margin
    if different:
        verdict = Verdict.BETTER if design.sign * difference > 0.0 else Verdict.WORSE
    elif margin is not None and -margin < low and high < margin:
        verdict = Verdict.EQUIVALENT
    else:
        verdict = Verdict.UNDECIDED
    # a run that diverged is a result against its arm, which the mean of the others hides
    against = {
        Verdict.BETTER: diverged[0],
        Verdict.WORSE: diverged[1],
        Verdict.EQUIVALENT: sum(diverged),
    }
    if against.get(verdict, 0) > 0:
        return Verdict.UNDECIDED, verdict
    return verdict, None
