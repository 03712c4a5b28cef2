"""The 60,000 real images: their digest, their split, and the cache at full size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from attnstudy.trainings.placement import data
from attnstudy.trainings.placement.data import Dataset


@pytest.fixture(scope="module")
def folder(real_data: Path) -> Path:
    return real_data / "cifar10"


@pytest.fixture(scope="module")
def images(folder: Path, data_dir: Path) -> Dataset:
    return data.load(str(folder), data_dir)[0]


def test_golden_digest(images: Dataset) -> None:
    assert images.digest == "1a55841742d55f244ceace894cf80e07"


def test_sizes_and_constants(images: Dataset) -> None:
    assert images.train.images.shape == (50_000, 3, 32, 32)
    assert images.test.images.shape == (10_000, 3, 32, 32)
    assert images.sizes(None, None) == (49_000, 1_000)
    assert images.class_names[:3] == ("airplane", "automobile", "bird")
    assert np.bincount(images.train.labels).tolist() == [5_000] * 10
    assert np.bincount(images.test.labels).tolist() == [1_000] * 10
    assert images.normalisation.mean == (0.4914, 0.4822, 0.4465)
    assert images.normalisation.std == (0.2023, 0.1994, 0.2010)


def test_split_of_the_notebook(images: Dataset) -> None:
    split = images.split(49_000, 1_000)
    assert len(split.train) == 49_000
    np.testing.assert_array_equal(split.train.images[48_000:], images.train.images[48_000:49_000])
    np.testing.assert_array_equal(split.train.labels, images.train.labels[:49_000])
    np.testing.assert_array_equal(split.validation.images, images.train.images[49_000:])
    np.testing.assert_array_equal(split.validation.labels, images.train.labels[49_000:])


def test_pixels_are_those_of_the_files(images: Dataset, folder: Path) -> None:
    import io

    import pyarrow.parquet as pq

    for split, part in (("train", images.train), ("test", images.test)):
        table = pq.read_table(next(folder.glob(f"{split}-*.parquet")))
        for row in (0, 1, len(part) // 2, len(part) - 1):
            stored = table["img"][row].as_py()["bytes"]
            pixels = np.asarray(PIL.Image.open(io.BytesIO(stored)).convert("RGB"))
            np.testing.assert_array_equal(part.images[row], pixels.transpose(2, 0, 1))
            assert part.labels[row] == table["label"][row].as_py()


def test_second_load_comes_from_the_cache(
    images: Dataset, folder: Path, data_dir: Path, monkeypatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("an image was decoded")

    monkeypatch.setattr(PIL.Image, "open", refuse)
    again, _ = data.load(str(folder), data_dir)
    assert again.digest == images.digest
