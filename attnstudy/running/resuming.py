"""Where an interrupted run goes on: the newest checkpoint that is whole and fits the journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from attnstudy.errors import StoreError, UsageError
from attnstudy.running.environment import changes, environment
from attnstudy.runs import (
    JOURNAL,
    Checkpoint,
    RunFolder,
    load_checkpoints,
    records_before,
    unpack_folder,
)
from attnstudy.study import RunSpec


@dataclass(frozen=True, slots=True)
class Resumed:
    """From where a run goes on."""

    checkpoint: Checkpoint | None
    """None begins anew."""
    records: int
    """Lines of the journal that count."""
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
    wrong = unpack_folder(folder.path)
    found, notices = find_checkpoint(folder, spec)
    notices = notices if wrong is None else (*notices, wrong)
    if found is None:
        if (folder.path / JOURNAL).exists():  # be it damaged in its first line: nothing goes behind
            folder.keep_records(0)
        return Resumed(None, 0, notices, (), started.at)
    checkpoint, records = found
    folder.keep_records(records)
    notes = checkpoint.notes
    if changed := changes(checkpoint.environment, recorded):
        if strict:
            raise UsageError(_other_bits(spec, changed))
        note = f"continued with {', '.join(changed)}"
        notices = (*notices, f"{note}: the bits may differ from an uninterrupted training")
        notes = (*notes, note)
    return Resumed(checkpoint, records, notices, notes, started.at)


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
    now = environment(device, threads, fused)
    found, _ = find_checkpoint(folder, spec)
    if found is not None and (changed := changes(found[0].environment, now)):
        raise UsageError(_other_bits(spec, changed))


def _other_bits(spec: RunSpec, changed: Sequence[str]) -> str:
    """Return why ``--strict`` refuses to go on with a run."""
    return (
        f"{spec.name} was interrupted and would go on with {', '.join(changed)}, which may change "
        "its bits: restore what it was begun with, or leave --strict out"
    )


def find_checkpoint(
    folder: RunFolder, spec: RunSpec
) -> tuple[tuple[Checkpoint, int] | None, tuple[str, ...]]:
    """Return the newest usable checkpoint, if any, and a sentence for each one passed over.

    With the checkpoint comes the number of the journal's records that it goes with.
    """
    notices = []
    if (folder.path / "result.json").exists() and folder.result() is None:
        notices.append(f"{folder.path / 'result.json'} is damaged, so the run is trained again")
    journal = folder.journal()
    for path, checkpoint in load_checkpoints(folder.path):
        if checkpoint is None:
            notices.append(f"{path} is damaged and was not used")
        elif (records := records_before(checkpoint, spec.to_dict(), journal)) is None:
            notices.append(f"{path} was not used, because the journal beside it is damaged")
        else:
            return (checkpoint, records), tuple(notices)
    return None, tuple(notices)
