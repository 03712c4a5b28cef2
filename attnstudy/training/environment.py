"""What a training is computed with: recorded with every result, part of no identity."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import torch

from attnstudy import __version__

DECIDES_BITS = ("torch", "threads", "device", "hardware", "fused")
"""What has to agree for a resumed training to give the bits of an uninterrupted one."""

_BEFORE_IT_WAS_RECORDED = {"fused": "1"}


def environment(device: torch.device, threads: int, fused: int = 1) -> dict[str, str]:
    """Return versions, device, threads and hardware of a training in this process.

    ``fused`` is the number of trainings whose updates are made at once.
    """
    gpu = device.type == "cuda"
    return {
        "version": __version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),  # a class of its own, which a checkpoint refuses
        "numpy": metadata.version("numpy"),
        "device": device.type,
        "threads": str(threads),
        "fused": str(fused),
        "hardware": torch.cuda.get_device_name(device) if gpu else _processor(),
        "machine": platform.node(),
    }


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return, in words, where two environments differ so that their bits may differ."""
    return [
        f"{name} {now[name]} after {was}"
        for name in DECIDES_BITS
        if (was := before.get(name, _BEFORE_IT_WAS_RECORDED.get(name, "unknown"))) != now[name]
    ]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
