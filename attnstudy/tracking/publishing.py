"""Publishing run folders to MLflow: a projection that can be repeated at any time.

What the store has confirmed is noted in the run folder; everything else is sent again. Time
stamps come from the folder, so that a row sent twice is the same row, which MLflow keeps once.
The process may be killed, or the connection lost, between any two requests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from attnstudy.runs import RunFolder, Start, Status
from attnstudy.tracking.asking import Requests
from attnstudy.tracking.note import Note
from attnstudy.tracking.plans import send_plans
from attnstudy.tracking.sending import Figures, Sending
from attnstudy.tracking.shelf import Shelf
from attnstudy.tracking.store import ExperimentDeletedError, Tracker, mlflow_errors

if TYPE_CHECKING:
    from mlflow.entities import Run

_SETTLED = {status.value for status in Status if status.done}


@dataclass(slots=True)
class Publisher:
    """Sends run folders of one study to an open store."""

    tracker: Tracker
    study: str
    question: str | None
    figures: Figures
    republish: bool = False
    """Whether runs that were deleted in the UI are brought back, and altered files put right."""
    answered: Callable[[], None] = lambda: None
    """Called after every request that the store answered."""
    _shelf: Shelf | None = None

    def tell_of_answers(self, answered: Callable[[], None]) -> None:
        """Have a function called after every request that the store answered."""
        self.answered = answered

    def publish(self, folder: RunFolder) -> bool:
        """Send everything of a run that the store has not confirmed; tell whether that was any.

        Nothing is sent for a run that was never started, or that was deleted in the UI, unless
        it is to be published again. A run in another state than its folder is put right.

        Raises:
            StoreError: the store is unreachable or refuses; what it confirmed is noted.

        """
        started = folder.started()
        if started is None:
            return False
        with mlflow_errors(self.tracker.address), folder.publishing():
            note = Note(folder, self.tracker.address.key)
            try:
                shelf = self._opened()
            except ExperimentDeletedError:
                if not note.get("run_id"):
                    raise
                note.keep(deleted=True)  # with all runs that were in it
                return False
            before = shelf.requests.written
            run = _run_of(folder, started, shelf, note, republish=self.republish)
            if run is not None:
                Sending(
                    self.figures, shelf, folder, started, run, note, files_too=self.republish
                ).send()
            return shelf.requests.written != before

    def _opened(self) -> Shelf:
        """Return the study's experiment, read at its first use."""
        if self._shelf is None:
            tracker = self.tracker
            if self.republish:
                tracker.restore_experiment(self.study)
            shelf = Shelf(
                Requests(tracker.client, lambda: self.answered()),
                tracker.ensure_experiment(self.study, self.question),
                tracker.address.home,
                self.study,
                tracker.address.key,
                tracker.address.embedded,
            )
            send_plans(shelf)  # before any run: a plan that comes later counts for nothing
            shelf.survey()
            self._shelf = shelf
        return self._shelf


def _run_of(
    folder: RunFolder, started: Start, shelf: Shelf, note: Note, *, republish: bool
) -> Run | None:
    """Return the folder's run, made where needed; none if it was deleted and stays so."""
    noted = note.get("run_id")
    settled = note.get("status") in _SETTLED
    run = None if noted is None else shelf.run(noted, settled=settled)
    if run is None:
        if note.get("deleted") and note.get("experiment") == shelf.identity and not republish:
            return None  # deleted, and then removed from the trash
        run = shelf.find(folder, started, noted=note.anything)
        if run is None:
            note.keep(making=True)
            run = shelf.create(started)
            note.begin(run_id=run.info.run_id, experiment=shelf.identity, steps=0)
            return run
        note.begin(run_id=run.info.run_id, experiment=shelf.identity)
    if run.info.lifecycle_stage != "active":
        if not republish:
            note.keep(deleted=True, experiment=shelf.identity)
            return None
        client, run_id = shelf.requests.client, run.info.run_id
        shelf.requests.write("restore-run", client.restore_run, run_id)
        note.begin(run_id=run_id, experiment=shelf.identity)
    elif note.get("deleted"):  # and somebody brought it back
        note.begin(run_id=run.info.run_id, experiment=shelf.identity)
    return run
