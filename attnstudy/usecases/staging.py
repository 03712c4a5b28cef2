"""Where an import is prepared: a folder inside the store that only one import has at a time."""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from attnstudy.errors import StoreError
from attnstudy.files import reported
from attnstudy.runs import file_held

_PREFIX = ".importing-"
_LOCK = "import.lock"


@contextlib.contextmanager
def staging(store_dir: Path) -> Iterator[Path]:
    """Give an empty folder in a store, which goes when the block ends.

    It lies beside the run folders, so that what is ready is put in place by a rename. What a
    killed import left is removed first.

    Raises:
        StoreError: the store cannot be written, or another import has it.

    """
    with without_imports(store_dir) as alone:
        if not alone:
            raise StoreError(
                f"another import into {store_dir} is going on: run the same command again when it "
                "has ended"
            )
        folder = store_dir / f"{_PREFIX}{secrets.token_hex(8)}"
        with reported(store_dir):
            for abandoned in staging_folders(store_dir):
                shutil.rmtree(abandoned)
            folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def without_imports(store_dir: Path) -> contextlib.AbstractContextManager[bool]:
    """Keep imports out of a store while the block lasts; gives False if one is going on."""
    return file_held(store_dir / _LOCK)


def staging_folders(store_dir: Path) -> list[Path]:
    """Return the folders in which imports were prepared; without an import they are leftovers."""
    return sorted(path for path in store_dir.glob(f"{_PREFIX}*") if path.is_dir())
