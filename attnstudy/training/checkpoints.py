"""Checkpoints: a training state on disk, with its checksum, the previous one kept behind it."""

from __future__ import annotations

import hashlib
import io
import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import torch

from attnstudy.errors import StoreError, cause
from attnstudy.runs import CHECKPOINT_NAMES, RunFolder, put_checkpoint
from attnstudy.training.loop import TrainingState


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A training state, and what it was computed with."""

    state: TrainingState
    environment: Mapping[str, str]
    """See ``training.environment``."""
    notes: tuple[str, ...] = ()
    """What the result must say about how the state came about."""


def save_checkpoint(folder: RunFolder, checkpoint: Checkpoint) -> None:
    """Write ``checkpoint``; the one before stays until this one is safe, and behind it.

    The file is the SHA-256 of the rest (32 bytes), then what ``torch.save`` wrote.

    Raises:
        StoreError: there is no room or no right to write; the one before is intact.

    """
    state = checkpoint.state
    values = {
        "state": {f.name: getattr(state, f.name) for f in fields(state)},
        "environment": dict(checkpoint.environment),
        "notes": list(checkpoint.notes),
    }
    buffer = io.BytesIO()
    torch.save(values, buffer)
    content = buffer.getvalue()
    put_checkpoint(folder.path, hashlib.sha256(content).digest() + content)


def load_checkpoints(folder: RunFolder) -> Iterator[tuple[Path, Checkpoint | None]]:
    """Yield the checkpoints that are there, newest first; None in place of a damaged one."""
    for name in CHECKPOINT_NAMES:
        path = folder.path / name
        if path.exists():
            yield path, _read(path)


def _read(path: Path) -> Checkpoint | None:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {cause(error)}") from error
    if hashlib.sha256(content[32:]).digest() != content[:32]:
        return None
    try:
        values = torch.load(io.BytesIO(content[32:]), map_location="cpu", weights_only=True)
        state = TrainingState(**values["state"])
        return Checkpoint(state, values["environment"], tuple(values["notes"]))
    except (pickle.UnpicklingError, RuntimeError, KeyError, TypeError):
        return None  # whole, but written by another version
