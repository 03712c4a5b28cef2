"""A run's model in MLflow, around the archive that the worker exported."""

from __future__ import annotations

import datetime
import re
import shutil
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from attnstudy.runs import Result, RunFolder, Start
from attnstudy.shown import in_markdown
from attnstudy.tracking.artifacts import kept_files
from attnstudy.tracking.requests import Requests

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel

ARCHIVE = "model.pt2"
_NOT_IN_NAMES = re.compile(r"[/:.%\"']+")  # MLflow refuses them in the name of a model


@dataclass(frozen=True, slots=True)
class ModelPlace:
    """Where a run's model belongs, and what may be there."""

    experiment: str
    run_id: str
    artifacts: str
    """Location of the artifacts of the experiment."""
    untried: bool
    """Whether no attempt was made so far to send a model: then there is none to look for."""
    alone: bool
    """Whether nothing between here and the store could repeat a request."""


def send_model(
    requests: Requests, place: ModelPlace, folder: RunFolder, started: Start, result: Result
) -> str:
    """See to it that a run has its model, one, whole and named as its output; return its id.

    A model that an earlier attempt left unfinished is finished; doubles are deleted.
    """
    client, spec = requests.client, started.spec
    experiment, run_id = place.experiment, place.run_id
    model = None if place.untried else _only(requests, experiment, run_id)
    if model is None:
        model = requests.write(
            "create-model",
            client.create_logged_model,
            experiment,
            name=_NOT_IN_NAMES.sub("-", f"{spec.study}-{spec.arm_name}"),
            source_run_id=run_id,
            model_type=spec.variant,
            tags={
                "attnstudy.variant": spec.variant,
                "attnstudy.seed": str(spec.seed),
                "mlflow.note.content": _description(started, result),
            },
            params={"attention": spec.attention, "seed": str(spec.seed)},
        )
        if not place.alone:  # the way to a server may have repeated the request
            model = _only(requests, experiment, run_id) or model
    model_id = str(model.model_id)
    if str(model.status) != "READY":
        send_model_files(requests, run_id, model_id, folder, started, result)
        if place.alone:  # before it is called ready, as it is not sent again then
            kept_files(place.artifacts, f"models/{model_id}")
        requests.write("finalize-model", client.finalize_logged_model, model_id, "READY")
    if place.untried or model_id not in _outputs(requests, run_id):
        last = max(record.step for record in folder.journal())
        _name_output(requests, run_id, model_id, last)
    return model_id


def _description(started: Start, result: Result) -> str:
    """Return what a model is, as Markdown."""
    spec, facts = started.spec, started.dataset
    assert facts is not None
    size = "×".join(map(str, facts.image_shape))
    trained = (
        f"Arm **{in_markdown(spec.arm_name)}** of the study **{in_markdown(spec.study)}**, trained "
        f"with seed {spec.seed} on {spec.train_size:,} images of {in_markdown(facts.name)} "
        f"(digest `{facts.digest}`) for {spec.epochs} epoch{'s' * (spec.epochs != 1)}."
    )
    right = result.metrics.get("test_accuracy")
    tested = "" if right is None else f" Test accuracy: {right:.2f} %."
    takes = f"It takes images of {size}, as (pixel / scale - mean) / std, and returns logits."
    return f"{trained}{tested}\n\n{takes}"


def send_model_files(
    requests: Requests,
    run_id: str,
    model_id: str,
    folder: RunFolder,
    started: Start,
    result: Result,
) -> None:
    """Send the files of a model; those of an earlier attempt are replaced by the same."""
    client = requests.client
    with tempfile.TemporaryDirectory() as temporary:
        target = Path(temporary, "model")
        _write_model_folder(target, folder.path / ARCHIVE, run_id, model_id, started, result)
        requests.write("model-files", client.log_model_artifacts, model_id, str(target))


def _only(requests: Requests, experiment: str, run_id: str) -> LoggedModel | None:
    """Return the run's model, the finished one first, and delete all others."""
    client = requests.client
    found = requests.read(client.search_logged_models, [experiment], f"source_run_id = '{run_id}'")
    models = sorted(found, key=lambda model: (str(model.status) != "READY", model.model_id))
    for double in models[1:]:
        requests.write("delete-model", client.delete_logged_model, double.model_id)
    return models[0] if models else None


def _outputs(requests: Requests, run_id: str) -> set[str]:
    """Return the models that are named as the run's output: MLflow refuses one a second time."""
    outputs = requests.read(requests.client.get_run, run_id).outputs
    return set() if outputs is None else {str(one.model_id) for one in outputs.model_outputs}


def _name_output(requests: Requests, run_id: str, model_id: str, step: int) -> None:
    from mlflow.entities import LoggedModelOutput

    output = LoggedModelOutput(model_id, step)
    requests.write("log-outputs", requests.client.log_outputs, run_id, [output])


def _write_model_folder(
    folder: Path, archive: Path, run_id: str, model_id: str, started: Start, result: Result
) -> None:
    """Write an MLflow model around a pt2 archive, loadable without pickle.

    The exporter is not run again, as ``mlflow.pytorch.log_model`` would: the archive is the very
    one that was made where the model was trained. Written twice, the files are the same.
    """
    import numpy as np
    from mlflow import pyfunc
    from mlflow.models import Model, ModelSignature
    from mlflow.types import Schema, TensorSpec

    facts, torch_version = started.dataset, result.environment["torch"]
    assert facts is not None
    data = folder / "data"
    data.mkdir(parents=True)
    shutil.copyfile(archive, data / ARCHIVE)
    signature = ModelSignature(
        inputs=Schema([TensorSpec(np.dtype(np.float32), (-1, *facts.image_shape))]),
        outputs=Schema([TensorSpec(np.dtype(np.float32), (-1, len(facts.class_names)))]),
    )
    made_at = datetime.datetime.fromtimestamp(result.finished_at / 1000, datetime.UTC)
    model = Model(
        artifact_path="model",
        run_id=run_id,
        model_id=model_id,
        model_uuid=model_id.removeprefix("m-"),
        utc_time_created=made_at.strftime("%Y-%m-%d %H:%M:%S.%f"),
        signature=signature,
        metadata={"input": "(pixel / scale - mean) / std", **facts.normalisation},
        model_size_bytes=archive.stat().st_size,
    )
    model.add_flavor("pytorch", model_data="data", pytorch_version=torch_version, code=None)
    pyfunc.add_to_model(
        model, loader_module="mlflow.pytorch", data="data", model_config={"device": None}
    )
    release = torch_version.partition("+")[0]  # "+cpu" builds are not on the package index
    requirements = [f"torch=={release}", f"numpy=={metadata.version('numpy')}"]
    (folder / "requirements.txt").write_text("\n".join(requirements) + "\n", encoding="utf-8")
    model.save(str(folder / "MLmodel"))
