"""The notebook's model, images and loop, as they are written there: the reference for speed."""

from __future__ import annotations

import math
from collections.abc import Sized
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from attnstudy.trainings.placement.data import ImageSet
from attnstudy.trainings.placement.data.images import Split
from attnstudy.trainings.placement.data.torchvision_ops import declare_missing_operators

declare_missing_operators()
from torchvision import transforms  # noqa: E402  # its operators have to be declared first


class LiteralAttention(nn.Module):
    """Queries, keys, values and the whole map, each stored."""

    def __init__(self, channels: int, attention: str) -> None:
        super().__init__()
        self.attention = attention
        self.query = nn.Conv2d(channels, channels, kernel_size=1)
        self.key = nn.Conv2d(channels, channels, kernel_size=1)
        self.value = nn.Conv2d(channels, channels, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        q, k, v = (layer(x).reshape(n, c, h * w) for layer in (self.query, self.key, self.value))
        if self.attention == "spatial":
            q, k, v = (t.transpose(1, 2) for t in (q, k, v))
        weights = functional.softmax(torch.bmm(q, k.transpose(1, 2)) / math.sqrt(c), dim=-1)
        attended = torch.bmm(weights, v)
        if self.attention == "spatial":
            attended = attended.transpose(1, 2)
        return x + attended.reshape(n, c, h, w)


def literal_model(variant: str, attention: str) -> nn.Sequential:
    """Return the layers of a variant in the notebook's order."""
    layers: list[nn.Module] = [nn.Conv2d(3, 64, 3, padding=1), nn.ReLU()]
    if variant in ("early", "double"):
        layers += [LiteralAttention(64, attention), nn.ReLU()]
    layers += [nn.Conv2d(64, 32, 3, padding=1), nn.ReLU()]
    if variant in ("late", "double"):
        layers += [LiteralAttention(32, attention), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(32 * 32 * 32, 10))


class Pictures(Dataset[tuple[Tensor, int]]):
    """Images as PIL pictures, transformed one by one, as torchvision's CIFAR10 does."""

    def __init__(self, images: ImageSet, split: Split) -> None:
        self.pixels = np.ascontiguousarray(images.images.transpose(0, 2, 3, 1))
        self.labels = images.labels
        scaling = split.normalisation
        self.transform = transforms.Compose(
            [transforms.ToTensor(), transforms.Normalize(scaling.mean, scaling.std)]
        )

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.pixels[index])), int(self.labels[index])


def loaders(split: Split, batch: int) -> tuple[DataLoader[Any], DataLoader[Any]]:
    """Return the loaders of training and validation images; none has workers."""
    return (
        DataLoader(Pictures(split.train, split), batch_size=batch, shuffle=True),
        DataLoader(Pictures(split.validation, split), batch_size=batch),
    )


def accuracy(model: nn.Module, loader: DataLoader[Any]) -> float:
    """Return the percentage right, in eval mode."""
    model.eval()
    assert isinstance(loader.dataset, Sized)
    with torch.no_grad():
        right = sum(int((model(x).argmax(dim=1) == y).sum()) for x, y in loader)
    return 100.0 * right / len(loader.dataset)


def literal_loop(
    model: nn.Module, training: DataLoader[Any], validation: DataLoader[Any]
) -> tuple[float, float]:
    """Train one epoch; return the first and the last loss. Nothing is logged or kept."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    losses = []
    for iteration, (images, labels) in enumerate(training):
        model.train()
        loss = functional.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if iteration % 100 == 0:
            accuracy(model, validation)
    accuracy(model, validation)
    return losses[0], losses[-1]
