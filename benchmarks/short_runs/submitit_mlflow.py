"""submitit's local executor, a process for each run, with plain MLflow."""

from __future__ import annotations

import sys

from benchmarks.short_runs.plain_mlflow import make_experiment, tracked


def main() -> None:
    """Run everything, two at a time."""
    import submitit

    make_experiment()
    executor = submitit.AutoExecutor(folder="logs", cluster="local")
    executor.update_parameters(timeout_min=5, cpus_per_task=1)
    runs, waiting = int(sys.argv[1]), []
    for number in range(runs):
        waiting.append(executor.submit(tracked, number // 2, number % 2))
        if len(waiting) == 2:
            waiting.pop(0).result()
    for job in waiting:
        job.result()


if __name__ == "__main__":
    main()
