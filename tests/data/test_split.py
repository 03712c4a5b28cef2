"""Splits and normalisation of a dataset in memory."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from attnstudy.errors import DataError
from attnstudy.trainings.placement.data import Dataset, ImageSet, Split
from attnstudy.trainings.placement.data.images import Normalisation, make_dataset


def image_set(start: int, count: int) -> ImageSet:
    """Images of one pixel, each with a value of its own."""
    values = np.arange(start, start + count)
    return ImageSet(values.astype(np.uint8).reshape(count, 1, 1, 1), values.astype(np.int64) % 2)


@pytest.fixture
def dataset() -> Dataset:
    """100 training and 50 test images, all different."""
    return make_dataset(image_set(0, 100), image_set(150, 50), class_names=["even", "odd"])


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ((None, None), (90, 10)),
        ((None, 1), (99, 1)),
        ((None, 99), (1, 99)),
        ((1, None), (1, 10)),
        ((50, 50), (50, 50)),
        ((90, 10), (90, 10)),
        ((20, 30), (20, 30)),
    ],
)
def test_training_takes_the_first_and_validation_the_last(
    dataset: Dataset, asked: tuple[int | None, int | None], given: tuple[int, int]
) -> None:
    assert dataset.sizes(*asked) == given
    split = dataset.split(*given)
    train, val = given
    assert split.train.images.ravel().tolist() == [*range(train)]
    assert split.validation.images.ravel().tolist() == [*range(100 - val, 100)]
    assert split.train.labels.tolist() == [n % 2 for n in range(train)]
    assert split.validation.labels.tolist() == [n % 2 for n in range(100 - val, 100)]


@pytest.mark.parametrize(
    ("asked", "numbers"),
    [
        ((91, None), ("91 training", "10 validation")),
        ((None, 100), ("some training", "100 validation")),
        ((None, 1000), ("some training", "1000 validation")),
        ((51, 50), ("51 training", "50 validation")),
        ((10**9, 1), ("1000000000 training", "1 validation")),
    ],
)
def test_fewer_images_than_asked_for(
    dataset: Dataset, asked: tuple[int | None, int | None], numbers: tuple[str, str]
) -> None:
    with pytest.raises(DataError) as caught:
        dataset.sizes(*asked)
    message = str(caught.value)
    for said in (*numbers, "holds 100", "--train-size", "--val-size"):
        assert said in message
    assert "\n" not in message


def test_split_checks_the_sizes_too(dataset: Dataset) -> None:
    with pytest.raises(DataError):
        dataset.split(91, 10)


def test_test_images_are_out_of_reach_of_a_split(dataset: Dataset) -> None:
    split = dataset.split(90, 10)
    assert {field.name for field in dataclasses.fields(Split)} == {
        "pool", "validation", "normalisation", "places",
    }  # fmt: skip
    test_values = set(dataset.test.images.ravel().tolist())
    for part in (split.train, split.validation):
        assert not test_values & set(part.images.ravel().tolist())
        for mine in (part.images, part.labels):
            assert not np.shares_memory(mine, dataset.test.images)
            assert not np.shares_memory(mine, dataset.test.labels)
    assert not np.shares_memory(split.train.images, split.validation.images)


def test_a_shrunken_split_keeps_the_normalisation(dataset: Dataset) -> None:
    assert dataset.split(5, 5).normalisation == dataset.normalisation


@pytest.mark.parametrize(("images", "validation"), [(100, 10), (9_999, 999), (20_000, 1_000)])
def test_default_validation_size(images: int, validation: int) -> None:
    made = make_dataset(image_set(0, images), image_set(0, 2), class_names=["even", "odd"])
    assert made.default_val_size == validation


def test_normalisation_is_the_formula() -> None:
    pixels = torch.from_numpy(
        np.random.default_rng(0).integers(0, 256, (4, 3, 5, 5), dtype=np.uint8)
    )
    before = pixels.clone()
    mean, std = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)
    seen = Normalisation(255.0, mean, std)(pixels)
    assert seen.dtype == torch.float32
    assert seen.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(pixels, before)
    for channel in range(3):
        expected = (pixels[:, channel].double() / 255 - mean[channel]) / std[channel]
        torch.testing.assert_close(seen[:, channel].double(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 3, 4, 4), (6, 1, 8, 8)])
def test_normalisation_keeps_the_shape(shape: tuple[int, ...]) -> None:
    channels = (0.5,) * shape[1]
    seen = Normalisation(16.0, channels, channels)(torch.full(shape, 8, dtype=torch.uint8))
    assert seen.shape == shape
    assert not seen.any()
