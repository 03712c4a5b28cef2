"""The folder that MLflow takes for a model, around an archive that the worker exported."""

from __future__ import annotations

import shutil
from importlib import metadata
from pathlib import Path


def write_model_folder(
    folder: Path,
    archive: Path,
    *,
    image_shape: tuple[int, int, int],
    num_classes: int,
    run_id: str,
    model_id: str,
    normalisation: dict[str, object],
    torch_version: str,
) -> None:
    """Write an MLflow model around a pt2 archive, loadable without pickle.

    The exporter is not run again, as ``mlflow.pytorch.log_model`` would: the archive is the very
    one that was made where the model was trained.
    """
    import numpy as np
    from mlflow import pyfunc
    from mlflow.models import Model, ModelSignature
    from mlflow.types import Schema, TensorSpec

    data = folder / "data"
    data.mkdir(parents=True)
    shutil.copyfile(archive, data / "model.pt2")
    signature = ModelSignature(
        inputs=Schema([TensorSpec(np.dtype(np.float32), (-1, *image_shape))]),
        outputs=Schema([TensorSpec(np.dtype(np.float32), (-1, num_classes))]),
    )
    model = Model(
        artifact_path="model",
        run_id=run_id,
        model_id=model_id,
        signature=signature,
        metadata={"input": "(pixel / scale - mean) / std", **normalisation},
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
