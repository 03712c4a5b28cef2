"""The end of a run: score the last model once, keep everything that belongs to the result."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np
import torch
from safetensors.torch import save as save_tensors
from torch import nn

from attnstudy.crashpoints import reach
from attnstudy.redaction import told_elsewhere
from attnstudy.runs import MAX_DURING_TRAINING, PREDICTIONS
from attnstudy.trainings.contract import Diverged, Metrics
from attnstudy.trainings.placement.data import Dataset
from attnstudy.trainings.placement.model_archive import export_model
from attnstudy.trainings.placement.models import PlacementNet
from attnstudy.trainings.placement.training import Evaluation, Trained, evaluate

MODEL, WEIGHTS, ATTENTION = "model.pt2", "weights.safetensors", "attention.npz"
IMAGES_SHOWN = 4
"""Test images whose attention is kept."""


def finalize(run: Any, model: nn.Module, trained: Trained, device: torch.device) -> Metrics:
    """Score the last model on the test images, once, and keep everything that belongs to it.

    Args:
        run: an active run, see ``running.run``.
        model: as it is after the last update.
        trained: how the training ended.
        device: where to score.

    Raises:
        Diverged: it did; what was measured before comes with it.

    """
    if trained.diverged_at is not None:
        raise Diverged(trained.diverged_at, _metrics(run, trained))
    dataset: Dataset = run.data
    test = evaluate(model, dataset.test, dataset.normalisation, device=device)
    files = {PREDICTIONS: _predictions(test, dataset)}
    cpu = model.to("cpu").eval()
    if run.keeps_models:
        files[WEIGHTS] = save_tensors(
            {name: tensor.contiguous() for name, tensor in cpu.state_dict().items()}
        )
        try:
            files[MODEL] = export_model(cpu, dataset.image_shape)
        except Exception as error:  # torch.export refuses some models with any of many errors
            said = told_elsewhere(f"{type(error).__name__}: {error}")
            run.note(f"the model could not be exported: {said}")
    else:
        run.note("neither weights nor model were kept, as --no-models asked")
    if isinstance(cpu, PlacementNet) and (maps := _attention(cpu, dataset, test)) is not None:
        files[ATTENTION] = maps
    reach("conclude/scored")
    for name, content in files.items():
        run.write(name, content)
    reach("conclude/written")
    return _metrics(run, trained, test)


def finalize_sealed(run: Any, trained: Trained) -> Metrics:
    """Finalize a run of a search: what counts is the validation, and there is no test image.

    Neither the model nor its answers are kept: they would be of use for nothing but choosing by
    them.

    Raises:
        Diverged: it did.

    """
    if trained.diverged_at is not None:
        raise Diverged(trained.diverged_at, _metrics(run, trained))
    return _metrics(run, trained)


def _metrics(run: Any, trained: Trained, test: Evaluation | None = None) -> Metrics:
    spec = run.spec
    losses = sum(len(record.values.get("train_loss", ())) for record in run.folder.journal())
    images = losses * spec.batch_size
    if trained.diverged_at is None:
        images = spec.epochs * spec.train_size  # exact: the last batch of an epoch is short
    during, final = trained.val_accuracy_max, trained.val_accuracy_final
    measured = [value for value in (during, final) if value is not None]
    known = {
        "val_accuracy_max": max(measured, default=None),
        MAX_DURING_TRAINING: during,
        "val_accuracy_final": final,
        "test_accuracy": None if test is None else test.accuracy,
        "test_loss": None if test is None else test.loss,
        "train_seconds": trained.train_seconds,
        "images_per_second": images / trained.train_seconds,
    }
    return {name: value for name, value in known.items() if value is not None}


def _predictions(test: Evaluation, dataset: Dataset) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["image", "label", "predicted"])
    labels = dataset.test.labels.tolist()
    writer.writerows(zip(range(len(labels)), labels, test.predicted.tolist(), strict=True))
    return text.getvalue().encode()


@torch.no_grad()
def _attention(model: PlacementNet, dataset: Dataset, test: Evaluation) -> bytes | None:
    """Return what a few test images attend to, small enough to keep.

    Spatial maps (L x L) are reduced to what each position receives on average and to what the
    centre looks at, both as (images, H, W); channel maps (C x C) are kept as they are.
    """
    shown = dataset.test.images[:IMAGES_SHOWN]
    maps = model.attention_maps(dataset.normalisation(torch.from_numpy(shown)))
    if not maps:
        return None
    count, _, height, width = shown.shape
    centre = (height // 2) * width + width // 2
    arrays: dict[str, Any] = {
        "images": shown,
        "labels": dataset.test.labels[:IMAGES_SHOWN],
        "predicted": test.predicted[:IMAGES_SHOWN],
    }
    for name, attention in maps.items():
        if model.spatial:
            size = (count, height, width)
            arrays[f"{name}.received"] = attention.mean(dim=1).reshape(size).numpy()
            arrays[f"{name}.from_centre"] = attention[:, centre].reshape(size).numpy()
        else:
            arrays[f"{name}.channels"] = attention.numpy()
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()
