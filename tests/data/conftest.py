"""A small dataset on disk, and how a bad one must be told."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from attnstudy.errors import EXIT_ENVIRONMENT, DataError
from attnstudy.trainings.placement import data
from tests.data.image_folders import encoded, pixels_of, write_shard


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A good dataset: 20 training and 6 test images, RGB, 8x8 pixels, 3 classes."""
    path = tmp_path / "images"
    numbers = {"train": range(20), "test": range(100, 106)}
    for split, chosen in numbers.items():
        write_shard(
            path / f"{split}-00000-of-00001.parquet",
            [encoded(pixels_of(number)) for number in chosen],
            [number % 3 for number in chosen],
        )
    return path


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A folder for decoded images that does not exist yet."""
    return tmp_path / "cache"


@pytest.fixture
def refusal(cache: Path) -> Callable[..., str]:
    """What the user reads when a dataset is refused; nothing may be left in the cache."""

    def load(name: Path | str, **options: Any) -> str:
        with pytest.raises(DataError) as caught:
            data.load(str(name), cache, **options)
        text = str(caught.value)
        assert caught.value.exit_code == EXIT_ENVIRONMENT
        assert "\n" not in text
        assert not re.search(r"\.( |$)", text), "one sentence, without a full stop"
        assert [path for path in cache.rglob("*") if path.is_file()] == []
        return text

    return load
