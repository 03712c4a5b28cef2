"""Runs that were repeated: moved beside the others, and not forgotten in the tracking stores."""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from functools import lru_cache
from pathlib import Path

from attnstudy.crashpoints import reach
from attnstudy.files import exchange, make_folder, read_sealed, reported, sync

REPLACES = "replaces.json"
_TICK = 2_000_000_000  # nanoseconds


def move_aside(folder: Path) -> Path | None:
    """Put an empty folder in the place of a run's; return where the run is kept, if there was one.

    Raises:
        StoreError: it cannot be moved.

    """
    if not folder.exists():
        return None
    kept = _free_name(folder)
    with reported(kept.parent):
        reach("repeat/aside")
        os.rename(folder, kept)
        reach("repeat/moved")
        folder.mkdir(exist_ok=True)  # who waits for its publishing lock may have made it
        sync(kept.parent)
        sync(folder.parent)
    return kept


def replace(folder: Path, other: Path) -> bool:
    """Put another folder in the place of a run's at one stroke, and keep the run's aside.

    Whoever looks sees the one or the other, and nobody gets between. Gives False, and changes
    nothing, where folders cannot be exchanged.

    Raises:
        StoreError: they cannot be moved.

    """
    kept = _free_name(folder)
    with reported(kept.parent):
        os.rename(other, kept)  # held by us: ``prune`` leaves it alone
        if exchange(kept, folder):
            return True
        os.rename(kept, other)
    return False


def _free_name(folder: Path) -> Path:
    """Return where an earlier training of a run can be put."""
    aside = folder.parent / "repeated"
    with reported(aside):
        make_folder(aside)
    names = (aside / f"{folder.name}-{number}" for number in itertools.count(1))
    return next(path for path in names if not path.exists())


def kept_aside(folder: Path) -> tuple[Path, ...]:
    """Return where earlier trainings of a run are kept, the earliest first."""
    aside = folder.parent / "repeated"
    try:
        changed = aside.stat().st_mtime_ns
    except FileNotFoundError:
        return ()
    # the clock of a file system stands still for some milliseconds, for others a second
    settled = time.time_ns() - changed > _TICK
    listed = _listed(aside, changed) if settled else _list(aside)
    return listed.get(folder.name, ())


def _list(aside: Path) -> dict[str, tuple[Path, ...]]:
    """Return what is kept, by name of the run's folder."""
    found: dict[str, list[Path]] = {}
    ours = (path for path in aside.iterdir() if path.name.rpartition("-")[2].isdecimal())
    for path in sorted(ours, key=_number):
        found.setdefault(path.name.rpartition("-")[0], []).append(path)
    return {name: tuple(paths) for name, paths in found.items()}


# of each study once, not for each of its runs
@lru_cache(maxsize=4)
def _listed(aside: Path, changed: int) -> dict[str, tuple[Path, ...]]:  # a key
    """Return the same, as it has been since the folder was changed last."""
    return _list(aside)


def replaced(folder: Path) -> dict[str, list[str]]:
    """Return the ids of the published runs that a folder's run replaces, by store.

    The repetitions that are kept have them; what a study left behind when it was moved to another
    machine is told by ``replaces.json``.
    """
    found: dict[str, list[str]] = {}
    for path in (*kept_aside(folder), folder):
        told: dict[str, list[str]] = read_sealed(path / REPLACES) or {}
        for key, ids in told.items():
            found.setdefault(key, []).extend(ids)
        if path != folder:
            with contextlib.suppress(FileNotFoundError):  # ``prune`` removes it at this moment
                for note in sorted((path / "published").glob("*.json")):
                    run_id = (read_sealed(note) or {}).get("run_id")
                    if run_id is not None:
                        found.setdefault(note.stem, []).append(run_id)
    return {key: [*dict.fromkeys(ids)] for key, ids in found.items()}


def _number(path: Path) -> int:
    """Return which repetition a folder in ``repeated/`` holds."""
    return int(path.name.rpartition("-")[2])
