"""A search in MLflow: a run for each arm, and below it a run for each trial that ended.

Sent again, nothing is doubled: a run is found by the search and the trial that it stands for, and
what shows its state is left alone. Time stamps are those at which a trial began and ended.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from attnstudy.redaction import told_elsewhere
from attnstudy.tracking.artifacts import kept_files
from attnstudy.tracking.requests import Requests
from attnstudy.tracking.store import Tracker, mlflow_errors

if TYPE_CHECKING:
    from mlflow.entities import Run

_SEARCH, _TRIAL, _STATE = "attnstudy.search", "attnstudy.trial", "attnstudy.state"
_TRIALS, _FIGURES = "attnstudy.trials", "attnstudy.figures"
_STATES = {"complete": "FINISHED", "pruned": "KILLED", "failed": "FAILED"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRecord:
    """A trial that ended."""

    number: int
    state: str
    """``complete``, ``pruned`` or ``failed``."""
    params: Mapping[str, str]
    value: float | None
    """Mean over the seeds of what trials are judged by; None unless complete."""
    values: Sequence[float]
    """The same seed by seed."""
    seconds: float
    reason: str | None
    started_at: int
    """Milliseconds since the epoch."""
    finished_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRecord:
    """An arm's search."""

    identity: str
    """The same as long as its trials belong together."""
    arm: str
    params: Mapping[str, str]
    """What its trials have in common."""
    metric: str = "val_accuracy"
    """What the value of a trial is called."""
    best_of: Callable[[Iterable[float]], float] = max
    """Returns the best of some values."""
    trials: Sequence[TrialRecord]
    tags: Mapping[str, str] = field(default_factory=dict)
    """What is known of all of its trials; may change with each."""
    figures: Callable[[], Mapping[str, bytes]] | None = None
    """Draws them: file names and contents; None as long as the command goes on."""


@dataclass(slots=True)
class SearchPublisher:
    """Sends searches to an open store."""

    tracker: Tracker
    experiment: str
    """Its name."""
    study: str
    question: str | None
    latest: Callable[[str], SearchRecord]
    """Returns an arm's search as it stands."""
    answered: Callable[[], None] = lambda: None
    """Called after every request that the store answered."""
    _runs: dict[tuple[str, str], Run] | None = None
    """By search and trial; the search's own under an empty trial."""
    _experiment_id: str = ""
    _location: str = ""
    """Of the experiment's artifacts, where that is a folder of this machine."""
    _settled: dict[str, int] = field(default_factory=dict)
    """By search: how many trials, from the first on, the store has in full. They are not looked at
    again each time that one more is sent."""

    def tell_of_answers(self, answered: Callable[[], None]) -> None:
        """Have a function called after every request that the store answered."""
        self.answered = answered

    def publish(self, arm: str) -> bool:
        """Send what the store lacks of an arm's search; tell whether that was anything.

        Runs that were deleted in the UI stay deleted.

        Raises:
            StoreError: the store is unreachable or refuses.

        """
        record = self.latest(arm)
        if not record.trials:
            return False
        with mlflow_errors(self.tracker.address):
            requests = Requests(self.tracker.client, lambda: self.answered())
            self._survey(requests)
            parent = self._run(requests, record, None)
            for trial in record.trials[self._settled.get(record.identity, 0) :]:
                run = self._run(requests, record, trial, parent)
                if not _gone(run) and run.data.tags.get(_STATE) != trial.state:
                    _send_trial(requests, run, trial, record.metric)
                    self._note(record, str(trial.number), requests, run)
            self._settled[record.identity] = len(record.trials)
            if not _gone(parent) and _send_search(requests, parent, record, self._location):
                self._note(record, "", requests, parent)
            return requests.written > 0

    def _survey(self, requests: Requests) -> None:
        """Read all runs of the experiment once."""
        if self._runs is not None:
            return
        found = self.tracker.ensure_experiment(
            self.experiment, self.question, {"attnstudy.tuning": self.study}
        )
        self._experiment_id = str(found.experiment_id)
        if self.tracker.address.embedded:
            self._location = found.artifact_location
        by_key: dict[tuple[str, str], list[Run]] = {}
        for run in requests.runs(self._experiment_id):
            tags = run.data.tags
            if _SEARCH in tags:
                by_key.setdefault((tags[_SEARCH], tags.get(_TRIAL, "")), []).append(run)
        self._runs = {key: _one_of(requests, runs) for key, runs in by_key.items()}

    def _note(self, record: SearchRecord, trial: str, requests: Requests, run: Run) -> None:
        assert self._runs is not None
        fresh = requests.read(requests.client.get_run, run.info.run_id)
        self._runs[record.identity, trial] = fresh

    def _run(
        self,
        requests: Requests,
        record: SearchRecord,
        trial: TrialRecord | None,
        parent: Run | None = None,
    ) -> Run:
        """Return the run of a trial, or of the search itself, made where it is not there."""
        assert self._runs is not None
        number = "" if trial is None else str(trial.number)
        found = self._runs.get((record.identity, number))
        if found is not None:
            return found
        tags = {
            _SEARCH: record.identity,
            "attnstudy.variant": record.arm,
            "mlflow.source.name": "attnstudy tune",
        }
        name, start = record.arm, record.trials[0].started_at
        if trial is not None:
            name, start = f"{record.arm}/trial={trial.number}", trial.started_at
            tags[_TRIAL] = number
            if parent is not None:
                tags["mlflow.parentRunId"] = parent.info.run_id
        made: Run = requests.write(
            "create-search" if trial is None else "create-trial",
            requests.client.create_run,
            self._experiment_id,
            start_time=start,
            run_name=name,
            tags=tags,
        )
        if not self.tracker.address.embedded:
            # the way to a server may have repeated the request
            mine = f"tags.`{_SEARCH}` = '{record.identity}'"
            if trial is not None:  # alone: a search may have thousands
                mine += f" and tags.`{_TRIAL}` = '{number}'"
            found_now = requests.runs(self._experiment_id, mine)
            made = _one_of(
                requests, [made, *(r for r in found_now if r.data.tags.get(_TRIAL, "") == number)]
            )
        params = record.params if trial is None else trial.params
        _send_params(requests, made, params)
        self._runs[record.identity, number] = made
        return made


def _one_of(requests: Requests, runs: Sequence[Run]) -> Run:
    """Return the run that counts, the one with the most in it, and delete its doubles."""
    unique = {run.info.run_id: run for run in runs}
    ordered = sorted(unique.values(), key=_worth)
    for double in ordered[1:]:
        if not _gone(double):
            requests.write("delete-double", requests.client.delete_run, double.info.run_id)
    return ordered[0]


def _worth(run: Run) -> tuple[bool, int, str]:
    """Order doubles: those that are there before deleted ones, then by how much is in them."""
    return (_gone(run), -len(run.data.tags) - len(run.data.metrics), str(run.info.run_id))


def _gone(run: Run) -> bool:
    return bool(run.info.lifecycle_stage != "active")


def _send_params(requests: Requests, run: Run, params: Mapping[str, str]) -> None:
    from mlflow.entities import Param

    listed = [Param(name, value) for name, value in params.items()]
    requests.write("search-params", requests.client.log_batch, run.info.run_id, params=listed)


def _send_trial(requests: Requests, run: Run, trial: TrialRecord, metric: str) -> None:
    """Send all of a trial that ended; its state last, which says that the rest is there."""
    from mlflow.entities import Metric, RunTag

    _send_params(requests, run, trial.params)  # again: a kill may have come between
    at = trial.finished_at
    metrics = [
        Metric(f"{metric}_by_seed", value, at, place) for place, value in enumerate(trial.values)
    ]
    metrics.append(Metric("train_seconds", trial.seconds, at, 0))
    if trial.value is not None:
        metrics.append(Metric(metric, trial.value, at, 0))
    tags = [RunTag("attnstudy.reason", told_elsewhere(trial.reason)[:5000])] if trial.reason else []
    client, run_id = requests.client, run.info.run_id
    requests.write("trial-values", client.log_batch, run_id, metrics=metrics, tags=tags)
    requests.write("trial-ended", client.set_terminated, run_id, _STATES[trial.state], end_time=at)
    requests.write("trial-state", client.set_tag, run_id, _STATE, trial.state)


def _send_search(requests: Requests, run: Run, record: SearchRecord, location: str) -> bool:
    """Send what changed of a search since it was sent last; tell whether that was anything."""
    from mlflow.entities import Metric, RunTag

    client, run_id, shown = requests.client, run.info.run_id, run.data.tags
    ended = len(record.trials)
    before = int(shown.get(_TRIALS, 0))
    # running is one that was cut off by an earlier version, which ended it after it noted the rest
    changed = ended != before or run.info.status == "RUNNING"
    if changed:
        _send_params(requests, run, record.params)
        metrics: list[Metric] = []
        values: list[float] = []
        for number, trial in enumerate(record.trials):
            if trial.value is not None:
                values.append(trial.value)
                if number >= before:  # the others are there
                    at = trial.finished_at
                    best = record.best_of(values)
                    metrics.append(Metric(record.metric, trial.value, at, number))
                    metrics.append(Metric(f"best_{record.metric}", best, at, number))
        tags = [RunTag(name, value) for name, value in record.tags.items()]
        tags.append(RunTag(_TRIALS, str(ended)))
        for first in range(0, max(1, len(metrics)), 1000):
            part = metrics[first : first + 1000]
            requests.write("search-values", client.log_batch, run_id, metrics=part)
        # at no moment is it shown as running: it would go on being, after a kill
        end = record.trials[-1].finished_at
        requests.write("search-ended", client.set_terminated, run_id, "FINISHED", end_time=end)
        requests.write("search-tags", client.log_batch, run_id, tags=tags)
    if record.figures is not None and shown.get(_FIGURES) != str(ended):
        changed = True
        drawn = record.figures()
        requests.answered()  # drawing takes a while, and nobody hangs
        with tempfile.TemporaryDirectory() as folder:
            for name, content in drawn.items():
                Path(folder, name).write_bytes(content)
                requests.write("search-figure", client.log_artifact, run_id, f"{folder}/{name}")
        kept_files(location, run_id)
        tags = [RunTag(name, value) for name, value in record.tags.items()]
        tags.append(RunTag(_FIGURES, str(ended)))
        requests.write("search-figures", client.log_batch, run_id, tags=tags)
    return changed
