"""``attnstudy doctor``: is everything here that a study needs, and what to do if not."""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from attnstudy.errors import AttnstudyError
from attnstudy.running.resources import available_cores
from attnstudy.tracking import Address, open_for_reading


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer of one check."""

    check: str
    good: bool
    detail: str
    """What was found; with advice where it is not good."""


def diagnose(address: Address, dataset: str, data_dir: Path) -> Iterator[Finding]:
    """Run every check; one that fails does not stop the others. Downloads nothing."""
    checks: list[tuple[str, Callable[[], str]]] = [
        ("python", _python),
        ("libraries", _libraries),
        ("torchvision", _torchvision),
        ("device", _device),
        ("threads", _threads),
        (f"folder {address.store_dir}", lambda: _writable(address.store_dir)),
        (f"store {address.shown}", lambda: _store(address)),
        (f"folder {data_dir}", lambda: _writable(data_dir)),
        (f"dataset {dataset}", lambda: _dataset(dataset, data_dir)),
    ]
    for name, check in checks:
        try:
            yield Finding(name, True, check())
        except (AttnstudyError, _Fault) as error:
            yield Finding(name, False, str(error))


class _Fault(Exception):
    """A check found something wrong."""


def _python() -> str:
    return f"{platform.python_version()} in {sys.prefix}"


def _libraries() -> str:
    versions = []
    for name in ("attnstudy", "torch", "numpy", "scipy", "mlflow", "click"):
        try:
            importlib.import_module(name)
            versions.append(f"{name} {metadata.version(name)}")
        except (ImportError, metadata.PackageNotFoundError) as error:
            raise _Fault(f"{name} cannot be imported ({error}): install attnstudy again") from error
    return ", ".join(versions)


def _torchvision() -> str:
    from attnstudy.trainings.placement.data.torchvision_ops import declare_missing_operators

    declared = declare_missing_operators()
    try:
        importlib.import_module("torchvision.datasets")
    except (ImportError, RuntimeError) as error:
        raise _Fault(
            f"it cannot be imported ({error}): only --dataset cifar10 needs it; install the "
            "version in constraints.txt"
        ) from error
    note = " (built for CUDA beside a CPU torch: two operators declared for it)" if declared else ""
    return f"torchvision {metadata.version('torchvision')}{note}"


def _device() -> str:
    import torch

    if torch.cuda.is_available():
        return f"cuda: {torch.cuda.get_device_name(0)}"
    return "cpu (this torch sees no GPU)"


def _threads() -> str:
    cores = available_cores()
    return f"{cores} core{'s' * (cores != 1)} usable: {cores} runs of one thread at once"


def _writable(folder: Path) -> str:
    existing = next(path for path in (folder, *folder.resolve().parents) if path.exists())
    if not os.access(existing, os.W_OK | os.X_OK):
        raise _Fault(f"{existing} is not writable: choose another with --store or --data-dir")
    free = shutil.disk_usage(existing).free / 1e9
    if free < 1:
        raise _Fault(f"only {free:.1f} GB are free: make room, a study needs about 1 GB")
    return f"writable, {free:.0f} GB free"


def _store(address: Address) -> str:
    if address.embedded and not (address.store_dir / "mlflow.db").exists():
        return "not there yet: the first 'attnstudy run' makes it"
    tracker = open_for_reading(address)
    found = tracker.client.search_experiments(max_results=1000)
    return f"reachable, {len(found)} experiment{'s' * (len(found) != 1)}"


def _dataset(name: str, data_dir: Path) -> str:
    from attnstudy.trainings.placement import data

    dataset, _ = data.load(name, data_dir, download=False)
    c, h, w = dataset.image_shape
    return (
        f"{len(dataset.train):,} training and {len(dataset.test):,} test images, {c}x{h}x{w}, "
        f"digest {dataset.digest}"
    )
