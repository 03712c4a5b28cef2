"""What a ranking costs, by arms and seeds."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.scaling import synthetic, timing


@dataclass(frozen=True, slots=True)
class Measured:
    """One shape."""

    arms: int
    seeds: int
    cost: timing.Cost


def measure(place: Path, shapes: Sequence[tuple[int, int]]) -> Iterator[Measured]:
    """Rank tables of normal accuracies, all pairs."""
    rng = random.Random(2)
    for arms, seeds in shapes:
        table = place / f"{arms}x{seeds}.csv"
        rows = [
            f"arm{arm},{seed},{rng.gauss(60 + 0.1 * arm, 1):.2f}"
            for arm in range(arms)
            for seed in range(seeds)
        ]
        table.write_text("\n".join(["variant,seed,accuracy", *rows]) + "\n")
        words = synthetic.attnstudy("rank", "--from", table, "--json")
        yield Measured(arms, seeds, timing.command(words, place))
