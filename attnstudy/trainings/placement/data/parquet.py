"""Folders in the Hugging Face parquet layout: ``train-*.parquet`` and ``test-*.parquet``."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, UnidentifiedImageError

from attnstudy.errors import DataError, cause
from attnstudy.trainings.placement.data.images import (
    Dataset,
    ImageSet,
    TrainingData,
    make_dataset,
    make_training_data,
)

IMAGE_COLUMNS = ("img", "image")
LABEL_COLUMN = "label"
SPLITS = ("train", "test")
MOST_CLASSES = 100_000  # a label above is damage or the wrong column, not a class
Progress = Callable[[int, int], None]


def parquet_files(folder: Path, splits: tuple[str, ...] = SPLITS) -> dict[str, list[Path]]:
    """Return the files of the splits, in order.

    Raises:
        DataError: the folder or the files of a split are missing.

    """
    if not folder.is_dir():
        raise DataError(
            f"there is no dataset {str(folder)!r}: name a folder with train-*.parquet and "
            "test-*.parquet, or 'cifar10', or 'digits'"
        )
    files = {split: sorted(folder.glob(f"{split}-*.parquet")) for split in splits}
    for split, found in files.items():
        if not found:
            raise DataError(f"{folder} holds no {split}-*.parquet: both splits are needed")
    return files


def read_parquet(folder: Path, progress: Progress | None = None) -> Dataset:
    """Decode every image of a folder.

    Images may be grey or RGB, of any square size, the same for all. ``progress`` is called with
    the images decoded so far and their total number.

    Raises:
        DataError: naming the file, and the row where there is one.

    """
    decoded, names = _decoded(parquet_files(folder), progress)
    return make_dataset(decoded["train"], decoded["test"], class_names=names)


def read_training_parquet(folder: Path, progress: Progress | None = None) -> TrainingData:
    """Decode the training images of a folder; its test files are not even opened.

    Raises:
        DataError: naming the file, and the row where there is one.

    """
    decoded, names = _decoded(parquet_files(folder, ("train",)), progress)
    return make_training_data(decoded["train"], class_names=names)


def _decoded(
    files: dict[str, list[Path]], progress: Progress | None
) -> tuple[dict[str, ImageSet], list[str]]:
    """Return the images of each split, the training split first, and the class names."""
    opened = {split: [_open(path) for path in paths] for split, paths in files.items()}
    total = sum(f.metadata.num_rows for fs in opened.values() for f in fs)
    decoder = _Decoder(total, progress)
    names = _class_names(opened["train"][0])
    decoded: dict[str, ImageSet] = {}
    for split, paths in files.items():
        part = list(zip(paths, opened[split], strict=True))
        decoded[split] = decoder.decode_split(part, len(names) if names else MOST_CLASSES)
        if not names:
            names = [str(label) for label in range(int(decoded[split].labels.max()) + 1)]
    assert names is not None  # there is a training split, and it has labels
    return decoded, names


def _open(path: Path) -> pq.ParquetFile:
    try:
        file = pq.ParquetFile(path)
        _ = file.schema_arrow.names  # read here, where damage to it is expected
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged(path, error) from error
    return file


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(
        f"{path} is not a readable parquet file ({cause(error)}): it is truncated or "
        "corrupted, fetch it again"
    )


def _class_names(file: pq.ParquetFile) -> list[str] | None:
    """Return the class names in the ``huggingface`` schema metadata, where they are given."""
    raw = (file.schema_arrow.metadata or {}).get(b"huggingface")
    if raw is None:
        return None
    try:
        features = json.loads(raw)["info"]["features"]
        names = features[LABEL_COLUMN]["names"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None  # other writers keep other metadata there
    return [str(name) for name in names] if isinstance(names, list) else None


class _Decoder:
    """Decodes rows one after the other, all into the shape of the first image."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self.total = total
        self.progress = progress
        self.done = 0
        self.mode: str | None = None
        self.size: tuple[int, int] = (0, 0)

    def decode_split(self, files: list[tuple[Path, pq.ParquetFile]], classes: int) -> ImageSet:
        """Return the images of a split; labels go from 0 to ``classes`` - 1."""
        images: list[npt.NDArray[np.uint8]] = []
        labels: list[int] = []
        for path, file in files:
            for row, (data, label) in enumerate(_rows(path, file)):
                images.append(self.decode(path, row, data))
                if label is None:
                    raise DataError(f"{path}: row {row} has no label: each image needs one")
                if not isinstance(label, int) or not 0 <= label < classes:
                    raise DataError(
                        f"{path}: the label {label!r} of row {row} is out of range: labels are "
                        f"whole numbers from 0 to {classes - 1}"
                    )
                labels.append(label)
                self.done += 1
                if self.progress is not None and self.done % 500 == 0:
                    self.progress(self.done, self.total)
        if not images:
            raise DataError(f"{files[0][0]} holds no image")
        return ImageSet(np.stack(images), np.array(labels, dtype=np.int64))

    def decode(self, path: Path, row: int, data: object) -> npt.NDArray[np.uint8]:
        """Return one image as (C, H, W)."""
        if not isinstance(data, bytes):
            raise DataError(f"{path}: row {row} holds no image bytes: export it with the images")
        try:
            with Image.open(io.BytesIO(data)) as opened:
                image: Image.Image = opened
                if image.mode.startswith(("I", "F")):
                    raise DataError(
                        f"{path}: row {row} has more than 8 bits a pixel and channel (mode "
                        f"{image.mode}): convert the images to 8"
                    )
                if self.mode is None:
                    self.mode = "L" if image.mode in ("L", "1") else "RGB"
                    self.size = image.size
                    if image.width != image.height:
                        raise DataError(
                            f"{path}: row {row} is {image.width}x{image.height} pixels: images "
                            "must be square"
                        )
                if self.mode == "L" and image.mode not in ("L", "1"):
                    raise DataError(
                        f"{path}: row {row} is in colour ({image.mode}) but the first image is "
                        "grey: convert them to one kind"
                    )
                pixels = np.asarray(image.convert(self.mode))
        except DataError:
            raise
        except Exception as error:  # what a decoder raises on damaged bytes can be anything
            known = not isinstance(error, UnidentifiedImageError)
            reason = cause(error) if known else "its format is not recognised"
            raise DataError(f"{path}: the image in row {row} cannot be read: {reason}") from error
        if (pixels.shape[1], pixels.shape[0]) != self.size:
            raise DataError(
                f"{path}: row {row} is {pixels.shape[1]}x{pixels.shape[0]} pixels but the first "
                f"image is {self.size[0]}x{self.size[1]}: all must have one size"
            )
        return pixels[None] if self.mode == "L" else pixels.transpose(2, 0, 1)


def _rows(path: Path, file: pq.ParquetFile) -> Iterator[tuple[Any, Any]]:
    names = file.schema_arrow.names
    column = next((name for name in IMAGE_COLUMNS if name in names), None)
    if column is None or LABEL_COLUMN not in names:
        missing = "img or image" if column is None else LABEL_COLUMN
        raise DataError(f"{path} has no column {missing}: it has {', '.join(map(repr, names))}")
    try:
        for batch in file.iter_batches(batch_size=1000, columns=[column, LABEL_COLUMN]):
            for image, label in zip(
                batch.column(column).to_pylist(),
                batch.column(LABEL_COLUMN).to_pylist(),
                strict=True,
            ):
                yield (image.get("bytes") if isinstance(image, dict) else image), label
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged(path, error) from error
