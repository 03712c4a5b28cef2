"""What is not promised: runs that are not normal, and two tests that might take it better.

Yuen's test compares trimmed means (Biometrika 61 (1974) 165-170): of 5 runs it drops the lowest and
the highest, of 10 two of either end, of 3 none. The permutation test compares each pair by its mean
difference over all splits of its runs, or over ``_SPLITS`` of them; both with Holm's correction, as
the ranking's robustness line has it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

from attnstudy.stats.comparisons.batch import Summary, pair_indices
from attnstudy.stats.comparisons.pairwise import Indices
from attnstudy.stats.evidence.resampling import exact_splits
from attnstudy.stats.samples import Floats
from benchmarks.calibration.designs import Row
from benchmarks.calibration.methods import GAMES_HOWELL, NEW, claims
from benchmarks.calibration.power import PairCase, measure_power
from benchmarks.calibration.rates import Rate, stream

Claims: TypeAlias = NDArray[np.bool_]
Noise: TypeAlias = Callable[[np.random.Generator, tuple[int, ...]], Floats]

YUEN, PERMUTATION = "Yuen, Holm", "permutation, Holm"
COMPARED = (NEW, GAMES_HOWELL, YUEN, PERMUTATION)
REPLICATIONS = 10_000

_ALPHA = 0.05
_TRIMMED = 0.2  # of either end
_SPLITS, _MOST_SPLITS = 999, 1000
_CHUNK = 500
_OUTLIERS, _FAR = 0.05, 10.0
_SKEW = 1.0  # standard deviation of the logarithm


def _normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return rng.standard_normal(shape)


def _left_skewed(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    variance = math.exp(_SKEW**2)
    values = math.exp(0.5 * _SKEW**2) - rng.lognormal(0.0, _SKEW, shape)
    return np.asarray(values / math.sqrt(variance * (variance - 1.0)), dtype=np.float64)


def _outliers(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    values = rng.standard_normal(shape) - _FAR * (rng.random(shape) < _OUTLIERS)
    return np.asarray(values, dtype=np.float64)


def _one_arm(*, centred: bool) -> Noise:
    def noise(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        values = rng.standard_normal(shape)
        values[0] = _outliers(rng, shape[1:])
        values[0] += _FAR * _OUTLIERS if centred else 0.0
        return values

    return noise


def _heavy_tailed(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return np.asarray(rng.standard_t(3.0, shape) / math.sqrt(3.0), dtype=np.float64)


NOISE: dict[str, Noise] = {
    "normal": _normal,
    "left-skewed (lognormal)": _left_skewed,
    "5 % of the runs 10 SD too low": _outliers,
    "5 % of one arm's runs 10 SD too low, equal means": _one_arm(centred=True),
    "5 % of one arm's runs 10 SD too low, equal medians": _one_arm(centred=False),
    "t with 3 degrees of freedom": _heavy_tailed,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """Runs that may not be normal."""

    noise: str
    """Their distribution, a key of ``NOISE``."""
    n: int
    """Runs an arm."""
    sds: tuple[float, ...]
    """Standard deviation of each arm."""
    effect: float = 0.0
    """By how much the first arm differs, in SDs."""

    @property
    def name(self) -> str:
        """What to call it."""
        sds = ":".join(f"{sd:g}" for sd in self.sds)
        text = f"{self.noise}, {len(self.sds)} arms of {self.n}, SDs {sds}"
        return f"{text}, one arm {self.effect:.2f} SD apart" if self.effect else text


def violations() -> tuple[Violation, ...]:
    """Return what is simulated with equal arms: any claim is false."""
    found = [
        Violation(noise="left-skewed (lognormal)", n=n, sds=sds)
        for sds in ((1.0, 1.0), (1.0, 3.0), (1.0, 1.0, 1.0, 3.0))
        for n in (3, 5, 10)
    ]
    for noise in tuple(NOISE)[2:]:
        found += [Violation(noise=noise, n=n, sds=(1.0,) * k) for k in (2, 4) for n in (5, 10)]
    return tuple(found)


def shown() -> tuple[Violation, ...]:
    """Return what is simulated with one arm apart: the share that shows it is power."""
    found = []
    for arms, n in ((arms, n) for arms in (2, 4) for n in (5, 10)):
        effect = measure_power(PairCase(arms=arms, n_a=n, n_b=n)).effect
        found += [
            Violation(noise=noise, n=n, sds=(1.0,) * arms, effect=effect)
            for noise in ("normal", "5 % of the runs 10 SD too low")
        ]
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Robustness:
    """What the tests did."""

    violation: Violation
    """With which runs."""
    rates: dict[str, Rate]
    """Studies with any claim; where an arm is apart, with a claim of the first pair."""


def measure_robustness(
    violation: Violation, *, replications: int = REPLICATIONS, seed: int = 0
) -> Robustness:
    """Measure one kind of runs, with the same studies for every test."""
    rng = stream(violation.name, seed)
    counts = dict.fromkeys(COMPARED, 0)
    for start in range(0, replications, _CHUNK):
        rows = min(_CHUNK, replications - start)
        sds = np.array(violation.sds)[:, None, None]
        values = sds * NOISE[violation.noise](rng, (len(violation.sds), rows, violation.n))
        values[0] += violation.effect
        for test in COMPARED:
            found = _claimed(test, violation, values, rng)
            counts[test] += int(np.count_nonzero(found))
    return Robustness(
        violation=violation, rates={test: Rate(n, replications) for test, n in counts.items()}
    )


def _claimed(test: str, violation: Violation, values: Floats, rng: np.random.Generator) -> Claims:
    """Return which studies make a claim: of any pair, or of the first where an arm is apart."""
    a, b = pair_indices(len(values))
    if test == YUEN:
        rejected = step_down(yuen(values, a, b))
    elif test == PERMUTATION:
        rejected = step_down(permutation(values, a, b, rng))
    else:
        row = Row(runs=(violation.n,) * len(values))
        first = violation.effect > 0.0
        return claims(row, Summary.of(list(values)), _ALPHA, test, first=first)
    shown = rejected[:, 0] if violation.effect else rejected.any(axis=1)
    return np.asarray(shown, dtype=np.bool_)


def yuen(values: Floats, a: Indices, b: Indices) -> Floats:
    """Return Yuen's p-values, shape (studies, pairs), of arms of shape (studies, runs) each."""
    runs = values.shape[2]
    cut = int(_TRIMMED * runs)
    kept = runs - 2 * cut
    ordered = np.sort(values, axis=2)
    mean = ordered[:, :, cut : runs - cut].mean(axis=2)
    low, high = ordered[:, :, cut], ordered[:, :, runs - cut - 1]
    winsorised = np.clip(ordered, low[..., None], high[..., None])
    error = (runs - 1.0) * winsorised.var(axis=2, ddof=1) / (kept * (kept - 1.0))
    total = error[a] + error[b]
    df = total**2 / ((error[a] ** 2 + error[b] ** 2) / (kept - 1.0))
    return np.asarray(2.0 * special.stdtr(df, -np.abs(mean[a] - mean[b]) / np.sqrt(total))).T


def permutation(values: Floats, a: Indices, b: Indices, rng: np.random.Generator) -> Floats:
    """Return permutation p-values of the difference of means, of arms with as many runs."""
    runs = values.shape[2]
    exact = math.comb(2 * runs, runs) <= _MOST_SPLITS
    if exact:
        splits, drawn = exact_splits(runs, runs), 0
    else:
        first = np.repeat([[1.0, 0.0]], runs, axis=1)
        splits, drawn = rng.permuted(np.repeat(first, _SPLITS, axis=0), axis=1), 1
    columns = []
    for i, j in zip(a.tolist(), b.tolist(), strict=True):
        pooled = np.concatenate([values[i], values[j]], axis=1)
        total = pooled.sum(axis=1, keepdims=True)
        gap = np.abs(2.0 * pooled @ splits.T - total)
        observed = np.abs(values[i].sum(axis=1) - values[j].sum(axis=1))[:, None]
        least = observed * (1.0 - 1e-10)  # what differs by rounding is as large
        columns.append(((gap >= least).sum(axis=1) + drawn) / (len(splits) + drawn))
    return np.stack(columns, axis=1)


def step_down(p: Floats) -> Claims:
    """Return what Holm's procedure rejects, for p of shape (studies, pairs)."""
    order = np.argsort(p, axis=1)
    passed = np.take_along_axis(p, order, axis=1) * np.arange(p.shape[1], 0, -1) <= _ALPHA
    rejected = np.empty(p.shape, dtype=np.bool_)
    np.put_along_axis(rejected, order, np.logical_and.accumulate(passed, axis=1), axis=1)
    return rejected
