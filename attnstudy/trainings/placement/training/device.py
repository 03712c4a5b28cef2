"""The device and the process that train."""

from __future__ import annotations

import os

import torch

from attnstudy.trainings.devices import device_here
from attnstudy.trainings.placement.training.memory import keep_memory


def choose_device(name: str) -> torch.device:
    """Return the device that ``auto``, ``cpu`` or ``cuda`` means here.

    Raises:
        UsageError: ``cuda`` is asked for and there is none.

    """
    return torch.device(device_here(name))


def prepare_process(device: torch.device, threads: int) -> None:
    """Set up a process for trainings: its memory, thread count and repeatable kernels."""
    keep_memory()
    torch.set_num_threads(threads)
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True)
        # that has torch fill every tensor that an operation allocates, before the operation does:
        # a kernel more and a pass more over memory, and what is read here was always written
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        torch.backends.cudnn.benchmark = False
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
