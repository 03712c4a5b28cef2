"""Simulations of the whole protocol on normal data: what it promises, measured.

``scenarios`` says what is measured and which bounds a result must keep; ``simulate`` measures
one of them. With 20,000 replications that is the long form; the tests run a shorter one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from attnstudy.stats.batch import (
    beyond_range,
    pair_indices,
    shown_different,
    welch_statistics,
)
from attnstudy.stats.critical import critical_value, games_howell_critical
from attnstudy.stats.design import Design
from attnstudy.stats.looks import at_each_look
from attnstudy.stats.many_arms import needs_sidak
from attnstudy.stats.power import PowerCurve
from attnstudy.stats.samples import Floats
from attnstudy.stats.scenarios import Scenario, scenarios

REPLICATIONS = 20_000
"""Replications of the long form."""

_CHUNK = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What came out."""

    scenario: Scenario
    """What was measured."""
    rate: float
    """Share of the replications."""
    error: float
    """Its standard error."""
    replications: int
    """Replications."""

    @property
    def within(self) -> bool:
        """Whether the rate keeps its bounds, up to three standard errors."""
        slack = 3.0 * self.error
        return self.scenario.low - slack <= self.rate <= self.scenario.high + slack


def simulate(scenario: Scenario, *, replications: int = REPLICATIONS, seed: int = 0) -> Measured:
    """Measure one scenario.

    Args:
        scenario: what to measure.
        replications: data sets to draw.
        seed: seed of the draws.

    """
    rng = np.random.default_rng(seed)
    measure = {
        "family-wise error": _false_claims,
        "coverage": _covered,
        "looks": _false_claims_over_looks,
        "until decided": _wrong_until_decided,
        "wrong equivalent": _wrong_equivalents,
        "power": _shown,
    }[scenario.measure]
    count = sum(
        measure(scenario, rng, min(_CHUNK, replications - start))
        for start in range(0, replications, _CHUNK)
    )
    rate = count / replications
    error = math.sqrt(max(rate * (1.0 - rate), 1.0 / replications) / replications)
    return Measured(scenario=scenario, rate=rate, error=error, replications=replications)


def simulate_all(
    chosen: Iterable[Scenario] | None = None, *, replications: int = REPLICATIONS, seed: int = 0
) -> tuple[Measured, ...]:
    """Measure scenarios, all of them by default, each from its own stream."""
    picked = tuple(scenarios() if chosen is None else chosen)
    seeds = np.random.SeedSequence(seed).generate_state(len(picked))
    return tuple(
        simulate(scenario, replications=replications, seed=int(own))
        for scenario, own in zip(picked, seeds, strict=True)
    )


def _design(scenario: Scenario) -> tuple[Design, int | None]:
    control = 0 if scenario.method == "control" else None
    design = Design(
        alpha=scenario.alpha,
        correction="holm" if scenario.method == "holm" else "games-howell",
        control=None if control is None else "the first arm",
        paired=scenario.method == "paired",
    )
    return design, control


def _draw(
    scenario: Scenario, rng: np.random.Generator, rows: int, means: Sequence[float] | None = None
) -> list[Floats]:
    centre = means or [0.0] * len(scenario.sds)
    return [
        rng.normal(mean, sd, (rows, scenario.n))
        for mean, sd in zip(centre, scenario.sds, strict=True)
    ]


def _false_claims(scenario: Scenario, rng: np.random.Generator, rows: int) -> int:
    values = _draw(scenario, rng, rows)
    if scenario.method == "studentised range":
        return int(np.count_nonzero(beyond_range(values, scenario.alpha).any(axis=1)))
    design, control = _design(scenario)
    shown = shown_different(values, design, control=control)
    return int(np.count_nonzero(shown.any(axis=1)))


def _intervals(
    scenario: Scenario, values: Sequence[Floats], *, sidak: bool | None = None
) -> tuple[Floats, Floats]:
    a, b = pair_indices(len(values))
    difference, se, df = welch_statistics(values, a, b)
    k = len(values)
    if sidak is None:
        sidak = needs_sidak(k, scenario.n)
    design = replace(_design(scenario)[0], sidak=sidak)
    half = critical_value(design, k=k, pairs=a.size)(df) * se
    return difference - half, difference + half


def _covered(scenario: Scenario, rng: np.random.Generator, rows: int) -> int:
    means = np.arange(len(scenario.sds)) * 0.7  # any: coverage does not depend on them
    low, high = _intervals(scenario, _draw(scenario, rng, rows, means.tolist()))
    a, b = pair_indices(len(means))
    truth = means[a] - means[b]
    return int(np.count_nonzero(((low <= truth) & (truth <= high)).all(axis=1)))


def _false_claims_over_looks(scenario: Scenario, rng: np.random.Generator, rows: int) -> int:
    # a frozen pair only keeps its claim, so that any claim at any look is what counts
    design = at_each_look(_design(scenario)[0], scenario.looks)
    values = _draw(scenario, rng, rows)
    claims = [
        shown_different([arm[:, :n] for arm in values], design).any(axis=1) for n in scenario.looks
    ]
    return int(np.count_nonzero(np.any(claims, axis=0)))


def _wrong_until_decided(scenario: Scenario, rng: np.random.Generator, rows: int) -> int:
    truth = np.array(scenario.means or [0.0] * len(scenario.sds))
    a, b = pair_indices(len(truth))
    verdicts = verdicts_until_decided(scenario, _draw(scenario, rng, rows, truth.tolist()))
    gap = truth[a] - truth[b]
    margin = scenario.margin or 0.0
    claimed = np.abs(verdicts) == 1
    wrong = (claimed & (verdicts != np.sign(gap))) | ((verdicts == 2) & (np.abs(gap) >= margin))
    return int(np.count_nonzero(wrong.any(axis=1)))


def verdicts_until_decided(scenario: Scenario, values: Sequence[Floats]) -> npt.NDArray[np.int8]:
    """Return what the whole procedure says of every pair.

    A pair is tested at every look until it is decided. An arm of decided pairs alone would get no
    more seeds, and is not read here.

    Args:
        scenario: looks, alpha and margin.
        values: of each arm, shape (rows, seeds of the last look).

    Returns:
        Shape (rows, pairs): 1 where the first arm is better, -1 where it is worse, 2 where the
        two are equivalent, 0 where they are undecided after the last look.

    """
    design = at_each_look(_design(scenario)[0], scenario.looks)
    at_look = replace(scenario, alpha=design.alpha)
    sidak = needs_sidak(len(values), scenario.looks[0], sequential=True)
    verdicts: npt.NDArray[np.int_] | None = None
    for seeds in scenario.looks:
        low, high = _intervals(at_look, [arm[:, :seeds] for arm in values], sidak=sidak)
        now = np.where(low > 0.0, 1, np.where(high < 0.0, -1, 0))
        if scenario.margin is not None:
            equivalent = (now == 0) & (-scenario.margin < low) & (high < scenario.margin)
            now = np.where(equivalent, 2, now)
        verdicts = now if verdicts is None else np.where(verdicts == 0, now, verdicts)
    assert verdicts is not None
    return verdicts.astype(np.int8)


def _wrong_equivalents(scenario: Scenario, rng: np.random.Generator, rows: int) -> int:
    margin = scenario.margin or 0.0
    # neighbours are exactly one margin apart, the hardest case: no pair is equivalent
    means = np.arange(len(scenario.sds)) * margin
    low, high = _intervals(scenario, _draw(scenario, rng, rows, means.tolist()))
    return int(np.count_nonzero(((-margin < low) & (high < margin)).any(axis=1)))


def _shown(scenario: Scenario, rng: np.random.Generator, rows: int) -> int:
    k = len(scenario.sds)
    curve = PowerCurve(1.0, 1.0, games_howell_critical(scenario.alpha, k), False)
    means = [curve.detectable(scenario.n), *[0.0] * (k - 1)]
    shown = shown_different(_draw(scenario, rng, rows, means), _design(scenario)[0])
    return int(np.count_nonzero(shown[:, 0]))
