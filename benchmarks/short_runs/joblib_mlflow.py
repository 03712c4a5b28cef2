"""A loop of joblib over seeds and arms, with plain MLflow."""

from __future__ import annotations

import sys

from joblib import Parallel, delayed

from benchmarks.short_runs.plain_mlflow import make_experiment, tracked


def main() -> None:
    """Run everything in two processes."""
    make_experiment()
    runs = int(sys.argv[1])
    Parallel(n_jobs=2)(delayed(tracked)(n // 2, n % 2) for n in range(runs))


if __name__ == "__main__":
    main()
