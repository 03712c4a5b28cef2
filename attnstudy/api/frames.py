"""Runs and trials as tables of pandas."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attnstudy.runs import inspect

if TYPE_CHECKING:
    from pandas import DataFrame

    from attnstudy.running.outcomes import Outcome
    from attnstudy.runs import RunFolder
    from attnstudy.usecases.tuning.results import ArmTuning

SECONDS = "train_seconds"
"""The metric that every run has; tables have it as ``seconds``."""


def results_frame(
    folders: Iterable[RunFolder], arms: Sequence[str], tasks: Sequence[str] = ()
) -> DataFrame:
    """Return runs that were begun, a row each: tasks and arms in their order, then seeds.

    A run that is damaged is warned of; it has a row where anything tells which it is.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for found in map(inspect, folders):
        folder, started, result = found.folder, found.started, found.result
        for sentence in found.sentences():
            warnings.warn(sentence, stacklevel=3)
        if started is None:
            continue
        metrics = {} if result is None else dict(result.metrics)
        rows.append(
            {
                "task": started.spec.task,
                "arm": started.spec.arm_name,
                "seed": started.spec.seed,
                "status": folder.status.value,
                "metrics": metrics,
                "started": pd.Timestamp(started.at, unit="ms", tz="UTC"),
                "seconds": metrics.pop(SECONDS, None),
                "config": started.spec.config_id,
            }
        )
    rows.sort(key=lambda row: (*_place(row["task"], tasks), *_place(row["arm"], arms), row["seed"]))
    return _frame(rows, (*_task(rows), "arm", "seed", "status"), ("started", "seconds", "config"))


def _place(name: str | None, order: Sequence[str]) -> tuple[int, str]:
    """Return what sorts a name: the known ones in their order, the others behind by name."""
    return (order.index(name) if name in order else len(order), name or "")


def _task(rows: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the column of tasks, where there are some."""
    return ("task",) if any(row["task"] is not None for row in rows) else ()


def outcomes_frame(outcomes: Iterable[Outcome]) -> DataFrame:
    """Return what became of the runs of a call, a row each."""
    rows: list[dict[str, Any]] = []
    for outcome in outcomes:
        metrics = {} if outcome.result is None else dict(outcome.result.metrics)
        rows.append(
            {
                "task": outcome.spec.task,
                "arm": outcome.spec.arm_name,
                "seed": outcome.spec.seed,
                "status": outcome.status.value,
                "trained": outcome.trained,
                "metrics": metrics,
                "seconds": metrics.pop(SECONDS, None),
                "reason": outcome.reason,
            }
        )
    first = (*_task(rows), "arm", "seed", "status", "trained")
    return _frame(rows, first, ("seconds", "reason"))


def trials_frame(tunings: Iterable[ArmTuning]) -> DataFrame:
    """Return the trials of a search, a row each."""
    rows = [
        {
            "arm": tuning.arm,
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
