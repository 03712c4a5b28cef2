"""The form of an archive: what its writer and its reader have to agree about."""

from __future__ import annotations

import re
from dataclasses import dataclass

FORMAT = "attnstudy study"
SCHEMA = 1
MANIFEST = "manifest.json"
CHUNK = 1 << 20
"""Bytes that are read and written at a time."""
_PART = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}"
NAME = re.compile(rf"{_PART}(?:/{_PART}){{0,2}}")
"""Names of members: no absolute path, no way up, nothing hidden."""
DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Member:
    """What the manifest states of a file."""

    size: int
    """Bytes."""
    digest: str
    """SHA-256 (hex)."""
