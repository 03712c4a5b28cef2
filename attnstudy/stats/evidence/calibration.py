"""Calibration: how often this very design would claim a difference where there is none."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, permutations, product
from typing import Any

import numpy as np

from attnstudy.errors import UsageError
from attnstudy.stats._codec import encode
from attnstudy.stats.comparisons.batch import shown_different
from attnstudy.stats.comparisons.design import Design
from attnstudy.stats.comparisons.matching import match_seeds
from attnstudy.stats.samples import MIN_RUNS, Floats, Sample, Values, read_samples

_CHUNK = 2**21  # values held at once
_ERRORS = 2.0  # standard errors above alpha that are put down to the simulation
_FEW = 1000  # relabellings below which each is tried, as the rate takes few values then


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A rate estimated by simulation."""

    rate: float
    """Share of replications with at least one false claim."""
    error: float
    """Its standard error from the number of replications; 0 where all relabellings were tried."""
    replications: int
    """Replications; all distinct relabellings where they are few."""
    cannot_see: str
    """What this way of asking is blind to."""
    exceeds: bool
    """Whether the rate is above what is promised by more than the simulation's error."""
    reading: str
    """What the rate says of the promise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The rate of false claims, asked in two ways; the truth may lie outside both."""

    alpha: float
    """The rate that the design promises not to exceed."""
    permuted: Rate
    """With the labels of the runs permuted, as if the arms were exchangeable."""
    simulated: Rate
    """With normal runs of equal means, each arm with its own SD and n."""
    within_seed: bool
    """Whether labels were permuted among the runs of a seed only."""
    relabellings: int
    """Distinct ways to label these runs, arms that are alike to the design not told apart."""

    @property
    def exhaustive(self) -> bool:
        """Whether all relabellings were tried, as they are too few to judge a rate by."""
        return self.relabellings < _FEW

    def to_json(self) -> dict[str, Any]:
        """Return everything as strict JSON knows it."""
        encoded: dict[str, Any] = encode(self)
        return encoded


def calibration_words(calibration: Calibration) -> list[str]:
    """Return what was asked, and the answer of each of the two ways, a line each."""
    within = " within each seed" if calibration.within_seed else ""
    ways = (
        (f"labels permuted{within}", calibration.permuted, calibration.exhaustive),
        ("simulated with each arm's own SD and n", calibration.simulated, False),
    )
    return [
        "How often this design claims a difference among equal arms (promised: at most "
        f"{calibration.alpha:g})",
        *(
            f"{what}: {_measured(rate, exhaustive=exhaustive)}"
            f"{rate.reading}; it cannot see {rate.cannot_see}"
            for what, rate, exhaustive in ways
        ),
    ]


def _measured(rate: Rate, *, exhaustive: bool) -> str:
    if exhaustive:
        claims = round(rate.rate * rate.replications)
        return f"{rate.rate:.4f} ({claims} of all {rate.replications:,}); "
    return f"{rate.rate:.4f} ± {rate.error:.4f} ({rate.replications:,} replications), "


def calibrate(
    samples: Mapping[str, Values],
    design: Design | None = None,
    *,
    replications: int = 10_000,
    seed: int = 0,
    **named: Any,
) -> Calibration:
    """Estimate how often the design would claim a difference among equal arms.

    Args:
        samples: as for ``rank``; arms with fewer than three values are left out.
        design: as for ``rank``, for a single analysis: of one look where there are several.
        replications: data sets made in each of the two ways.
        seed: seed of both.
        named: fields of ``Design`` by their names, in its place or in addition.

    Raises:
        UsageError: there are not two arms to test, or none of them has any spread.

    """
    design = replace(design or Design(), **named)
    control = design.control
    if replications < 1:
        raise UsageError(f"{replications} replications estimate nothing: ask for at least 1")
    given = read_samples(samples)
    arms = [arm for arm in (match_seeds(given) if design.paired else given) if arm.tested]
    if len(arms) < 2 or all(arm.sd == 0.0 for arm in arms):
        raise UsageError(
            "a calibration needs two arms with at least three values each, not all the same"
        )
    if control is not None and control in samples and all(a.arm != control for a in arms):
        raise UsageError(
            f"the control {control!r} has too few values: a calibration needs at least "
            f"{MIN_RUNS} of it"
        )
    arms = _standardised(arms)
    index = None
    if control is not None:
        design.pairs(arms)  # refuses a control without runs
        index = [arm.arm for arm in arms].index(control)
    within = arms[0].seeds is not None and all(arm.seeds == arms[0].seeds for arm in arms)
    streams = np.random.default_rng(seed).spawn(2)
    relabellings = _relabellings(arms, index, within=within)
    if relabellings < _FEW:
        permuted = iter([_every_labelling(arms, within=within)])
    else:
        permuted = _permuted(arms, streams[0], replications, within=within)
    simulated = _simulated(arms, streams[1], replications, paired=design.paired)
    return Calibration(
        alpha=design.alpha,
        permuted=_rate(
            design.alpha,
            (shown_different(batch, design, control=index).any(axis=1) for batch in permuted),
            "what unequal spreads do: permuting the labels makes all arms equally wide, and real "
            "differences between them become part of that width",
            relabellings=relabellings,
        ),
        simulated=_rate(
            design.alpha,
            (shown_different(batch, design, control=index).any(axis=1) for batch in simulated),
            "what skewed or heavy-tailed runs do: it draws normal ones, with SDs that are "
            "themselves estimated from few runs",
        ),
        within_seed=within,
        relabellings=relabellings,
    )


def _standardised(arms: Sequence[Sample]) -> list[Sample]:
    """Return the arms in units of the largest SD, about zero: squares then stay in range."""
    centre, scale = arms[0].mean, max(arm.sd for arm in arms)
    return [Sample(arm.arm, (arm.values - centre) / scale, arm.seeds) for arm in arms]


def _permuted(
    arms: Sequence[Sample], rng: np.random.Generator, replications: int, *, within: bool
) -> Iterator[list[Floats]]:
    sizes = [arm.n for arm in arms]
    pooled = np.concatenate([arm.values for arm in arms])
    for rows in _rows(replications, pooled.size):
        if within:
            table = np.stack([arm.values for arm in arms])
            shuffled = rng.permuted(np.broadcast_to(table, (rows, *table.shape)), axis=1)
            yield [shuffled[:, arm] for arm in range(len(arms))]
        else:
            shuffled = rng.permuted(np.broadcast_to(pooled, (rows, pooled.size)), axis=1)
            yield np.split(shuffled, np.cumsum(sizes)[:-1], axis=1)


def _simulated(
    arms: Sequence[Sample], rng: np.random.Generator, replications: int, *, paired: bool
) -> Iterator[list[Floats]]:
    total = sum(arm.n for arm in arms)
    covariance = np.cov(np.stack([arm.values for arm in arms])) if paired else None
    for rows in _rows(replications, total):
        if covariance is not None:
            size = (rows, arms[0].n)
            drawn = rng.multivariate_normal(np.zeros(len(arms)), covariance, size, method="svd")
            yield [drawn[:, :, arm] for arm in range(len(arms))]
        else:
            yield [rng.normal(0.0, arm.sd, (rows, arm.n)) for arm in arms]


def _rows(replications: int, size: int) -> Iterator[int]:
    most = max(_CHUNK // size, 1)
    for start in range(0, replications, most):
        yield min(most, replications - start)


def _relabellings(arms: Sequence[Sample], control: int | None, *, within: bool) -> int:
    """Return in how many ways the runs can be labelled that the design tells apart."""
    sizes = [arm.n for arm in arms]
    if within:
        labelled = math.factorial(len(arms)) ** sizes[0]
    else:
        labelled = math.factorial(sum(sizes)) // math.prod(map(math.factorial, sizes))
    return int(labelled // _same_to_the_design(sizes, control))


def _same_to_the_design(sizes: Sequence[int], control: int | None) -> int:
    """Return how many labellings differ in the names of arms of one size alone."""
    alike = Counter(size for arm, size in enumerate(sizes) if arm != control)
    return math.prod(map(math.factorial, alike.values()))


def _every_labelling(arms: Sequence[Sample], *, within: bool) -> list[Floats]:
    """Return all labellings of the runs, one per row; every relabelling is there equally often."""
    if within:
        table = np.stack([arm.values for arm in arms])
        orders = list(permutations(range(len(arms))))
        chosen = np.array(list(product(orders, repeat=arms[0].n)))  # (labellings, runs, arms)
        runs = np.arange(arms[0].n)
        return [table[chosen[:, :, arm], runs] for arm in range(len(arms))]
    pooled = np.concatenate([arm.values for arm in arms])
    rows = np.array(list(_splits(range(pooled.size), [arm.n for arm in arms])))
    return np.split(pooled[rows], np.cumsum([arm.n for arm in arms])[:-1], axis=1)


def _splits(runs: Sequence[int], sizes: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Yield the runs in every order of labels: those of the first arm, of the second, ..."""
    if len(sizes) == 1:
        yield tuple(runs)
        return
    for first in combinations(runs, sizes[0]):
        taken = set(first)
        for rest in _splits([run for run in runs if run not in taken], sizes[1:]):
            yield first + rest


def _rate(
    alpha: float, batches: Iterator[Any], cannot_see: str, *, relabellings: int | None = None
) -> Rate:
    """Return the rate of claims; with the number of relabellings, where labels were permuted."""
    claims = np.concatenate(list(batches))
    rate = float(claims.mean())
    if relabellings is not None and relabellings < _FEW:
        return Rate(
            rate=rate,
            error=0.0,
            replications=relabellings,
            cannot_see=cannot_see,
            exceeds=False,
            reading=(
                f"only {relabellings:,} relabellings of these runs exist: too few to tell "
                f"whether the rate is above the promised {alpha:g}"
            ),
        )
    error = math.sqrt(rate * (1.0 - rate) / claims.size)
    # the error that a rate of exactly alpha has: that of a measured 0 would be 0
    room = _ERRORS * math.sqrt(alpha * (1.0 - alpha) / claims.size)
    exceeds = rate > alpha + room
    return Rate(
        rate=rate,
        error=error,
        replications=claims.size,
        cannot_see=cannot_see,
        exceeds=exceeds,
        reading=_reading(rate, alpha, exceeds=exceeds, permuted=relabellings is not None),
    )


def _reading(rate: float, alpha: float, *, exceeds: bool, permuted: bool) -> str:
    if exceeds:
        claim = f"about {100.0 * rate:.1f} % of "
        if permuted:  # of one data set, whatever others of its kind would give
            claim += (
                "the relabellings of these runs claim a difference; unless real differences "
                "between the arms are the cause, "
            )
        else:
            claim = f"among equal arms like these {claim}studies would claim a difference, so "
        return (
            f"above the promised {alpha:g} by more than the simulation's error: {claim}"
            f"adjusted p-values close to {alpha:g} are weaker evidence than they seem"
        )
    if rate > alpha:
        return f"within the simulation's error of the promised {alpha:g}"
    return f"not above the promised {alpha:g}"
