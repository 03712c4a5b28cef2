"""Runs that were repeated: moved beside the others, and not forgotten in the tracking stores."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

from attnstudy.crashpoints import reach
from attnstudy.files import read_sealed, reported

REPLACES = "replaces.json"


def move_aside(folder: Path) -> Path | None:
    """Put an empty folder in the place of a run's; return where the run is kept, if there was one.

    Raises:
        StoreError: it cannot be moved.

    """
    if not folder.exists():
        return None
    aside = folder.parent / "repeated"
    names = (aside / f"{folder.name}-{number}" for number in itertools.count(1))
    kept = next(path for path in names if not path.exists())
    with reported(aside):
        aside.mkdir(exist_ok=True)
        reach("repeat/aside")
        os.rename(folder, kept)
        reach("repeat/moved")
        folder.mkdir()
    return kept


def replaced(folder: Path) -> dict[str, list[str]]:
    """Return the ids of the published runs that a folder's run replaces, by store.

    The repetitions that are kept have them; what a study left behind when it was moved to another
    machine is told by ``replaces.json``.
    """
    kept = (folder.parent / "repeated").glob(f"{folder.name}-*")
    found: dict[str, list[str]] = {}
    for path in (*sorted(kept, key=_number), folder):
        told: dict[str, list[str]] = read_sealed(path / REPLACES) or {}
        for key, ids in told.items():
            found.setdefault(key, []).extend(ids)
        if path != folder:
            for note in sorted((path / "published").glob("*.json")):
                run_id = (read_sealed(note) or {}).get("run_id")
                if run_id is not None:
                    found.setdefault(note.stem, []).append(run_id)
    return {key: [*dict.fromkeys(ids)] for key, ids in found.items()}


def _number(path: Path) -> int:
    """Return which repetition a folder in ``repeated/`` holds."""
    return int(path.name.rpartition("-")[2])
