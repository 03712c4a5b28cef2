"""Designs and ledgers for tests, without any training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from attnstudy.search import Design, Ledger, open_storage, parse_storage


@pytest.fixture
def make_design() -> Callable[..., Design]:
    """Make the design of a small search."""

    def make(**changes: object) -> Design:
        values: dict[str, object] = {
            "study": "small",
            "variant": "vanilla",
            "variant_source": None,
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
            "dataset": "digits",
            "dataset_digest": "d" * 32,
            "train_size": 100,
            "val_size": 50,
            "settings": {"attention": "spatial", "precision": "float32"},
            "most_epochs": 4,
            "classes": 10,
        }
        return Design(**{**values, **changes})  # type: ignore[arg-type]

    return make


@pytest.fixture
def make_ledger(tmp_path: Path, make_design: Callable[..., Design]) -> Callable[..., Ledger]:
    """Open a ledger in a journal, or in another storage."""

    def make(storage: str | None = None, **changes: object) -> Ledger:
        place = parse_storage(storage or str(tmp_path / "tuning.journal"))
        return Ledger.begin(open_storage(place, tmp_path), make_design(**changes))

    return make
