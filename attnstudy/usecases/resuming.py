"""Where an interrupted run goes on: the newest checkpoint that is whole and fits the journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from attnstudy.errors import StoreError, UsageError
from attnstudy.runs import RunFolder
from attnstudy.study import RunSpec
from attnstudy.training import (
    Checkpoint,
    TrainingState,
    changes,
    environment,
    load_checkpoints,
)


@dataclass(frozen=True, slots=True)
class Resumed:
    """From where a run goes on."""

    state: TrainingState | None
    """None begins anew."""
    notices: tuple[str, ...]
    """What the user should read: damage, and what may change the bits."""
    notes: tuple[str, ...]
    """What the result must say."""
    started_at: int
    """Milliseconds since the epoch, at the first start."""


def resume(
    folder: RunFolder, spec: RunSpec, recorded: Mapping[str, str], *, strict: bool = False
) -> Resumed:
    """Prepare a claimed run's folder for going on, and return from where.

    A checkpoint counts only if the journal tells of everything before it: a journal that was
    damaged must not leave a hole, so the training goes back to where both are whole.

    Raises:
        StoreError: the folder cannot be read or written.
        UsageError: ``strict``, and the run would go on with what may give other bits.

    """
    started = folder.started()
    if started is None:
        raise StoreError(f"{folder.path} lost its run.json: run the same command again")
    checkpoint, notices = find_checkpoint(folder, spec)
    notes: tuple[str, ...] = ()
    if checkpoint is None:
        folder.keep_journal_before(0)
    else:
        folder.keep_journal_before(checkpoint.state.reported(spec))
        notes = checkpoint.notes
        if changed := changes(checkpoint.environment, recorded):
            if strict:
                raise UsageError(_other_bits(spec, changed))
            note = f"continued with {', '.join(changed)}"
            notices = (*notices, f"{note}: the bits may differ from an uninterrupted training")
            notes = (*notes, note)
    return Resumed(None if checkpoint is None else checkpoint.state, notices, notes, started.at)


def refuse_other_bits(
    folder: RunFolder, spec: RunSpec, device: str, threads: int, *, fused: int
) -> None:
    """Refuse to go on here with a training that was begun with something that decides the bits.

    Args:
        folder: of the run.
        spec: what it trains.
        device: ``cpu`` or ``cuda``.
        threads: of the run.
        fused: how many runs would be trained together.

    Raises:
        UsageError: it was, and names it.

    """
    now = environment(torch.device(device), threads, fused)
    checkpoint, _ = find_checkpoint(folder, spec)
    if checkpoint is not None and (changed := changes(checkpoint.environment, now)):
        raise UsageError(_other_bits(spec, changed))


def _other_bits(spec: RunSpec, changed: Sequence[str]) -> str:
    """Return why ``--strict`` refuses to go on with a run."""
    return (
        f"{spec.name} was interrupted and would go on with {', '.join(changed)}, which may change "
        "its bits: restore what it was begun with, or leave --strict out"
    )


def find_checkpoint(folder: RunFolder, spec: RunSpec) -> tuple[Checkpoint | None, tuple[str, ...]]:
    """Return the newest usable checkpoint, if any, and a sentence for each one passed over."""
    notices = []
    if (folder.path / "result.json").exists() and folder.result() is None:
        notices.append(f"{folder.path / 'result.json'} is damaged, so the run is trained again")
    for path, checkpoint in load_checkpoints(folder):
        if checkpoint is None:
            notices.append(f"{path} is damaged and was not used")
        elif not folder.journal_reaches(checkpoint.state.reported(spec)):
            notices.append(f"{path} was not used, because the journal beside it is damaged")
        else:
            return checkpoint, tuple(notices)
    return None, tuple(notices)
