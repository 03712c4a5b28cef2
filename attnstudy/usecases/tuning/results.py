"""What a study's tuning found: for ``attnstudy tune show``, and for runs with what it found.

``best_configurations`` is what other use cases need::

    best = best_configurations("placement", "studies/placement/tuning.journal", store_dir)
    best["double"].fields          # {"lr": 0.0021, "batch_size": 32}: fields of a RunSpec
    best["double"].tuning_seeds    # no run that is ranked may have one of them
    best["double"].dataset_digest  # of the training images: Dataset.sealed().digest
    best["double"].identity        # for a run's fingerprint: changes with anything that chose
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from attnstudy import runs
from attnstudy.errors import UsageError
from attnstudy.search import (
    ArmSearch,
    Place,
    SearchConfig,
    Trial,
    TrialState,
    find_searches,
    importances,
    open_storage,
    parse_storage,
)
from attnstudy.study import tuning_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What an arm's search has spent."""

    trials: int
    """That ended, however they did."""
    complete: int
    pruned: int
    failed: int
    seeds_per_trial: int
    most_epochs: int
    """Epochs of the longest trial that the space allows."""
    runs: int
    """Trainings that were begun."""
    epochs: float
    """Epochs that they were trained for, in total."""
    seconds: float
    """Training time of all of them."""
    pruned_epochs: float
    """Epochs of those that were stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The best trial of an arm, and what it was chosen by."""

    arm: str
    fields: Mapping[str, Any]
    """What was varied, as fields of a ``RunSpec``; every other field is the study's."""
    value: float
    """Mean over the tuning seeds of the final validation accuracy, percent. It is the best of many
    and so too good: what it is worth, the ranking says."""
    trial: int
    """Its number, counted from 0; of equal trials the first."""
    budget: Budget
    tuning_seeds: tuple[int, ...]
    dataset_digest: str | None
    """Of the training images of a placement."""
    identity: str
    """What tells the search, its budget included, from any other (16 hex digits)."""

    def to_json(self) -> dict[str, Any]:
        """Return how the configuration was found, for the plan of a study that uses it."""
        return {
            "identity": self.identity,
            "trial": self.trial,
            "value": self.value,
            "trials": self.budget.trials,
            "seeds_per_trial": self.budget.seeds_per_trial,
            "runs": self.budget.runs,
            "epochs": self.budget.epochs,
            "seconds": round(self.budget.seconds, 1),
            "tuning_seeds": list(self.tuning_seeds),
            "dataset_digest": self.dataset_digest,
        }


@dataclass(frozen=True)
class ArmTuning:
    """An arm's search."""

    config: SearchConfig
    trials: tuple[Trial, ...]
    """In order; the last may still be running."""
    importances: Mapping[str, float]
    """Each field's share of the variance of the value, see ``search.importances``."""

    @property
    def arm(self) -> str:
        """The arm."""
        return self.config.arm

    @cached_property
    def finished(self) -> tuple[Trial, ...]:
        """The trials that ended."""
        return tuple(trial for trial in self.trials if trial.finished)

    @property
    def best(self) -> Trial | None:
        """The complete trial with the best value; None if none is complete."""
        complete = [trial for trial in self.finished if trial.value is not None]
        if not complete:
            return None
        best = self.config.best_of(map(_value, complete))
        return next(trial for trial in complete if trial.value == best)  # of equal ones the first

    @property
    def budget(self) -> Budget:
        """What was spent."""
        states = [trial.state for trial in self.finished]
        return Budget(
            trials=len(states),
            complete=states.count(TrialState.COMPLETE),
            pruned=states.count(TrialState.PRUNED),
            failed=states.count(TrialState.FAILED),
            seeds_per_trial=len(self.config.seeds),
            most_epochs=self.config.most_epochs,
            runs=sum(trial.runs for trial in self.finished),
            epochs=sum(trial.epochs for trial in self.finished),
            seconds=sum(trial.seconds for trial in self.finished),
            pruned_epochs=sum(t.epochs for t in self.finished if t.state is TrialState.PRUNED),
        )

    @property
    def identity(self) -> str:
        """What tells this search, so far, from any other (16 hex digits)."""
        return self.config.identity(len(self.finished))

    def best_configuration(self) -> Best | None:
        """Return the best trial with everything that says how it was chosen; None if none is."""
        best = self.best
        if best is None:
            return None
        return Best(
            arm=self.arm,
            fields=best.fields,
            value=_value(best),
            trial=best.number,
            budget=self.budget,
            tuning_seeds=self.config.seeds,
            dataset_digest=self.config.facts.get("dataset_digest"),
            identity=self.identity,
        )


def _value(trial: Trial) -> float:
    assert trial.value is not None
    return trial.value


def tuning_of_search(search: ArmSearch) -> ArmTuning:
    """Return an arm's search as it stands."""
    return ArmTuning(search.config, tuple(search.trials()), importances(search))


def read_tuning(
    study: str, storage: str, store_dir: Path, arms: Sequence[str] | None = None
) -> tuple[ArmTuning, ...]:
    """Return a study's searches, in the order in which they were begun.

    Args:
        study: its name.
        storage: where its trials are, see ``StudyFile.journal`` for the usual place.
        store_dir: the store.
        arms: those that are meant; None means all that were tuned.

    Raises:
        UsageError: the study, or one of the arms, was never tuned.
        StoreError: the storage cannot be read.

    """
    place = parse_storage(storage)
    searches = []
    if place.exists:
        searches = find_searches(open_storage(place, store_dir, write=False), study, arms)
    found = {search.config.arm for search in searches}
    missing = [arm for arm in arms or () if arm not in found]
    if not searches and tuning_of(study) in runs.tunings(store_dir):
        raise UsageError(
            f"the runs of a tuning of {study!r} are in {store_dir}, but no trials in "
            f"{place.shown}: name their --storage, or type the 'attnstudy tune' again that trained "
            "them, which makes the trials of them without training"
        )
    if missing or not searches:
        what = f"{missing[0]!r} of the study {study!r}" if missing else f"the study {study!r}"
        raise UsageError(f"{what} was not tuned in {place.shown}: 'attnstudy tune' does that")
    return tuple(map(tuning_of_search, searches))


def trials_that_ended(
    place: Place, store_dir: Path, configs: Sequence[SearchConfig]
) -> dict[str, int]:
    """Return how many trials each search has, by arm, without beginning anything.

    Raises:
        UsageError: a search was begun with another configuration.
        StoreError: the storage cannot be read.

    """
    ended = {config.arm: 0 for config in configs}
    if place.exists:
        storage = open_storage(place, store_dir, write=False)
        there = {
            search.config.arm: search
            for search in find_searches(storage, configs[0].study, tuple(ended))
        }
        for config in configs:
            if search := there.get(config.arm):
                config.refuse_other(search.config, storage.shown)
                ended[config.arm] = len(search.finished())
    return ended


def best_configurations(
    study: str, storage: str, store_dir: Path, arms: Sequence[str] | None = None
) -> dict[str, Best]:
    """Return the best configuration of each arm, by its name.

    Takes what ``read_tuning`` does.

    Raises:
        UsageError: an arm was never tuned, or has no complete trial.
        StoreError: the storage cannot be read.

    """
    best = {}
    for tuning in read_tuning(study, storage, store_dir, arms):
        found = tuning.best_configuration()
        if found is None:
            raise UsageError(
                f"no trial of {tuning.arm!r} in the tuning of {study!r} is complete: tune it "
                "with more --trials"
            )
        best[tuning.arm] = found
    return best
