"""The report of a ranking as a run beside the runs that it used."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from attnstudy.errors import StoreError
from attnstudy.runs import note_report
from attnstudy.tracking.artifacts import kept_files, sync_database
from attnstudy.tracking.store import Tracker, mlflow_errors


def log_ranking(
    tracker: Tracker, study: str, folder: Path, *, tags: Mapping[str, str], name: str, note: str
) -> str:
    """Store the files of a folder as a run of an experiment, and set the experiment's note.

    Returns:
        The id of the run.

    Raises:
        StoreError: the store is unreachable, refuses, or has no such experiment.
    """
    found = tracker.experiment(study)
    if found is None:
        raise StoreError(f"there is no experiment {study!r} in {tracker.address.shown} any more")
    client, experiment = tracker.client, str(found.experiment_id)
    with mlflow_errors(tracker.address):
        shown = {key: value[:5000] for key, value in tags.items() if value}
        run = client.create_run(experiment, run_name=name, tags=shown)
        try:
            client.log_artifacts(run.info.run_id, str(folder))
        except BaseException:
            with contextlib.suppress(Exception):  # what is wrong was said above
                client.set_terminated(run.info.run_id, "FAILED")
            raise
        client.set_terminated(run.info.run_id)
        client.set_experiment_tag(experiment, "mlflow.note.content", note[:5000])
    run_id = str(run.info.run_id)
    files = kept_files(found.artifact_location, run_id) if tracker.address.embedded else None
    if files is not None:
        sync_database(tracker.address.store_dir)
        note_report(tracker.address.store_dir, study, run_id, files)
    return run_id
