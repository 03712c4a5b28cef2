"""Publishing run folders to MLflow: a projection that can be repeated at any time.

What the store has confirmed is noted in the run folder; everything else is sent again. Time
stamps come from the folder, so that a row sent twice is the same row, which MLflow keeps once.
The process may be killed, or the connection lost, between any two requests.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from attnstudy.runs import RunFolder, Start, Status
from attnstudy.tracking.delivery_state import SETTLED, DeliveryState
from attnstudy.tracking.plans import send_plans
from attnstudy.tracking.requests import Requests
from attnstudy.tracking.run_lookup import RunLookup
from attnstudy.tracking.store import ExperimentDeletedError, Tracker, mlflow_errors
from attnstudy.tracking.upload import Figures, Upload

if TYPE_CHECKING:
    from mlflow.entities import Run

SYSTEM_METRICS = "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING"
"""MLflow's own variable: whether the load of the machine is logged with each run."""


def system_metrics_asked() -> bool:
    """Whether MLflow is to log the load of the machine, read as MLflow reads it."""
    return os.environ.get(SYSTEM_METRICS, "").lower() in ("true", "1")


@dataclass(slots=True)
class Publisher:
    """Sends run folders of one study to an open store."""

    tracker: Tracker
    study: str
    question: str | None
    figures: Figures
    republish: bool = False
    """Whether runs that were deleted in the UI are brought back, and altered files put right."""
    mended: Callable[[str], None] | None = None
    """Told which artifacts the embedded store lacked and got again; None compares none."""
    answered: Callable[[], None] = lambda: None
    """Called after every request that the store answered."""
    measured: Collection[RunFolder] = ()
    """The runs with which the load of this machine is logged, for as long as they are trained."""
    _lookup: RunLookup | None = None
    _monitors: dict[str, Any] = field(default_factory=dict)
    """Of each run that is being trained, by its id."""

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
            delivery = DeliveryState(folder, self.tracker.address.key)
            try:
                lookup = self._opened()
            except ExperimentDeletedError:
                if not delivery.now.run_id:
                    raise
                delivery.keep(deleted=True)  # with all runs that were in it
                return False
            before = lookup.requests.written
            run = _run_of(folder, started, lookup, delivery, republish=self.republish)
            if run is not None:
                running = folder.status is Status.RUNNING
                if not running:
                    self._stop_measuring(run.info.run_id)
                Upload(
                    self.figures,
                    lookup,
                    folder,
                    started,
                    run,
                    delivery,
                    files_too=self.republish,
                    mended=self.mended,
                ).send()
                if running and folder in self.measured:
                    self._measure(run.info.run_id)
            return lookup.requests.written != before

    def _measure(self, run_id: str) -> None:
        """Have MLflow log the load of this machine with a run, in a thread of MLflow's."""
        from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

        if run_id not in self._monitors:
            # it tells of its beginning, its end and each failure; the run itself does not need it
            logging.getLogger(SystemMetricsMonitor.__module__).setLevel(logging.ERROR)
            monitor: Any = SystemMetricsMonitor(  # type: ignore[no-untyped-call]
                run_id, resume_logging=True, tracking_uri=self.tracker.address.uri
            )
            monitor.start()
            self._monitors[run_id] = monitor

    def _stop_measuring(self, run_id: str) -> None:
        monitor = self._monitors.pop(run_id, None)
        if monitor is not None:
            monitor.finish()

    def _opened(self) -> RunLookup:
        """Return the study's experiment, read at its first use."""
        if self._lookup is None:
            tracker = self.tracker
            if self.republish:
                tracker.restore_experiment(self.study)
            lookup = RunLookup(
                Requests(tracker.client, lambda: self.answered()),
                tracker.ensure_experiment(self.study, self.question),
                tracker.address.store_dir,
                self.study,
                tracker.address.key,
                tracker.address.embedded,
            )
            send_plans(lookup)  # before any run: a plan that comes later counts for nothing
            lookup.survey()
            self._lookup = lookup
        return self._lookup


def _run_of(
    folder: RunFolder,
    started: Start,
    lookup: RunLookup,
    delivery: DeliveryState,
    *,
    republish: bool,
) -> Run | None:
    """Return the folder's run, made where needed; None if it was deleted and stays so."""
    noted = delivery.now.run_id
    settled = delivery.now.status in SETTLED
    run = None if noted is None else lookup.run(noted, settled=settled)
    if run is None:
        if delivery.now.deleted and delivery.now.experiment == lookup.identity and not republish:
            return None  # deleted, and then removed from the trash
        run = lookup.find(folder, started, noted=delivery.anything)
        if run is None:
            delivery.keep(making=True)
            run = lookup.create(started)
            delivery.begin(run_id=run.info.run_id, experiment=lookup.identity, steps=0, model=False)
            return run
        delivery.begin(run_id=run.info.run_id, experiment=lookup.identity)
    if run.info.lifecycle_stage != "active":
        if not republish:
            delivery.keep(deleted=True, experiment=lookup.identity)
            return None
        client, run_id = lookup.requests.client, run.info.run_id
        lookup.requests.write("restore-run", client.restore_run, run_id)
        delivery.begin(run_id=run_id, experiment=lookup.identity)
    elif delivery.now.deleted:  # and somebody brought it back
        delivery.begin(run_id=run.info.run_id, experiment=lookup.identity)
    return run
