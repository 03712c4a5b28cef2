"""Random changes of training images: shifts with zero padding, and mirror images.

An image is padded by ``PADDING`` black pixels on each side and cut out again at a random place,
then mirrored or not (Krizhevsky et al., ImageNet classification with deep convolutional neural
networks, 2012, section 4.1; the padding of 4 is that of He et al., Deep residual learning for
image recognition, 2016, section 4.2). It happens to the stored pixels, before they are normalised.

Axis names: N images, C channels, H and W pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from attnstudy import rng
from attnstudy.study import RunSpec

PADDING = 4
"""Black pixels on each side, and the longest shift."""


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """What is done to each of some images."""

    offsets: Tensor
    """Shape (N, 2), 0 to twice the padding: row and column, in the padded image, of the upper
    left corner of what is cut out. The padding itself leaves the image where it is."""
    flips: Tensor
    """Shape (N,), bool: whether left and right are exchanged afterwards."""

    def to(self, device: torch.device) -> Changes:
        """Return the same on a device."""
        return Changes(self.offsets.to(device), self.flips.to(device))

    def clone(self) -> Changes:
        """Return a copy with memory of its own."""
        return Changes(self.offsets.clone(), self.flips.clone())

    def copy_(self, other: Changes) -> None:
        """Take over the changes of as many other images, into the memory that these have."""
        self.offsets.copy_(other.offsets)
        self.flips.copy_(other.flips)

    def split(self, size: int) -> list[Changes]:
        """Return those of one batch after the other; the last may be shorter."""
        parts = zip(self.offsets.split(size), self.flips.split(size), strict=True)
        return [Changes(offsets, flips) for offsets, flips in parts]


def joined(several: Sequence[Changes]) -> Changes:
    """Return the changes of several batches, one after the other."""
    return Changes(
        torch.cat([changes.offsets for changes in several]),
        torch.cat([changes.flips for changes in several]),
    )


def draw_changes(spec: RunSpec, epoch: int, images: int) -> Changes | None:
    """Draw what is done to the images of an epoch, in its order; None if nothing is.

    Both kinds are drawn in every case, so that ``crop`` shifts as ``crop-flip`` does and ``flip``
    mirrors as it does. An epoch has a stream of its own, as its order has.
    """
    kinds = spec.augmentation.split("-")
    if kinds == ["none"]:
        return None
    stream = rng.generator(spec.seed, "augmentation", epoch)
    offsets = torch.randint(2 * PADDING + 1, (images, 2), generator=stream)
    flips = torch.randint(2, (images,), generator=stream).bool()
    return Changes(
        offsets if "crop" in kinds else torch.full_like(offsets, PADDING),
        flips if "flip" in kinds else torch.zeros_like(flips),
    )


def augment(images: Tensor, changes: Changes) -> Tensor:
    """Return images (N, C, H, W) of any type, changed; one gather for all of them."""
    _, c, h, w = images.shape
    rows, columns = torch.arange(h, device=images.device), torch.arange(w, device=images.device)
    mirrored = torch.where(changes.flips.unsqueeze(1), columns.flip(0), columns)  # (N, W)
    rows = changes.offsets[:, :1] + rows  # (N, H), in the padded image, as the columns are
    columns = changes.offsets[:, 1:] + mirrored
    places = rows.unsqueeze(2) * (w + 2 * PADDING) + columns.unsqueeze(1)  # (N, H, W)
    padded = functional.pad(images, (PADDING,) * 4).flatten(2)
    places = places.flatten(1).unsqueeze(1).expand(-1, c, -1)
    changed: Tensor = padded.gather(2, places).unflatten(2, (h, w))
    return changed
