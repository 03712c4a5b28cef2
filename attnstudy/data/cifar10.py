"""The official CIFAR-10 archive, fetched, checked and read by torchvision."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from attnstudy.data.images import Dataset, ImageSet, make_dataset
from attnstudy.data.torchvision_ops import declare_missing_operators
from attnstudy.errors import DataError, cause

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
    parts = []
    for train in (True, False):
        archive = open_archive(data_dir, train=train, download=download and train)
        images = np.ascontiguousarray(np.asarray(archive.data, np.uint8).transpose(0, 3, 1, 2))
        parts.append(ImageSet(images, np.asarray(archive.targets, np.int64)))
    return make_dataset(parts[0], parts[1], class_names=archive.classes)
