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

from attnstudy.stats.comparisons._quadrature import legendre
from attnstudy.stats.comparisons.critical import Family
from attnstudy.stats.comparisons.decisions import Decision
from attnstudy.stats.comparisons.design import Design
from attnstudy.stats.evidence.effects import seed_correlation
from attnstudy.stats.samples import MIN_RUNS, Floats, Sample, independent_runs
from attnstudy.stats.vocabulary import Verdict

POWER = 0.8
"""The power that every figure is for."""
MOST_SEEDS = 1000
"""Where counting seeds ends: beyond it a difference is out of reach."""

_SHARE_NODES, _SPREAD_NODES = 12, 12
_STEPS = 40
_BOUND = 0.8  # confidence of the upper bound of the spread
_LEAST_SHARED = 5  # seeds from which a correlation says anything
_SEEN = 0.05  # level at which runs of the same seed are said to go together
_GROWTH = 1.2  # from one number of seeds to the next, between which power is interpolated


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


@dataclass(frozen=True, slots=True, eq=False)
class PairPower:
    """Power of pairs of a family; every array has shape (pairs,)."""

    family: Family
    """Where the pairs belong."""
    sd_a: Floats
    """Standard deviation of arm a; of the seed differences where seeds are paired."""
    sd_b: Floats
    """Standard deviation of arm b; 0 where seeds are paired."""
    paired: bool = False
    """Whether runs are compared seed by seed."""
    overlap: float = 0.0
    """Of folds, which are paired: see ``independent_runs``."""

    def different(self, gap: Floats, n_a: int, n_b: int) -> Floats:
        """Return the probability to show the true differences ``gap`` with so many runs."""
        threshold, weight, spread = self._thresholds(n_a, n_b)
        gap = np.abs(gap)[:, None]
        beyond = special.ndtr((gap - threshold) / spread) + special.ndtr(
            (-gap - threshold) / spread
        )
        return np.asarray(beyond @ weight, dtype=np.float64)

    def equivalent(self, margin: float, n_a: int, n_b: int) -> Floats:
        """Return the probability to show equivalence within ``margin`` where nothing differs."""
        threshold, weight, spread = self._thresholds(n_a, n_b)
        room = np.maximum(margin - threshold, 0.0) / spread
        return np.asarray((1.0 - 2.0 * special.ndtr(-room)) @ weight, dtype=np.float64)

    def detectable(self, n_a: int, n_b: int) -> Floats:
        """Return the smallest true difference that each pair shows with 80 % power."""
        threshold, weight, spread = self._thresholds(n_a, n_b)
        low: Floats = np.zeros(self.sd_a.shape)
        high = np.asarray(threshold.max(axis=1) + 4.0 * spread[:, 0], dtype=np.float64)
        for _ in range(_STEPS):
            middle = 0.5 * (low + high)
            gap = middle[:, None]
            power = special.ndtr((gap - threshold) / spread) @ weight
            enough = power + special.ndtr((-gap - threshold) / spread) @ weight >= POWER
            low[~enough], high[enough] = middle[~enough], middle[enough]
        return high

    def seeds(self, gap: Floats, least: int = MIN_RUNS) -> list[int | None]:
        """Return the seeds per arm that show each true difference with 80 % power.

        Args:
            gap: shape (pairs,), in the metric's unit.
            least: seeds that the answer is not below.

        Returns:
            None where ``MOST_SEEDS`` would not do.

        """
        return _reached([(n, self.different(gap, n, n)) for n in _grid(least)])

    def seeds_for_equivalence(self, margin: float, least: int = MIN_RUNS) -> list[int | None]:
        """Return the seeds per arm that show equivalence with 80 % power where nothing differs."""
        return _reached([(n, self.equivalent(margin, n, n)) for n in _grid(least)])

    def of(self, chosen: Sequence[int]) -> PairPower:
        """Return the power of some of the pairs."""
        index = np.array(chosen)
        return replace(self, sd_a=self.sd_a[index], sd_b=self.sd_b[index])

    def _thresholds(self, n_a: int, n_b: int) -> tuple[Floats, Floats, Floats]:
        """Return what a difference must exceed, node by node, with weights, and its spread.

        Both variances have chi-square distributions, independent of the difference. Their sum (in
        units of the truth) is independent of the share of arm a in it, which is beta distributed.

        Returns:
            Thresholds of shape (pairs, nodes), weights (nodes,) and standard deviations of the
            difference (pairs, 1), in the metric's unit.

        """
        share_node, share_weight = legendre(_SHARE_NODES)
        node, node_weight = legendre(_SPREAD_NODES)
        if self.paired:
            runs = independent_runs(n_a, self.overlap)
            spread = np.asarray(self.sd_a / math.sqrt(runs), dtype=np.float64)[:, None]
            root = np.sqrt(special.gammaincinv(0.5 * (n_a - 1), 0.5 + 0.5 * node) * 2 / (n_a - 1))
            return self.family.paired(n_a) * root * spread, 0.5 * node_weight, spread
        error_a, error_b = self.sd_a / math.sqrt(n_a), self.sd_b / math.sqrt(n_b)
        spread = np.asarray(np.hypot(error_a, error_b), dtype=np.float64)[:, None]
        true = (error_a[:, None] / spread) ** 2  # its square cannot overflow, as a variance can
        half_a, half_b = 0.5 * (n_a - 1), 0.5 * (n_b - 1)
        share = special.betaincinv(half_a, half_b, 0.5 + 0.5 * share_node)
        chi = special.gammaincinv(half_a + half_b, 0.5 + 0.5 * node)
        part_a, part_b = true * share / half_a, (1.0 - true) * (1.0 - share) / half_b
        unit = part_a + part_b
        critical = self.family.critical(part_a / unit, n_a, n_b)
        threshold = (critical * np.sqrt(unit))[:, :, None] * np.sqrt(chi) * spread[:, :, None]
        weight = np.outer(0.5 * share_weight, 0.5 * node_weight).ravel()
        return threshold.reshape(len(unit), -1), weight, spread


def _grid(least: int) -> list[int]:
    """Return the numbers of seeds between which power is interpolated."""
    numbers = [max(least, MIN_RUNS)]
    while numbers[-1] < MOST_SEEDS:
        numbers.append(min(max(numbers[-1] + 1, int(numbers[-1] * _GROWTH)), MOST_SEEDS))
    return numbers


def _reached(powers: Sequence[tuple[int, Floats]]) -> list[int | None]:
    """Return where each pair's power reaches 80 %: its normal deviate is linear in sqrt(n)."""
    seeds = np.sqrt([n for n, _ in powers])
    deviates = special.ndtri(np.clip(np.stack([power for _, power in powers]), 1e-12, 1 - 1e-12))
    wanted = float(special.ndtri(POWER))
    found: list[int | None] = []
    for own in deviates.T:
        enough = np.flatnonzero(own >= wanted)
        if enough.size == 0:
            found.append(None)
            continue
        last = int(enough[0])
        if last == 0:
            found.append(powers[0][0])
            continue
        root = np.interp(wanted, own[last - 1 : last + 1], seeds[last - 1 : last + 1])
        found.append(math.ceil(root * root - 1e-9))
    return found


def pair_power(
    samples: Sequence[Sample], pairs: Sequence[tuple[int, int]], design: Design
) -> PairPower | None:
    """Return the power of pairs of arms; None where a pair has no spread.

    Args:
        samples: the arms; in paired mode with the same seeds in all.
        pairs: those that are tested, as indices into ``samples``.
        design: the method, with the alpha of one look.

    """
    arms = {arm for pair in pairs for arm in pair}
    family = design.family(arms=len(arms), pairs=len(pairs))
    if design.paired:
        gaps = [samples[a].values - samples[b].values for a, b in pairs]
        sd_a = np.array([gap.std(ddof=1) for gap in gaps])
        sd_b = np.zeros(len(gaps))
    else:
        sd_a, sd_b = (np.array([samples[pair[side]].sd for pair in pairs]) for side in (0, 1))
    if not pairs or not np.all(np.hypot(sd_a, sd_b) > 0.0):
        return None
    return PairPower(family, sd_a, sd_b, design.paired, design.overlap)


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """Seeds per arm that would settle a pair; None where 1,000 would not do, or none are asked."""

    observed: int | None
    """To show a true difference as large as the observed one."""
    equivalence: int | None
    """To show equivalence within the margin where nothing differs."""


def seeds_needed(
    samples: Sequence[Sample],
    pairs: Sequence[tuple[int, int]],
    power: PairPower,
    margin: float | None,
) -> list[Needed]:
    """Return what would settle each pair; see ``pair_power`` for the arguments."""
    least = min(samples[arm].n for pair in pairs for arm in pair)
    gaps = np.array([samples[a].mean - samples[b].mean for a, b in pairs])
    observed = power.seeds(gaps, least)
    equivalence: list[int | None] = [None] * len(observed)
    if margin is not None:
        equivalence = power.seeds_for_equivalence(margin, least)
    return [
        Needed(observed=one, equivalence=other)
        for one, other in zip(observed, equivalence, strict=True)
    ]


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
    pairs = [(d.a, d.b) for d in tested]
    power = pair_power(samples, pairs, design)
    if power is None:
        return None, {}
    open_ = [i for i, d in enumerate(tested) if d.verdict is Verdict.UNDECIDED]
    asked = sorted({0, *open_})
    settled = [Needed(observed=None, equivalence=None)] * len(asked)
    if design.folds is None:  # of the same data, more folds cannot settle what more seeds can
        settled = seeds_needed(samples, [pairs[i] for i in asked], power.of(asked), design.margin)
    needed = {pairs[i]: one for i, one in zip(asked, settled, strict=True)}
    summary = _summary(samples, pairs, power, settled[0], design, seconds_per_run)
    return summary, {} if design.folds else {pairs[i]: needed[pairs[i]] for i in open_}


def _summary(
    samples: Sequence[Sample],
    pairs: Sequence[tuple[int, int]],
    power: PairPower,
    needed: Needed,
    design: Design,
    seconds_per_run: float | Mapping[str, float] | None,
) -> Power:
    """Return the power figures of a study, for the pair that its order turns on.

    That is the first that is tested: the best arm against the second, or against the control.

    Args:
        samples: the arms, best first.
        pairs: those that are tested, in the order of the ranking.
        power: of these pairs.
        needed: seeds that would settle the first.
        design: for margin and pairing, with the alpha of one look.
        seconds_per_run: what a run takes, for all or for each arm.

    """
    a, b = (samples[arm] for arm in pairs[0])
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
        seeds_if_paired=None if design.paired else _if_paired(a, b, design, len(pairs)),
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
