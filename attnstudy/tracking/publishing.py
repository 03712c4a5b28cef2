"""Publishing run folders to MLflow: a projection that can be repeated at any time.

What the store has confirmed is noted in the run folder; everything else is sent again. Time
stamps come from the folder, so that a row sent twice is the same row, which MLflow keeps once.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attnstudy.errors import StoreError
from attnstudy.runs import Result, RunFolder, Start, Status
from attnstudy.tracking.model import write_model_folder
from attnstudy.tracking.store import Tracker, mlflow_errors

if TYPE_CHECKING:
    from mlflow.entities import Metric

_METRICS_A_REQUEST = 1000  # MLflow's limit


Figures = Callable[[RunFolder], Mapping[str, bytes]]
"""Draws a finished run's figures: file names and contents."""


@dataclass(slots=True)
class Publisher:
    """Sends run folders of one study to an open store."""

    tracker: Tracker
    study: str
    question: str | None
    figures: Figures
    _experiment: str | None = None

    def publish(self, folder: RunFolder) -> bool:
        """Send everything of a run that the store has not confirmed; tell whether that was any.

        Nothing is sent for a run that was never started, or that was deleted in the UI.

        Raises:
            StoreError: the store is unreachable or refuses; what it confirmed is noted.

        """
        started = folder.started()
        if started is None:
            return False
        with mlflow_errors(self.tracker.address), folder.publishing():
            return self._publish(folder, started)

    def _publish(self, folder: RunFolder, started: Start) -> bool:
        key = self.tracker.address.key
        confirmed = folder.published(key)
        before = dict(confirmed)
        if self._experiment is None:
            self._experiment = self.tracker.ensure_experiment(self.study, self.question)
        result = folder.result()
        run_id = self._confirmed_run(confirmed)
        if run_id is None:
            run_id = self._find_or_create(folder, started)
            confirmed = {"run_id": run_id}
            self._describe(run_id, started)
        elif run_id == "":
            return False
        self._send_journal(folder, run_id, started.at, confirmed)
        if result is not None and confirmed.get("status") != result.status.value:
            self._send_result(folder, run_id, started, result)
            confirmed["status"] = result.status.value
        elif result is None:
            self._send_status(folder, run_id, confirmed)
        if confirmed != before:
            folder.note_published(key, confirmed)
        return confirmed != before

    def _confirmed_run(self, confirmed: Mapping[str, Any]) -> str | None:
        """Return the noted run if the store still has it; "" if it was deleted in the UI."""
        from mlflow.exceptions import MlflowException

        run_id = confirmed.get("run_id")
        if run_id is None:
            return None
        try:
            run = self.tracker.client.get_run(run_id)
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None  # another database, or one that was set up anew
            raise
        return str(run_id) if run.info.lifecycle_stage == "active" else ""

    def _find_or_create(self, folder: RunFolder, started: Start) -> str:
        client, spec = self.tracker.client, started.spec
        for replaced in folder.replaced(self.tracker.address.key):
            client.set_tag(replaced, "attnstudy.superseded", "true")
        found = client.search_runs(
            [str(self._experiment)],
            f"tags.`attnstudy.fingerprint` = '{spec.fingerprint}'",
        )
        current = [run for run in found if run.data.tags.get("attnstudy.superseded") != "true"]
        if current:
            return str(current[0].info.run_id)
        run = client.create_run(
            str(self._experiment),
            start_time=started.at,
            run_name=spec.name,
            tags={
                "attnstudy.study": spec.study,
                "attnstudy.variant": spec.variant,
                "attnstudy.seed": str(spec.seed),
                "attnstudy.fingerprint": spec.fingerprint,
                "attnstudy.config": spec.config_id,
                "attnstudy.dataset_digest": spec.dataset_digest,
                "attnstudy.test_images": str(started.dataset.test_images),
                "attnstudy.classes": str(len(started.dataset.class_names)),
                "attnstudy.status": "running",
                "mlflow.source.name": "attnstudy run",
            },
        )
        return str(run.info.run_id)

    def _describe(self, run_id: str, started: Start) -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag, Param

        spec, facts = started.spec, started.dataset
        values = {k: v for k, v in spec.to_dict().items() if v is not None}
        texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in values.items()}
        client = self.tracker.client
        client.log_batch(run_id, params=[Param(k, v) for k, v in texts.items()])
        shape = [-1, *facts.image_shape]
        schema = {
            "mlflow_tensorspec": {
                "features": [_tensor("uint8", shape)],
                "targets": [_tensor("int64", [-1])],
            }
        }
        profile = {
            "train_images": spec.train_size,
            "validation_images": spec.val_size,
            "classes": list(facts.class_names),
        }
        dataset = Dataset(
            name=facts.name,
            digest=facts.digest,
            source_type="local",
            source=json.dumps({"uri": facts.source}),
            schema=json.dumps(schema),
            profile=json.dumps(profile),
        )
        tag = InputTag("mlflow.data.context", "training")
        client.log_inputs(run_id, [DatasetInput(dataset, [tag])])

    def _send_journal(
        self, folder: RunFolder, run_id: str, started_at: int, confirmed: dict[str, Any]
    ) -> None:
        from mlflow.entities import Metric

        # An interrupted run's last lines may be dropped and computed again, to the same numbers.
        sent = int(confirmed.get("steps", 0))
        metrics: list[Metric] = []
        before = 0.0
        last_step = sent
        for record in folder.journal():
            losses = record["train_loss"]
            seconds = record["seconds"]
            end = record["first_step"] + len(losses)
            if end > sent:
                for i, loss in enumerate(losses):
                    # spread evenly over the interval: only its end was measured
                    at = before + (seconds - before) * (i + 1) / len(losses)
                    stamp = started_at + round(1000 * at)
                    metrics.append(Metric("train_loss", loss, stamp, record["first_step"] + i))
                if record["val_accuracy"] is not None:
                    stamp = started_at + round(1000 * seconds)
                    metrics.append(Metric("val_accuracy", record["val_accuracy"], stamp, end - 1))
                last_step = end
            before = seconds
        self._log_metrics(run_id, metrics)
        confirmed["steps"] = last_step

    def _log_metrics(self, run_id: str, metrics: list[Metric]) -> None:
        for first in range(0, len(metrics), _METRICS_A_REQUEST):
            self.tracker.client.log_batch(
                run_id, metrics=metrics[first : first + _METRICS_A_REQUEST]
            )

    def _send_status(self, folder: RunFolder, run_id: str, confirmed: dict[str, Any]) -> None:
        failure = folder.failure()
        status = Status.FAILED.value if failure is not None else Status.RUNNING.value
        if confirmed.get("status") == status:
            return
        client = self.tracker.client
        client.set_tag(run_id, "attnstudy.status", status)
        if failure is not None:
            client.set_tag(run_id, "attnstudy.failure", failure[:5000])
            client.set_terminated(run_id, "FAILED")
        elif confirmed.get("status") is not None:
            client.update_run(run_id, "RUNNING")
        confirmed["status"] = status

    def _send_result(self, folder: RunFolder, run_id: str, started: Start, result: Result) -> None:
        from mlflow.entities import Metric, RunTag

        client, spec = self.tracker.client, started.spec
        damaged = folder.damaged_files()
        if damaged:
            raise StoreError(
                f"{folder.path / damaged[0]} is damaged: repeat this run with --rerun --variant "
                f"{spec.variant} --seeds {spec.seed}-{spec.seed}"
            )
        with tempfile.TemporaryDirectory() as temporary:
            for name, content in self.figures(folder).items():
                Path(temporary, name).write_bytes(content)
            for name in result.files:
                if name != "model.pt2":
                    Path(temporary, name).write_bytes((folder.path / name).read_bytes())
            client.log_artifacts(run_id, temporary)
        model_id = self._send_model(folder, run_id, started, result)
        # At step 0 the UI draws them as bars, one a run, and not as curves of one point.
        metrics = [
            Metric(name, value, result.finished_at, 0, model_id=model_id)
            for name, value in result.metrics().items()
        ]
        tags = {f"attnstudy.{name}": value for name, value in result.environment.items()}
        tags["attnstudy.status"] = result.status.value
        if result.diverged_at is not None:
            tags["attnstudy.diverged_at"] = str(result.diverged_at)
        if result.notes:
            tags["attnstudy.notes"] = "; ".join(result.notes)[:5000]
        client.log_batch(
            run_id, metrics=metrics, tags=[RunTag(name, value) for name, value in tags.items()]
        )
        client.set_terminated(run_id, "FINISHED", end_time=result.finished_at)

    def _send_model(
        self, folder: RunFolder, run_id: str, started: Start, result: Result
    ) -> str | None:
        from mlflow.entities import LoggedModelOutput

        if "model.pt2" not in result.files:
            return None
        client, spec, facts = self.tracker.client, started.spec, started.dataset
        experiment = str(self._experiment)
        known = client.search_logged_models([experiment], f"source_run_id = '{run_id}'")
        ready = [model for model in known if str(model.status) == "READY"]
        if ready:
            return str(ready[0].model_id)
        model = client.create_logged_model(
            experiment,
            name="model",
            source_run_id=run_id,
            model_type=spec.variant,
            tags={"attnstudy.variant": spec.variant, "attnstudy.seed": str(spec.seed)},
            params={"attention": spec.attention, "seed": str(spec.seed)},
        )
        with tempfile.TemporaryDirectory() as temporary:
            target = Path(temporary, "model")
            write_model_folder(
                target,
                folder.path / "model.pt2",
                image_shape=facts.image_shape,
                num_classes=len(facts.class_names),
                run_id=run_id,
                model_id=model.model_id,
                normalisation=dict(facts.normalisation),
                torch_version=result.environment["torch"],
            )
            client.log_model_artifacts(model.model_id, str(target))
        client.finalize_logged_model(model.model_id, "READY")
        client.log_outputs(run_id, [LoggedModelOutput(model.model_id, spec.iterations - 1)])
        return str(model.model_id)


def log_ranking(
    tracker: Tracker, study: str, folder: Path, *, tags: Mapping[str, str], name: str, note: str
) -> str:
    """Store the files of a folder as a run of an experiment, and set the experiment's note.

    Returns:
        The id of the run.

    Raises:
        StoreError: the store is unreachable, refuses, or has no such experiment.
    """
    experiment = tracker.experiment_id(study)
    if experiment is None:
        raise StoreError(f"there is no experiment {study!r} in {tracker.address.shown} any more")
    client = tracker.client
    with mlflow_errors(tracker.address):
        shown = {key: value[:5000] for key, value in tags.items() if value}
        run = client.create_run(experiment, run_name=name, tags=shown)
        client.log_artifacts(run.info.run_id, str(folder))
        client.set_terminated(run.info.run_id)
        client.set_experiment_tag(experiment, "mlflow.note.content", note[:5000])
    return str(run.info.run_id)


def _tensor(dtype: str, shape: list[int]) -> dict[str, Any]:
    return {"type": "tensor", "tensor-spec": {"dtype": dtype, "shape": shape}}
