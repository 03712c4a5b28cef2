"""Paired comparisons need the same seeds in every arm."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from attnstudy.errors import UsageError
from attnstudy.stats.samples import Sample


def match_seeds(samples: Sequence[Sample], what: str = "seed") -> tuple[Sample, ...]:
    """Return the arms with the seeds that all tested arms share.

    A seed may be missing only where runs diverged, and then it is left out everywhere; arms
    with too few values for a test stay as they are.

    Args:
        samples: the arms.
        what: what the seeds number, for the message.

    Raises:
        UsageError: an arm has no seeds, or lacks one that another has.

    """
    tested = [sample for sample in samples if sample.tested]
    if len(tested) < 2:
        return tuple(samples)
    for sample in tested:
        if sample.seeds is None:
            raise UsageError(
                f"a paired ranking needs the {what} of every run, and arm {sample.arm!r} "
                f"has none: give {{{what}: value}}, or name what holds the {what}s (--seed-by)"
            )
    seeds = [set(sample.seeds or ()) for sample in tested]
    shared = set.intersection(*seeds)
    for sample, own in zip(tested, seeds, strict=True):
        missing = set.union(*seeds) - own
        if len(missing) > sample.diverged:
            raise UsageError(
                f"a paired ranking needs the same {what}s in every arm, and {sample.arm!r} "
                f"has no run of {what} {min(missing)}: run it, or leave the {what} out everywhere"
            )
    return tuple(_keep(sample, shared) if sample.tested else sample for sample in samples)


def without_seed(samples: Sequence[Sample], seed: int) -> tuple[Sample, ...]:
    """Return the arms without the run of ``seed`` in any of them."""
    return tuple(_keep(sample, set(sample.seeds or ()) - {seed}) for sample in samples)


def _keep(sample: Sample, seeds: set[int]) -> Sample:
    kept = tuple(seed for seed in sample.seeds or () if seed in seeds)
    values = sample.by_seed()
    return Sample(sample.arm, np.array([values[s] for s in kept]), kept, sample.diverged)
