"""The devices of this machine, asked without importing torch where that is possible."""

from __future__ import annotations

from importlib import metadata

from attnstudy.errors import UsageError


def asks_torch(device: str) -> bool:
    """Whether torch has to say what there is on this machine: to import it takes seconds."""
    if device == "cpu":
        return False
    try:
        without_gpus = metadata.version("torch").endswith("+cpu")  # as such builds are called
    except metadata.PackageNotFoundError:
        return False
    return device == "cuda" or not without_gpus


def device_here(name: str) -> str:
    """Return the device, ``cpu`` or ``cuda``, that ``auto``, ``cpu`` or ``cuda`` means here.

    Raises:
        UsageError: ``cuda`` is asked for and there is none.

    """
    if not asks_torch(name):
        if name == "cuda":
            raise UsageError("--device cuda needs torch, which is not installed: use cpu or auto")
        return "cpu"
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if not torch.cuda.is_available():
        raise UsageError("--device cuda: this torch sees no GPU; use --device cpu or auto")
    return "cuda"
