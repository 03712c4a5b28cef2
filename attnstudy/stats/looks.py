"""Sequential looks: the study is replayed look by look, each at its share of alpha."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from attnstudy.errors import UsageError
from attnstudy.stats.decisions import Decision, decide_pairs, testable
from attnstudy.stats.design import Design
from attnstudy.stats.samples import Sample
from attnstudy.studyplan import Analysis


@dataclass(frozen=True, slots=True)
class Replay:
    """What the looks that the data reach have decided."""

    decisions: tuple[Decision, ...]
    """Every pair, at the look that decided it or that tested it last."""
    done: int
    """Looks done."""


def check_looks(declared: Sequence[int], design: Design) -> tuple[int, ...]:
    """Return the declared looks.

    Raises:
        UsageError: they do not ascend, begin below three seeds, or go with another method.

    """
    if design.folds is not None:
        raise UsageError(
            "looks are for runs that are added seed by seed, and the folds of a cross-validation "
            "belong together: leave the looks out"
        )
    Analysis(
        looks=tuple(declared),
        correction=design.correction,
        control=design.control,
        paired=design.paired,
    )
    return tuple(declared)


def at_each_look(design: Design, looks: Sequence[int]) -> Design:
    """Return the design with the error rate of one look: alpha is split evenly."""
    return replace(design, alpha=design.alpha / len(looks))


def replay(samples: Sequence[Sample], design: Design, looks: Sequence[int]) -> Replay:
    """Test the pairs at every look that the data reach.

    At look j every pair that is still undecided is tested with the first ``looks[j]`` seeds of
    both arms, by Games-Howell at alpha / len(looks) and for the original number of arms; a
    decided pair is frozen. The union bound over looks keeps the family-wise error below alpha,
    whatever the stopping. A look is done only when all undecided pairs have its seeds.

    Args:
        samples: the arms, best first; values in the order of the seeds.
        design: how to test; its alpha is that of the whole procedure.
        looks: declared seeds an arm, ascending; also those after an early stop.

    """
    pairs = design.pairs(samples)
    single = at_each_look(design, looks)
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
            latest[decision.a, decision.b] = replace(decision, look=look)
        undecided = [pair for pair in undecided if not latest[pair].decided]
    return Replay(tuple(latest.values()), done)
