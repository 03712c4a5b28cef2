"""Scoring a model on a set of images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from attnstudy.trainings.placement.data import ImageSet
from attnstudy.trainings.placement.data.images import Normalisation

_BATCH = 250


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A model's answers on a set of images."""

    predicted: npt.NDArray[np.int64]
    """Shape (N,): the class with the largest logit."""
    correct: int
    loss: float
    """Mean cross-entropy."""

    @property
    def accuracy(self) -> float:
        """Percent of images right."""
        return 100.0 * self.correct / len(self.predicted)


def evaluate(
    model: nn.Module, images: ImageSet, normalisation: Normalisation, *, device: torch.device
) -> Evaluation:
    """Return the answers of ``model``, in eval mode; the mode it was in is put back."""
    return score(model, *on_device(images, device), normalisation)


@torch.no_grad()
def score(
    model: nn.Module, pixels: Tensor, labels: Tensor, normalisation: Normalisation
) -> Evaluation:
    """Do what ``evaluate`` does with what ``on_device`` gave, for images that are scored again."""
    was_training = model.training
    model.eval()
    scaling = normalisation.on(pixels.device)
    predicted: list[Tensor] = []
    losses: list[Tensor] = []
    for part, target in zip(pixels.split(_BATCH), labels.split(_BATCH), strict=True):
        logits = model(scaling(part))
        predicted.append(logits.argmax(dim=1))
        losses.append(functional.cross_entropy(logits, target, reduction="sum"))
    model.train(was_training)
    answers = torch.cat(predicted)
    return Evaluation(
        predicted=answers.cpu().numpy(),
        correct=int((answers == labels).sum()),
        loss=float(torch.stack(losses).double().sum()) / len(labels),
    )


def on_device(images: ImageSet, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return pixels (N, C, H, W) uint8 and labels (N,) int64 as tensors on a device."""
    return (
        torch.from_numpy(images.images).to(device),
        torch.from_numpy(images.labels).to(device),
    )
