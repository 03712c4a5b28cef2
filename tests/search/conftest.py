"""Searches for tests, without any training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from attnstudy.search import ArmSearch, SearchConfig, open_storage, parse_storage


@pytest.fixture
def make_config() -> Callable[..., SearchConfig]:
    """Make the configuration of a small search."""

    def make(**changes: object) -> SearchConfig:
        values: dict[str, object] = {
            "study": "small",
            "arm": "vanilla",
            "space": {
                "batch_size": [16, 32],
                "channels": [[4, 4], [8, 4]],
                "epochs": {"low": 1, "high": 4, "log": False},
                "lr": {"low": 1e-4, "high": 1e-1, "log": True},
            },
            "sampler": "tpe",
            "sampler_seed": 0,
            "pruner": "none",
            "seeds": (1_000_000, 1_000_001),
            "settings": {"attention": "spatial", "precision": "float32"},
            "most_epochs": 4,
            "classes": 10,
        }
        facts = {
            "variant_source": None,
            "dataset": "digits",
            "dataset_digest": "d" * 32,
            "train_size": 100,
            "val_size": 50,
        }
        own = {name: changes.pop(name) for name in facts if name in changes}
        return SearchConfig(**{**values, **changes}, facts={**facts, **own})  # type: ignore[arg-type]

    return make


@pytest.fixture
def make_search(
    tmp_path: Path, make_config: Callable[..., SearchConfig]
) -> Callable[..., ArmSearch]:
    """Open a search in a journal, or in another storage."""

    def make(storage: str | None = None, **changes: object) -> ArmSearch:
        place = parse_storage(storage or str(tmp_path / "tuning.journal"))
        return ArmSearch.begin(open_storage(place, tmp_path), make_config(**changes))

    return make
