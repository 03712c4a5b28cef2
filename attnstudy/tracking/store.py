"""An open tracking store: its experiments, and its errors made readable."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from attnstudy.crashpoints import reach
from attnstudy.errors import StoreError, cause
from attnstudy.shown import in_markdown
from attnstudy.tracking.address import Address
from attnstudy.tracking.refusals import not_mlflow, refusal, unreachable
from attnstudy.tracking.requests import StrangeAnswerError

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment


class ExperimentDeletedError(StoreError):
    """A study's experiment lies in the trash of the tracking store."""


@dataclass(frozen=True, slots=True)
class Tracker:
    """An open store."""

    address: Address
    client: MlflowClient
    moved: tuple[Path, ...] = ()
    """Where the embedded store was, while the locations in it are still those of there."""

    def answers(self) -> bool:
        """Whether the store can be reached at this moment."""
        try:
            with mlflow_errors(self.address):
                self.client.search_experiments(max_results=1)
        except StoreError:
            return False
        return True

    def experiment(self, study: str) -> Experiment | None:
        """Return a study's experiment, if there is one.

        Raises:
            ExperimentDeletedError: the experiment was deleted in the UI.

        """
        with mlflow_errors(self.address):
            experiment = self.client.get_experiment_by_name(study)
        if experiment is not None and experiment.lifecycle_stage != "active":
            raise ExperimentDeletedError(
                f"the experiment {study!r} was deleted in {self.address.shown}: bring it back "
                f"with 'attnstudy sync {study} --republish', or choose another name with --study"
            )
        return experiment

    def experiment_id(self, study: str) -> str | None:
        """Return the id of a study's experiment, if there is one.

        Raises:
            ExperimentDeletedError: the experiment was deleted in the UI.

        """
        experiment = self.experiment(study)
        return None if experiment is None else str(experiment.experiment_id)

    def note(self, study: str) -> str | None:
        """Return the question that a study's experiment carries, if any."""
        experiment = self.experiment(study)
        return None if experiment is None else experiment.tags.get("attnstudy.question")

    def ensure_experiment(
        self, study: str, question: str | None, marks: Mapping[str, str] | None = None
    ) -> Experiment:
        """Return a study's experiment, creating it when it is not there yet.

        Args:
            study: its name.
            question: what the study is to answer, for the reader.
            marks: tags that say what it is, where it is not a study.

        Raises:
            ExperimentDeletedError: the experiment was deleted in the UI.

        """
        from mlflow.exceptions import MlflowException

        found = self.experiment(study)
        if found is not None:
            return found
        tags = {
            **({"attnstudy.study": study} if marks is None else marks),
            # the UI otherwise asks whether this is about language models
            "mlflow.experimentKind": "custom_model_development",
        }
        if question:
            tags["attnstudy.question"] = question
            tags["mlflow.note.content"] = in_markdown(question)
        root = self.address.artifact_root
        location = None if root is None else f"{root}/{study}"
        reach("publish/before-create-experiment")
        try:
            with mlflow_errors(self.address):
                self.client.create_experiment(study, location, tags)
        except StoreError as error:
            # Somebody else was faster, or our own request, of which the answer was lost.
            if not isinstance(error.__cause__, MlflowException):
                raise
            found = self.experiment(study)
            if found is None:
                raise
            return found
        reach("publish/after-create-experiment")
        made = self.experiment(study)
        if made is None:
            raise StoreError(
                f"the experiment {study!r} is not there any more in {self.address.shown}"
            )
        return made

    def restore_experiment(self, study: str) -> None:
        """Bring a deleted experiment back, with all that is in it; others are left alone."""
        with mlflow_errors(self.address):
            experiment = self.client.get_experiment_by_name(study)
            if experiment is not None and experiment.lifecycle_stage != "active":
                reach("publish/before-restore-experiment")
                self.client.restore_experiment(experiment.experiment_id)
                reach("publish/after-restore-experiment")


@contextlib.contextmanager
def mlflow_errors(address: Address) -> Iterator[None]:
    """Turn what MLflow raises into a sentence for the reader."""
    import requests
    from google.protobuf.json_format import ParseError
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except requests.HTTPError as error:
        code = None if error.response is None else error.response.status_code
        raise refusal(address, str(error), code) from error
    except (requests.RequestException, ConnectionError) as error:
        raise unreachable(address) from error
    except (ParseError, StrangeAnswerError) as error:
        raise not_mlflow(address) from error
    except (MlflowException, SQLAlchemyError, ImportError) as error:
        text = str(error).strip().partition("\n")[0]
        if not address.is_server:
            raise StoreError(
                f"the tracking store {address.shown} cannot be used: {text}"
            ) from error
        raise refusal(address, text) from error
    except OSError as error:  # of the artifacts of a store on this machine
        raise StoreError(
            f"the tracking store {address.shown} cannot be used: {cause(error)}"
        ) from error
