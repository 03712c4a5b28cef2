"""One update of a training, in the arithmetic that its specification asks for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from attnstudy.errors import UsageError
from attnstudy.trainings.placement.training.batches import Batch
from attnstudy.trainings.placement.training.evaluation import on_device
from attnstudy.trainings.placement.training.graphs import Replaying, recorder_for
from attnstudy.trainings.placement.training.loop import Prepared, Updates
from attnstudy.trainings.placement.training.optimizers import load_state, make_optimizer


class Step:
    """The updates of one training: gather, augment, normalise, forward, backward, optimizer.

    ``bf16`` is torch's automatic mixed precision: weights, gradients and optimizer stay float32.
    ``tf32`` lets the GPU round the factors of products to 10 bits. Both are for training alone:
    validation and test are always scored in float32, as the exported model will be.
    """

    def __init__(self, prepared: Prepared) -> None:
        self.model, self.device = prepared.model, prepared.device
        self.precision = prepared.spec.precision
        self.scaling = prepared.split.normalisation.on(self.device)
        self.model.to(self.device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        self.images, self.labels = on_device(prepared.split.pool, self.device)
        self.optimizer = make_optimizer(self.model.parameters(), prepared.spec)
        recorder = recorder_for(self.device, [self.model])
        self.replaying = Replaying(prepared.spec.batch_size, self.optimizer, recorder)

    @property
    def members(self) -> Sequence[Updates]:
        """The one training."""
        return (self,)

    def update(self, batches: Sequence[Batch]) -> Sequence[Tensor]:
        """Update the model on the images of one batch; return the loss before, one scalar.

        Nothing here waits for the device.
        """
        (batch,) = batches
        return (self.replaying(self._make, batch),)

    def _make(self, batch: Batch) -> Tensor:
        images = self.scaling(batch.of(self.images))
        labels = self.labels.index_select(0, batch.index)
        with arithmetic(self.device, self.precision):
            logits = self.model(images)
            loss = functional.cross_entropy(logits.float(), labels)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
        self.optimizer.step()
        return loss.detach()

    @property
    def together(self) -> int:
        """One training."""
        return 1

    def notes(self) -> tuple[str, ...]:
        """Return why its updates were not made by a CUDA graph, where they should have been."""
        return graph_notes(self.replaying)

    def optimizer_state(self) -> dict[str, Any]:
        """Return the optimizer's state."""
        return self.optimizer.state_dict()

    def load_optimizer_state(self, state: dict[str, Any]) -> None:
        """Go on from the optimizer's state."""
        load_state(self.optimizer, state)

    def noise(self) -> Tensor:
        """Return the state of torch's generator, which draws from the run's own stream."""
        return noise_state(self.device)

    def set_noise(self, state: Tensor) -> None:
        """Set the state of torch's generator."""
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(state, self.device)
        else:
            torch.set_rng_state(state)


def noise_state(device: torch.device) -> Tensor:
    """Return the state of torch's generator that a model on a device draws from."""
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()


def graph_notes(replaying: Replaying) -> tuple[str, ...]:
    """Return what a result has to say about a graph that was not used."""
    if replaying.refused is None:
        return ()
    return (f"no CUDA graph of the updates could be used: {replaying.refused}",)


@contextlib.contextmanager
def arithmetic(device: torch.device, precision: str) -> Iterator[None]:
    """Compute at a precision within the block."""
    if precision == "bf16":
        with torch.autocast(device.type, torch.bfloat16):
            yield
    elif precision == "tf32":
        _allow_tf32(True)
        try:
            yield
        finally:
            _allow_tf32(False)
    else:
        yield


def check_precision(device: torch.device, precision: str) -> None:
    """Refuse what a device cannot compute in.

    Raises:
        UsageError: the device has no arithmetic of that name.

    """
    if precision == "float32" or (precision == "bf16" and device.type == "cpu"):
        return
    # both came with compute capability 8.0 (Ampere)
    if device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0):
        return
    here = "this GPU" if device.type == "cuda" else "the CPU"
    raise UsageError(
        f"--precision {precision}: {here} does not compute in it; use float32, or a GPU of compute "
        "capability 8.0 or later"
    )


def _allow_tf32(allowed: bool) -> None:
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed
