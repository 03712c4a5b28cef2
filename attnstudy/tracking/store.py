"""Opening the tracking store: created once, never waited for long, errors made readable."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filelock import FileLock

from attnstudy.errors import StoreError, TrackingUnreachableError
from attnstudy.files import reported
from attnstudy.tracking.address import Address

if TYPE_CHECKING:
    from mlflow import MlflowClient

_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # MLflow's own defaults keep a call to a dead server busy for minutes
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}


@dataclass(frozen=True, slots=True)
class Tracker:
    """An open store."""

    address: Address
    client: MlflowClient

    def experiment_id(self, study: str) -> str | None:
        """Return the id of a study's experiment, if there is one.

        Raises:
            StoreError: the experiment was deleted in the UI.

        """
        with mlflow_errors(self.address):
            experiment = self.client.get_experiment_by_name(study)
        if experiment is None:
            return None
        if experiment.lifecycle_stage != "active":
            raise StoreError(
                f"the experiment {study!r} was deleted in {self.address.shown}: restore it with "
                f"'mlflow experiments restore', or choose another name with --study"
            )
        return str(experiment.experiment_id)

    def note(self, study: str) -> str | None:
        """Return the question that a study's experiment carries, if any."""
        with mlflow_errors(self.address):
            experiment = self.client.get_experiment_by_name(study)
        return None if experiment is None else experiment.tags.get("attnstudy.question")

    def ensure_experiment(self, study: str, question: str | None) -> str:
        """Return the id of a study's experiment, creating it when it is not there yet."""
        from mlflow.exceptions import MlflowException

        found = self.experiment_id(study)
        if found is None:
            tags = {
                "attnstudy.study": study,
                # the UI otherwise asks whether this is about language models
                "mlflow.experimentKind": "custom_model_development",
            }
            if question:
                tags["attnstudy.question"] = question
                tags["mlflow.note.content"] = question
            root = self.address.artifact_root
            location = None if root is None else f"{root}/{study}"
            try:
                return str(self.client.create_experiment(study, location, tags))
            except MlflowException:
                found = self.experiment_id(study)  # somebody else was faster
                if found is None:
                    raise
        return found


def prepare_mlflow() -> None:
    """Set MLflow's defaults for this process, before it is imported; the user's own win."""
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    for noisy in ("alembic", "mlflow.store.db.utils", "mlflow.tracking"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def open_store(address: Address, *, create: bool = True) -> Tracker:
    """Open a store, creating the embedded one when it is not there and ``create`` says so.

    Raises:
        TrackingUnreachableError: the server or database does not answer.
        StoreError: the store is not there, or cannot be used.

    """
    if address.embedded and not create and not (address.home / "mlflow.db").exists():
        raise StoreError(
            f"there is no tracking store in {address.home}: 'attnstudy run' makes one, or name "
            "another with --store or --tracking-uri"
        )
    prepare_mlflow()
    with mlflow_errors(address):
        if address.is_server:
            return Tracker(address, _connected(address))
        with reported(address.home):
            address.home.mkdir(parents=True, exist_ok=True)
        # Opening a fresh database migrates it, and two at once destroy it.
        with FileLock(address.home / "mlflow.lock"):
            return Tracker(address, _connected(address))


def _connected(address: Address) -> MlflowClient:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=address.uri, registry_uri=address.uri)
    client.search_experiments(max_results=1)  # the first call is what connects
    return client


@contextlib.contextmanager
def mlflow_errors(address: Address) -> Iterator[None]:
    """Turn what MLflow raises into a sentence for the reader."""
    import requests
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (requests.RequestException, ConnectionError) as error:
        raise TrackingUnreachableError(_unreachable(address)) from error
    except (MlflowException, SQLAlchemyError, ImportError) as error:
        text = str(error).strip().partition("\n")[0]
        if address.is_server and ("Max retries" in text or "failed with exception" in text):
            raise TrackingUnreachableError(_unreachable(address)) from error
        raise StoreError(f"the tracking store {address.shown} cannot be used: {text}") from error


def _unreachable(address: Address) -> str:
    return (
        f"the tracking server {address.shown} does not answer: start it, or check the address in "
        "--tracking-uri or MLFLOW_TRACKING_URI"
    )
