"""The embedded dataset: scikit-learn's 1,797 handwritten digits, 8x8 pixels in 17 greys."""

from __future__ import annotations

import numpy as np

from attnstudy.trainings.placement.data.images import Dataset, ImageSet, make_dataset

TRAIN, VALIDATION, TEST = 1257, 180, 360


def read_digits() -> Dataset:
    """Return the digits with their fixed split: 1,257 training, 180 validation, 360 test images.

    The split is stratified by class and drawn once, with scikit-learn's ``train_test_split`` at
    ``random_state=0``: first the test images are set aside, then the validation images, which
    stand last in the training file. The digest would show a change of either.
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    images = digits.images.astype(np.uint8)[:, None]  # 0...16, exact
    labels = digits.target.astype(np.int64)
    rest, test = train_test_split(
        np.arange(len(labels)), test_size=TEST, stratify=labels, random_state=0
    )
    train, validation = train_test_split(
        rest, test_size=VALIDATION, stratify=labels[rest], random_state=0
    )
    order = np.concatenate([train, validation])
    return make_dataset(
        ImageSet(images[order], labels[order]),
        ImageSet(images[test], labels[test]),
        class_names=[str(digit) for digit in range(10)],
        scale=16.0,
        default_val_size=VALIDATION,
    )
