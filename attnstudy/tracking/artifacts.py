"""Files of the embedded store: on disk before a delivery is noted, and still as they were sent.

The note of a delivery lists them, each with size and SHA-256, by their path below the folder of the
study's artifacts. A server answers for its files itself.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from attnstudy.files import file_digest, sync
from attnstudy.runs import JOURNAL, RunFolder

if TYPE_CHECKING:
    from attnstudy.tracking.run_lookup import RunLookup

EMBEDDED = "embedded"
"""The embedded store's key among what stores have confirmed."""
_UPLOADING = ".artifact.uploading."  # how names begin of what MLflow has not written to its end
_MODEL = "model.pt2"  # the model of a placement, which is no file of the run there


def artifact_folder(store_dir: Path, study: str) -> Path:
    """Return where the embedded store keeps the artifacts of a study."""
    return store_dir.resolve() / "artifacts" / study


def kept_files(location: str, *places: str) -> dict[str, list[Any]] | None:
    """Make sure that files of the embedded store are on disk, and return what they are.

    What an upload that was cut off has left is removed: MLflow would show it as an artifact. The
    caller is the only one that uploads to these folders.

    Args:
        location: of the artifacts of the experiment, as MLflow tells it.
        places: folders below it.

    Returns:
        Size and SHA-256 (hex) of each by path; None if the location is no folder of this machine.

    """
    parts = urlsplit(location)
    if parts.scheme != "file":
        return None
    root = Path(unquote(parts.path))
    files: dict[str, list[Any]] = {}
    for place in places:
        # with the names that lead there, which MLflow may just have made
        above = [one for one in (root / place).parents if one.is_relative_to(root)]
        folders = {root.parent.parent, root.parent, *above, root / place}
        for path in sorted((root / place).rglob("*")):
            if path.is_dir():
                folders.add(path)
            elif path.name.startswith(_UPLOADING):
                path.unlink(missing_ok=True)
            elif path.is_file():
                sync(path)
                files[str(path.relative_to(root))] = [path.stat().st_size, file_digest(path)]
        for folder in folders:
            if folder.is_dir() and os.access(folder, os.R_OK):
                sync(folder)
    return files


def sync_database(store_dir: Path) -> None:
    """Make sure that what MLflow wrote into the embedded database is on disk."""
    for name in ("mlflow.db-wal", "mlflow.db"):
        if (store_dir / name).is_file():
            sync(store_dir / name)


def delivered_files(lookup: RunLookup, run_id: str, *models: str) -> dict[str, Any]:
    """Return what is noted of a run's files in the embedded store, once they are on disk."""
    if not lookup.alone:
        return {}
    places = [run_id, *(f"models/{model}" for model in models)]
    files = kept_files(lookup.experiment.artifact_location, *places)
    sync_database(lookup.store_dir)
    return {"files": files}


def altered(root: Path, files: Mapping[str, Any]) -> list[str]:
    """Return which files are not as they were sent.

    Args:
        root: the folder of the study's artifacts.
        files: what the note of the delivery lists.

    """
    return [name for name, sent in sorted(files.items()) if _other(root / name, *sent)]


def _other(path: Path, size: int, digest: str) -> bool:
    return not path.is_file() or path.stat().st_size != size or file_digest(path) != digest


def sent_files(folder: RunFolder) -> Mapping[str, Any]:
    """Return the files of a run that the embedded store was sent, each with size and SHA-256.

    What earlier versions delivered is known where the result names it.
    """
    note = folder.published(EMBEDDED)
    if note.get("deleted") or note.get("status") is None:
        return {}
    if "files" in note:
        found: Mapping[str, Any] = note["files"]
        return found
    result = folder.result()
    if result is None or note["status"] != result.status.value:
        return {}
    there = f"{note['run_id']}/artifacts"
    return {
        f"{there}/{name}": ((folder.path / name).stat().st_size, digest)
        for name, digest in result.files.items()
        if name not in (JOURNAL, _MODEL) and (folder.path / name).is_file()
    }
