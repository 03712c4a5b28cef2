"""Everything that a store holds of a study, in a form in which two stores can be compared."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from attnstudy.tracking import resolve

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run


def store_content(database: Path, study: str, artifacts: Path | None = None) -> dict[str, Any]:
    """Return the active runs of a study by name, without ids and whatever differs by chance.

    Reads the database beside the server, if there is one, whose files are in ``artifacts``.
    """
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{database}")
    experiment = client.get_experiment_by_name(study)
    if experiment is None:
        return {}
    content: dict[str, Any] = {}
    for run in client.search_runs([experiment.experiment_id], max_results=1000):
        described = _run(client, client.get_run(run.info.run_id), artifacts)
        content.setdefault(run.info.run_name, []).append(described)
    # models of no active run would be orphans
    models = client.search_logged_models([experiment.experiment_id], max_results=1000)
    content["models"] = len(models)
    return content


def _run(client: MlflowClient, run: Run, artifacts: Path | None) -> dict[str, Any]:
    run_id, experiment = run.info.run_id, run.info.experiment_id
    histories = {
        key: [(p.step, p.timestamp, p.value) for p in client.get_metric_history(run_id, key)]
        for key in run.data.metrics
    }
    models = client.search_logged_models([experiment], f"source_run_id = '{run_id}'")
    outputs = [o.model_id for o in run.outputs.model_outputs]
    assert outputs == [model.model_id for model in models]
    return {
        "params": run.data.params,
        "tags": run.data.tags,
        "metrics": histories,
        "status": run.info.status,
        "times": (run.info.start_time, run.info.end_time),
        "inputs": [
            (
                i.dataset.name,
                i.dataset.digest,
                i.dataset.profile,
                [(t.key, t.value) for t in i.tags],
            )
            for i in run.inputs.dataset_inputs
        ],
        "outputs": [output.step for output in run.outputs.model_outputs],
        "files": _files(run.info.artifact_uri, artifacts, {}),
        "models": [
            {
                "status": str(model.status),
                "type": model.model_type,
                "tags": model.tags,
                "params": model.params,
                "metrics": sorted((m.key, m.step, m.timestamp, m.value) for m in model.metrics),
                "files": _files(
                    model.artifact_location,
                    artifacts,
                    {model.model_id: "M", model.model_id[2:]: "M", run_id: "R"},
                ),
            }
            for model in models
        ],
    }


def _files(location: str, artifacts: Path | None, ids: dict[str, str]) -> dict[str, str]:
    """Return the digest of every file below a location, the ids in it replaced."""
    parts = urlsplit(location)
    folder = Path(unquote(parts.path))
    if parts.scheme == "mlflow-artifacts":
        assert artifacts is not None
        folder = artifacts / folder.relative_to("/")
    digests = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            for given, name in ids.items():
                content = content.replace(given.encode(), name.encode())
            digests[str(path.relative_to(folder))] = hashlib.sha256(content).hexdigest()
    return digests


def embedded_content(store_dir: Path, study: str) -> dict[str, Any]:
    """Return what the embedded store of a folder holds."""
    return store_content(Path(resolve(store_dir, None).uri.removeprefix("sqlite:///")), study)
