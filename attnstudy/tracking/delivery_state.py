"""The delivery state of a run: what a tracking store has confirmed, kept in the run's folder."""

from __future__ import annotations

from typing import Any

from attnstudy.crashpoints import reach
from attnstudy.runs import RunFolder


class DeliveryState:
    """The delivery state of one run in one store, on disk after every change.

    ``making`` (a run is about to be made), ``run_id``, ``experiment`` (the one it is in),
    ``described`` (parameters and dataset), ``line`` (where the journal's last line that is there
    begins, in bytes), ``steps`` (the step behind that line), ``sending`` (more of it was sent,
    without an answer so far), ``again`` (lines were written again after they had been sent),
    ``model`` (whether one was sent, or may have been), ``status`` (everything that belongs to this
    state is there), ``deleted``, ``altered`` (the store showed something else than it had
    confirmed, and is being put right).
    """

    def __init__(self, folder: RunFolder, key: str) -> None:
        self._folder, self._key = folder, key
        self._content = folder.published(key)

    @property
    def anything(self) -> bool:
        """Whether anything is recorded."""
        return bool(self._content)

    def get(self, name: str) -> Any:
        """Return what is recorded under a name; None if nothing is."""
        return self._content.get(name)

    def keep(self, **values: Any) -> None:
        """Record more, and keep what is recorded."""
        self._write({**self._content, **values})

    def begin(self, **values: Any) -> None:
        """Record this and forget everything else."""
        self._write(values)

    def _write(self, content: dict[str, Any]) -> None:
        if content != self._content:
            reach("publish/before-note")
            self._folder.note_published(self._key, content)
            reach("publish/after-note")
            self._content = content
