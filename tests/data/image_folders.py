"""Small folders of images in the Hugging Face layout."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image


def pixels_of(number: int, depth: int = 3, height: int = 8, width: int = 8) -> np.ndarray:
    """The pixels (H, W, C) or (H, W) of the image called ``number``; no two are alike."""
    shape = (height, width) if depth == 1 else (height, width, depth)
    return np.random.default_rng(number).integers(0, 256, shape, dtype=np.uint8)


def encoded(pixels: np.ndarray, form: str = "PNG", mode: str | None = None) -> bytes:
    """The file that holds an image."""
    file = io.BytesIO()
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(file, form)
    return file.getvalue()


def write_shard(
    path: Path,
    images: Sequence[Any],
    labels: Sequence[Any],
    *,
    column: str = "img",
    label_column: str = "label",
    struct: bool = True,
    features: object = None,
    row_group: int | None = None,
) -> Path:
    """Write one parquet file as the Hugging Face libraries do.

    ``images`` are bytes; as ``struct`` they lie beside a file name. ``features`` is what the
    metadata says of the label column.
    """
    content = (
        pa.array([{"bytes": image, "path": f"{row}.png"} for row, image in enumerate(images)],
                 pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
        if struct
        else pa.array(images)
    )  # fmt: skip
    table = pa.table({column: content, label_column: pa.array(labels)})
    if features is not None:
        info = {"info": {"features": {label_column: features}}}
        table = table.replace_schema_metadata({"huggingface": json.dumps(info)})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, row_group_size=row_group)
    return path
