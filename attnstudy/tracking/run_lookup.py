"""Looking up the MLflow run of a run folder: found again, made once, never doubled."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from attnstudy.files import read_sealed
from attnstudy.runs import RunFolder, Start, Status, kept_aside, study_folder
from attnstudy.tracking.digests import identity_tags
from attnstudy.tracking.requests import Requests

if TYPE_CHECKING:
    from mlflow.entities import Experiment, Run

_FINGERPRINT = "attnstudy.fingerprint"
_SUPERSEDED = "attnstudy.superseded"
_FRESH = 60.0  # seconds for which what was read of all runs is taken for the present state

MLFLOW_STATUS = {
    Status.RUNNING: "RUNNING",
    Status.INTERRUPTED: "KILLED",
    Status.FAILED: "FAILED",
    Status.COMPLETE: "FINISHED",
    Status.DIVERGED: "FINISHED",
}
"""What MLflow calls the states of a run."""


@dataclass(slots=True)
class RunLookup:
    """The runs of one study's experiment.

    A run is a folder's if it has the folder's fingerprint and its time of first start: a
    repetition has another start, and so has a run of the same specification that another
    machine made.
    """

    requests: Requests
    experiment: Experiment
    store_dir: Path
    study: str
    key: str
    """Under which folders note what this store has confirmed."""
    alone: bool
    """Whether only this store publishes here, so that what it does not have is out of date."""
    _surveyed: dict[str, Run] = field(default_factory=dict)
    _surveyed_at: float = 0.0
    _fingerprints: set[str] = field(default_factory=set)
    """Of all runs that were surveyed, and of those made here."""

    @property
    def identity(self) -> str:
        """What tells this experiment from one of the same name in a store set up anew."""
        return experiment_identity(self.experiment)

    def survey(self) -> None:
        """Read all runs at once, which is much faster than one by one."""
        for run in self._search(""):
            self._surveyed[run.info.run_id] = run
            self._fingerprints.add(run.data.tags.get(_FINGERPRINT, ""))
            if self.alone:
                self._end_orphan(run)
        self._surveyed_at = time.monotonic()

    def run(self, run_id: str, *, settled: bool = False) -> Run | None:
        """Return a run, also a deleted one; None if the store does not have it.

        Args:
            run_id: its id.
            settled: whether everything of it was confirmed before. Then it does as it was surveyed,
                however long ago: of thousands of runs, each would else be asked for alone after
                the first minute. What was changed in the UI since is seen by the next command.

        """
        from mlflow.exceptions import MlflowException

        surveyed = self._surveyed.pop(run_id, None)  # once: from then on it is our own past
        fresh = time.monotonic() - self._surveyed_at < _FRESH
        if surveyed is not None and (settled or fresh):
            return surveyed
        try:
            return self.requests.read(self.requests.client.get_run, run_id)
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            # to an account that is no administrator's, a server with accounts says the same of a
            # run that is not there (any more: a back-up was restored) as of one it may not see
            if error.error_code == "PERMISSION_DENIED":
                return next(self._search(f"attributes.run_id = '{run_id}'"), None)
            raise

    def find(self, folder: RunFolder, started: Start, *, noted: bool) -> Run | None:
        """Return the run of a folder that is not known by its id; a deleted one if no other is.

        What the folder's run replaces is marked; doubles are deleted. A double comes from an
        answer that was lost, after which the request was sent again.

        Args:
            folder: the run folder.
            started: its start.
            noted: whether anything is noted of it. Whoever makes a run notes first that it will.

        """
        fingerprint = started.spec.fingerprint
        replaced = {*folder.replaced(self.key), *_earlier_starts(folder)}
        if not (noted or replaced or fingerprint in self._fingerprints):
            return None  # MLflow would read the tags of all runs to say so
        mine: list[Run] = []
        for run in self._counted(f"tags.`{_FINGERPRINT}` = '{fingerprint}'"):
            info = run.info
            if info.run_id in replaced or info.start_time in replaced:
                self._supersede(run)
            elif info.start_time == started.at:
                mine.append(run)
            elif self.alone:
                self._supersede(run)
        return self._one_of(mine)

    def _one_of(self, mine: list[Run]) -> Run | None:
        """Return the best of a folder's runs and delete its doubles."""
        mine.sort(key=_worth)
        active = [run for run in mine if run.info.lifecycle_stage == "active"]
        for double in active[1:]:
            self._supersede(double)
            self.requests.write("delete-run", self.requests.client.delete_run, double.info.run_id)
        return next(iter([*active, *mine]), None)

    def create(self, started: Start) -> Run:
        """Make the run of a folder."""
        spec = started.spec
        made: Run = self.requests.write(
            "create-run",
            self.requests.client.create_run,
            str(self.experiment.experiment_id),
            start_time=started.at,
            run_name=spec.name,
            tags={
                **identity_tags(started),
                "attnstudy.status": Status.RUNNING.value,
                "mlflow.source.name": "attnstudy run",
            },
        )
        self._fingerprints.add(spec.fingerprint)
        if self.alone:
            return made
        # The way to a server may have repeated the request. A time is found faster than a tag.
        mine = [
            run
            for run in self._counted(f"attributes.start_time = {started.at}")
            if run.data.tags.get(_FINGERPRINT) == spec.fingerprint
        ]
        return self._one_of(mine) or made

    def _counted(self, filter_string: str) -> Iterator[Run]:
        """Give the runs that no other has taken the place of."""
        for run in self._search(filter_string):
            if run.data.tags.get(_SUPERSEDED) != "true":
                yield run

    def _search(self, filter_string: str) -> Iterator[Run]:
        return self.requests.runs(str(self.experiment.experiment_id), filter_string)

    def _supersede(self, run: Run) -> None:
        """Mark a run that no longer counts; a deleted one cannot be marked, nor need it be."""
        if run.info.lifecycle_stage == "active":
            client, run_id = self.requests.client, run.info.run_id
            self.requests.write("supersede", client.set_tag, run_id, _SUPERSEDED, "true")
            self._end(run)

    def _end_orphan(self, run: Run) -> None:
        """End a run whose folder was deleted while it was running."""
        fingerprint = run.data.tags.get(_FINGERPRINT)
        if fingerprint is not None and run.info.lifecycle_stage == "active":
            folder = study_folder(self.store_dir, self.study) / fingerprint
            if not (folder / "run.json").exists():
                self._end(run)

    def _end(self, run: Run) -> None:
        if run.info.status != "RUNNING":
            return
        client, info = self.requests.client, run.info
        interrupted = Status.INTERRUPTED
        self.requests.write(
            "end-status", client.set_tag, info.run_id, "attnstudy.status", interrupted.value
        )
        self.requests.write(
            "end-run", client.set_terminated, info.run_id, MLFLOW_STATUS[interrupted],
            end_time=info.start_time,
        )  # fmt: skip


def experiment_identity(experiment: Experiment) -> str:
    """Return what tells an experiment from one of the same name in a store set up anew."""
    return f"{experiment.experiment_id}@{experiment.creation_time}"


def _earlier_starts(folder: RunFolder) -> Iterator[int]:
    """Give when the trainings were started that a repetition took the place of."""
    for path in kept_aside(folder.path):
        start = (read_sealed(path / "run.json") or {}).get("started_at")
        if start is not None:
            yield int(start)


def _worth(run: Run) -> tuple[bool, int, str]:
    """Order doubles: the one with the most in it first."""
    return (run.info.status != "FINISHED", -len(run.data.metrics), str(run.info.run_id))
