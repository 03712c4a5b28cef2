"""A small network on the digits, trained by Lightning."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from callback import KeptByRun
from lightning.pytorch import LightningModule, Trainer
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

import attnstudy

HELD_OUT = 300


class Network(LightningModule):
    """A module as Lightning wants it: it knows nothing of attnstudy."""

    def __init__(self, hidden: int, lr: float) -> None:
        """Make the layers."""
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, 10))
        self.lr = lr

    def training_step(self, batch: list[Tensor], number: int) -> Tensor:
        """Return the loss of a batch."""
        images, labels = batch
        loss = cross_entropy(self.layers(images), labels)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def configure_optimizers(self) -> Any:
        """Return the optimizer."""
        return torch.optim.Adam(self.parameters(), lr=self.lr)


def train(run: attnstudy.Run) -> dict[str, float]:
    """Train one network."""
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))  # the same split for all runs
    x, y = torch.from_numpy(images[order]).float() / 16, torch.from_numpy(labels[order])
    shuffle = run.torch_generator("order")
    loader = DataLoader(
        TensorDataset(x[HELD_OUT:], y[HELD_OUT:]), batch_size=64, shuffle=True, generator=shuffle
    )

    torch.manual_seed(int(run.rng("weights").integers(2**31)))
    model = Network(run.settings["hidden"], run.settings["lr"])
    kept = KeptByRun(run, shuffle)
    trainer = Trainer(
        max_epochs=run.settings["epochs"],
        callbacks=[kept],
        accelerator="gpu" if run.device == "cuda" else "cpu",
        devices=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(model, loader, ckpt_path=kept.begin_at)

    model.cpu().eval()
    with torch.no_grad():
        right = model.layers(x[:HELD_OUT]).argmax(1) == y[:HELD_OUT]
    run.predictions(right.tolist())
    return {"test_accuracy": 100 * right.double().mean().item()}
