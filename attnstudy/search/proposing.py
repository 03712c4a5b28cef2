"""What to try next, and what to stop: functions of the trials so far, of nothing else.

Optuna's samplers and pruners are asked in a study in memory, which holds the trials that
ended, in order. So they answer alike from whatever storage, in whatever process, however often the
search was interrupted.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import optuna
from optuna.pruners import BasePruner, MedianPruner, WilcoxonPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial

from attnstudy import rng
from attnstudy.search.config import SearchConfig
from attnstudy.search.trials import distributions

STARTUP_TRIALS = 10
"""Trials drawn at random before the tree-structured Parzen estimator has something to go by."""
MEDIAN_STARTUP = 5
"""Complete trials before the first is compared with their median."""
WILCOXON_P = 0.1
"""One-sided p-value, against the best trial, below which a trial is stopped."""


def propose(config: SearchConfig, sampler_study: SamplerStudy, number: int) -> dict[str, Any]:
    """Return the parameters of trial ``number``, as Optuna keeps them."""
    sampler_study.study.sampler = _sampler(config, number)
    asked = sampler_study.study.ask(distributions(config.space))
    # of no account to a sampler from now on: what is known of the trial comes from its search
    sampler_study.study.tell(asked.number, state=optuna.trial.TrialState.FAIL)
    return {name: asked.params[name] for name in config.space}


def stops(config: SearchConfig, sampler_study: SamplerStudy, trial: FrozenTrial) -> bool:
    """Whether a trial is not worth going on with, by what it reported so far."""
    if config.pruner == "none":
        return False
    return _pruner(config.pruner).prune(sampler_study.study, trial)


class SamplerStudy:
    """A study in memory with the trials that ended.

    It is kept and added to: made anew for each trial, it took most of the time of a long search.
    """

    def __init__(self) -> None:
        self.study = optuna.create_study(direction="maximize")  # until there is a trial
        self._held: list[int] = []

    def with_ended(self, config: SearchConfig, finished: Sequence[FrozenTrial]) -> SamplerStudy:
        """Hold exactly these trials, in order of their numbers."""
        ordered = sorted(finished, key=lambda trial: trial.number)
        numbers = [trial.number for trial in ordered]
        known = len(self._held)
        if known == 0 or numbers[:known] != self._held:  # whoever ended one that was skipped
            known = 0
            self.study = optuna.create_study(direction=config.direction, study_name=config.name)
        self.study.add_trials(ordered[known:])
        self._held = numbers
        return self


def _sampler(config: SearchConfig, number: int) -> BaseSampler:
    words = ("tuning", config.study, config.arm, number)
    # a sampler takes 32 bits
    seed = rng.stream_seed(config.sampler_seed, *words) >> 32
    if config.sampler == "random":
        return RandomSampler(seed=seed)
    # said in full, because defaults changed between Optuna's versions
    return TPESampler(
        n_startup_trials=STARTUP_TRIALS,
        n_ei_candidates=24,
        multivariate=True,
        group=False,
        constant_liar=False,  # one trial of an arm at a time: there is nobody to lie about
        seed=seed,
    )


def _pruner(name: str) -> BasePruner:
    if name == "wilcoxon":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it is experimental: what we use of it is tested
            return WilcoxonPruner(p_threshold=WILCOXON_P, n_startup_steps=2)
    return MedianPruner(n_startup_trials=MEDIAN_STARTUP, n_warmup_steps=0, interval_steps=1)
