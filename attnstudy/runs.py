"""Run folders: the truth about a run until the tracking store has confirmed it, and after.

``<store>/runs/<study>/<fingerprint>/`` holds

=================  ==========================================================================
``run.json``       the specification and when the run was first started
``journal.jsonl``  losses and validations, a line an interval, each with its checksum
``checkpoint.pt``  where to go on from (removed when the run is done)
``result.json``    the outcome, sealed with a checksum; the run is done when this is whole
``failure.json``   why the last attempt failed; removed by the next one
others             predictions, model, weights, attention maps, named in the result
``replaces.json``  the published runs that a repetition takes the place of
``published/``     what each tracking store has confirmed
``lock``           held by the process that works on the run; the system frees it at its death
=================  ==========================================================================
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from enum import Enum
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from attnstudy.errors import StoreError, cause
from attnstudy.files import file_digest, read_sealed, reported, write_atomically, write_sealed
from attnstudy.study import TrialSpec


class Status(Enum):
    """How a run stands. The value is what the tracking store shows."""

    ABSENT = "absent"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    COMPLETE = "complete"
    DIVERGED = "diverged"
    FAILED = "failed"

    @property
    def done(self) -> bool:
        """Whether nothing is left to train: a diverged run is a result."""
        return self in (Status.COMPLETE, Status.DIVERGED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The outcome of a run. Accuracies in percent; none where a diverged run has no value."""

    status: Status
    diverged_at: int | None
    val_accuracy_max: float | None
    val_accuracy_final: float | None
    test_accuracy: float | None
    test_loss: float | None
    train_seconds: float
    images_per_second: float
    finished_at: int
    """Milliseconds since the epoch."""
    environment: dict[str, str]
    """Device, threads, versions, hardware: recorded, not part of the identity."""
    files: dict[str, str]
    """SHA-256 (hex) of every file that belongs to the result, by name."""
    notes: tuple[str, ...] = ()

    def metrics(self) -> dict[str, float]:
        """Return the numbers that the tracking store shows, by their names there."""
        names = (
            "val_accuracy_max", "val_accuracy_final", "test_accuracy", "test_loss",
            "train_seconds", "images_per_second",
        )  # fmt: skip
        values = {name: getattr(self, name) for name in names}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetFacts:
    """What is told about the dataset of a run, so that nobody needs the dataset to tell it."""

    name: str
    source: str
    """What the user gave: ``cifar10``, ``digits`` or a path."""
    digest: str
    image_shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    test_images: int
    normalisation: Mapping[str, Any]
    """``scale``, ``mean`` and ``std``: a model sees ``(pixel / scale - mean) / std``."""


@dataclass(frozen=True, slots=True)
class Start:
    """What was fixed when a run was first started."""

    spec: TrialSpec
    dataset: DatasetFacts
    at: int
    """Milliseconds since the epoch."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One run's folder; it need not exist yet."""

    path: Path

    @property
    def lock_path(self) -> Path:
        """The file whose lock is the claim on the run."""
        return self.path / "lock"

    @contextlib.contextmanager
    def claim(self) -> Iterator[bool]:
        """Hold the run for as long as the block lasts; gives False if somebody else does."""
        # Not at once: a glance by ``claimed`` holds the lock for an instant.
        lock = FileLock(self.lock_path, timeout=1.0, poll_interval=0.05)
        with reported(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            mine = _acquired(lock)
        try:
            yield mine
        finally:
            if mine:
                lock.release()

    @property
    def claimed(self) -> bool:
        """Whether a live process holds the run at this moment."""
        if not self.lock_path.exists():
            return False
        lock = FileLock(self.lock_path, blocking=False)
        with reported(self.path):
            free = _acquired(lock)
        if free:
            lock.release()
        return not free

    @property
    def status(self) -> Status:
        """How the run stands, from what is on disk."""
        if self.claimed:
            return Status.RUNNING
        result = self.result()
        if result is not None:
            return result.status
        if (self.path / "failure.json").exists():
            return Status.FAILED
        return Status.INTERRUPTED if (self.path / "run.json").exists() else Status.ABSENT

    def start(self, spec: TrialSpec, dataset: DatasetFacts) -> None:
        """Note that the run is being worked on; the first start is kept for its time stamp."""
        with reported(self.path):
            (self.path / "failure.json").unlink(missing_ok=True)
        if self.started() is None:
            content = {
                "spec": spec.to_dict(),
                "dataset": asdict(dataset),
                "started_at": time.time_ns() // 1_000_000,
            }
            write_sealed(self.path / "run.json", content)

    def started(self) -> Start | None:
        """Return what was fixed at the first start, if there was one."""
        content = read_sealed(self.path / "run.json")
        if content is None:
            return None
        try:
            dataset = content["dataset"]
            c, h, w = dataset["image_shape"]
            names = tuple(dataset["class_names"])
            facts = DatasetFacts(**{**dataset, "image_shape": (c, h, w), "class_names": names})
            return Start(TrialSpec.from_dict(content["spec"]), facts, int(content["started_at"]))
        except (KeyError, TypeError, ValueError) as error:
            raise StoreError(
                f"{self.path} was made by another version of attnstudy: use that version, or "
                "choose another store with --store"
            ) from error

    def append(self, record: Mapping[str, Any]) -> None:
        """Add a line to the journal and make sure that it is on disk."""
        text = json.dumps(record, separators=(",", ":"))
        line = f"{zlib.crc32(text.encode()):08x} {text}\n"
        with reported(self.path), (self.path / "journal.jsonl").open("ab") as file:
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())

    def journal(self) -> list[dict[str, Any]]:
        """Return the journal's records up to the first damaged line."""
        records: list[dict[str, Any]] = []
        try:
            lines = (self.path / "journal.jsonl").read_bytes().split(b"\n")
        except FileNotFoundError:
            return records
        except OSError as error:
            raise StoreError(
                f"the journal in {self.path} cannot be read: {cause(error)}"
            ) from error
        for line in lines:
            checksum, _, text = line.partition(b" ")
            if checksum != f"{zlib.crc32(text):08x}".encode() or not text:
                break
            records.append(json.loads(text))
        return records

    def keep_journal_before(self, epoch: int) -> None:
        """Drop what a previous attempt noted from ``epoch`` on: it will be computed again."""
        kept = [record for record in self.journal() if record["epoch"] < epoch]
        texts = [json.dumps(record, separators=(",", ":")) for record in kept]
        lines = [f"{zlib.crc32(text.encode()):08x} {text}\n" for text in texts]
        write_atomically(self.path / "journal.jsonl", "".join(lines).encode())

    def finish(self, result: Result) -> None:
        """Seal the result: from here on the run is done. The checkpoints go."""
        content = {**asdict(result), "status": result.status.value}
        write_sealed(self.path / "result.json", content)
        for path in self.path.glob("checkpoint*.pt"):
            path.unlink(missing_ok=True)

    def result(self) -> Result | None:
        """Return the result if there is a whole one."""
        content = read_sealed(self.path / "result.json")
        if content is None:
            return None
        known: dict[str, Any] = {f.name: content.get(f.name) for f in fields(Result)}
        known["status"] = Status(content["status"])
        known["notes"] = tuple(content.get("notes", ()))
        return Result(**known)

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
        """Note why an attempt failed; the next attempt removes the note."""
        write_sealed(self.path / "failure.json", {"reason": reason, "details": details})

    def failure(self) -> str | None:
        """Return why the last attempt failed, if it did."""
        content = read_sealed(self.path / "failure.json")
        return None if content is None else str(content["reason"])

    def repeat(self) -> Path | None:
        """Move a run out of the way, to be trained again; return where it is kept.

        The new folder notes which published runs it replaces, so that the stores are told.
        """
        if not self.path.exists():
            return None
        aside = self.path.parent / "repeated"
        names = (aside / f"{self.path.name}-{number}" for number in itertools.count(1))
        kept = next(path for path in names if not path.exists())
        with reported(aside):
            aside.mkdir(exist_ok=True)
            os.rename(self.path, kept)
            self.path.mkdir()
        # also what the old run was to replace: it may never have been published itself
        replaced: dict[str, list[str]] = read_sealed(kept / "replaces.json") or {}
        for path in (kept / "published").glob("*.json"):
            run_id = (read_sealed(path) or {}).get("run_id")
            if run_id is not None:
                replaced.setdefault(path.stem, []).append(run_id)
        write_sealed(self.path / "replaces.json", replaced)
        return kept

    def replaced(self, store_key: str) -> list[str]:
        """Return the ids of the published runs that this one replaces in a store."""
        return list((read_sealed(self.path / "replaces.json") or {}).get(store_key, []))

    def published(self, store_key: str) -> dict[str, Any]:
        """Return what the store ``store_key`` has confirmed of this run."""
        return read_sealed(self.path / "published" / f"{store_key}.json") or {}

    @contextlib.contextmanager
    def publishing(self) -> Iterator[None]:
        """Hold the right to publish the run: two commands on one study publish the same runs."""
        with FileLock(self.path / "publishing.lock"):
            yield

    def note_published(self, store_key: str, confirmed: Mapping[str, Any]) -> None:
        """Keep what the store ``store_key`` has confirmed."""
        with reported(self.path):
            (self.path / "published").mkdir(exist_ok=True)
        write_sealed(self.path / "published" / f"{store_key}.json", confirmed)


def _acquired(lock: FileLock) -> bool:
    """Whether the lock could be had; a Timeout is an OSError, but not a fault."""
    try:
        lock.acquire()
    except Timeout:
        return False
    return True


def study_folder(store: Path, study: str) -> Path:
    """Return the folder of a study's runs inside a store."""
    return store / "runs" / study


def run_folder(store: Path, spec: TrialSpec) -> RunFolder:
    """Return the folder of the run that ``spec`` describes."""
    return RunFolder(study_folder(store, spec.study) / spec.fingerprint)


def run_folders(store: Path, study: str) -> list[RunFolder]:
    """Return the folders of all runs of a study that were ever started, by path."""
    paths = sorted(study_folder(store, study).glob("*/run.json"))
    return [RunFolder(path.parent) for path in paths]


def studies(store: Path) -> list[str]:
    """Return the names of the studies that have run folders in a store."""
    return sorted(path.name for path in (store / "runs").glob("*/") if path.is_dir())


def study_facts(store: Path, study: str) -> dict[str, Any]:
    """Return what was fixed at a study's first run (its thread count) and asked for so far."""
    return read_sealed(study_folder(store, study) / "study.json") or {}


@contextlib.contextmanager
def changing_study_facts(store: Path, study: str) -> Iterator[dict[str, Any]]:
    """Read, let change, and write a study's facts, one process at a time."""
    folder = study_folder(store, study)
    lock = FileLock(folder / "study.lock")
    with reported(folder):
        folder.mkdir(parents=True, exist_ok=True)
        held = lock.acquire()
    with held:
        facts = study_facts(store, study)
        before = json.dumps(facts, sort_keys=True)
        yield facts
        if json.dumps(facts, sort_keys=True) != before:
            write_sealed(folder / "study.json", facts)
