"""A search on its way to MLflow: what of it is sent, and from which thread it may be read."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from attnstudy.search import Trial
from attnstudy.tracking import SearchPublisher, SearchRecord, TrialRecord, open_store, param_texts
from attnstudy.usecases.tuning.plan import TunePlan
from attnstudy.usecases.tuning.results import ArmTuning

TuningFigures = Callable[[ArmTuning], Mapping[str, bytes]]
"""Draws a search that ended: file names and contents."""


class Tunings:
    """The searches as they stand: written by the command, read by the thread that publishes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: dict[str, tuple[ArmTuning, bool]] = {}

    def put(self, tuning: ArmTuning, *, ended: bool) -> None:
        """Keep an arm's search; with ``ended`` it is to be drawn too."""
        with self._lock:
            self._latest[tuning.arm] = (tuning, ended)

    def get(self, arm: str) -> tuple[ArmTuning, bool]:
        """Return what was kept last."""
        with self._lock:
            return self._latest[arm]


def connect(plan: TunePlan, tunings: Tunings, figures: TuningFigures) -> SearchPublisher:
    """Open the tracking store for a search."""
    request = plan.request
    records: dict[str, list[TrialRecord]] = {}

    def latest(arm: str) -> SearchRecord:
        tuning, ended = tunings.get(arm)
        made = records.setdefault(arm, [])
        made += map(_record, tuning.finished[len(made) :])  # a trial that ended stays as it is
        drawing = partial(figures, tuning) if ended else None
        return search_record(tuning, tuple(made), request.trials, drawing)

    return SearchPublisher(
        open_store(request.address), plan.experiment, request.study, request.question, latest
    )


def search_record(
    tuning: ArmTuning,
    trials: Sequence[TrialRecord],
    asked: int,
    figures: Callable[[], Mapping[str, bytes]] | None = None,
) -> SearchRecord:
    """Return what MLflow is to show of a search that is to have so many trials as asked for."""
    config, budget, best = tuning.config, tuning.budget, tuning.best
    common: dict[str, Any] = {
        "variant": config.arm,
        "space": config.space,
        "sampler": config.sampler,
        "sampler_seed": config.sampler_seed,
        "pruner": config.pruner,
        "tuning_seeds": list(config.seeds),
        "seeds_per_trial": len(config.seeds),
        **{name: value for name, value in config.facts.items() if name != "variant_source"},
        "most_epochs": config.most_epochs,
        **config.settings,
    }
    tags = {
        "attnstudy.asked": str(asked),
        "attnstudy.pruned": str(budget.pruned),
        "attnstudy.failed": str(budget.failed),
        "attnstudy.runs": str(budget.runs),
        "attnstudy.epochs": f"{budget.epochs:g}",
        "attnstudy.train_seconds": f"{budget.seconds:.1f}",
    }
    if best is not None:
        tags["attnstudy.best_trial"] = str(best.number)
        tags["attnstudy.best_fields"] = json.dumps(best.fields)
    if tuning.importances:
        tags["attnstudy.importances"] = json.dumps(
            {name: round(share, 4) for name, share in tuning.importances.items()}
        )
    return SearchRecord(
        identity=config.identity(0),
        arm=config.arm,
        params=param_texts(common),
        metric="val_accuracy" if config.training is None else config.metric,
        best_of=config.best_of,
        trials=trials,
        tags=tags,
        figures=figures,
    )


def _record(trial: Trial) -> TrialRecord:
    return TrialRecord(
        number=trial.number,
        state=trial.state.value,
        params=param_texts(trial.fields),
        value=trial.value,
        values=list(trial.by_seed.values()),
        seconds=trial.seconds,
        reason=trial.reason,
        started_at=trial.started_at,
        finished_at=trial.finished_at or trial.started_at,
    )
