"""Images in memory: what a dataset is, its digest, its split and its normalisation."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from attnstudy import rng
from attnstudy.errors import DataError

if TYPE_CHECKING:
    import torch

# The reference study's constants. They are used for CIFAR-10 in whatever packaging, and only
# there: every other dataset is normalised by its own training mean and standard deviation.
CIFAR10_MEAN = (0.4914, 0.4822, 0.4465)
CIFAR10_STD = (0.2023, 0.1994, 0.2010)
CIFAR10_CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ImageSet:
    """Images and their labels, in the order of their source."""

    images: npt.NDArray[np.uint8]
    """Shape (N, C, H, W)."""
    labels: npt.NDArray[np.int64]
    """Shape (N,), 0 to classes - 1."""

    def __len__(self) -> int:
        return len(self.labels)

    def at(self, places: npt.NDArray[np.int64]) -> ImageSet:
        """Return copies of the images at some places (N,), in that order."""
        return ImageSet(self.images[places], self.labels[places])


@dataclass(frozen=True, slots=True)
class Split:
    """What training and validation may see. The test images are not reachable from here."""

    pool: ImageSet
    """Where the training images are: the same for all seeds, so that one copy does for all."""
    validation: ImageSet
    normalisation: Normalisation
    places: npt.NDArray[np.int64] | None = None
    """Shape (train_size,): the places of the training images in the pool; None where they are all
    of it."""

    @property
    def train_size(self) -> int:
        """How many training images there are."""
        return len(self.pool if self.places is None else self.places)

    @property
    def train(self) -> ImageSet:
        """The training images themselves."""
        return self.pool if self.places is None else self.pool.at(self.places)


@dataclass(frozen=True, slots=True)
class Normalisation:
    """Maps stored pixels to what a model sees: ``(pixel / scale - mean) / std``."""

    scale: float
    """Stored value of a full pixel: 255, or 16 for the digits."""
    mean: tuple[float, ...]
    """Mean of each channel, in units of a full pixel."""
    std: tuple[float, ...]
    """Standard deviation of each channel, in units of a full pixel."""

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """Map uint8 images (N, C, H, W) to float32, channels last in memory."""
        return self.on(images.device)(images)

    def on(self, device: torch.device) -> Callable[[torch.Tensor], torch.Tensor]:
        """Return the same for images on a device: its numbers are brought there once."""
        import torch  # only where images are computed with

        mean = torch.tensor(self.mean, device=device).view(1, -1, 1, 1)
        std = torch.tensor(self.std, device=device).view(1, -1, 1, 1)

        def normalise(images: torch.Tensor) -> torch.Tensor:
            pixels = images.to(torch.float32, memory_format=torch.channels_last)
            return pixels.div_(self.scale).sub_(mean).div_(std)

        return normalise


@dataclass(frozen=True, slots=True)
class TrainingData:
    """A dataset whose test images stay sealed: the training file and what is known about it.

    Whoever is given one, as a search for hyperparameters is, cannot score on test images: none
    are reachable from here, nor in the cache folder that it was read from.
    """

    train: ImageSet
    class_names: tuple[str, ...]
    normalisation: Normalisation
    default_val_size: int
    """Validation images when nobody says how many."""
    digest: str
    """SHA-256 (first 32 hex digits) over all that is here: pixels, labels, normalisation and class
    count; with the test images where they are."""

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""
        _, c, h, w = self.train.images.shape
        return c, h, w

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def test_images(self) -> int:
        """How many test images are here."""
        return 0

    def sizes(self, train_size: int | None, val_size: int | None) -> tuple[int, int]:
        """Return the numbers of training and validation images that a split would hold.

        Validation takes the last ``val_size`` images of the training file, training the first
        ``train_size`` of the rest (all of them by default); see ``split``.

        Raises:
            DataError: there are fewer images than asked for.

        """
        val = self.default_val_size if val_size is None else val_size
        left = len(self.train) - val
        train = left if train_size is None else train_size
        if val >= len(self.train) or train > left:
            raise DataError(
                f"{train if train_size is not None else 'some'} training and {val} validation "
                f"images are asked for, but the training file holds {len(self.train)}: ask for "
                "fewer with --train-size or --val-size"
            )
        return train, val

    def split(self, train_size: int, val_size: int, seed: int | None = None) -> Split:
        """Return the training and validation images, without the test images.

        Args:
            train_size: the first so many images of the training file are trained on.
            val_size: the last so many validate.
            seed: puts the training file into another order before, drawn from the stream
                ``split`` of this seed. The normalisation stays that of the dataset, as its digest
                and the models of all seeds have it. None leaves the file as it is.

        Raises:
            DataError: there are fewer images than asked for.

        """
        train, val = self.sizes(train_size, val_size)
        first_val = len(self.train) - val
        if seed is not None:
            stream = np.random.default_rng(rng.stream_seed(seed, "split"))
            order = stream.permutation(len(self.train))
            return Split(
                pool=self.train,
                validation=self.train.at(order[first_val:]),
                normalisation=self.normalisation,
                places=order[:train],
            )
        return Split(
            pool=ImageSet(self.train.images[:train], self.train.labels[:train]),
            validation=ImageSet(self.train.images[first_val:], self.train.labels[first_val:]),
            normalisation=self.normalisation,
        )


@dataclass(frozen=True, slots=True)
class Dataset(TrainingData):
    """A decoded dataset: training file, test file, and what is known about them."""

    test: ImageSet

    @property
    def test_images(self) -> int:
        """How many test images are here."""
        return len(self.test)

    def sealed(self) -> TrainingData:
        """Return the same without its test images."""
        return TrainingData(
            train=self.train,
            class_names=self.class_names,
            normalisation=self.normalisation,
            default_val_size=self.default_val_size,
            digest=content_digest([self.train], self.normalisation, self.num_classes),
        )


def make_dataset(
    train: ImageSet,
    test: ImageSet,
    *,
    class_names: Sequence[str],
    scale: float = 255.0,
    default_val_size: int | None = None,
) -> Dataset:
    """Put a dataset together: choose its normalisation and compute its digest.

    ``default_val_size`` is a tenth of the training file, 1 to 1,000 images, unless given.
    """
    known = make_training_data(
        train, class_names=class_names, scale=scale, default_val_size=default_val_size
    )
    return Dataset(
        train=train,
        test=test,
        class_names=known.class_names,
        normalisation=known.normalisation,
        default_val_size=known.default_val_size,
        digest=content_digest([train, test], known.normalisation, known.num_classes),
    )


def make_training_data(
    train: ImageSet,
    *,
    class_names: Sequence[str],
    scale: float = 255.0,
    default_val_size: int | None = None,
) -> TrainingData:
    """Put together what there is of a dataset without its test images, as ``make_dataset``."""
    val = default_val_size or min(1000, max(1, len(train) // 10))
    if tuple(class_names) == CIFAR10_CLASSES and train.images.shape[1:] == (3, 32, 32):
        normalisation = Normalisation(scale, CIFAR10_MEAN, CIFAR10_STD)
    else:
        normalisation = _own_normalisation(train.images[: max(1, len(train) - val)], scale)
    return TrainingData(
        train=train,
        class_names=tuple(class_names),
        normalisation=normalisation,
        default_val_size=val,
        digest=content_digest([train], normalisation, len(class_names)),
    )


def _own_normalisation(images: npt.NDArray[np.uint8], scale: float) -> Normalisation:
    # Exact integer sums, so that the constants do not depend on the order of summation.
    counts = [np.bincount(images[:, c].ravel(), minlength=256) for c in range(images.shape[1])]
    values = np.arange(256)
    means = [float((count * values).sum() / count.sum()) for count in counts]
    squares = [float((count * values**2).sum() / count.sum()) for count in counts]
    # a constant channel has nothing to scale by
    stds = [max(s - m * m, 0.0) ** 0.5 or scale for m, s in zip(means, squares, strict=True)]
    return Normalisation(scale, tuple(m / scale for m in means), tuple(s / scale for s in stds))


def content_digest(parts: Sequence[ImageSet], normalisation: Normalisation, classes: int) -> str:
    """Return the SHA-256 (first 32 hex digits) of everything that a model gets to see."""
    header = [normalisation.scale, normalisation.mean, normalisation.std, classes]
    digest = hashlib.sha256(json.dumps(header).encode())
    for part in parts:
        digest.update(json.dumps(part.images.shape).encode())
        digest.update(np.ascontiguousarray(part.images).data)
        digest.update(np.ascontiguousarray(part.labels, dtype="<i8").data)
    return digest.hexdigest()[:32]
