"""``status --verify``: every byte of a store is read, and what is damaged is named."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from attnstudy import runs
from attnstudy.errors import StoreError
from attnstudy.files import read_sealed
from attnstudy.runs import inspect
from attnstudy.study import TUNING
from attnstudy.tracking import Address, altered, artifact_folder, sent_files


@dataclass(slots=True)
class Verified:
    """What was read, and what of it is damaged."""

    runs: int = 0
    files: int = 0
    size: int = 0
    """Bytes."""
    damage: list[str] = field(default_factory=list)
    """What is wrong and what to do, a sentence each."""

    def count(self, size: int) -> None:
        """Count a file that was read."""
        self.files += 1
        self.size += size


def verify(
    address: Address,
    names: Sequence[str],
    said: Iterable[str],
    progress: Callable[[int, int], None],
) -> Verified:
    """Read everything that a store has of some studies and tunings.

    Args:
        address: of the store.
        names: under which their runs are filed.
        said: what is known to be wrong already.
        progress: told how many runs are done, of how many.

    """
    store_dir, found = address.store_dir, Verified(damage=[*said])
    folders = [folder for name in names for folder in runs.run_folders(store_dir, name)]
    for name in names:
        facts = runs.facts_path(store_dir, name)
        if facts.is_file():
            found.count(facts.stat().st_size)
    for folder in folders:
        one = inspect(folder, thorough=True)
        found.runs, found.files = found.runs + 1, found.files + one.files
        found.size += one.size
        found.damage += [sentence for sentence in one.sentences() if sentence not in found.damage]
        if address.embedded:
            study = folder.path.parent.name
            root, files = artifact_folder(store_dir, study), sent_files(folder)
            for size, _ in files.values():
                found.count(size)
            again = f"'attnstudy sync {study}' sends it again"
            if study.endswith(TUNING):
                again = "'attnstudy tune' with the same options sends it again"
            found.damage += [
                f"{one.name}: {root / file} in the embedded store is damaged: {again}"
                for file in altered(root, files)
            ]
        progress(found.runs, len(folders))
    if address.embedded:
        _look_at_reports(store_dir, names, found)
        _look_at_database(store_dir / "mlflow.db", found, _delivered(folders, address.key))
        _look_at_note(store_dir / "store.json", found)
    return found


def _delivered(folders: Sequence[runs.RunFolder], key: str) -> str | None:
    """Return a study of which a run says that it was delivered to the embedded store."""
    for folder in folders:
        with contextlib.suppress(StoreError):
            told = folder.published(key)
            if "run_id" in told and not told.get("deleted"):
                return folder.path.parent.name
    return None


def _look_at_note(note: Path, found: Verified) -> None:
    """Look at what the store knows its own place by; stores of earlier versions have none."""
    if not note.exists():
        return
    with contextlib.suppress(StoreError):
        if read_sealed(note) is not None:
            found.count(note.stat().st_size)
            return
    found.damage.append(f"{note} is damaged: move it away, and 'attnstudy sync' writes it anew")


def _look_at_reports(store_dir: Path, names: Sequence[str], found: Verified) -> None:
    for name in names:
        for note in sorted(runs.report_notes(store_dir, name)):
            files = (read_sealed(note) or {}).get("files", {})
            for size, _ in files.values():
                found.count(size)
            found.damage += [
                f"a report of {name}: {artifact_folder(store_dir, name) / file} in the embedded "
                f"store is damaged: 'attnstudy rank {name} --log' makes another, and without "
                f"{note} it is forgotten"
                for file in altered(artifact_folder(store_dir, name), files)
            ]


def _look_at_database(file: Path, found: Verified, study: str | None) -> None:
    """Look at the embedded store's database.

    Args:
        file: the database.
        found: takes what is wrong with it.
        study: one that was delivered there; None if none was.

    """
    if (said := _lacking(file)) is not None:
        if study is not None:
            found.damage.append(f"{file} {said}: {_anew(study, moved=file.exists())}")
        return
    found.count(file.stat().st_size)
    try:
        uri = f"file:{quote(str(file.absolute()))}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
            (said,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            (tables,) = connection.execute(_TABLES).fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_IOERR:
            return  # in use, or with a transaction that the next writer takes back
        said, tables = str(error), 1
    except sqlite3.DatabaseError as error:
        said, tables = str(error), 1
    if said != "ok":
        found.damage.append(
            f"{file} is damaged ({said}): put it back from a copy, or move it away, and "
            "'attnstudy sync' makes it anew from the run folders"
        )
    elif not tables and study is not None:
        found.damage.append(f"{file} holds no runs: {_anew(study, moved=True)}")


_TABLES = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'runs'"


def _lacking(file: Path) -> str | None:
    """Return how there is no database, as the end of a clause; None if there may be one."""
    if not file.exists():
        return "is lost"
    if not file.is_file():
        return "is no file"
    return None if file.stat().st_size else "is empty"


def _anew(study: str, *, moved: bool) -> str:
    """Return what to do for a database to which the runs of a study were delivered."""
    again = f"'attnstudy sync {study}' delivers"
    if study.endswith(TUNING):
        again = "'attnstudy tune' with the same options delivers"
    aside = "move it away, and " if moved else ""
    return f"runs of {study} were delivered there; put it back from a copy, or {aside}{again} anew"
