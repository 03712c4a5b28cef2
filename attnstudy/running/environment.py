"""What a run is computed with: recorded with every result, part of no identity."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path

from attnstudy import __version__

DECIDES_BITS = ("torch", "threads", "device", "hardware", "fused")
"""What has to agree for a resumed training to give the bits of an uninterrupted one."""

_BEFORE_IT_WAS_RECORDED = {"fused": "1"}
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def environment(device: str, threads: int, fused: int = 1) -> dict[str, str]:
    """Return versions, device, threads and hardware of a run in this process.

    Args:
        device: ``cpu`` or ``cuda``.
        threads: of the run.
        fused: how many runs are trained at once.

    """
    torch = _version("torch")
    return {
        "version": __version__,
        "python": platform.python_version(),
        **({} if torch is None else {"torch": torch}),
        "numpy": metadata.version("numpy"),
        "device": device,
        "threads": str(threads),
        "fused": str(fused),
        "hardware": _gpu() if device == "cuda" else _processor(),
        "machine": _machine(),
    }


def same_machine(recorded: str | None) -> bool:
    """Whether what was recorded as the machine is this one; earlier versions told its name."""
    return recorded in (_machine(), platform.node())


def _machine() -> str:
    """Return what tells machines apart without their names: archives and servers hold it."""
    return hashlib.sha256(f"attnstudy\n{platform.node()}".encode()).hexdigest()[:12]


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return, in words, where two environments differ so that their bits may differ."""
    return [
        f"{name} {now.get(name, 'none')} after {was}"
        for name in DECIDES_BITS
        if (was := before.get(name, _BEFORE_IT_WAS_RECORDED.get(name, "unknown"))) != now.get(name)
        and (name in before or name in now)
    ]


def prepare_process(threads: int) -> None:
    """Tell numerical libraries how many threads a run may use, also those not imported yet."""
    for name in _THREADS:
        os.environ[name] = str(threads)
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(threads)


@contextlib.contextmanager
def threads_put_back() -> Iterator[None]:
    """Leave a process with the threads that it had: with ``inline`` it is the caller's own."""
    before = {name: os.environ.get(name) for name in _THREADS}
    torch = sys.modules.get("torch")
    threads = None if torch is None else torch.get_num_threads()
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        if torch is not None and torch.get_num_threads() != threads:
            torch.set_num_threads(threads)


@cache
def _version(package: str) -> str | None:
    if (module := sys.modules.get(package)) is not None and hasattr(module, "__version__"):
        return str(module.__version__)
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _gpu() -> str:
    import torch

    return torch.cuda.get_device_name()


@cache
def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
