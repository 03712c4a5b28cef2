"""What is known of a run: how it stands, where it began, what came out."""

from __future__ import annotations

import posixpath
import re
import reprlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from attnstudy.study import RunSpec

MAX_DURING_TRAINING = "val_accuracy_max_every_100_iterations"
"""The highest of the validations during training, as the reference notebook takes it."""

METRICS = (
    "val_accuracy_max", MAX_DURING_TRAINING, "val_accuracy_final", "test_accuracy", "test_loss",
    "train_seconds", "images_per_second",
)  # fmt: skip
"""Numbers of a finished run of a placement, by their names in the tracking store."""

OF_TIME = frozenset({"train_seconds", "images_per_second"})
"""Metrics that differ whenever something is run again."""

PARAMETERS = "parameters"
"""What the number of trainable parameters is called among what a run is recorded with."""


_NAME = re.compile(r"[\w.\- :/]{1,250}")


def is_metric_name(name: str) -> bool:
    """Whether MLflow takes a name of a metric, and of a tag."""
    plain = posixpath.normpath(name) == name and name != "." and not name.startswith(("/", ".."))
    return plain and _NAME.fullmatch(name) is not None


_LONGEST_FACT = 5000  # characters of a tag that every version of MLflow takes
_COUNT = re.compile(r"[0-9]{1,18}")


def impossible_fact(name: str, text: str) -> str | None:
    """Return what is wrong with something that a run is recorded with, as a clause; else None."""
    if not is_metric_name(f"attnstudy.{name}"):
        return f"{reprlib.repr(name)} among what it was made with cannot be a name in MLflow"
    if len(text) > _LONGEST_FACT:
        return f"{name} of what it was made with has {len(text)} characters"
    if name == PARAMETERS and _COUNT.fullmatch(text) is None:
        return f"{reprlib.repr(text)} is no number of parameters"
    return None


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


DONE = tuple(status.value for status in Status if status.done)
"""What the tracking store shows of runs of which nothing is left to train."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The outcome of a run."""

    status: Status
    diverged_at: int | None = None
    """Step of the first number that is not finite; None if all are."""
    metrics: Mapping[str, float]
    """What was measured, by name, as the tracking store shows it. Of the placements: accuracies in
    percent; what a diverged run has no value of is not there."""
    finished_at: int
    """Milliseconds since the epoch."""
    environment: Mapping[str, str]
    """Device, threads, versions, hardware: recorded, not part of the identity."""
    files: Mapping[str, str]
    """SHA-256 (hex) of every file that belongs to the result, by name."""
    notes: tuple[str, ...] = ()
    """What is to be known about how the result came about."""

    @property
    def train_seconds(self) -> float:
        """The time that was spent on the training."""
        return self.metrics["train_seconds"]

    def earlier_metrics(self) -> dict[str, float]:
        """Return the numbers that earlier versions sent: one maximum, that during training."""
        now = dict(self.metrics)
        during = now.pop(MAX_DURING_TRAINING, None)
        return now if during is None else {**now, "val_accuracy_max": during}

    def to_json(self) -> dict[str, Any]:
        """Return what ``from_json`` takes."""
        return {
            "status": self.status.value,
            "diverged_at": self.diverged_at,
            "metrics": dict(self.metrics),
            "finished_at": self.finished_at,
            "environment": dict(self.environment),
            "files": dict(self.files),
            "notes": list(self.notes),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Result:
        """Return the result that ``to_json`` gave, now or by a version with fixed metrics.

        Fields that are missing are None: a sealed result counts, whichever version wrote it.

        Raises:
            KeyError: it has no status.

        """
        metrics = values["metrics"] if "metrics" in values else _metrics_of_fields(values)
        known = {**dict.fromkeys(("diverged_at", "finished_at", "environment", "files")), **values}
        return cls(
            status=Status(values["status"]),
            diverged_at=known["diverged_at"],
            metrics=dict(metrics),
            finished_at=known["finished_at"],
            environment=known["environment"],
            files=known["files"],
            notes=tuple(values.get("notes", ())),
        )


def _metrics_of_fields(values: Mapping[str, Any]) -> dict[str, float]:
    """Return the metrics of a result in which each had a field of its own."""
    during, final = values.get("val_accuracy_max"), values.get("val_accuracy_final")
    measured = [value for value in (during, final) if value is not None]
    known = {
        "val_accuracy_max": max(measured, default=None),
        MAX_DURING_TRAINING: during,
        "val_accuracy_final": final,
        **{name: values.get(name) for name in METRICS[3:]},
    }
    return {name: value for name, value in known.items() if value is not None}


@dataclass(frozen=True, slots=True)
class LogRecord:
    """A line of a run's journal: what was measured up to a step."""

    step: int
    """The last one that it tells of, counted from 0."""
    seconds: float
    """Time of the run from its start to here, without interruptions."""
    values: Mapping[str, tuple[float, ...]]
    """By metric; several are those of as many consecutive steps, the last of which is ``step``."""

    def points(self) -> Iterator[tuple[str, int, float]]:
        """Yield name, step and value of everything."""
        for name, values in self.values.items():
            first = self.step + 1 - len(values)
            for place, value in enumerate(values):
                yield name, first + place, value

    @property
    def first_step(self) -> int:
        """The first step that it tells of."""
        return self.step + 1 - max(map(len, self.values.values()), default=0)

    def last(self, name: str) -> float | None:
        """Return the value of a metric at ``step``; None if it was not measured there."""
        values = self.values.get(name)
        return values[-1] if values else None

    def to_json(self) -> dict[str, Any]:
        """Return what ``from_json`` takes; a single value is written as such."""
        values = {name: v[0] if len(v) == 1 else list(v) for name, v in self.values.items()}
        return {"step": self.step, "seconds": self.seconds, "values": values}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> LogRecord:
        """Return the record that ``to_json`` gave, now or by a version that knew one training."""
        if "values" in values:
            listed = {
                name: tuple(v) if isinstance(v, list) else (v,)
                for name, v in values["values"].items()
            }
            return cls(values["step"], values["seconds"], listed)
        losses = tuple(values["train_loss"])
        measured = {"train_loss": losses} if losses else {}
        if values["val_accuracy"] is not None:
            measured["val_accuracy"] = (values["val_accuracy"],)
        return cls(values["first_step"] + len(losses) - 1, values["seconds"], measured)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetFacts:
    """What is told about the dataset of a run, so that nobody needs the dataset to tell it."""

    name: str
    source: str
    """What it is called; in runs of earlier versions the path that the user gave."""
    digest: str
    image_shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    test_images: int
    normalisation: Mapping[str, Any]
    """``scale``, ``mean`` and ``std``: a model sees ``(pixel / scale - mean) / std``."""

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> DatasetFacts:
        """Return the facts that a run's folder holds.

        Raises:
            KeyError: something is missing.

        """
        c, h, w = values["image_shape"]
        names = tuple(values["class_names"])
        return cls(**{**values, "image_shape": (c, h, w), "class_names": names})


@dataclass(frozen=True, slots=True)
class Start:
    """What was fixed when a run was first started."""

    spec: RunSpec
    dataset: DatasetFacts | None
    """None of a training that tells nothing about its data."""
    at: int
    """Milliseconds since the epoch."""
