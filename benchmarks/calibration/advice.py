"""Advice on seeds, put to the test: power with as many seeds as were advised.

The true standard deviations are given to the advice, so that what is tested is its arithmetic. What
is simulated is the whole study; arms outside the pair in question are as good as its worse arm.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from attnstudy.stats.comparisons.batch import (
    intervals,
    pair_indices,
    shown_different,
    summary_different,
)
from attnstudy.stats.evidence.pair_power import PairPower
from benchmarks.calibration.designs import Mode, Row
from benchmarks.calibration.draws import chunks, draw
from benchmarks.calibration.rates import REPLICATIONS, Rate, stream

ALPHA = 0.05
LEAST, MOST = 0.75, 0.90
"""Power that advice on 80 % has to lead to."""

Question: TypeAlias = Literal["seeds to show", "seeds for equivalence", "detectable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A question that the advice answers."""

    sds: tuple[float, ...]
    """Standard deviation of each arm."""
    gap: float = 0.0
    """True difference of the pair, or the margin; sought where what is detectable is asked."""
    pair: tuple[int, int] = (1, 0)
    """The pair in question; in control mode the second is the control, the first arm."""
    mode: Mode = "all pairs"
    """What is compared."""
    question: Question = "seeds to show"
    """What is asked."""
    runs: tuple[int, ...] = ()
    """Runs of each arm where the question is what is detectable."""
    correlation: float = 0.0
    """Of runs with the same seed; in paired mode."""

    @property
    def name(self) -> str:
        """What to call it."""
        groups = ":".join(f"{sd:g}" for sd in self.sds)
        text = f"{self.mode}, SDs {groups}, pair of {self.sds[self.pair[0]]:g} and "
        text += f"{self.sds[self.pair[1]]:g}"
        if self.mode == "paired":
            text += f", correlation {self.correlation:g}"
        if self.runs:
            return f"{text}, runs {', '.join(map(str, self.runs))}"
        return f"{text}, {'margin' if 'equivalence' in self.question else 'gap'} {self.gap:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What was advised, and where it led."""

    case: Case
    """The question."""
    answer: float
    """Seeds an arm, or the detectable difference."""
    power: Rate
    """Studies with the answer that show what was asked for."""

    @property
    def kept(self) -> bool:
        """Whether the power is about the 80 % that were promised."""
        return LEAST <= self.power.value <= MOST


def cases() -> tuple[Case, ...]:
    """Return the questions to put."""
    big = (1.0, 1.0, 1.0, 3.0)
    many = (0.2,) * 7 + (3.0,)
    return (
        Case(sds=(1.0, 1.0), gap=1.0),
        Case(sds=(1.0, 5.0), gap=3.0),
        Case(sds=(1.0, 1.0, 1.0), gap=2.0),
        Case(sds=(1.0,) * 4, gap=1.0),
        Case(sds=(1.0,) * 4, gap=2.5),
        Case(sds=big, gap=1.5),
        Case(sds=big, gap=3.0, pair=(3, 0)),
        Case(sds=(0.1, 0.1, 8.0), gap=0.093),
        Case(sds=many, gap=0.25),
        Case(sds=many, gap=3.0, pair=(7, 0)),
        Case(sds=(1.0, 2.0, 5.0, 10.0), gap=3.0),
        Case(sds=(1.0,) * 10, gap=1.2),
        Case(sds=(1.0,) * 10, gap=2.5),
        Case(sds=(1.0,) * 4, gap=1.5, mode="control"),
        Case(sds=(3.0, 1.0, 1.0, 1.0), gap=3.0, mode="control"),
        Case(sds=(0.1, 1.0, 1.0, 1.0, 1.0, 1.0), gap=1.0, mode="control"),
        Case(sds=(1.0,) * 10, gap=1.0, mode="control"),
        Case(sds=(1.0,) * 4, gap=1.5, mode="holm"),
        Case(sds=(1.0, 3.0, 1.0), gap=3.0, mode="holm"),
        Case(sds=(1.0, 1.0), gap=0.8, mode="paired", correlation=0.5),
        Case(sds=(1.0,) * 4, gap=1.0, mode="paired", correlation=0.8),
        Case(sds=(1.0, 2.0, 2.0), gap=1.5, mode="paired", correlation=0.5),
        *(
            Case(sds=sds, gap=margin, pair=pair, question="seeds for equivalence")
            for sds, margin, pair in (
                ((1.0, 1.0), 1.0, (1, 0)),
                ((1.0,) * 4, 1.5, (1, 0)),
                (big, 3.0, (3, 0)),
                ((1.0,) * 10, 2.0, (1, 0)),
                ((0.1, 0.1, 8.0), 0.1, (1, 0)),
            )
        ),
        *_detectable(),
    )


def _detectable() -> Iterator[Case]:
    found: tuple[tuple[tuple[float, ...], tuple[int, ...], tuple[int, int], Mode], ...] = (
        ((1.0,) * 4, (3, 3, 30, 30), (2, 0), "all pairs"),
        ((1.0,) * 4, (5, 5, 30, 30), (1, 0), "all pairs"),
        ((1.0, 1.0, 1.0, 3.0), (5, 10, 20, 5), (3, 2), "all pairs"),
        ((1.0,) * 8, (30, *(3,) * 7), (1, 0), "control"),
        ((1.0, *(3.0,) * 3), (30, 5, 5, 5), (1, 0), "control"),
        ((1.0,) * 6, (3, 3, 3, 30, 30, 30), (5, 0), "all pairs"),
    )
    for sds, runs, pair, mode in found:
        yield Case(sds=sds, runs=runs, pair=pair, mode=mode, question="detectable")


def measure_advice(case: Case, *, replications: int = REPLICATIONS, seed: int = 0) -> Advice:
    """Ask for advice, follow it in simulated studies, and count those that succeed."""
    power = _power(case)
    if case.question == "detectable":
        a, b = case.pair
        answer = float(power.detectable(case.runs[a], case.runs[b])[0])
        followed = replace(case, gap=answer)
    else:
        if case.question == "seeds to show":
            (seeds,) = power.seeds(np.array([case.gap]))
        else:
            (seeds,) = power.seeds_for_equivalence(case.gap)
        assert seeds is not None, f"{case.name}: out of reach"
        answer, followed = float(seeds), replace(case, runs=(seeds,) * len(case.sds))
    rng = stream(f"advice, {case.name}", seed)
    count = sum(_successes(followed, rng, rows) for rows in chunks(replications, 4 * len(case.sds)))
    return Advice(case=case, answer=answer, power=Rate(count, replications))


def _power(case: Case) -> PairPower:
    arms = len(case.sds)
    row = Row(runs=(3,) * arms, mode=case.mode)
    pairs = pair_indices(arms, row.control)[0].size
    family = row.design(ALPHA).family(arms=arms, pairs=pairs)
    sd_a, sd_b = (case.sds[arm] for arm in case.pair)
    if case.mode == "paired":
        spread = math.sqrt(sd_a**2 + sd_b**2 - 2.0 * case.correlation * sd_a * sd_b)
        return PairPower(family, np.array([spread]), np.zeros(1), paired=True)
    return PairPower(family, np.array([sd_a]), np.array([sd_b]))


def _successes(case: Case, rng: np.random.Generator, rows: int) -> int:
    """Return how many of some studies show what was asked for."""
    row = Row(runs=case.runs, mode=case.mode)
    design = row.design(ALPHA)
    column = _column(row, case.pair)
    means = np.zeros(len(case.sds))
    if case.question == "seeds for equivalence":
        low, high = intervals(draw(rng, rows, case.runs, case.sds), design)
        return int(np.count_nonzero((-case.gap < low) & (high < case.gap), axis=0)[column])
    means[case.pair[0]] = case.gap
    if case.mode == "paired":
        shared = rng.standard_normal((rows, case.runs[0]))
        values = [
            mean + sd * (
                math.sqrt(case.correlation) * shared
                + math.sqrt(1.0 - case.correlation) * rng.standard_normal(shared.shape)
            )
            for mean, sd in zip(means.tolist(), case.sds, strict=True)
        ]  # fmt: skip
        return int(np.count_nonzero(shown_different(values, design)[:, column]))
    summary = draw(rng, rows, case.runs, case.sds, means.tolist())
    return int(np.count_nonzero(summary_different(summary, design, control=row.control)[:, column]))


def _column(row: Row, pair: tuple[int, int]) -> int:
    """Return the place of a pair among those that are compared."""
    a, b = pair_indices(row.arms, row.control)
    found = [i for i, (x, y) in enumerate(zip(a, b, strict=True)) if {x, y} == set(pair)]
    return found[0]
