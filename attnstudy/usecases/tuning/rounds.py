"""The rounds of a search: one trial of every arm at a time.

What is proposed, told and stopped depends on the numbers alone: all trials of a round are asked for
before any is trained, and told of in the order of the arms after all have ended, however long
each took. An interrupted round is continued with the trials that it had.
"""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from attnstudy.crashpoints import reach
from attnstudy.errors import UsageError
from attnstudy.running.dispatch import RunTask
from attnstudy.runs import Status, run_folder
from attnstudy.search import ArmSearch, SearchConfig, Trial, TrialState
from attnstudy.study import RunSpec
from attnstudy.trainings.registry import find
from attnstudy.usecases.tuning.plan import spec_of
from attnstudy.usecases.tuning.training import TaskOutcome, Trainer

MOST_PARTS = 32
"""Of a trial that may be stopped between its epochs: each time that a run goes on, its journal is
read and written, and on a cluster sent."""

DIVERGED = "it diverged"
"""Why a trial failed of which nobody knows what it is worth; in a study, that is a result."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of a trial, after which it may be stopped."""

    seeds: tuple[int, ...]
    """What is trained in it."""
    until: int | None
    """Up to how many epochs; None means all."""
    step: int
    """Under which it is reported: by place of the seed, or by epochs done."""


def stages(config: SearchConfig, epochs: int) -> list[Stage]:
    """Return the parts of a trial of so many epochs."""
    if config.pruner == "wilcoxon":
        return [Stage((seed,), None, place) for place, seed in enumerate(config.seeds)]
    if config.pruner == "median":
        # at the same epochs whatever a trial's number of them: only those can be compared
        interval = math.ceil(config.most_epochs / MOST_PARTS)
        parts = [Stage(config.seeds, done, done) for done in range(interval, epochs, interval)]
        return [*parts, Stage(config.seeds, None, epochs)]
    return [Stage(config.seeds, None, 0)]


def play_rounds(
    searches: Sequence[ArmSearch],
    trials: int,
    store_dir: Path,
    trainer: Trainer,
    told: Callable[[ArmSearch, Trial], None],
) -> None:
    """Go on until every arm has so many trials that ended.

    Args:
        searches: one per arm.
        trials: how many each is to have.
        store_dir: the store.
        trainer: has the runs trained.
        told: called after a trial ended.

    """
    while True:
        entries = [entry for search in searches if (entry := _entry(search, trials, store_dir))]
        if not entries:
            return
        reach("tuning/asked")
        _play(entries, trainer)
        for entry in entries:
            trial = entry.search.tell(entry.ended())
            entry.tidy()
            told(entry.search, trial)


def _entry(search: ArmSearch, trials: int, store_dir: Path) -> _Entry | None:
    trial = search.open_trial()
    if trial is None:
        if len(search.finished()) >= trials:
            return None
        trial = search.ask()
    return _Entry(search, trial, store_dir)


def _play(entries: Sequence[_Entry], trainer: Trainer) -> None:
    for entry in entries:
        entry.prepare()
    number = 0
    while going := [entry for entry in entries if entry.going(number)]:
        together = [one for entry in going for one in entry.tasks(number)]
        ended = trainer.train(together)
        reach("tuning/trained")
        for entry in going:
            entry.report_part(number, ended)
        number += 1


@dataclass(slots=True)
class _Entry:
    """An arm's trial in a round."""

    search: ArmSearch
    trial: Trial
    store_dir: Path
    specs: dict[int, RunSpec] = field(default_factory=dict)
    """By seed."""
    parts: list[Stage] = field(default_factory=list)
    begun: dict[int, int] = field(default_factory=dict)
    """Epochs that a seed's run was to be trained for, by seed; of what was begun."""
    pruned: bool = False
    failure: str | None = None

    def prepare(self) -> None:
        """Find out what the trial trains."""
        config = self.search.config
        try:
            self.specs = {s: spec_of(config, self.trial.fields, s) for s in config.seeds}
        except UsageError as error:  # fields that are possible alone, but not together
            self.failure = str(error)
            return
        self.parts = stages(config, self._epochs(config.seeds[0]))

    def going(self, number: int) -> bool:
        """Whether there is a part of this number to train."""
        return self.failure is None and not self.pruned and number < len(self.parts)

    def tasks(self, number: int) -> list[RunTask]:
        """Return the runs of a part."""
        part = self.parts[number]
        for seed in part.seeds:
            self.begun[seed] = part.until or self._epochs(seed)
        return [
            RunTask(self.specs[s], run_folder(self.store_dir, self.specs[s]), part.until)
            for s in part.seeds
        ]

    def report_part(self, number: int, ended: Mapping[RunSpec, TaskOutcome]) -> None:
        """Report a part's values, and learn whether the trial goes on."""
        part = self.parts[number]
        for seed in part.seeds:
            failure = ended[self.specs[seed]].failure
            if failure is not None:
                self.failure = f"seed {seed}: {failure}"
                return
        values = [self._value(seed, part.until) for seed in part.seeds]
        if any(map(math.isnan, values)):  # it diverged, and nobody knows what that is worth
            self.failure = DIVERGED
            return
        if self.search.config.pruner == "none":
            steps = dict(enumerate(values))  # seed by seed, for who looks at a dashboard
        else:
            steps = {part.step: _mean(values)}
        stop = self.search.report(self.trial, steps)
        self.pruned = stop and number + 1 < len(self.parts)

    def _value(self, seed: int, until: int | None) -> float:
        """Return a run's validation accuracy in percent; that of guessing if it diverged."""
        folder = run_folder(self.store_dir, self.specs[seed])
        if until is not None and until in (pauses := folder.pauses()):
            return pauses[until]
        result = folder.result()
        value = None if result is None else result.metrics.get(self.search.config.metric)
        if value is None:
            value = self.search.config.guessing
        return math.nan if value is None else value

    def tidy(self) -> None:
        """Delete what only a trial that goes on would need."""
        for seed in self.begun:
            run_folder(self.store_dir, self.specs[seed]).forget_checkpoints()

    def _done(self, seed: int) -> bool:
        """Whether a seed's run was to be trained to its end."""
        return self.begun[seed] == self._epochs(seed)

    def _epochs(self, seed: int) -> int:
        """Return the epochs of a whole run; of a training without that setting, more than any."""
        return int(self.specs[seed].settings.get("epochs", sys.maxsize))

    def ended(self) -> Trial:
        """Return the trial as it is to be told of."""
        runs = {s: run_folder(self.store_dir, self.specs[s]) for s in sorted(self.begun)}
        results = {s: result for s, run in runs.items() if (result := run.result()) is not None}
        epochs = seconds = 0.0
        for seed, run in runs.items():
            spec = self.specs[seed]
            done = functools.partial(find(spec.training).epochs, spec)
            # an earlier trial of the same fields may have been trained for longer
            mine = [r for r in run.journal() if done(r.first_step) < self.begun[seed]]
            if mine:
                epochs += done(mine[-1].step + 1)
                seconds += mine[-1].seconds
        trial = replace(
            self.trial,
            by_seed={s: self._value(s, None) for s in results if self._done(s)},
            diverged=tuple(s for s, r in results.items() if r.status is Status.DIVERGED),
            runs=len(runs),
            epochs=round(epochs, 3),
            seconds=seconds,
            reason=self.failure,
        )
        if self.failure is not None:
            return replace(trial, state=TrialState.FAILED)
        if self.pruned:
            return replace(trial, state=TrialState.PRUNED)
        return replace(trial, state=TrialState.COMPLETE, value=_mean([*trial.by_seed.values()]))


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
