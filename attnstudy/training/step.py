"""One update of a training, in the arithmetic that its specification asks for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from attnstudy.errors import UsageError
from attnstudy.study import TrialSpec


class Step:
    """Forward, cross-entropy, backward, Adam.

    ``bf16`` is torch's automatic mixed precision: weights, gradients and Adam stay float32.
    ``tf32`` lets the GPU round the factors of products to 10 bits. Both are for training alone:
    validation and test are always scored in float32, as the exported model will be.
    """

    def __init__(self, spec: TrialSpec, model: nn.Module, device: torch.device) -> None:
        self.model, self.device, self.precision = model, device, spec.precision
        model.to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        self.optimizer = torch.optim.Adam(model.parameters(), lr=spec.lr, fused=True)

    def __call__(self, images: Tensor, labels: Tensor) -> Tensor:
        """Update the model on normalised images (N, C, H, W); return the loss, on the device.

        The loss is that before the update. Nothing here waits for the device.
        """
        with arithmetic(self.device, self.precision):
            logits = self.model(images)
            loss = functional.cross_entropy(logits.float(), labels)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
        self.optimizer.step()
        return loss.detach()


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
