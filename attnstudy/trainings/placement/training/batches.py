"""The batches of an epoch: which images in which order, and what is done to each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from attnstudy import rng
from attnstudy.study import RunSpec
from attnstudy.trainings.placement.training.augmentation import (
    Changes,
    augment,
    draw_changes,
    joined,
)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """The training images of one update."""

    index: Tensor
    """Shape (N,), int64: their places in the pool of the split."""
    changes: Changes | None = None
    """What is done to each; None takes them as they are."""

    def of(self, images: Tensor) -> Tensor:
        """Return the batch's images (N, C, H, W), changed, out of those of the pool."""
        chosen = images.index_select(0, self.index)
        return chosen if self.changes is None else augment(chosen, self.changes)

    def clone(self) -> Batch:
        """Return a copy with memory of its own."""
        return Batch(self.index.clone(), None if self.changes is None else self.changes.clone())

    def copy_(self, other: Batch) -> None:
        """Take over another batch of the same size, into the memory that this one has."""
        self.index.copy_(other.index)
        if self.changes is not None and other.changes is not None:
            self.changes.copy_(other.changes)


def epoch_batches(
    spec: RunSpec,
    epoch: int,
    images: int,
    device: torch.device,
    places: npt.NDArray[np.int64] | None = None,
) -> list[Batch]:
    """Return the batches of an epoch, counted from 0, on a device.

    One stream an epoch and purpose: those of any epoch are known without the ones before it, and
    the last of an epoch without its first.

    Args:
        spec: seed, batch size and augmentation are read here.
        epoch: which one.
        images: how many training images there are.
        device: where the batches are to be.
        places: of the training images in the pool, shape (images,); None where they are all of it.

    """
    shuffle = rng.generator(spec.seed, "order", epoch)
    order = torch.randperm(images, generator=shuffle)
    if places is not None:
        order = torch.from_numpy(places)[order]
    indices = order.to(device).split(spec.batch_size)
    changes = draw_changes(spec, epoch, images)
    if changes is None:
        return [Batch(index) for index in indices]
    parts = changes.to(device).split(spec.batch_size)
    return [Batch(index, part) for index, part in zip(indices, parts, strict=True)]


def side_by_side(batches: Sequence[Batch]) -> Batch:
    """Return the images of several trainings' batches as one batch, one after the other."""
    changes = [batch.changes for batch in batches if batch.changes is not None]
    return Batch(
        torch.cat([batch.index for batch in batches]), joined(changes) if changes else None
    )
