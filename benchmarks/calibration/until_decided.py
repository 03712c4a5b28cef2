"""The whole procedure of ``run --until-decided``, with and without true differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attnstudy.stats.comparisons.batch import Summary, intervals, pair_indices
from attnstudy.stats.comparisons.design import Design
from attnstudy.studyplan import LOOKS
from benchmarks.calibration.draws import chunks, draw_looks
from benchmarks.calibration.rates import REPLICATIONS, Rate, stream

BOUND = 0.05
"""Of wrong verdicts: the union bound over looks leaves room below the level itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """A study that is trained until every pair is decided."""

    sds: tuple[float, ...]
    """Standard deviation of each arm."""
    looks: tuple[int, ...] = LOOKS
    """Declared looks."""
    means: tuple[float, ...] = ()
    """True mean of each arm; empty where nothing differs."""
    margin: float | None = None
    """The margin of equivalence, if one is declared."""
    alpha: float = 0.05
    """Error rate of the whole procedure."""

    @property
    def name(self) -> str:
        """What to call it."""
        text = (
            f"runs {'/'.join(map(str, self.looks))}, SDs {':'.join(f'{sd:g}' for sd in self.sds)}"
        )
        if self.means:
            text += f", means {':'.join(f'{mean:g}' for mean in self.means)}"
        return text if self.margin is None else f"{text}, margin {self.margin:g}"


def procedures() -> tuple[Procedure, ...]:
    """Return the procedures to simulate."""
    found = []
    for sds in ((1.0,) * 4, (1.0, 1.0, 1.0, 3.0), (1.0, 2.0, 5.0, 10.0)):
        for means, margin in (
            ((), None),  # nothing differs
            ((0.0, 0.0, 0.0, 2.0), None),  # an arm is decided early and gets no more seeds
            ((0.0, 0.0, 1.5, 1.5), None),
            ((), 1.0),  # equivalent pairs are decided early
            ((0.0, 1.0, 2.0, 3.0), 1.0),  # neighbours are exactly one margin apart
        ):
            found.append(Procedure(sds=sds, means=means, margin=margin))
    found.append(Procedure(sds=(1.0, 1.0, 1.0, 1.0, 3.0), looks=(3, 30)))
    found.append(Procedure(sds=(1.0,) * 8, looks=(5, 10, 20)))
    return tuple(found)


def measure_procedure(
    procedure: Procedure, *, replications: int = REPLICATIONS, seed: int = 0
) -> Rate:
    """Return how often any verdict is wrong: a false difference, direction or equivalence."""
    rng = stream(procedure.name, seed)
    truth = np.array(procedure.means or [0.0] * len(procedure.sds))
    a, b = pair_indices(len(truth))
    gap, margin = truth[a] - truth[b], procedure.margin or 0.0
    count = 0
    for rows in chunks(replications, len(truth)):
        at = draw_looks(rng, rows, procedure.looks, procedure.sds, truth.tolist())
        verdicts = verdicts_until_decided(procedure, at)
        wrong = (np.abs(verdicts) == 1) & (verdicts != np.sign(gap))
        wrong |= (verdicts == 2) & (np.abs(gap) >= margin)
        count += int(np.count_nonzero(wrong.any(axis=1)))
    return Rate(count, replications)


def verdicts_until_decided(procedure: Procedure, summaries: Sequence[Summary]) -> NDArray[np.int8]:
    """Return what the whole procedure says of every pair.

    A pair is tested at every look until it is decided. An arm of decided pairs alone would get no
    more seeds, and is not read here.

    Args:
        procedure: looks, alpha and margin.
        summaries: of the studies at each look.

    Returns:
        Shape (rows, pairs): 1 where the first arm is better, -1 where it is worse, 2 where the
        two are equivalent, 0 where they are undecided after the last look.

    """
    design = Design(alpha=procedure.alpha, looks=procedure.looks).at_each_look()
    margin = procedure.margin
    verdicts: NDArray[np.int_] | None = None
    for summary in summaries:
        low, high = intervals(summary, design)
        now = np.where(low > 0.0, 1, np.where(high < 0.0, -1, 0))
        if margin is not None:
            now = np.where((now == 0) & (-margin < low) & (high < margin), 2, now)
        verdicts = now if verdicts is None else np.where(verdicts == 0, now, verdicts)
    assert verdicts is not None
    return verdicts.astype(np.int8)
