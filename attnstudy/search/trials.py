"""A trial as everybody else sees it, and as Optuna keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial

from attnstudy.redaction import told_elsewhere

ATTRIBUTE = "attnstudy"
"""Under which Optuna keeps what only we know of a trial or of a search."""


class TrialState(Enum):
    """How a trial stands. The value is what people see."""

    RUNNING = "running"
    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"


OPTUNA_STATES = {
    TrialState.RUNNING: optuna.trial.TrialState.RUNNING,
    TrialState.COMPLETE: optuna.trial.TrialState.COMPLETE,
    TrialState.PRUNED: optuna.trial.TrialState.PRUNED,
    TrialState.FAILED: optuna.trial.TrialState.FAIL,
}
_OURS = {theirs: ours for ours, theirs in OPTUNA_STATES.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One trial of an arm."""

    number: int
    """Counted from 0."""
    state: TrialState
    fields: Mapping[str, Any]
    """What is varied, as fields of a specification."""
    value: float | None = None
    """Mean over the seeds of the final validation accuracy, percent; None unless complete."""
    steps: Mapping[int, float] = field(default_factory=dict)
    """What was reported on the way, percent: by place of the seed, or by epochs done."""
    by_seed: Mapping[int, float] = field(default_factory=dict)
    """Final validation accuracy with each seed, percent; that of guessing if it diverged."""
    diverged: tuple[int, ...] = ()
    """Seeds with which it did."""
    runs: int = 0
    """Runs that were begun."""
    epochs: float = 0
    """Epochs that they were trained for, in total."""
    seconds: float = 0.0
    """Training time of all of them."""
    reason: str | None = None
    """Why it failed."""
    started_at: int = 0
    """Milliseconds since the epoch."""
    finished_at: int | None = None
    """Milliseconds since the epoch."""

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return self.state is not TrialState.RUNNING


def distributions(space: Mapping[str, Any]) -> dict[str, BaseDistribution]:
    """Return Optuna's form of a space, given as JSON has it."""
    return {name: _distribution(dimension) for name, dimension in space.items()}


def _distribution(dimension: Any) -> BaseDistribution:
    if isinstance(dimension, list):
        return CategoricalDistribution([_parameter(value) for value in dimension])
    low, high, log = dimension["low"], dimension["high"], dimension["log"]
    if isinstance(low, int):
        return IntDistribution(low, high, log=log)
    return FloatDistribution(low, high, log=log)


def _parameter(value: Any) -> int | float | str:
    """Return a value as Optuna can keep it: two channels as the command line takes them."""
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else value


def _field(dimension: Any, parameter: Any) -> Any:
    """Return what ``_parameter`` was given."""
    if isinstance(dimension, list):
        value = next(value for value in dimension if _parameter(value) == parameter)
        return tuple(value) if isinstance(value, list) else value
    return parameter


def to_trial(frozen: FrozenTrial, space: Mapping[str, Any]) -> Trial:
    """Return Optuna's trial as ours."""
    told: dict[str, Any] = frozen.user_attrs.get(ATTRIBUTE, {})
    state = _OURS.get(frozen.state, TrialState.RUNNING)
    return Trial(
        number=frozen.number,
        state=state,
        fields={n: _field(space[n], value) for n, value in frozen.params.items() if n in space},
        value=frozen.value if state is TrialState.COMPLETE else None,
        steps=dict(sorted(frozen.intermediate_values.items())),
        by_seed={int(seed): value for seed, value in told.get("by_seed", {}).items()},
        diverged=tuple(told.get("diverged", ())),
        runs=told.get("runs", 0),
        epochs=told.get("epochs", 0),
        seconds=told.get("seconds", 0.0),
        reason=told.get("reason"),
        started_at=told.get("started_at", 0),
        finished_at=told.get("finished_at"),
    )


def told(trial: Trial) -> dict[str, Any]:
    """Return what Optuna has no place of its own for, ready for JSON."""
    return {
        "by_seed": {str(seed): value for seed, value in trial.by_seed.items()},
        "diverged": list(trial.diverged),
        "runs": trial.runs,
        "epochs": trial.epochs,
        "seconds": trial.seconds,
        "reason": None if trial.reason is None else told_elsewhere(trial.reason),
        "started_at": trial.started_at,
        "finished_at": trial.finished_at,
    }


def described(trial: Trial) -> dict[str, str]:
    """Return the same for people who look at the storage by Optuna's tools, as lines of text."""
    seeds = {str(seed): f"{value:.4g}" for seed, value in trial.by_seed.items()}
    seeds |= {
        str(seed): f"{seeds.get(str(seed), '')} (diverged)".strip() for seed in trial.diverged
    }
    lines = {
        "value by seed": "; ".join(f"{seed}: {value}" for seed, value in seeds.items()),
        "runs": f"{trial.runs}, {trial.seconds:.1f} s of training",
        "why it failed": told_elsewhere(trial.reason or ""),
    }
    return {name: line for name, line in lines.items() if line}
