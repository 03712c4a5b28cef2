"""``attnstudy tune``: search each arm's hyperparameters, on validation images alone."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from attnstudy import runs
from attnstudy.errors import StoreError, TerminatedError
from attnstudy.executors import Executor, make_executor
from attnstudy.running.dispatch import Dispatch
from attnstudy.running.planning import code_revision
from attnstudy.running.run_transfer import RunTransport
from attnstudy.runs import command_at_work, file_held, study_folder
from attnstudy.search import (
    ArmSearch,
    Trial,
    TrialState,
    exclusive_use,
    open_storage,
)
from attnstudy.space import Space
from attnstudy.tracking import import_mlflow
from attnstudy.usecases.publishing import BackgroundPublisher, patience
from attnstudy.usecases.tuning.plan import TunePlan
from attnstudy.usecases.tuning.publishing import TuningFigures, Tunings, connect
from attnstudy.usecases.tuning.results import ArmTuning, tuning_of_search
from attnstudy.usecases.tuning.rounds import DIVERGED, play_rounds
from attnstudy.usecases.tuning.training import SearchObserver, Trainer


class TuneObserver(SearchObserver, Protocol):
    """Whoever shows the user what happens."""

    def say(self, text: str) -> None:
        """Show a line."""

    def begin_search(self, done: int, trials: int, arms: int, workers: int, space: Space) -> None:
        """Show how many trials there are to do, in total and still."""

    def trial_ended(self, tuning: ArmTuning, trial: Trial) -> None:
        """Show that a trial of a search ended."""

    def time_left(self, seconds: float) -> None:
        """Show how long the rest will take."""

    def end(self) -> None:
        """Show that no training is going on any more."""


@dataclass(frozen=True, slots=True)
class TuneReport:
    """What a command did, and what the search has come to."""

    plan: TunePlan
    tunings: tuple[ArmTuning, ...]
    """One per arm, in the order that was asked for."""
    earlier: frozenset[tuple[str, int]]
    """Trials that had ended before, by arm and number."""
    undelivered: int
    """Arms that the tracking store has not confirmed."""
    store_error: StoreError | None = None
    """Why it has not."""

    @property
    def failed(self) -> tuple[tuple[str, Trial], ...]:
        """Trials that failed, with their arms."""
        return tuple(
            (tuning.arm, trial)
            for tuning in self.tunings
            for trial in tuning.trials
            if trial.state is TrialState.FAILED
        )

    @property
    def failed_now(self) -> tuple[tuple[str, Trial], ...]:
        """Those of this command; one that diverged has a result, as a run has."""
        return tuple(
            (arm, trial)
            for arm, trial in self.failed
            if trial.reason != DIVERGED and (arm, trial.number) not in self.earlier
        )

    @property
    def before(self) -> int:
        """How many trials had ended before."""
        return len(self.earlier)

    @property
    def trials(self) -> int:
        """Trials that have ended."""
        return sum(len(tuning.finished) for tuning in self.tunings)

    @property
    def lost(self) -> StoreError | None:
        """Why the embedded store, which needs nobody else, could not take the trials."""
        return self.store_error if self.plan.request.address.embedded else None


def tune_study(plan: TunePlan, observer: TuneObserver, figures: TuningFigures) -> TuneReport:
    """Carry out the trials that are left, and publish all of them.

    Raises:
        StoreError: another command is at work on it, or a folder or the storage cannot be used;
            what is complete is kept.
        DataError: the decoded images were damaged meanwhile.
        UsageError: the search was begun with another configuration.

    """
    request = plan.request
    store_dir = request.address.store_dir
    folder = study_folder(store_dir, plan.experiment)
    for notice in plan.notices:
        observer.warn(notice)
    with _exclusive(plan, folder):
        storage = open_storage(plan.place, store_dir)
        searches = [ArmSearch.begin(storage, config) for config in plan.configs]
        with runs.changing_study_facts(store_dir, plan.experiment) as facts:
            facts.threads = facts.threads or plan.threads
        tunings = Tunings()
        publisher = BackgroundPublisher[str](
            lambda: connect(plan, tunings, figures),
            observer.warn,
            prepare=import_mlflow,
            patience=patience(request.address),
        )
        earlier = frozenset(
            (search.config.arm, trial.number) for search in searches for trial in search.finished()
        )
        try:
            with command_at_work(folder) as command, _executor(plan, observer) as executor:
                progress = _Progress(plan, searches, observer, publisher, tunings, len(earlier))
                progress.begin()
                dispatch = Dispatch(
                    executor=executor,
                    fused=plan.fused,
                    device=plan.device,
                    threads=plan.threads,
                    place=plan.materials.place,
                    sealed=True,
                    metric=request.metric if request.training else None,
                    code_revision=code_revision(),
                    checkpoint_seconds=60 * request.checkpoint_minutes,
                    command=command,
                    observer=observer,
                )
                trainer = Trainer(dispatch, observer)
                play_rounds(searches, request.trials, store_dir, trainer, progress.told)
                found = progress.end()
        except (KeyboardInterrupt, TerminatedError):
            publisher.hurry()
            raise
        finally:
            observer.end()
            undelivered = publisher.close()
    return TuneReport(plan, found, earlier, undelivered, publisher.trouble)


def _executor(plan: TunePlan, observer: TuneObserver) -> Executor:
    transport = RunTransport(plan.materials.data)
    return make_executor(plan.request.executor, plan.workers, transport, observer.warn)


@contextlib.contextmanager
def _exclusive(plan: TunePlan, folder: Path) -> Iterator[None]:
    """Be the only command at work on a tuning, in its store and in its storage."""
    name = plan.request.study
    # the first for the run folders, the second for who has the trials but other folders
    locks = (file_held(folder / "tuning.lock"), exclusive_use(plan.place, name))
    with contextlib.ExitStack() as stack:
        if not all(stack.enter_context(lock) for lock in locks):
            raise StoreError(
                f"another 'attnstudy tune' is at work on {name!r}: wait until it has ended, or "
                f"look at it with 'attnstudy tune show {name}'"
            )
        yield


class _Progress:
    """Passes on what the rounds come to: to the user and to the tracking store."""

    def __init__(
        self,
        plan: TunePlan,
        searches: Sequence[ArmSearch],
        observer: TuneObserver,
        publisher: BackgroundPublisher[str],
        tunings: Tunings,
        before: int,
    ) -> None:
        self.plan, self.searches, self.observer = plan, searches, observer
        self.publisher, self.tunings = publisher, tunings
        self.left = self.to_do = max(0, plan.request.trials * len(searches) - before)
        self.before = before
        self.began = time.monotonic()

    def begin(self) -> None:
        """Show how much there is to do, and send what an earlier command could not deliver."""
        for search in self.searches:
            self._publish(search)
        if self.to_do:
            self.observer.begin_search(
                self.before,
                self.before + self.to_do,
                len(self.searches),
                self.plan.workers,
                self.plan.request.space,
            )

    def told(self, search: ArmSearch, trial: Trial) -> None:
        """Pass on that a trial ended."""
        self.left -= 1
        tuning = self._publish(search)
        self.observer.trial_ended(tuning, trial)
        done = self.to_do - self.left
        if done == len(self.searches) and self.left > 0:  # the first round is over
            self.observer.time_left((time.monotonic() - self.began) / done * self.left)

    def end(self) -> tuple[ArmTuning, ...]:
        """Send everything, figures too, and return what was found."""
        found = tuple(map(tuning_of_search, self.searches))
        for tuning in found:
            self.tunings.put(tuning, ended=True)
            self.publisher.submit(tuning.arm)
        return found

    def _publish(self, search: ArmSearch) -> ArmTuning:
        # without importances: they take a while, and are shown at the end
        tuning = ArmTuning(search.config, tuple(search.trials()), {})
        self.tunings.put(tuning, ended=False)
        self.publisher.submit(tuning.arm)
        return tuning
