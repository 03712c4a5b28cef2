"""Power: what the study can see now, and how many seeds would settle what it cannot.

Every figure is for one pair with the spreads and runs of its own two arms, tested as the ranking
tests it. Spreads are taken as observed: the truth may be larger, so that advice is a guide.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from attnstudy.stats.comparisons.critical import Family
from attnstudy.stats.comparisons.decisions import Decision
from attnstudy.stats.comparisons.design import Design
from attnstudy.stats.evidence.effects import seed_correlation
from attnstudy.stats.evidence.pair_power import (
    Needed,
    PairPower,
    pair_power,
    seeds_needed,
)
from attnstudy.stats.samples import Sample
from attnstudy.stats.vocabulary import Verdict

_BOUND = 0.8  # confidence of the upper bound of the spread
_LEAST_SHARED = 5  # seeds from which a correlation says anything
_SEEN = 0.05  # level at which runs of the same seed are said to go together


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """What the study can see of the pair that its order turns on, with the spreads seen there."""

    a: str
    """The best arm that is tested; with a control, the arm compared with it."""
    b: str
    """The second best; with a control, the control."""
    sd: float
    """Root mean square of their two standard deviations; paired, that of the seed differences."""
    sd_upper: float
    """Its upper 80 % confidence bound: what it may be in truth."""
    n: int
    """Runs of the smaller of the two."""
    n_a: int
    """Runs of ``a``."""
    n_b: int
    """Runs of ``b``."""
    detectable_difference: float
    """Smallest true difference of the two that is shown with 80 % power now."""
    seeds_for_margin: int | None
    """Seeds per arm to show a difference as large as the margin; None above 1,000, or for folds."""
    seeds_for_equivalence: int | None
    """Seeds per arm to show equivalence within the margin where nothing differs; as above."""
    observed_gap: float | None
    """Observed difference of the two."""
    seeds_for_observed: int | None
    """Seeds per arm to show a true difference of that size; None beyond 1,000."""
    seeds_if_paired: int | None
    """The same for a study that declares its seeds to be paired; None where runs of the same seed
    do not clearly go together."""
    seed_correlation: float | None
    """Correlation of the two over their shared seeds."""
    hours: float | None
    """Hours for the runs still missing to ``seeds_for_margin``, or without a margin to
    ``seeds_for_observed``."""
    hours_for_margin: float | None
    """Hours for the runs still missing to ``seeds_for_margin``."""
    hours_for_observed: float | None
    """Hours for the runs still missing to ``seeds_for_observed``."""


def study_power(
    samples: Sequence[Sample],
    decisions: Sequence[Decision],
    design: Design,
    seconds_per_run: float | Mapping[str, float] | None,
) -> tuple[Power | None, dict[tuple[int, int], Needed]]:
    """Return the power figures, and what would settle each pair that is still undecided.

    Args:
        samples: the arms, best first.
        decisions: the pairs, in the order of the ranking.
        design: with the alpha of one look.
        seconds_per_run: what a run takes, for all or for each arm.

    """
    tested = [d for d in decisions if d.p is not None]
    runs, pairs = _as_tested(samples, tested)
    power = pair_power(runs, pairs, design, len({arm for d in tested for arm in (d.a, d.b)}))
    if power is None:
        return None, {}
    open_ = [i for i, d in enumerate(tested) if d.verdict is Verdict.UNDECIDED]
    asked = sorted({0, *open_})
    settled = [Needed(observed=None, equivalence=None)] * len(asked)
    if design.folds is None:  # of the same data, more folds cannot settle what more seeds can
        settled = seeds_needed(runs, [pairs[i] for i in asked], power.of(asked), design.margin)
    needed = dict(zip(asked, settled, strict=True))
    first = runs[pairs[0][0]], runs[pairs[0][1]]
    summary = _summary(samples, first, len(pairs), power, settled[0], design, seconds_per_run)
    return summary, {} if design.folds else {(tested[i].a, tested[i].b): needed[i] for i in open_}


def _as_tested(
    samples: Sequence[Sample], tested: Sequence[Decision]
) -> tuple[Sequence[Sample], list[tuple[int, int]]]:
    """Return the pairs as indices into arms that hold the runs that were tested: see ``Looks``."""
    if all(decision.runs is None for decision in tested):
        return samples, [(d.a, d.b) for d in tested]
    arms = [sample for decision in tested for sample in decision.tested_of(samples)]
    return arms, [(place, place + 1) for place in range(0, len(arms), 2)]


def _summary(
    samples: Sequence[Sample],
    pair: tuple[Sample, Sample],
    pairs: int,
    power: PairPower,
    needed: Needed,
    design: Design,
    seconds_per_run: float | Mapping[str, float] | None,
) -> Power:
    """Return the power figures of a study, for the pair that its order turns on.

    That is the first that is tested: the best arm against the second, or against the control.

    Args:
        samples: the arms, best first.
        pair: its two arms, with the runs that were tested.
        pairs: how many are tested.
        power: of these pairs.
        needed: seeds that would settle the first.
        design: for margin and pairing, with the alpha of one look.
        seconds_per_run: what a run takes, for all or for each arm.

    """
    a, b = pair
    tested = [sample for sample in samples if sample.tested]
    first = power.of([0])
    n = min(a.n, b.n)
    for_margin = None
    if design.margin is not None and design.folds is None:
        (for_margin,) = first.seeds(np.array([design.margin]), n)
    hours_margin = _hours(tested, for_margin, seconds_per_run)
    hours_observed = _hours(tested, needed.observed, seconds_per_run)
    sd = float(np.hypot(power.sd_a[0], power.sd_b[0])) / (1.0 if power.paired else math.sqrt(2.0))
    variances = [(power.sd_a[0], a.n)] if power.paired else [(a.sd, a.n), (b.sd, b.n)]
    return Power(
        a=a.arm,
        b=b.arm,
        sd=sd,
        sd_upper=_upper(sd, variances),
        n=n,
        n_a=a.n,
        n_b=b.n,
        detectable_difference=float(first.detectable(a.n, b.n)[0]),
        seeds_for_margin=for_margin,
        seeds_for_equivalence=needed.equivalence,
        observed_gap=abs(a.mean - b.mean),
        seeds_for_observed=needed.observed,
        seeds_if_paired=None if design.paired else _if_paired(a, b, design, pairs),
        seed_correlation=seed_correlation(a, b),
        hours=hours_observed if design.margin is None else hours_margin,
        hours_for_margin=hours_margin,
        hours_for_observed=hours_observed,
    )


def _upper(sd: float, spreads: Sequence[tuple[float, int]]) -> float:
    """Return the upper 80 % confidence bound of the root mean square of standard deviations.

    Graybill and Wang, "Confidence intervals on nonnegative linear combinations of variances",
    J. Am. Stat. Assoc. 75 (1980) 869-873: the distances of the variances' own bounds from them are
    added as squares. For one variance it is exact.

    Args:
        sd: the root mean square.
        spreads: standard deviation and runs of each.

    """
    squares = 0.0
    for own, n in spreads:
        # P(chi2_df > x) = 0.8, hence own^2 df / x exceeds the true variance with confidence 0.8
        bound = (n - 1) / float(special.chdtri(n - 1, _BOUND))
        squares += ((own / sd) ** 2 * (bound - 1.0) / len(spreads)) ** 2
    return sd * math.sqrt(1.0 + math.sqrt(squares))


def _if_paired(a: Sample, b: Sample, design: Design, pairs: int) -> int | None:
    """Return the seeds that show the observed difference where it is declared to be paired."""
    one, other = a.by_seed(), b.by_seed()
    shared = sorted(one.keys() & other.keys())
    correlation = seed_correlation(a, b)
    if len(shared) < _LEAST_SHARED or correlation is None:
        return None
    # one-sided: what chance alone may give is no reason to advise anything
    t = correlation * math.sqrt((len(shared) - 2) / max(1.0 - correlation**2, 1e-12))
    if special.stdtr(len(shared) - 2, -t) > _SEEN:
        return None
    gaps = np.array([one[seed] - other[seed] for seed in shared])
    spread = gaps.std(ddof=1)
    if not spread > 0.0:
        return None
    family = Family(None, design.alpha / pairs)
    power = PairPower(family, np.array([spread]), np.zeros(1), paired=True)
    return power.seeds(np.array([a.mean - b.mean]))[0]


def _hours(
    samples: Sequence[Sample],
    seeds: int | None,
    seconds_per_run: float | Mapping[str, float] | None,
) -> float | None:
    """Return the hours for the runs still missing; None when unknown."""
    if seeds is None or seconds_per_run is None:
        return None
    seconds = 0.0
    for sample in samples:
        each = seconds_per_run
        if isinstance(each, Mapping):
            if sample.arm not in each:
                return None
            each = each[sample.arm]
        seconds += max(seeds - sample.n - sample.diverged, 0) * each
    return seconds / 3600.0


def break_even_correlation(design: Design, *, arms: int, seeds: int) -> float:
    """Return the correlation of runs of one seed from which comparing seed by seed pays.

    Pairing takes the shared part out of the noise and halves the degrees of freedom. With spreads
    alike, differences of seeds have the standard deviation sd (2 (1 - r))^(1/2): this is the r at
    which a paired design detects the same difference as an unpaired one.

    Args:
        design: alpha, correction and control; whether it is paired does not matter.
        arms: that are compared.
        seeds: of each arm.

    """
    pairs = arms - 1 if design.control is not None else arms * (arms - 1) // 2
    one = np.ones(1)
    family = replace(design, paired=False).family(arms=arms, pairs=pairs)
    unpaired = PairPower(family, one, one).detectable(seeds, seeds)[0]
    holm = Family(None, design.alpha / pairs)
    paired = PairPower(holm, one, np.zeros(1), paired=True).detectable(seeds, seeds)[0]
    return float(1.0 - 0.5 * (unpaired / paired) ** 2)
