"""Measure the error rate of Games-Howell alone, and of what the ranking uses, for many arms.

Prints the table that ``attnstudy/stats/many_arms.py`` holds, and the same for the protocol.
``python benchmarks/many_arms.py [REPLICATIONS]``.
"""

from __future__ import annotations

import sys

from attnstudy.stats.many_arms import RATES, SEEDS
from attnstudy.stats.scenarios import Scenario
from attnstudy.stats.simulation import REPLICATIONS, simulate_all


def main() -> None:
    """Print a row for each number of arms, a column for each number of runs."""
    replications = int(sys.argv[1]) if len(sys.argv) > 1 else REPLICATIONS
    for method in ("studentised range", "games-howell"):
        print(f"{method}, runs an arm: {', '.join(map(str, SEEDS))}")
        for arms in RATES:
            cells = [
                Scenario(measure="family-wise error", sds=(1.0,) * arms, n=n, method=method)
                for n in SEEDS
            ]
            measured = simulate_all(cells, replications=replications, seed=arms)
            print(f"{arms:>4}: {', '.join(f'{one.rate:.4f}' for one in measured)}", flush=True)


if __name__ == "__main__":
    main()
