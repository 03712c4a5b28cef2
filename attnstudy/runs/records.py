"""What is known of a run: how it stands, where it began, what came out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from attnstudy.study import VALIDATE_EVERY, RunSpec

MAX_DURING_TRAINING = f"val_accuracy_max_every_{VALIDATE_EVERY}_iterations"
"""The highest of the validations during training, as the reference notebook takes it."""

METRICS = (
    "val_accuracy_max", MAX_DURING_TRAINING, "val_accuracy_final", "test_accuracy", "test_loss",
    "train_seconds", "images_per_second",
)  # fmt: skip
"""Numbers of a finished run, by their names in the tracking store."""


class Status(Enum):
    """How a run stands. The value is what the tracking store shows."""

    ABSENT = "absent"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    COMPLETE = "complete"
    DIVERGED = "diverged"
    FAILED = "failed"

    @property
    def done(self) -> bool:
        """Whether nothing is left to train: a diverged run is a result."""
        return self in (Status.COMPLETE, Status.DIVERGED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The outcome of a run. Accuracies in percent; None where a diverged run has no value."""

    status: Status
    diverged_at: int | None
    val_accuracy_max: float | None
    """Highest of the validations during training; the one after the last update may be higher."""
    val_accuracy_final: float | None
    """After the last update."""
    test_accuracy: float | None
    test_loss: float | None
    train_seconds: float
    images_per_second: float
    finished_at: int
    """Milliseconds since the epoch."""
    environment: dict[str, str]
    """Device, threads, versions, hardware: recorded, not part of the identity."""
    files: dict[str, str]
    """SHA-256 (hex) of every file that belongs to the result, by name."""
    notes: tuple[str, ...] = ()

    def metrics(self) -> dict[str, float]:
        """Return the numbers that the tracking store shows, by their names there."""
        measured = [v for v in (self.val_accuracy_max, self.val_accuracy_final) if v is not None]
        derived = {
            "val_accuracy_max": max(measured, default=None),
            MAX_DURING_TRAINING: self.val_accuracy_max,
        }
        values = {
            name: derived[name] if name in derived else getattr(self, name) for name in METRICS
        }
        return {name: value for name, value in values.items() if value is not None}

    def earlier_metrics(self) -> dict[str, float]:
        """Return the numbers that earlier versions sent: one maximum, that during training."""
        now = self.metrics()
        during = now.pop(MAX_DURING_TRAINING, None)
        return now if during is None else {**now, "val_accuracy_max": during}


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetFacts:
    """What is told about the dataset of a run, so that nobody needs the dataset to tell it."""

    name: str
    source: str
    """What the user gave: ``cifar10``, ``digits`` or a path."""
    digest: str
    image_shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    test_images: int
    normalisation: Mapping[str, Any]
    """``scale``, ``mean`` and ``std``: a model sees ``(pixel / scale - mean) / std``."""


@dataclass(frozen=True, slots=True)
class Start:
    """What was fixed when a run was first started."""

    spec: RunSpec
    dataset: DatasetFacts
    at: int
    """Milliseconds since the epoch."""
