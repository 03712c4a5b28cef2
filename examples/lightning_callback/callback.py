"""All that a training by Lightning needs for attnstudy: one callback."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import torch
from lightning.pytorch import Callback, LightningModule, Trainer

import attnstudy


class KeptByRun(Callback):
    """Passes what a module logs to the run, and keeps a checkpoint of the trainer in it."""

    def __init__(self, run: attnstudy.Run, order: torch.Generator) -> None:
        """Go on from where the run was interrupted; the generator is that of the data loader."""
        self.run, self.order = run, order
        self.path = Path(tempfile.mkdtemp()) / "trainer.ckpt"
        self.begin_at: str | None = None  # for ``Trainer.fit(ckpt_path=...)``
        state = run.restore()
        if state is not None:
            order.set_state(state["order"])
            self.path.write_bytes(state["trainer"].tobytes())
            self.begin_at = str(self.path)

    def on_train_epoch_end(self, trainer: Trainer, module: LightningModule) -> None:
        """Log and keep; the run may end the training here."""
        logged = {name: float(value) for name, value in trainer.callback_metrics.items()}
        self.run.log(trainer.current_epoch, **logged)
        trainer.save_checkpoint(self.path)
        content = np.frombuffer(self.path.read_bytes(), dtype=np.uint8)
        self.run.checkpoint({"trainer": content, "order": self.order.get_state()})
