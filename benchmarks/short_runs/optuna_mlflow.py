"""Optuna's journal and two processes, with MLflow's callback."""

from __future__ import annotations

import sys
from multiprocessing import get_context

from benchmarks.short_runs.work import score

STORE, JOURNAL = "sqlite:///mlflow.db", "optuna.journal"


def _optimize(trials: int) -> None:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend
    from optuna_integration.mlflow import MLflowCallback

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.load_study(
        study_name="nothing", storage=JournalStorage(JournalFileBackend(JOURNAL))
    )
    callback = MLflowCallback(tracking_uri=STORE, metric_name="score")
    study.optimize(
        lambda trial: score(trial.number, trial.suggest_categorical("shift", [0, 1])),
        n_trials=trials,
        callbacks=[callback],
    )


def main() -> None:
    """Share the trials between two processes."""
    import mlflow
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    runs = int(sys.argv[1])
    mlflow.set_tracking_uri(STORE)
    mlflow.create_experiment("nothing")
    optuna.create_study(study_name="nothing", storage=JournalStorage(JournalFileBackend(JOURNAL)))
    with get_context("spawn").Pool(2) as pool:
        pool.map(_optimize, [runs - runs // 2, runs // 2])


if __name__ == "__main__":
    main()
