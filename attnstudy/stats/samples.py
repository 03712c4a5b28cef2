"""Samples: what was measured, checked once, with the descriptive statistics of each arm."""

from __future__ import annotations

import math
import operator
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

from attnstudy.errors import MeasurementError, UsageError

Floats: TypeAlias = NDArray[np.float64]
Values: TypeAlias = Sequence[float] | Floats | Mapping[int, float]
Diverged: TypeAlias = int | Collection[int]
"""How many runs of an arm diverged, or which seeds."""

MIN_RUNS = 3
"""Runs that an arm needs to be tested; with fewer it is only described."""

ROUNDING = 1e-12
"""Spread, relative to the values, up to which it is put down to rounding."""

# leaves room for the difference of two values in double precision
_LARGEST = 1e300


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """The finished runs of one arm."""

    arm: str
    """Name of the arm."""
    values: Floats
    """Shape (n,), in the metric's unit; ascending by seed, or in the order given."""
    seeds: tuple[int, ...] | None
    """The seed of each value; None when the values came without seeds."""
    diverged: int = 0
    """Runs that diverged; they have no value here."""
    diverged_seeds: tuple[int, ...] | None = None
    """Their seeds; None where they are not known."""
    ordered: Floats = field(init=False, repr=False)
    """The values, ascending."""
    mean: float = field(init=False)
    """Arithmetic mean, the same for every order of the values; NaN for an empty arm."""
    sd: float = field(init=False)
    """Standard deviation with divisor n - 1; exactly 0 for a constant arm, NaN for n < 2."""

    def __post_init__(self) -> None:
        mean, sd = _mean_and_sd(self.values)
        object.__setattr__(self, "ordered", np.sort(self.values))
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "sd", sd)

    @property
    def n(self) -> int:
        """Number of values."""
        return int(self.values.size)

    @property
    def flat(self) -> bool:
        """Whether the runs do not vary, but for rounding."""
        return self.sd == 0.0

    @property
    def rounded(self) -> bool:
        """Whether the runs differ, and by no more than rounding explains."""
        return self.flat and float(np.ptp(self.values)) > 0.0

    @property
    def tested(self) -> bool:
        """Whether there are enough values for a test."""
        return self.n >= MIN_RUNS

    def interval(self, alpha: float, overlap: float = 0.0) -> tuple[float, float] | None:
        """Return the arm's own 1 - alpha t interval of the mean; None below three values.

        Args:
            alpha: what it misses with.
            overlap: see ``independent_runs``.

        """
        if not self.tested:
            return None
        quantile = -float(special.stdtrit(self.n - 1, alpha / 2))
        half = quantile * self.sd / math.sqrt(independent_runs(self.n, overlap))
        return self.mean - half, self.mean + half

    def by_seed(self) -> dict[int, float]:
        """Return the values by seed; empty when the values came without seeds."""
        return dict(zip(self.seeds or (), self.values.tolist(), strict=False))

    def first(self, n: int | None) -> Sample:
        """Return the arm as it was after its first ``n`` runs; None means all.

        Where the seeds of diverged runs are known they count among the first; else they are all
        taken to have diverged before.
        """
        if n is None:
            return self
        if self.seeds is None or self.diverged_seeds is None:
            seeds = None if self.seeds is None else self.seeds[:n]
            return Sample(self.arm, self.values[:n], seeds, self.diverged)
        then = set(sorted((*self.seeds, *self.diverged_seeds))[:n])
        kept = [place for place, seed in enumerate(self.seeds) if seed in then]
        lost = tuple(seed for seed in self.diverged_seeds if seed in then)
        seeds = tuple(self.seeds[place] for place in kept)
        return Sample(self.arm, self.values[kept], seeds, len(lost), lost)

    def without(self, index: int) -> Sample:
        """Return the arm without the value at ``index``."""
        seeds = None if self.seeds is None else self.seeds[:index] + self.seeds[index + 1 :]
        return Sample(
            self.arm,
            np.delete(self.values, index),
            seeds,
            self.diverged,
            self.diverged_seeds,
        )


def independent_runs(n: int, overlap: float) -> float:
    """Return of how many independent runs the mean would be as uncertain as that of ``n``.

    The runs of a cross-validation share training data, which the variance between them does not
    show: Nadeau and Bengio, "Inference for the generalization error", Machine Learning 52 (2003)
    239-281, section 5.2, take (1/n + test/train) times that variance for the variance of the mean.

    Args:
        n: runs.
        overlap: test/train, the test items of a fold over its training items; 0 for runs that are
            independent.

    """
    return n / (1.0 + n * overlap)


def read_samples(
    samples: Mapping[str, Values], diverged: Mapping[str, Diverged] | None = None
) -> tuple[Sample, ...]:
    """Check what the caller measured and return one ``Sample`` for each arm.

    Args:
        samples: arm -> values, or arm -> {seed: value}.
        diverged: arm -> number or seeds of its runs that diverged; such an arm may have no
            values.

    Raises:
        UsageError: there is no arm, an arm has no value, or a value or seed is not a number.
        MeasurementError: a value is not finite, or too large.

    """
    counts = dict(diverged or {})
    unknown = sorted(set(counts) - set(samples))
    if unknown:
        raise UsageError(f"diverged runs are given for {unknown[0]!r}, which is not in the samples")
    if not samples:
        raise UsageError("there is nothing to rank: give at least one arm with its runs")
    return tuple(_read_arm(name, values, counts.get(name, 0)) for name, values in samples.items())


def _read_arm(arm: str, given: Values, lost: Diverged) -> Sample:
    if not isinstance(arm, str) or not arm.strip():
        raise UsageError(f"{arm!r} cannot name an arm: use a text that is not empty")
    diverged = lost if isinstance(lost, int) else len(lost)
    if diverged < 0:
        raise UsageError(f"arm {arm!r} has {diverged} diverged runs: give 0 or more")
    seeds: tuple[int, ...] | None = None
    if isinstance(given, Mapping):
        seeds = tuple(sorted(_seed(arm, seed) for seed in given))
        given = [given[seed] for seed in seeds]
    if isinstance(given, str | bytes):
        raise UsageError(f"the values of arm {arm!r} are a text: give a list of numbers")
    try:
        values = np.array(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"the values of arm {arm!r} are not all numbers ({error}): give one number for each run"
        ) from error
    if values.ndim != 1:
        raise UsageError(f"the values of arm {arm!r} are not a list: give one number per run")
    if values.size == 0 and diverged == 0:
        raise UsageError(f"arm {arm!r} has no values: leave it out, or run it first")
    for index in np.flatnonzero(~np.isfinite(values) | (np.abs(values) > _LARGEST)):
        where = f"value {index + 1}" if seeds is None else f"seed {seeds[index]}"
        advice = "give finite numbers, and count a run that diverged as diverged"
        if np.isfinite(values[index]):
            advice = f"it is too large, give numbers of at most {_LARGEST:g} in another unit"
        raise MeasurementError(f"arm {arm!r} has {values[index]} at {where}: {advice}")
    values.setflags(write=False)
    gone = None if isinstance(lost, int) else tuple(sorted(_seed(arm, s) for s in lost))
    return Sample(arm, values, seeds, diverged, gone)


def _seed(arm: str, seed: object) -> int:
    try:
        if isinstance(seed, bool):
            raise TypeError
        return operator.index(seed)  # type: ignore[arg-type]  # what is no integer is refused
    except TypeError:
        raise UsageError(f"arm {arm!r} has the seed {seed!r}: a seed is a whole number") from None


def _mean_and_sd(values: Floats) -> tuple[float, float]:
    if values.size == 0:
        return math.nan, math.nan
    # 0.1 + 0.2 and 0.3 are one result: what rounding makes is no spread to test against
    if float(np.ptp(values)) <= ROUNDING * float(np.abs(values).max()):
        return float(values[0]), 0.0 if values.size > 1 else math.nan
    mean = math.fsum(values) / values.size
    deviations = values - mean
    # scaled, so that neither tiny nor huge spreads leave the range of a double
    scale = float(np.abs(deviations).max())
    return mean, scale * math.sqrt(math.fsum((deviations / scale) ** 2) / (values.size - 1))


def best_first(samples: Sequence[Sample], direction: str) -> tuple[Sample, ...]:
    """Return the arms sorted by mean, best first; ties by name, arms without values last."""
    sign = 1.0 if direction == "maximize" else -1.0

    def key(sample: Sample) -> tuple[bool, float, str]:
        return sample.n == 0, -sign * sample.mean if sample.n else 0.0, sample.arm

    return tuple(sorted(samples, key=key))
