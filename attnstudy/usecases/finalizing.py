"""The end of a run: score the last model once, keep everything that belongs to the result."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from safetensors.torch import save as save_tensors
from torch import nn

from attnstudy.crashpoints import reach
from attnstudy.data import Dataset, TrainingData
from attnstudy.files import file_digest, write_atomically
from attnstudy.models import PlacementNet
from attnstudy.runs import JOURNAL, PREDICTIONS, Result, RunFolder, Status
from attnstudy.study import RunSpec
from attnstudy.training import Evaluation, Trained, evaluate
from attnstudy.usecases.model_archive import export_model

MODEL, WEIGHTS, ATTENTION = "model.pt2", "weights.safetensors", "attention.npz"
IMAGES_SHOWN = 4
"""Test images whose attention is kept."""


def finalize(
    spec: RunSpec,
    recorded: Mapping[str, str],
    folder: RunFolder,
    dataset: Dataset,
    model: nn.Module,
    trained: Trained,
    device: torch.device,
    *,
    started_at: int,
    notes: Sequence[str] = (),
    models: bool = True,
) -> Result:
    """Score the last model on the test images, once, and write everything that is kept.

    Args:
        spec: what was trained.
        recorded: what it was trained with.
        folder: where the result belongs.
        dataset: with the test images.
        model: as it is after the last update.
        trained: how the training ended.
        device: where to score.
        started_at: when the run was first started, in milliseconds since the epoch.
        notes: what the result has to say about how it came about.
        models: whether weights and model are kept.

    """
    test: Evaluation | None = None
    notes = list(notes)
    files: dict[str, bytes] = {}
    if trained.diverged_at is None:
        test = evaluate(model, dataset.test, dataset.normalisation, device=device)
        files[PREDICTIONS] = _predictions(test, dataset)
        cpu = model.to("cpu").eval()
        if models:
            files[WEIGHTS] = save_tensors(
                {name: tensor.contiguous() for name, tensor in cpu.state_dict().items()}
            )
            try:
                files[MODEL] = export_model(cpu, dataset.image_shape)
            except Exception as error:  # torch.export refuses some models with any of many errors
                notes.append(f"the model could not be exported: {type(error).__name__}: {error}")
        else:
            notes.append("neither weights nor model were kept, as --no-models asked")
        if isinstance(cpu, PlacementNet):
            maps = _attention(cpu, dataset, test)
            if maps is not None:
                files[ATTENTION] = maps
    reach("conclude/scored")
    for name, content in files.items():
        write_atomically(folder.path / name, content)
    reach("conclude/written")
    return _result(
        spec, recorded, folder, trained, started_at, files=[*files], test=test, notes=notes
    )


def finalize_sealed(
    spec: RunSpec,
    recorded: Mapping[str, str],
    folder: RunFolder,
    dataset: TrainingData,
    model: nn.Module,
    trained: Trained,
    device: torch.device,
    *,
    started_at: int,
    notes: Sequence[str] = (),
    models: bool = True,
) -> Result:
    """Finalize a run of a search: what counts is the validation, and there is no test image.

    Takes what ``finalize`` takes, but for the test images. Neither the model nor its answers are
    kept, whatever ``models`` says: they would be of use for nothing but choosing by them.
    """
    return _result(spec, recorded, folder, trained, started_at, notes=notes)


def _result(
    spec: RunSpec,
    recorded: Mapping[str, str],
    folder: RunFolder,
    trained: Trained,
    started_at: int,
    *,
    files: Sequence[str] = (),
    test: Evaluation | None = None,
    notes: Sequence[str] = (),
) -> Result:
    images = sum(len(record["train_loss"]) for record in folder.journal()) * spec.batch_size
    if trained.diverged_at is None:
        images = spec.epochs * spec.train_size  # exact: the last batch of an epoch is short
    return Result(
        status=Status.COMPLETE if trained.diverged_at is None else Status.DIVERGED,
        diverged_at=trained.diverged_at,
        val_accuracy_max=trained.val_accuracy_max,
        val_accuracy_final=trained.val_accuracy_final,
        test_accuracy=None if test is None else test.accuracy,
        test_loss=None if test is None else test.loss,
        train_seconds=trained.train_seconds,
        images_per_second=images / trained.train_seconds,
        # a clock may be set back meanwhile, and a run cannot end before it began
        finished_at=max(
            time.time_ns() // 1_000_000, started_at + round(1000 * trained.train_seconds)
        ),
        environment=dict(recorded),
        files={name: file_digest(folder.path / name) for name in (*files, JOURNAL)},
        notes=tuple(notes),
    )


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
