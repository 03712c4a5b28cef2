"""One arm's search, an Optuna study: what was asked, what was told."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import optuna
from optuna.trial import FrozenTrial, create_trial

from attnstudy.crashpoints import reach
from attnstudy.errors import StoreError
from attnstudy.search.config import SearchConfig
from attnstudy.search.proposing import SamplerStudy, propose, stops
from attnstudy.search.storage import Storage
from attnstudy.search.trials import (
    ATTRIBUTE,
    OPTUNA_STATES,
    Trial,
    described,
    distributions,
    to_trial,
    told,
)
from attnstudy.seeds import seeds_text


@dataclass(frozen=True, slots=True)
class ArmSearch:
    """One arm's trials in an open storage."""

    storage: Storage
    config: SearchConfig
    _study: optuna.Study
    _ended: dict[int, Trial] = field(default_factory=dict, repr=False, compare=False)
    """By number: trials that ended, which stay as they are. A search asks for all of them after
    each one, and would otherwise make them all anew."""
    _sampler_study: SamplerStudy = field(default_factory=SamplerStudy, repr=False, compare=False)

    @classmethod
    def begin(cls, storage: Storage, config: SearchConfig) -> ArmSearch:
        """Open the search of a configuration, or begin it.

        Raises:
            UsageError: it was begun with another configuration.
            StoreError: the storage cannot be used.

        """
        with storage.errors():
            try:
                study = optuna.load_study(study_name=config.name, storage=storage.opened)
            except KeyError:
                study = optuna.create_study(
                    study_name=config.name, storage=storage.opened, direction=config.direction
                )
            if ATTRIBUTE not in study.user_attrs:
                if study.get_trials(deepcopy=False):
                    raise StoreError(
                        f"{storage.shown} has a search {config.name!r} that attnstudy did not "
                        "begin: choose another --storage"
                    )
                _describe(study, config)
                reach("search/before-design")
                study.set_user_attr(ATTRIBUTE, config.to_json())
            config.refuse_other(SearchConfig.from_json(study.user_attrs[ATTRIBUTE]), storage.shown)
            return cls(storage, config, study)

    def trials(self) -> list[Trial]:
        """Return all trials, in order.

        Raises:
            StoreError: the storage cannot be read.

        """
        with self.storage.errors():
            return [self._trial(frozen) for frozen in self._all()]

    def _trial(self, frozen: FrozenTrial) -> Trial:
        known = self._ended.get(frozen.number)
        if known is None:
            known = to_trial(frozen, self.config.space)
            if known.finished:
                self._ended[known.number] = known
        return known

    def finished(self) -> list[FrozenTrial]:
        """Return the trials that ended, as Optuna has them."""
        with self.storage.errors():
            return [frozen for frozen in self._all() if frozen.state.is_finished()]

    def open_trial(self) -> Trial | None:
        """Return the trial that was asked for and not told of: an interrupted search has one."""
        return next((trial for trial in self.trials() if not trial.finished), None)

    def ask(self) -> Trial:
        """Have the next trial proposed and begin it.

        It is in the storage with all its parameters or not at all, so whoever is killed here
        leaves either nothing or a trial that can be gone on with.

        Raises:
            StoreError: the storage cannot be used.

        """
        with self.storage.errors():
            before = self._all()
            params = propose(self.config, self._with_ended(), len(before))
            fresh = create_trial(
                state=optuna.trial.TrialState.RUNNING,
                params=params,
                distributions=distributions(self.config.space),
                user_attrs={ATTRIBUTE: {"started_at": time.time_ns() // 1_000_000}},
            )
            reach("search/before-ask")
            self._study.add_trial(fresh)
            reach("search/after-ask")
            return to_trial(self._all()[-1], self.config.space)

    def report(self, trial: Trial, steps: Mapping[int, float]) -> bool:
        """Note what a trial has come to so far; tell whether it is not worth going on with.

        Raises:
            StoreError: the storage cannot be used.

        """
        with self.storage.errors():
            opened, trial_id = self.storage.opened, self._id(trial)
            there = opened.get_trial(trial_id).intermediate_values
            for step, value in sorted(steps.items()):
                if there.get(step) != value:
                    reach("search/before-report")
                    opened.set_trial_intermediate_value(trial_id, step, value)
            return stops(self.config, self._with_ended(), opened.get_trial(trial_id))

    def _with_ended(self) -> SamplerStudy:
        return self._sampler_study.with_ended(self.config, self.finished())

    def tell(self, trial: Trial) -> Trial:
        """End a trial with all that is known of it; return it as it is kept.

        Raises:
            StoreError: the storage cannot be used.

        """
        trial = replace(trial, finished_at=time.time_ns() // 1_000_000)
        with self.storage.errors():
            opened, trial_id = self.storage.opened, self._id(trial)
            reach("search/before-tell")
            for name, value in described(trial).items():
                opened.set_trial_user_attr(trial_id, name, value)
            opened.set_trial_user_attr(trial_id, ATTRIBUTE, told(trial))
            reach("search/described")
            self._study.tell(trial.number, trial.value, OPTUNA_STATES[trial.state])
            reach("search/after-tell")
            return to_trial(opened.get_trial(trial_id), self.config.space)

    def _id(self, trial: Trial) -> int:
        opened = self.storage.opened
        study = opened.get_study_id_from_name(self.config.name)
        return opened.get_trial_id_from_study_id_trial_number(study, trial.number)

    def _all(self) -> list[FrozenTrial]:
        # not those that somebody lined up in a dashboard: the configuration says what is tried
        waiting = optuna.trial.TrialState.WAITING
        trials = self._study.get_trials(deepcopy=False)
        return sorted((t for t in trials if t.state is not waiting), key=lambda t: t.number)


def _describe(study: optuna.Study, config: SearchConfig) -> None:
    """Say what is searched where Optuna's own tools, such as its dashboard, show it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.set_metric_names([config.metric])
    seeds = len(config.seeds)
    per_trial = "one seed" if seeds == 1 else f"the mean over {seeds} seeds"
    for name, value in (
        ("study", config.study),
        ("arm", config.arm),
        ("value of a trial", f"{config.metric}, {per_trial}"),
        ("seeds", seeds_text(config.seeds)),
        ("sampler", f"{config.sampler}, seed {config.sampler_seed}"),
        ("pruner", config.pruner),
    ):
        study.set_user_attr(name, value)


def find_searches(storage: Storage, study: str, arms: Sequence[str] | None) -> list[ArmSearch]:
    """Return what there is in a storage of a study's searches, in the order of their beginnings.

    Raises:
        StoreError: the storage cannot be read.

    """
    found = []
    with storage.errors():
        for name in optuna.get_all_study_names(storage.opened):
            of, slash, arm = name.partition("/")
            if of != study or not slash or (arms is not None and arm not in arms):
                continue
            opened = optuna.load_study(study_name=name, storage=storage.opened)
            if ATTRIBUTE in opened.user_attrs:
                found.append(
                    ArmSearch(storage, SearchConfig.from_json(opened.user_attrs[ATTRIBUTE]), opened)
                )
    return found
