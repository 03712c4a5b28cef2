"""Uploading one run folder to its run in MLflow, so that a second upload changes nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attnstudy.errors import StoreError
from attnstudy.files import file_digest
from attnstudy.redaction import told_elsewhere
from attnstudy.runs import (
    JOURNAL,
    METRICS,
    PREDICTIONS,
    RESULT,
    Result,
    RunFolder,
    Start,
    Status,
)
from attnstudy.tracking.artifacts import (
    altered,
    artifact_folder,
    delivered_files,
    sent_files,
)
from attnstudy.tracking.delivery_state import SETTLED, DeliveryState
from attnstudy.tracking.digests import sealing_tags
from attnstudy.tracking.journal_points import JournalPoints
from attnstudy.tracking.model import ARCHIVE, ModelPlace, send_model, send_model_files
from attnstudy.tracking.params import dataset_input, param_texts
from attnstudy.tracking.requests import Requests
from attnstudy.tracking.run_lookup import MLFLOW_STATUS, RunLookup

if TYPE_CHECKING:
    from mlflow.entities import Metric, Param, Run, RunTag

_POINTS_BESIDE = 700  # of a journal in the request of the result: the limit is for all it holds
_FAILURE = "attnstudy.failure"


Figures = Callable[[RunFolder], Mapping[str, bytes]]
"""Draws a finished run's figures: file names and contents."""


@dataclass(slots=True)
class Upload:
    """Uploads one folder to its run."""

    figures: Figures
    lookup: RunLookup
    folder: RunFolder
    started: Start
    run: Run
    """As it was before anything was sent."""
    delivery: DeliveryState
    files_too: bool = False
    """Whether the predictions that the store holds are compared with the folder's as well."""
    mended: Callable[[str], None] | None = None
    """Told what is sent again; where it is not None, all artifacts are compared."""
    run_id: str = field(init=False)
    requests: Requests = field(init=False)
    journal: JournalPoints = field(init=False)

    def __post_init__(self) -> None:
        self.run_id = str(self.run.info.run_id)
        self.requests = self.lookup.requests
        self.journal = JournalPoints(
            self.folder, self.started.at, self.delivery, self.requests, self.run_id
        )

    def send(self) -> None:
        """Send everything that the store has not confirmed, and put the run's state right.

        Raises:
            StoreError: a file of the result is damaged; nothing of the result is sent.

        """
        result = self.folder.result()
        status = self.folder.status if result is None else result.status
        if status is Status.INTERRUPTED:
            self._refuse_lost()
        if result is not None and self.delivery.now.status == status.value:
            if not self._shows(status, result):  # another command may have sent it meanwhile
                self.run = self.lookup.run(self.run_id) or self.run
            if self._shows(status, result) and not (self.files_too and self._other_file(result)):
                self._seal(result)
                if self.mended is not None and self.lookup.alone:
                    self._mend(result, self.mended)
                return
            # somebody changed it, or the store was put back to an earlier day
            self.delivery.begin(run_id=self.run_id, experiment=self.lookup.identity, altered=True)
        damaged = self.folder.damaged_files() if result is not None else []
        if result is None or damaged:
            self._send_begun()
        if result is not None:
            self._refuse_damaged(damaged)
            there = self.run.data.metrics
            if any(there.get(name, value) != value for name, value in result.metrics.items()):
                self.delivery.keep(altered=True)
            confirmed = self._send_result(result)
            if self.delivery.now.altered:
                self._refuse_stubborn(status, result)
                confirmed["altered"] = False
        else:
            self._send_status(status, self.folder.failure())
            confirmed = {}
        self.delivery.keep(**confirmed, status=status.value)

    def _mend(self, result: Result, tell: Callable[[str], None]) -> None:
        """Send artifacts again that the embedded store does not have as they were sent."""
        files = sent_files(self.folder)
        root = artifact_folder(self.lookup.store_dir, self.lookup.study)
        bad = altered(root, files)
        if not bad:
            return
        self._refuse_damaged(self.folder.damaged_files())
        for name in bad:  # what cannot be drawn again is not to be taken for what it was
            (root / name).unlink(missing_ok=True)
        self._send_files(result)
        models = {parts[1] for name in files if (parts := name.split("/"))[0] == "models"}
        for model_id in models:
            send_model_files(
                self.requests, self.run_id, model_id, self.folder, self.started, result
            )
        kept = delivered_files(self.lookup, self.run_id, *models)
        there = kept["files"] or {}
        if lacking := [n for n in bad if n not in there and n.rpartition("/")[2] in result.files]:
            raise StoreError(
                f"{root / lacking[0]} was sent again and is not there: MLflow keeps the artifacts "
                "of this run elsewhere; see 'mlflow artifacts list --run-id' " + self.run_id
            )
        self.delivery.keep(**kept)
        names = ", ".join(sorted({name.rpartition("/")[2] for name in bad}))
        tell(f"{self.started.spec.name}: {names} in the embedded store was damaged: sent again")

    def _shows(self, status: Status, result: Result | None = None) -> bool:
        """Whether the store shows the run in a state, with a result's numbers."""
        run = self.run
        names = METRICS if result is None else {*METRICS, *result.metrics}
        shown = {name: run.data.metrics[name] for name in names if name in run.data.metrics}
        return (
            run.info.status == MLFLOW_STATUS[status]
            and run.data.tags.get("attnstudy.status") == status.value
            and (result is None or shown == result.metrics)
        )

    def _other_file(self, result: Result) -> bool:
        """Whether the predictions in the store are not those of the result."""
        if PREDICTIONS not in result.files:
            return False
        client = self.requests.client
        there = self.requests.read(client.list_artifacts, self.run_id)
        if PREDICTIONS not in {artifact.path for artifact in there}:
            return True
        with tempfile.TemporaryDirectory() as folder:
            path = self.requests.read(client.download_artifacts, self.run_id, PREDICTIONS, folder)
            return file_digest(Path(path)) != result.files[PREDICTIONS]

    def _sealing(self, result: Result) -> dict[str, str]:
        """Return the tags that identify a result; none of a run of another code schema.

        By the present one it would be called otherwise, and be pooled with what it must not be.
        """
        if self.folder.fingerprint != self.started.spec.fingerprint:
            return {}
        return sealing_tags(self.started, result)

    def _seal(self, result: Result) -> None:
        """Put the digests right, and what they vouch for; runs of earlier versions have none."""
        tags = self._sealing(result)
        if any(self.run.data.tags.get(name) != text for name, text in tags.items()):
            client = self.requests.client
            self.requests.write("seal", client.log_batch, self.run_id, tags=_tags(tags))

    def _send_begun(self) -> None:
        """Send what is there of a run that has no result yet: parameters, dataset, journal."""
        client = self.requests.client
        if params := self._params():
            self.requests.write("log-params", client.log_batch, self.run_id, params=params)
            self._send_dataset()
            self.delivery.keep(described=True)
        unsent = self.journal.unsent()
        self.journal.send(unsent)
        self.delivery.keep(**unsent.confirmed)

    def _params(self) -> list[Param]:
        """Return the run's parameters; none if the store has them."""
        from mlflow.entities import Param

        if self.delivery.now.described:
            return []
        return [Param(k, v) for k, v in param_texts(self.started.spec.to_dict()).items()]

    def _send_dataset(self) -> None:
        if self.started.dataset is not None:
            inputs = [dataset_input(self.started.spec, self.started.dataset)]
            self.requests.write("log-inputs", self.requests.client.log_inputs, self.run_id, inputs)

    def _send_status(self, status: Status, failure: str | None) -> None:
        """Show a run that has no result in the state that its folder is in."""
        told = None if failure is None else told_elsewhere(failure)[:5000]
        if self._shows(status) and self.run.data.tags.get(_FAILURE) == told:
            return
        client, run_id = self.requests.client, self.run_id
        self._forget_failure(status)
        if told is not None:
            self.requests.write("failure", client.set_tag, run_id, _FAILURE, told)
        self.requests.write("status", client.set_tag, run_id, "attnstudy.status", status.value)
        if status is Status.RUNNING:
            self.requests.write("resumed", client.update_run, run_id, MLFLOW_STATUS[status])
        else:
            self._terminate(status, self._reached_at())

    def _forget_failure(self, status: Status) -> None:
        if status is not Status.FAILED and _FAILURE in self.run.data.tags:
            client = self.requests.client
            self.requests.write("no-failure", client.delete_tag, self.run_id, _FAILURE)

    def _reached_at(self) -> int:
        """Return when the last line of the journal was written, in ms since the epoch."""
        seconds = [record.seconds for record in self.folder.journal()]
        return self.started.at + round(1000 * max(seconds, default=0.0))

    def _terminate(self, status: Status, at: int) -> None:
        client, name = self.requests.client, MLFLOW_STATUS[status]
        self.requests.write("terminated", client.set_terminated, self.run_id, name, end_time=at)

    def _send_result(self, result: Result) -> dict[str, Any]:
        """Send everything of a finished run; return what is noted once that is confirmed.

        Parameters, a short journal and the numbers go in one request, as a request costs more
        than what is in it. It may be sent twice: the journal of a finished run stays as it is.
        """
        if params := self._params():
            self._send_dataset()
        self._send_files(result)
        model_id = self._send_model(result) if ARCHIVE in self._apart(result) else None
        self._forget_failure(result.status)
        unsent = self.journal.unsent()
        points = unsent.points
        if len(points) > _POINTS_BESIDE:
            self.journal.send(unsent)
            points = []
        self.requests.write(
            "log-result",
            self.requests.client.log_batch,
            self.run_id,
            metrics=[*points, *self._numbers(result, model_id)],
            params=params,
            tags=self._result_tags(result),
        )
        self._terminate(result.status, result.finished_at)
        models = [] if model_id is None else [model_id]
        kept = delivered_files(self.lookup, self.run_id, *models)
        return {"described": True, **unsent.confirmed, **kept}

    def _send_model(self, result: Result) -> str:
        untried = self.delivery.now.model is False
        if untried:
            self.delivery.keep(model=True)
        experiment = self.lookup.experiment
        place = ModelPlace(
            str(experiment.experiment_id),
            self.run_id,
            experiment.artifact_location,
            untried,
            self.lookup.alone,
        )
        return send_model(self.requests, place, self.folder, self.started, result)

    def _numbers(self, result: Result, model_id: str | None) -> list[Metric]:
        from mlflow.entities import Metric

        ends: dict[str, int] = {}
        for record in self.folder.journal():
            for name, step, _ in record.points():
                ends[name] = max(step, ends.get(name, step))
        of_model: dict[str, Any] = {}
        if model_id is not None and (facts := self.started.dataset) is not None:
            of_model = {
                "model_id": model_id, "dataset_name": facts.name, "dataset_digest": facts.digest,
            }  # fmt: skip
        return [
            Metric(name, value, *self._place(name, value, result, ends), **of_model)
            for name, value in result.metrics.items()
        ]

    def _result_tags(self, result: Result) -> list[RunTag]:
        """Return the tags of a result that the run does not have yet."""
        tags = {f"attnstudy.{name}": value for name, value in result.environment.items()}
        tags |= self._sealing(result)
        tags["attnstudy.status"] = result.status.value
        if result.diverged_at is not None:
            tags["attnstudy.diverged_at"] = str(result.diverged_at)
        if result.notes:
            tags["attnstudy.notes"] = told_elsewhere("; ".join(result.notes))[:5000]
        there = self.run.data.tags
        return _tags({name: text for name, text in tags.items() if there.get(name) != text})

    def _place(
        self, name: str, value: float, result: Result, ends: Mapping[str, int]
    ) -> tuple[int, int]:
        """Return time and step of a number: those of the result, whenever it is sent.

        ``ends`` are the last steps of what was logged on the way.

        Of several numbers MLflow shows the latest, and the greater of two of one moment: a number
        that was altered there only gives way to a later one.
        """
        # at step 0 the UI draws them as bars, one per run, and not as curves of one point; what was
        # logged on the way too has its result at the end of its curve
        if name in ends:
            return result.finished_at, ends[name]
        if not self.delivery.now.altered or self.run.data.metrics.get(name) == value:
            return result.finished_at, 0
        client = self.requests.client
        there = self.requests.read(client.get_metric_history, self.run_id, name)
        if not there:
            return result.finished_at, 0
        step, at = max((point.step, point.timestamp) for point in there)
        return max(at, result.finished_at) + 1, max(step, 0)

    def _refuse_lost(self) -> None:
        """Leave a run in MLflow as it is whose result was there, and is lost or damaged here."""
        path = self.folder.path / RESULT
        if path.exists() or self.delivery.now.status in SETTLED:
            raise StoreError(
                f"{self.started.spec.name}: {path} is {'damaged' if path.exists() else 'lost'}: "
                "put it back from a copy, or train the run again by "
                f"'{self.started.spec.command_line()}'"
            )

    def _refuse_damaged(self, damaged: Sequence[str]) -> None:
        if not damaged:
            return
        sentence = (
            f"{self.folder.path / damaged[0]} is damaged: repeat this run with "
            f"'{self.started.spec.command_line('--rerun')}'"
        )
        if self.run.info.status == "RUNNING":
            self._send_status(Status.FAILED, sentence)
        raise StoreError(sentence)

    def _refuse_stubborn(self, status: Status, result: Result) -> None:
        """Make sure that a run which showed something else now shows its result."""
        self.run = self.requests.read(self.requests.client.get_run, self.run_id)
        if not self._shows(status, result):
            raise StoreError(
                f"MLflow keeps showing other numbers of {self.started.spec.name} than its folder: "
                "delete that run there, empty MLflow's trash ('mlflow gc'), then "
                f"'attnstudy sync {self.started.spec.study} --republish'"
            )

    def _apart(self, result: Result) -> set[str]:
        """Return the files that are no files in MLflow: metrics, and a model with its images."""
        model = {ARCHIVE} if self.started.dataset is not None else set()
        return {JOURNAL, *model} & set(result.files)

    def _send_files(self, result: Result) -> None:
        kept = [name for name in result.files if name not in (ARCHIVE, JOURNAL)]  # a model, metrics
        paths = [self.folder.path / name for name in kept]
        with tempfile.TemporaryDirectory() as temporary:
            for name, content in self.figures(self.folder).items():
                paths.append(Path(temporary, name))
                paths[-1].write_bytes(content)
            self.requests.answered()  # drawing takes a while, and nobody hangs
            for path in sorted(paths, key=lambda path: path.name):
                client = self.requests.client
                self.requests.write("file", client.log_artifact, self.run_id, str(path))


def _tags(texts: Mapping[str, str]) -> list[RunTag]:
    from mlflow.entities import RunTag

    return [RunTag(name, text) for name, text in texts.items()]
