"""The delivery state of a run: what a tracking store has confirmed, kept in the run's folder."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from attnstudy.crashpoints import reach
from attnstudy.runs import DONE, RunFolder

SETTLED = DONE
"""States of a run of which everything was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What a store has confirmed of a run; None where nothing is known."""

    run_id: str | None = None
    experiment: str | None = None
    """The one that the run is in."""
    making: bool | None = None
    """Whether a run is about to be made."""
    described: bool | None = None
    """Whether parameters and dataset are there."""
    line: int | None = None
    """Where the journal's last line that is there begins, in bytes."""
    steps: int | None = None
    """The step behind that line."""
    sending: bool | None = None
    """Whether more of the journal was sent, without an answer so far."""
    again: bool | None = None
    """Whether lines were written again after they had been sent."""
    model: bool | None = None
    """Whether a model was sent, or may have been; False where certainly none was."""
    status: str | None = None
    """The state of which everything is there."""
    deleted: bool | None = None
    """Whether the run was deleted in the MLflow UI, and stays so."""
    files: dict[str, Any] | None = None
    """Size and SHA-256 of the artifacts in the embedded store, by path: see ``artifacts``."""
    altered: bool | None = None
    """Whether the store showed something else than it had confirmed, and is being put right."""

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Delivered:
        """Return what a run's folder says; what this version does not know is passed over."""
        known = {one.name for one in fields(cls)}
        return cls(**{name: value for name, value in content.items() if name in known})

    def to_json(self) -> dict[str, Any]:
        """Return what ``from_json`` takes; what is not known is left out."""
        return {name: value for name, value in asdict(self).items() if value is not None}


class DeliveryState:
    """The delivery state of one run in one store, on disk after every change."""

    def __init__(self, folder: RunFolder, key: str) -> None:
        self._folder, self._key = folder, key
        self.now = Delivered.from_json(folder.published(key))

    @property
    def anything(self) -> bool:
        """Whether anything is recorded."""
        return self.now != Delivered()

    def keep(self, **values: Any) -> None:
        """Record more, and keep what is recorded."""
        self._write(replace(self.now, **values))

    def begin(self, **values: Any) -> None:
        """Record this and forget everything else."""
        self._write(Delivered(**values))

    def _write(self, content: Delivered) -> None:
        if content != self.now:
            reach("publish/before-note")
            self._folder.note_published(self._key, content.to_json())
            reach("publish/after-note")
            self.now = content
