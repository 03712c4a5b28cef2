"""What MLflow is told of a run before its results: its params and its dataset."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attnstudy.runs import DatasetFacts
from attnstudy.study import RunSpec

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput


_LONGEST = 6000
"""Characters that MLflow keeps of a param."""


def param_texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the params that stand for fields; a field without a value, or empty, has none.

    A longer text is cut here, as MLflow cuts it: what is compared later is what was sent.
    """
    return {
        name: (value if isinstance(value, str) else json.dumps(value))[:_LONGEST]
        for name, value in values.items()
        if value not in (None, (), [])
    }


def dataset_input(spec: RunSpec, facts: DatasetFacts) -> DatasetInput:
    """Return the dataset that a run is trained on, as MLflow's pages show it."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    schema = {
        "mlflow_tensorspec": {
            "features": [_tensor("uint8", [-1, *facts.image_shape])],
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
        source=json.dumps({"uri": facts.name}),
        schema=json.dumps(schema),
        profile=json.dumps(profile),
    )
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])


def _tensor(dtype: str, shape: list[int]) -> dict[str, Any]:
    return {"type": "tensor", "tensor-spec": {"dtype": dtype, "shape": shape}}
