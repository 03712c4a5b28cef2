"""Runs and trials as tables of pandas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import DataFrame

    from attnstudy.running.outcomes import Outcome
    from attnstudy.runs import RunFolder
    from attnstudy.usecases.tuning.results import VariantTuning

SECONDS = "train_seconds"
"""The metric that every run has; tables have it as ``seconds``."""


def results_frame(folders: Iterable[RunFolder], arms: Sequence[str]) -> DataFrame:
    """Return runs that were begun, a row each: arms in their order, then seeds."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for folder in folders:
        started, result = folder.started(), folder.result()
        if started is None:
            continue
        metrics = {} if result is None else dict(result.metrics)
        rows.append(
            {
                "arm": started.spec.arm_name,
                "seed": started.spec.seed,
                "status": folder.status.value,
                "metrics": metrics,
                "started": pd.Timestamp(started.at, unit="ms", tz="UTC"),
                "seconds": metrics.pop(SECONDS, None),
                "config": started.spec.config_id,
            }
        )
    order: dict[Any, int] = {arm: place for place, arm in enumerate(arms)}
    rows.sort(key=lambda row: (order.get(row["arm"], len(order)), row["arm"], row["seed"]))
    return _frame(rows, ("arm", "seed", "status"), ("started", "seconds", "config"))


def outcomes_frame(outcomes: Iterable[Outcome]) -> DataFrame:
    """Return what became of the runs of a call, a row each."""
    rows: list[dict[str, Any]] = []
    for outcome in outcomes:
        metrics = {} if outcome.result is None else dict(outcome.result.metrics)
        rows.append(
            {
                "arm": outcome.spec.arm_name,
                "seed": outcome.spec.seed,
                "status": outcome.status.value,
                "trained": outcome.trained,
                "metrics": metrics,
                "seconds": metrics.pop(SECONDS, None),
                "reason": outcome.reason,
            }
        )
    return _frame(rows, ("arm", "seed", "status", "trained"), ("seconds", "reason"))


def trials_frame(tunings: Iterable[VariantTuning]) -> DataFrame:
    """Return the trials of a search, a row each."""
    rows = [
        {
            "arm": tuning.variant,
            "trial": trial.number,
            "status": trial.state.value,
            "metrics": dict(trial.fields),
            "value": trial.value,
            "seconds": trial.seconds,
        }
        for tuning in tunings
        for trial in tuning.trials
    ]
    return _frame(rows, ("arm", "trial", "status"), ("value", "seconds"))


def _frame(
    rows: Sequence[Mapping[str, Any]], first: Sequence[str], last: Sequence[str]
) -> DataFrame:
    """Return a table with a column for each metric between those that every row has."""
    import pandas as pd

    metrics = dict.fromkeys(name for row in rows for name in row["metrics"])
    # a metric that is called as a column of ours has another name
    called = {name: f"{name} (metric)" if name in (*first, *last) else name for name in metrics}
    flat = [
        {
            **{name: row[name] for name in (*first, *last)},
            **{called[name]: value for name, value in row["metrics"].items()},
        }
        for row in rows
    ]
    frame: DataFrame = pd.DataFrame(flat, columns=[*first, *called.values(), *last])
    return frame
