"""One run's folder: the truth about the run until the tracking store has confirmed it, and after.

``<store>/runs/<study>/<fingerprint>/`` holds

=================  ==========================================================================
``run.json``       the specification and when the run was first started
``journal.jsonl``  losses and validations, a line an interval, each with its checksum
``checkpoint.pt``  where to go on from, and the one before (removed when the run is done)
``checkpoint/``    the same of a command, which keeps there what it likes; where it came from
                   another machine, it is ``checkpoint.folder.pt`` until somebody goes on with it
``result.json``    the outcome, sealed with a checksum; the run is done when this is whole. It
                   holds what ``run.json`` does as well, so that this can be written anew
``failure.json``   why the last attempt failed; removed by the next one
``pauses.json``    validation accuracy where a run of a search was to pause, by epochs done
others             predictions, model, weights, attention maps, named in the result
``published/``     what each tracking store has confirmed
``replaces.json``  published runs that it replaces, of a run that came from another machine
``lock``           held by the process that works on the run; the system frees it at its death
``holder.json``    the command that this process works for
=================  ==========================================================================

Runs that were repeated lie beside the others, in ``repeated/<fingerprint>-<number>/``.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from attnstudy.crashpoints import reach
from attnstudy.errors import StoreError, UsageError
from attnstudy.files import (
    file_digest,
    make_folder,
    read_sealed,
    reported,
    sync,
    write_atomically,
    write_sealed,
)
from attnstudy.runs import commands, repeating
from attnstudy.runs.checkpoints import forget_checkpoints
from attnstudy.runs.journal import (
    append_record,
    read_placed,
    read_records,
    rewrite_records,
    take_over,
)
from attnstudy.runs.locks import acquired, held
from attnstudy.runs.records import DatasetFacts, LogRecord, Result, Start, Status
from attnstudy.runs.repeating import REPLACES
from attnstudy.study import RunSpec

OF_THE_MACHINE = frozenset({"lock", "publishing.lock", "published", "failure.json", "holder.json"})
"""What is about this machine, and of no use on another."""
JOURNAL, RESULT, START = "journal.jsonl", "result.json", "run.json"
RECORD = "record"
"""What ``run.json`` holds, once more in a sealed result: without it nobody knows whose it is."""
PREDICTIONS = "predictions.csv"
PAUSES = "pauses.json"
OF_THE_RUN = frozenset({*OF_THE_MACHINE, JOURNAL, RESULT, START, PREDICTIONS, PAUSES, REPLACES})
"""Names that have a meaning in every run's folder."""
_FINGERPRINT = re.compile(r"[0-9a-f]{32}")
FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
"""What a file of a run can be called."""


class MisplacedRunError(StoreError):
    """The folder of one run is in the place of another's."""


def may_have(name: str) -> bool:
    """Whether a training may leave a file of that name with its run."""
    taken = name in OF_THE_RUN or name.startswith("checkpoint")
    return FILE_NAME.fullmatch(name) is not None and not taken


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One run's folder; it need not exist yet."""

    path: Path

    @property
    def fingerprint(self) -> str:
        """The run's fingerprint when it was made; another code schema gives it another one now."""
        return self.path.name.partition("-")[0]

    @property
    def lock_path(self) -> Path:
        """The file whose lock is the claim on the run."""
        return self.path / "lock"

    @contextlib.contextmanager
    def claim(
        self, *, command: str | None = None, patience: Callable[[], bool] = lambda: False
    ) -> Iterator[bool]:
        """Hold the run for as long as the block lasts; gives False if somebody else does.

        Args:
            command: the command that the holder works for, see ``command_at_work``.
            patience: asked about once a second whether to go on waiting for the run.

        """
        lock = FileLock(self.lock_path)
        with reported(self.path):
            make_folder(self.path)
            # Not at once: a glance by ``claimed`` holds the lock for an instant.
            mine = acquired(lock, seconds=1.0)
            while not mine and patience():
                mine = acquired(lock, seconds=1.0)
        try:
            if mine:
                reach("claim/locked")
                self._note_holder(command)
            yield mine
        finally:
            if mine:
                self._note_holder(None)
                lock.release()

    def _note_holder(self, command: str | None) -> None:
        """Write down the command that the holder works for, or that there is none."""
        path = self.path / "holder.json"
        if command is not None:
            write_sealed(path, {"command": command, "pid": os.getpid()})
            return
        with contextlib.suppress(OSError):  # at worst, the note of a command that is gone stays
            path.unlink(missing_ok=True)

    @property
    def claimed(self) -> bool:
        """Whether a live process holds the run at this moment."""
        return held(self.lock_path)

    @property
    def orphaned(self) -> bool:
        """Whether the run's holder works for a command that was killed: it will soon end."""
        holder = read_sealed(self.path / "holder.json") or {}
        command = holder.get("command")
        if command is None or commands.is_at_work(self.path.parent, command):
            return False
        return self.claimed

    @property
    def status(self) -> Status:
        """How the run stands, from what is on disk."""
        if self.claimed and not self.orphaned:
            return Status.RUNNING
        return self.standing(self.result())

    def standing(self, result: Result | None) -> Status:
        """Return how the run stands with a result, or without, where nobody works on it."""
        if result is not None:
            return result.status
        if (self.path / "failure.json").exists():
            return Status.FAILED
        return Status.INTERRUPTED if (self.path / START).exists() else Status.ABSENT

    def start(self, spec: RunSpec, dataset: Mapping[str, Any] | None) -> None:
        """Note that the run is being worked on; the first start is kept for its time stamp."""
        with reported(self.path):
            (self.path / "failure.json").unlink(missing_ok=True)
        if self.started() is None:
            content = {
                "spec": spec.to_dict(),
                "dataset": dataset,
                "started_at": time.time_ns() // 1_000_000,
            }
            write_sealed(self.path / START, content)

    def started(self) -> Start | None:
        """Return what was fixed at the first start, if there was one.

        Raises:
            MisplacedRunError: the folder is that of another run.
            StoreError: it was made by another version.

        """
        content = read_sealed(self.path / START)
        if content is None:
            return None
        start = self._start(content)
        if not self._may_be_of(start.spec):
            raise MisplacedRunError(
                f"{self.path / START} describes another run, {start.spec.name}: put its folder "
                "back where it was, or move it out of the store"
            )
        return start

    def sealed_start(self) -> Start | None:
        """Return the same as the sealed result tells it; results of earlier versions do not."""
        content = (read_sealed(self.path / RESULT) or {}).get(RECORD)
        return None if content is None or not self._is_of(content) else self._start(content)

    def _may_be_of(self, spec: RunSpec) -> bool:
        """Whether the folder is called as a run's is; on a cluster it has another name at first."""
        return _FINGERPRINT.fullmatch(self.fingerprint) is None or spec.called(self.fingerprint)

    def _is_of(self, record: Mapping[str, Any]) -> bool:
        """Whether a record is of the folder's run, as far as this version can tell."""
        try:
            return self._may_be_of(self._start(record).spec)
        except StoreError:
            return True

    def _start(self, content: Mapping[str, Any]) -> Start:
        try:
            dataset = content["dataset"]
            facts = None if dataset is None else DatasetFacts.from_json(dataset)
            return Start(RunSpec.from_dict(content["spec"]), facts, int(content["started_at"]))
        except (KeyError, TypeError, ValueError, UsageError) as error:
            raise StoreError(
                f"{self.path} was made by another version of attnstudy: use that version, or "
                "choose another store with --store"
            ) from error

    @property
    def nameless(self) -> bool:
        """Whether there is a whole result which nothing says to be that of this run."""
        if self.result() is None:
            return read_sealed(self.path / RESULT) is not None
        return self.started() is None and self.sealed_start() is None

    def mend_record(self) -> bool:
        """Write a lost record of a finished run anew, as its result tells it; tell whether it was.

        Whoever calls this holds the run.
        """
        if self.started() is not None or self.sealed_start() is None:
            return False
        content = (read_sealed(self.path / RESULT) or {})[RECORD]
        write_sealed(self.path / START, content)
        return True

    def append(self, record: LogRecord) -> None:
        """Add a line to the journal and make sure that it is on disk."""
        append_record(self.path / JOURNAL, record.to_json())

    def journal(self) -> list[LogRecord]:
        """Return the journal's records up to the first damaged line."""
        return [LogRecord.from_json(record) for record in read_records(self.path / JOURNAL)]

    def journal_from(self, place: int) -> list[tuple[int, LogRecord]]:
        """Return the records from a place on, each with its place: the bytes before it.

        Nothing if no record begins there (any more).
        """
        placed = read_placed(self.path / JOURNAL, place)
        return [(at, LogRecord.from_json(record)) for at, record in placed]

    def history(self, metric: str) -> list[tuple[int, float]]:
        """Return the steps and values of a metric that was logged."""
        points = (point for record in self.journal() for point in record.points())
        return [(step, value) for name, step, value in points if name == metric]

    def keep_records(self, count: int) -> None:
        """Keep the first lines of the journal: what follows will be computed again."""
        kept = read_records(self.path / JOURNAL)[:count]
        rewrite_records(self.path / JOURNAL, kept)

    def finish(self, result: Result) -> None:
        """Seal the result: from here on the run is done. The checkpoints go."""
        told = {}
        with contextlib.suppress(StoreError):  # a result without it is one all the same
            told = {RECORD: read_sealed(self.path / START)}
        with reported(self.path):
            # safe before what vouches for them: a result whose files are lost is one to be repeated
            for name in result.files:
                sync(self.path / name)
            sync(self.path)
        write_sealed(self.path / RESULT, {**result.to_json(), **told})
        reach("run/finished")
        self.forget_checkpoints()

    def forget_checkpoints(self) -> None:
        """Remove the checkpoints of a run that will not be gone on with."""
        forget_checkpoints(self.path)

    def take_over(self, name: str, content: bytes, kept: int = 0) -> None:
        """Write a file that was made on another machine, whole or not at all.

        Args:
            name: of the file. A result is taken last: its files have to be here.
            content: of the file; of the journal, what comes behind its first ``kept`` bytes.
            kept: see there.

        Raises:
            StoreError: it cannot be written, or what a result names is not as it was made.

        """
        path = self.path / name
        if name == JOURNAL:
            take_over(path, kept, content)
            return
        if name == RESULT:
            for other, digest in json.loads(content)["content"]["files"].items():
                file = self.path / other
                if not file.is_file() or file_digest(file) != digest:
                    raise StoreError(
                        f"{file} did not come back as it was made: run the same command again"
                    )
        write_atomically(path, content)
        if name == RESULT:
            self.forget_checkpoints()

    def result(self) -> Result | None:
        """Return the result if there is a whole one, and it is this run's."""
        content = read_sealed(self.path / RESULT)
        if content is None:
            return None
        record = content.get(RECORD)
        return Result.from_json(content) if record is None or self._is_of(record) else None

    def damaged_files(self) -> list[str]:
        """Return the names of result files that are missing or not as they were written."""
        result = self.result()
        if result is None:
            return []
        return [
            name
            for name, digest in result.files.items()
            if not (self.path / name).is_file() or file_digest(self.path / name) != digest
        ]

    def fail(self, reason: str, details: str = "") -> None:
        """Note why an attempt failed, be it before it began; the next attempt removes the note."""
        with reported(self.path):
            make_folder(self.path)
        write_sealed(self.path / "failure.json", {"reason": reason, "details": details})

    def failure(self) -> str | None:
        """Return why the last attempt failed, if it did."""
        content = read_sealed(self.path / "failure.json")
        return None if content is None else str(content["reason"])

    def note_pause(self, epochs: int, val_accuracy: float) -> None:
        """Note how a run stood where it was to pause: percent of validation images right."""
        noted = {str(done): value for done, value in self.pauses().items()}
        write_sealed(self.path / PAUSES, {**noted, str(epochs): val_accuracy})

    def pauses(self) -> dict[int, float]:
        """Return what ``note_pause`` noted, by the number of epochs done."""
        noted = read_sealed(self.path / PAUSES) or {}
        return {int(done): float(value) for done, value in noted.items()}

    def repeat(self) -> Path | None:
        """Move a run out of the way, to be trained again; return where it is kept."""
        return repeating.move_aside(self.path)

    def replace(self, other: Path) -> bool:
        """Put another folder in the place of the run, which is kept; see ``repeating.replace``."""
        return repeating.replace(self.path, other)

    def replaced(self, store_key: str) -> list[str]:
        """Return the ids of the published runs that this one replaces in a store."""
        return self.all_replaced().get(store_key, [])

    def all_replaced(self) -> dict[str, list[str]]:
        """Return the ids of the published runs that this one replaces, by store."""
        return repeating.replaced(self.path)

    def published(self, store_key: str) -> dict[str, Any]:
        """Return what the store ``store_key`` has confirmed of this run."""
        note = self.path / "published" / f"{store_key}.json"
        return {} if note.is_dir() else read_sealed(note) or {}  # a folder is a damaged note

    @contextlib.contextmanager
    def publishing(self) -> Iterator[None]:
        """Hold the right to publish the run: two commands on one study publish the same runs."""
        with FileLock(self.path / "publishing.lock"):
            yield

    def note_published(self, store_key: str, confirmed: Mapping[str, Any]) -> None:
        """Keep what the store ``store_key`` has confirmed."""
        with reported(self.path):
            make_folder(self.path / "published")
        write_sealed(self.path / "published" / f"{store_key}.json", confirmed)
