"""Calibration: how often this very design would claim a difference where there is none."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from attnstudy.errors import UsageError
from attnstudy.stats._codec import encode
from attnstudy.stats.batch import shown_different
from attnstudy.stats.design import Design
from attnstudy.stats.matching import match_seeds
from attnstudy.stats.samples import MIN_RUNS, Floats, Sample, Values, read_samples
from attnstudy.stats.vocabulary import Direction

_CHUNK = 2**21  # values held at once
_ERRORS = 2.0  # standard errors above alpha that are put down to the simulation


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A rate estimated by simulation."""

    rate: float
    """Share of replications with at least one false claim."""
    error: float
    """Its standard error from the number of replications."""
    replications: int
    """Replications."""
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

    def to_json(self) -> dict[str, Any]:
        """Return everything as strict JSON knows it."""
        encoded: dict[str, Any] = encode(self)
        return encoded


def calibration_words(calibration: Calibration) -> list[str]:
    """Return what was asked, and the answer of each of the two ways, a line each."""
    within = " within each seed" if calibration.within_seed else ""
    ways = (
        (f"labels permuted{within}", calibration.permuted),
        ("simulated with each arm's own SD and n", calibration.simulated),
    )
    return [
        "How often this design claims a difference among equal arms (promised: at most "
        f"{calibration.alpha:g})",
        *(
            f"{what}: {rate.rate:.4f} ± {rate.error:.4f} ({rate.replications:,} replications), "
            f"{rate.reading}; it cannot see {rate.cannot_see}"
            for what, rate in ways
        ),
    ]


def calibrate(
    samples: Mapping[str, Values],
    *,
    alpha: float = 0.05,
    correction: str = "games-howell",
    control: str | None = None,
    paired: bool = False,
    direction: Direction = "maximize",
    replications: int = 10_000,
    seed: int = 0,
) -> Calibration:
    """Estimate how often the design would claim a difference among equal arms.

    Args:
        samples: as for ``rank``; arms with fewer than three values are left out.
        alpha: family-wise error rate.
        correction: as for ``rank``.
        control: as for ``rank``.
        paired: as for ``rank``.
        direction: as for ``rank``.
        replications: data sets made in each of the two ways.
        seed: seed of both.

    Raises:
        UsageError: there are not two arms to test, or none of them has any spread.

    """
    design = Design(
        alpha=alpha, correction=correction, control=control, paired=paired, direction=direction
    )
    if replications < 1:
        raise UsageError(f"{replications} replications estimate nothing: ask for at least 1")
    given = read_samples(samples)
    arms = [arm for arm in (match_seeds(given) if paired else given) if arm.tested]
    if len(arms) < 2 or all(arm.sd == 0.0 for arm in arms):
        raise UsageError(
            "a calibration needs two variants with at least three values each, not all the same"
        )
    if control is not None and control in samples and all(a.variant != control for a in arms):
        raise UsageError(
            f"the control {control!r} has too few values: a calibration needs at least "
            f"{MIN_RUNS} of it"
        )
    arms = _standardised(arms)
    index = None
    if control is not None:
        design.pairs(arms)  # refuses a control without runs
        index = [arm.variant for arm in arms].index(control)
    within = arms[0].seeds is not None and all(arm.seeds == arms[0].seeds for arm in arms)
    streams = np.random.default_rng(seed).spawn(2)
    permuted = _permuted(arms, streams[0], replications, within=within)
    simulated = _simulated(arms, streams[1], replications, paired=paired)
    return Calibration(
        alpha=alpha,
        permuted=_rate(
            alpha,
            (shown_different(batch, design, control=index).any(axis=1) for batch in permuted),
            "what unequal spreads do: permuting the labels makes all arms equally wide, and real "
            "differences between them become part of that width",
            other_cause=" (unless real differences between these arms are the cause)",
        ),
        simulated=_rate(
            alpha,
            (shown_different(batch, design, control=index).any(axis=1) for batch in simulated),
            "what skewed or heavy-tailed runs do: it draws normal ones, with SDs that are "
            "themselves estimated from few runs",
        ),
        within_seed=within,
    )


def _standardised(arms: Sequence[Sample]) -> list[Sample]:
    """Return the arms in units of the largest SD, about zero: squares then stay in range."""
    centre, scale = arms[0].mean, max(arm.sd for arm in arms)
    return [Sample(arm.variant, (arm.values - centre) / scale, arm.seeds) for arm in arms]


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


def _rate(alpha: float, batches: Iterator[Any], cannot_see: str, *, other_cause: str = "") -> Rate:
    claims = np.concatenate(list(batches))
    rate = float(claims.mean())
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
        reading=_reading(rate, alpha, exceeds=exceeds) + other_cause * exceeds,
    )


def _reading(rate: float, alpha: float, *, exceeds: bool) -> str:
    if exceeds:
        return (
            f"above the promised {alpha:g} by more than the simulation's error: among equal arms "
            f"like these about {100.0 * rate:.1f} % of studies would claim a difference, so "
            f"adjusted p-values close to {alpha:g} are weaker evidence than they seem"
        )
    if rate > alpha:
        return f"within the simulation's error of the promised {alpha:g}"
    return f"not above the promised {alpha:g}"
