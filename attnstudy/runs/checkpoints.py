"""The files of a run's checkpoints: the newest one, and the one before it behind it."""

from __future__ import annotations

import os
from pathlib import Path

from attnstudy.crashpoints import reach
from attnstudy.files import reported, write_atomically

CHECKPOINT, PREVIOUS_CHECKPOINT = CHECKPOINT_NAMES = ("checkpoint.pt", "checkpoint.previous.pt")
CHECKPOINTS = "checkpoint*.pt"
"""Matches the names of all of them."""


def put_checkpoint(folder: Path, content: bytes) -> None:
    """Write a checkpoint; the one before stays until this one is safe, and behind it.

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
