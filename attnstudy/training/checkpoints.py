"""Checkpoints: a training state on disk, with its checksum, the previous one kept behind it."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
from dataclasses import fields
from pathlib import Path

import torch

from attnstudy.files import write_atomically
from attnstudy.runs import RunFolder
from attnstudy.training.loop import TrainingState

_NAMES = ("checkpoint.pt", "checkpoint.previous.pt")


def save_checkpoint(folder: RunFolder, state: TrainingState) -> None:
    """Write ``state``; the checkpoint before stays until this one is safe, and behind it.

    The file is the SHA-256 of the rest (32 bytes), then what ``torch.save`` wrote.
    """
    buffer = io.BytesIO()
    torch.save({f.name: getattr(state, f.name) for f in fields(state)}, buffer)
    content = buffer.getvalue()
    current, previous = (folder.path / name for name in _NAMES)
    if current.exists():
        os.replace(current, previous)
    write_atomically(current, hashlib.sha256(content).digest() + content)


def load_checkpoint(folder: RunFolder) -> tuple[TrainingState | None, list[str]]:
    """Return the newest whole checkpoint, if any, and a sentence for each damaged one."""
    damaged: list[str] = []
    for name in _NAMES:
        path = folder.path / name
        state = _read(path)
        if state is not None:
            return state, damaged
        if path.exists():
            damaged.append(f"{path} is damaged and was not used")
    return None, damaged


def _read(path: Path) -> TrainingState | None:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    if hashlib.sha256(content[32:]).digest() != content[:32]:
        return None
    try:
        values = torch.load(io.BytesIO(content[32:]), map_location="cpu", weights_only=True)
        return TrainingState(**values)
    except (pickle.UnpicklingError, RuntimeError, TypeError):
        return None  # whole, but written by another version
