"""A small network in a loop of plain PyTorch, which goes on where it was interrupted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import attnstudy

BATCH = 64
HELD_OUT = 300
"""Images of each of the two parts that are not trained with."""


@dataclass
class Settings:
    """What a study may vary, with the usual values."""

    lr: float = 1e-3
    epochs: int = 10
    dropout: float = 0.0
    hidden: int = 64


class Dropout(nn.Module):
    """Dropout that draws from a generator of its own, whose state can be kept.

    That of PyTorch draws from a generator of the whole process, which knows nothing of the run.
    """

    def __init__(self, part: float, generator: torch.Generator) -> None:
        """Leave out a part of the units."""
        super().__init__()
        self.part, self.generator = part, generator

    def forward(self, x: Tensor) -> Tensor:
        """Set some to zero and scale the others, while training."""
        if not self.training or not self.part:
            return x
        kept = torch.rand(x.shape, generator=self.generator) >= self.part
        return x * kept / (1 - self.part)


def parts() -> tuple[tuple[Tensor, Tensor], ...]:
    """Return images and labels to train with, to choose settings by and to rank by."""
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))  # the same for all runs
    x = torch.from_numpy(images[order]).float() / 16
    y = torch.from_numpy(labels[order])
    first, second = HELD_OUT, 2 * HELD_OUT
    return (x[second:], y[second:]), (x[:first], y[:first]), (x[first:second], y[first:second])


@attnstudy.training(settings=Settings)
def train(run: attnstudy.Run) -> dict[str, float]:
    """Train one network."""
    settings = run.settings
    (x, y), validation, test = parts()

    torch.manual_seed(int(run.rng("weights").integers(2**31)))  # PyTorch draws the first weights
    order, dropout = run.torch_generator("order"), run.torch_generator("dropout")
    model = nn.Sequential(
        nn.Linear(64, settings["hidden"]),
        nn.ReLU(),
        Dropout(settings["dropout"], dropout),
        nn.Linear(settings["hidden"], 10),
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=settings["lr"])

    begin = 0
    state = run.restore()  # None, unless an earlier attempt was interrupted
    if state is not None:
        begin = state["epochs"]
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        order.set_state(state["order"])
        dropout.set_state(state["dropout"])

    for epoch in range(begin, settings["epochs"]):
        model.train()
        losses = []
        for batch in torch.randperm(len(x), generator=order).split(BATCH):
            loss = cross_entropy(model(x[batch]), y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        run.log(epoch, train_loss=float(np.mean(losses)), val_accuracy=accuracy(model, *validation))
        run.checkpoint(
            {
                "epochs": epoch + 1,
                "model": model.state_dict(),
                "optimizer": optimizer.state_dict(),
                "order": order.get_state(),
                "dropout": dropout.get_state(),
            }
        )

    metrics = {"val_accuracy": accuracy(model, *validation)}
    if not run.tuning:  # settings are not chosen by what the arms are ranked by
        run.predictions(right(model, *test).tolist())
        metrics["test_accuracy"] = accuracy(model, *test)
    run.model(model)
    return metrics


def right(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Return which images a model tells right."""
    model.eval()
    with torch.no_grad():
        answers: Tensor = model(x).argmax(1)
    return answers == y


def accuracy(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """Return the percentage of images that it tells right."""
    return 100 * right(model, x, y).float().mean().item()
