"""The same model, images and iterations the way Lightning is used, logging to MLflow."""

from __future__ import annotations

import logging
import tempfile
import time
import warnings
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader

from benchmarks.training.literal import literal_model

# after literal, which declares the operators that torchvision lacks beside a CPU build of torch
import lightning  # isort: skip
from lightning.pytorch.loggers import MLFlowLogger  # isort: skip


class Module(lightning.LightningModule):
    """The notebook's model as a LightningModule."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.losses: list[float] = []

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        images, labels = batch
        loss = functional.cross_entropy(self.model(images), labels)
        self.log("train_loss", loss)
        self.losses.append(float(loss.detach()))
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], index: int) -> None:
        images, labels = batch
        right = (self.model(images).argmax(dim=1) == labels).float().mean()
        self.log("val_accuracy", 100 * right)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=1e-3)


def fit(
    variant: str, attention: str, training: DataLoader[Any], validation: DataLoader[Any]
) -> tuple[float, tuple[float, float]]:
    """Train one epoch; return the seconds of ``fit`` and the first and last loss.

    Validates before the first iteration (as a sanity check of all batches) and after the last;
    keeps a checkpoint and logs every 50 iterations, as it does unless told otherwise.
    """
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")
    module = Module(literal_model(variant, attention))
    with tempfile.TemporaryDirectory() as temporary:
        logger = MLFlowLogger("bench", tracking_uri=f"sqlite:///{temporary}/mlflow.db")
        assert logger.run_id  # the store is made here, and not in the time
        trainer = lightning.Trainer(
            accelerator="cpu", max_epochs=1, logger=logger, num_sanity_val_steps=-1,
            enable_progress_bar=False, enable_model_summary=False, default_root_dir=temporary,
        )  # fmt: skip
        start = time.perf_counter()
        trainer.fit(module, training, validation)
        seconds = time.perf_counter() - start
    return seconds, (module.losses[0], module.losses[-1])
