"""A run's checkpoints: a state with its checksum, the newest one and the one before behind it."""

from __future__ import annotations

import hashlib
import io
import math
import os
import pickle
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attnstudy.crashpoints import reach
from attnstudy.errors import StoreError, cause
from attnstudy.files import reported, write_atomically
from attnstudy.runs.checkpoint_folder import forget_folder
from attnstudy.runs.records import LogRecord
from attnstudy.runs.state import pack, unpack

CHECKPOINT, PREVIOUS_CHECKPOINT = CHECKPOINT_NAMES = ("checkpoint.pt", "checkpoint.previous.pt")
CHECKPOINTS = "checkpoint*.pt"
"""Matches the names of all of them."""
_ZIP = b"PK"  # as torch.save wrote them before version 0.3


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a training, and what it was computed with."""

    state: Any
    environment: Mapping[str, str]
    """See ``running.environment``."""
    notes: tuple[str, ...] = ()
    """What the result must say about how the state came about."""
    records: int | None = None
    """How many records the journal held; None of an earlier version, see ``records_before``."""
    seconds: float = 0.0
    """Time of the run up to it, without interruptions."""


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; the one before stays until this one is safe, and behind it.

    The file is the SHA-256 of the rest (32 bytes), then what ``state.pack`` made.

    Raises:
        StoreError: there is no room or no right to write; the one before is intact.
        UsageError: the state holds what a checkpoint cannot.

    """
    content = pack(
        {
            "state": checkpoint.state,
            "environment": dict(checkpoint.environment),
            "notes": list(checkpoint.notes),
            "records": checkpoint.records,
            "seconds": checkpoint.seconds,
        }
    )
    put_checkpoint(folder, hashlib.sha256(content).digest() + content)


def load_checkpoints(folder: Path) -> Iterator[tuple[Path, Checkpoint | None]]:
    """Yield the checkpoints that are there, newest first; None in place of a damaged one."""
    for name in CHECKPOINT_NAMES:
        path = folder / name
        if path.exists():
            yield path, _read(path)


def is_whole(path: Path) -> bool:
    """Whether the file of a checkpoint is as it was written."""
    return _sealed(path.read_bytes())


def _sealed(content: bytes) -> bool:
    return hashlib.sha256(content[32:]).digest() == content[:32]


def _read(path: Path) -> Checkpoint | None:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {cause(error)}") from error
    if not _sealed(content):
        return None
    content = content[32:]
    try:
        values = _read_zip(content) if content.startswith(_ZIP) else unpack(content)
        values["notes"] = tuple(values["notes"])
        return Checkpoint(**values)
    except (ValueError, KeyError, TypeError):
        return None  # whole, but written by another version


def _read_zip(content: bytes) -> dict[str, Any]:
    import torch

    try:
        values = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError) as error:
        raise ValueError("this is no checkpoint") from error
    return {**values, "seconds": values["state"]["seconds"]}


def records_before(
    checkpoint: Checkpoint, settings: Mapping[str, Any], journal: Sequence[LogRecord]
) -> int | None:
    """Return how many records of the journal a checkpoint goes with.

    A checkpoint of an earlier version says after how many updates it was taken instead.

    Returns:
        None if the journal lacks one of them: then the checkpoint is of no use.

    """
    if checkpoint.records is not None:
        return checkpoint.records if checkpoint.records <= len(journal) else None
    state = checkpoint.state
    an_epoch = math.ceil(settings["train_size"] / int(settings["batch_size"]))
    done = state["epoch"] * an_epoch + state["iteration"] - len(state["losses"])
    ends = [0, *(record.step + 1 for record in journal)]
    return ends.index(done) if done in ends else None


def put_checkpoint(folder: Path, content: bytes) -> None:
    """Write the file of a checkpoint; the one before stays until this one is safe, and behind it.

    Raises:
        StoreError: there is no room or no right to write; the one before is intact.

    """
    current, previous = (folder / name for name in CHECKPOINT_NAMES)
    reach("checkpoint/before")
    with reported(folder):
        if current.exists():
            os.replace(current, previous)
    reach("checkpoint/previous-kept")
    write_atomically(current, content)


def forget_checkpoints(folder: Path) -> None:
    """Remove the checkpoints of a run that will not be gone on with."""
    for path in folder.glob(CHECKPOINTS):
        path.unlink(missing_ok=True)
    forget_folder(folder)
