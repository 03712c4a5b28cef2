"""Sequential looks: the study is replayed look by look, each at its share of alpha."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from attnstudy.stats.comparisons.decisions import Decision, decide, decide_pairs, testable
from attnstudy.stats.comparisons.design import Design
from attnstudy.stats.samples import Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """Sequential looks."""

    declared: tuple[int, ...]
    """Seeds per arm at each declared look, ascending."""
    done: int
    """Looks that the data reach."""


def decide_at_looks(
    samples: Sequence[Sample], design: Design
) -> tuple[tuple[Decision, ...], Looks | None]:
    """Decide the pairs as ``design`` says: at every look it declares, else once with all runs."""
    if design.looks is None:
        return decide(samples, design), None
    return replay(samples, design, design.looks)


def replay(
    samples: Sequence[Sample], design: Design, looks: tuple[int, ...]
) -> tuple[tuple[Decision, ...], Looks]:
    """Test the pairs at every look that the data reach.

    At look j every pair that is still undecided is tested with the first ``looks[j]`` seeds of
    both arms, by Games-Howell at alpha / len(looks) and for the original number of arms; a
    decided pair is frozen. The union bound over looks keeps the family-wise error below alpha,
    whatever the stopping. A look is done only when all undecided pairs have its seeds.

    Args:
        samples: the arms, best first; values in the order of the seeds.
        design: how to test; its alpha is that of the whole procedure.
        looks: declared seeds per arm, ascending; also those after an early stop.

    Returns:
        Every pair, at the look that decided it or that tested it last; and the looks done.

    """
    pairs = design.pairs(samples)
    single = design.at_each_look()
    latest = dict(zip(pairs, decide_pairs(samples, design, pairs, []), strict=True))
    undecided = list(pairs)
    done = 0
    for look, seeds in enumerate(looks, start=1):
        needed = {arm for pair in undecided for arm in pair}
        if not undecided or any(samples[a].n + samples[a].diverged < seeds for a in needed):
            break
        done = look
        cut = [sample.first(seeds) for sample in samples]
        for decision in decide_pairs(
            cut, single, undecided, testable(cut, undecided), k=len(samples)
        ):
            latest[decision.a, decision.b] = replace(decision, look=look, runs=seeds)
        undecided = [pair for pair in undecided if not latest[pair].decided]
    return tuple(latest.values()), Looks(declared=looks, done=done)
