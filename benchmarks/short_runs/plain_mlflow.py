"""One run, tracked with MLflow's own fluent functions, as its guide has it."""

from __future__ import annotations

from benchmarks.short_runs.work import score

STORE = "sqlite:///mlflow.db"


def make_experiment() -> None:
    """Make the store and its experiment, before several processes use them."""
    import mlflow

    mlflow.set_tracking_uri(STORE)
    mlflow.create_experiment("nothing")


def tracked(seed: int, shift: int) -> float:
    """Do the work of a run, and track it."""
    import mlflow

    mlflow.set_tracking_uri(STORE)
    mlflow.set_experiment("nothing")
    with mlflow.start_run(run_name=f"{shift}/{seed}"):
        mlflow.log_params({"seed": seed, "shift": shift})
        value = score(seed, shift)
        mlflow.log_metric("score", value)
        return value
