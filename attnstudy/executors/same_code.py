"""Telling whether two machines run the same code."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

import attnstudy


@functools.cache
def code_digest() -> str:
    """Return the SHA-256 (hex) of this package's sources, wherever they are installed."""
    root = Path(attnstudy.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(f"{path.relative_to(root).as_posix()}\0".encode())
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()
