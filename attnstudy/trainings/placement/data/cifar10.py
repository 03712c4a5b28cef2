"""The official CIFAR-10 archive, fetched, checked and read by torchvision."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from attnstudy.errors import DataError, cause
from attnstudy.trainings.placement.data.images import (
    Dataset,
    ImageSet,
    TrainingData,
    make_dataset,
    make_training_data,
)
from attnstudy.trainings.placement.data.torchvision_ops import declare_missing_operators

if TYPE_CHECKING:
    from torchvision.datasets import CIFAR10


def archive_folder(data_dir: Path) -> Path:
    """Return the folder that holds the official archive."""
    return data_dir / "cifar10-official"


def open_archive(data_dir: Path, *, train: bool, download: bool) -> CIFAR10:
    """Open the archive through torchvision, which checks the MD5 sum of every file.

    Raises:
        DataError: it is not there, cannot be fetched, or has the wrong sum.

    """
    declare_missing_operators()
    from torchvision.datasets import CIFAR10

    folder = archive_folder(data_dir)
    try:
        # Unpickles the batches, but only after their MD5 sums agreed with the official ones.
        return CIFAR10(str(folder), train=train, download=download)
    except (OSError, RuntimeError, EOFError) as error:
        if download:
            raise DataError(
                f"CIFAR-10 cannot be fetched into {folder} ({cause(error)}): put "
                "cifar-10-python.tar.gz there by hand, or use --dataset with a folder of parquet "
                "files, or digits"
            ) from error
        raise DataError(
            f"CIFAR-10 is not in {folder}, or a file there has the wrong MD5 sum: "
            "'attnstudy data fetch' fetches it"
        ) from error


def read_cifar10(data_dir: Path, *, download: bool = True) -> Dataset:
    """Return the official archive, downloading it with a progress bar when it is missing."""
    train, names = _read(data_dir, train=True, download=download)
    test, _ = _read(data_dir, train=False, download=False)
    return make_dataset(train, test, class_names=names)


def read_training_cifar10(data_dir: Path, *, download: bool = True) -> TrainingData:
    """Return the archive's training batches; its test batch is checked, but not read."""
    train, names = _read(data_dir, train=True, download=download)
    return make_training_data(train, class_names=names)


def _read(data_dir: Path, *, train: bool, download: bool) -> tuple[ImageSet, list[str]]:
    archive = open_archive(data_dir, train=train, download=download)
    images = np.ascontiguousarray(np.asarray(archive.data, np.uint8).transpose(0, 3, 1, 2))
    return ImageSet(images, np.asarray(archive.targets, np.int64)), archive.classes
