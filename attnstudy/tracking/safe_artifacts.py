"""Artifacts on this machine that survive a power failure, which MLflow does not see to."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from attnstudy.files import reported, sync


def make_safe(location: str, store_dir: Path) -> None:
    """Sync what is below an artifact location, and the names of the folders that lead there.

    Args:
        location: of a run's or a model's artifacts; one that is not on this machine is left alone.
        store_dir: the embedded store that it belongs to.

    """
    parts = urlsplit(location)
    folder = Path(unquote(parts.path))
    if parts.scheme != "file" or not folder.is_dir():
        return
    with reported(folder):
        for path in folder.rglob("*"):
            sync(path)
        top = store_dir.resolve()
        for one in (folder, *folder.parents):
            if one.is_relative_to(top):
                sync(one)
