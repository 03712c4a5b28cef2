"""A command's folder ``checkpoint/`` while it runs: did it change, and what of it was sent."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from attnstudy.runs import PACKED, RESULT, Stamps, folder_stamps, packed_folder

_LOOKS = 5.0
"""Seconds between two looks: all of a folder is sent where something of it changed."""
_DIGEST = 32  # bytes, with which a packed folder begins


@dataclass(slots=True)
class FolderWatch:
    """Looks now and then whether a run's folder changed."""

    run: Path
    _seen: Stamps | None = field(init=False)
    _looked: float = field(init=False)

    def __post_init__(self) -> None:
        """Begin with what is there."""
        self._seen, self._looked = folder_stamps(self.run), time.monotonic()

    def changed(self) -> bool:
        """Whether it changed since that was last said."""
        now = time.monotonic()
        if now - self._looked < _LOOKS:
            return False
        self._looked = now
        before, self._seen = self._seen, folder_stamps(self.run)
        return self._seen != before


@dataclass(slots=True)
class SentFolder:
    """Knows what of a run's folder the command that ordered the run has."""

    run: Path
    _seen: Stamps | None = None
    _sent: bytes | None = None
    """Digest of what it has; None if that is no folder."""

    def __post_init__(self) -> None:
        """Begin with what came from there."""
        if (self.run / PACKED).exists():
            with (self.run / PACKED).open("rb") as file:
                self._sent = file.read(_DIGEST)

    def changed(self) -> bytes | None:
        """Return the folder, packed, if it is another than was sent.

        Raises:
            StoreError: it cannot travel.

        """
        if (self.run / RESULT).exists() or (self.run / PACKED).exists():
            return None  # it is needed no more; or what came was not looked at yet
        now = folder_stamps(self.run)
        if now == self._seen and now is not None:
            return None
        if now is None and self._sent is None:
            return None
        self._seen = now  # what cannot travel is said once
        content = packed_folder(self.run)
        before, self._sent = self._sent, content[:_DIGEST]
        return None if self._sent == before else content
