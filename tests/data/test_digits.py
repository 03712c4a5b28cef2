"""The embedded dataset: its fixed split, its scale and its digest."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch

from attnstudy.trainings.placement.data import Dataset


@pytest.fixture(scope="module")
def source():
    from sklearn.datasets import load_digits

    return load_digits()


def test_golden_digest(digits: Dataset) -> None:
    """Every run on the digits that users have carries this value."""
    assert digits.digest == "8538b0078d6c07157c15a700dfed3c8d"


def test_sizes(digits: Dataset) -> None:
    assert digits.sizes(None, None) == (1257, 180)
    assert len(digits.test) == 360
    assert digits.image_shape == (1, 8, 8)
    assert digits.class_names == tuple("0123456789")
    assert digits.train.images.dtype == digits.test.images.dtype == np.uint8


def test_every_digit_stands_in_one_part(digits: Dataset, source) -> None:
    def counted(images: np.ndarray, labels: np.ndarray) -> Counter:
        return Counter(
            (image.astype(np.uint8).tobytes(), int(label))
            for image, label in zip(images, labels, strict=True)
        )

    split = digits.split(*digits.sizes(None, None))
    parts = [counted(p.images, p.labels) for p in (split.train, split.validation, digits.test)]
    assert [part.total() for part in parts] == [1257, 180, 360]
    assert parts[0] + parts[1] + parts[2] == counted(source.images, source.target)


def test_parts_are_stratified(digits: Dataset, source) -> None:
    split = digits.split(*digits.sizes(None, None))
    whole = np.bincount(source.target)
    for part in (split.train, split.validation, digits.test):
        share = whole * len(part) / len(source.target)
        assert np.abs(np.bincount(part.labels, minlength=10) - share).max() <= 1


def test_images_are_not_in_the_order_of_the_source(digits: Dataset, source) -> None:
    first = source.images[:50].astype(np.uint8)[:, None]
    assert not np.array_equal(digits.train.images[:50], first)


def test_pixels_are_scaled_to_one_and_normalised_by_the_training_images(digits: Dataset) -> None:
    training = digits.train.images[:1257] / 16
    assert training.min() == 0
    assert training.max() == 1
    assert digits.normalisation.scale == 16
    assert digits.normalisation.mean == pytest.approx([training.mean()], rel=1e-12)
    assert digits.normalisation.std == pytest.approx([training.std()], rel=1e-12)
    seen = digits.normalisation(torch.from_numpy(digits.train.images[:1257])).double()
    assert abs(float(seen.mean())) < 1e-6
    assert float(seen.std(correction=0)) == pytest.approx(1, abs=1e-6)
