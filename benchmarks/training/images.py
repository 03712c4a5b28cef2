"""A few of the images in a folder of their own: a test of all would take most of the time."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from attnstudy.trainings.placement.data import Dataset, ImageSet

TRAIN, TEST = 4_000, 500


def write_some(dataset: Dataset, folder: Path) -> None:
    """Write the first images of both splits as parquet, without loss."""
    folder.mkdir()
    for name, part, count in (("train", dataset.train, TRAIN), ("test", dataset.test, TEST)):
        table = {"img": [_png(part, i) for i in range(count)], "label": part.labels[:count]}
        pq.write_table(pa.table(table), folder / f"{name}-0.parquet")


def _png(part: ImageSet, number: int) -> dict[str, bytes]:
    buffer = io.BytesIO()
    Image.fromarray(part.images[number].transpose(1, 2, 0)).save(buffer, "png")
    return {"bytes": buffer.getvalue()}
