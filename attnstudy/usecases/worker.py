"""What a worker does with one specification: claim, train, score once, keep everything."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from attnstudy.data import Dataset, open_decoded
from attnstudy.executors import Report
from attnstudy.models import build_model
from attnstudy.runs import DatasetFacts, Result, RunFolder
from attnstudy.study import TrialSpec
from attnstudy.training import (
    Interval,
    TrainingState,
    choose_device,
    load_checkpoint,
    prepare_process,
    save_checkpoint,
    train,
)
from attnstudy.usecases.concluding import conclude

_PROGRESS_EVERY = 0.2  # seconds


@dataclass(frozen=True, slots=True)
class Job:
    """One specification, and where and how it is to be trained."""

    spec: TrialSpec
    folder: Path
    """The run folder."""
    dataset_folder: Path
    """The cache folder of the decoded dataset, already checked."""
    device: str
    threads: int
    code_revision: str
    """The commit of the code, or its version."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a training is."""

    done: int
    """Updates done."""
    seconds: float
    """Seconds since the first interval of this attempt was closed."""
    updates: int
    """Updates in these seconds."""
    loss: float | None
    """Mean of the newest losses that were read."""
    val_accuracy: float | None
    """Newest validation accuracy, percent."""


@dataclass(frozen=True, slots=True)
class EpochDone:
    """The journal and a checkpoint of this epoch are on disk."""

    epoch: int


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the user should read."""

    text: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """The run is ours and its folder says when it was started."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another process holds the run."""


@dataclass(frozen=True, slots=True)
class AlreadyDone:
    """Another process finished the run in the meantime."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The result is on disk."""

    result: Result


def train_one(job: Job, report: Report) -> None:
    """Train one specification in its run folder, unless somebody else does or did."""
    folder = RunFolder(job.folder)
    with folder.claim() as mine:
        if not mine:
            report(Elsewhere())
            return
        if folder.result() is not None:
            report(AlreadyDone())
            return
        dataset = open_decoded(job.dataset_folder)
        folder.start(job.spec, _facts(job.spec, dataset))
        report(Claimed())
        result = _train(job, folder, dataset, report)
        folder.finish(result)
    report(Kept(result))


def _facts(spec: TrialSpec, dataset: Dataset) -> DatasetFacts:
    return DatasetFacts(
        name=Path(spec.dataset).name,
        source=spec.dataset,
        digest=dataset.digest,
        image_shape=dataset.image_shape,
        class_names=dataset.class_names,
        test_images=len(dataset.test),
        normalisation=asdict(dataset.normalisation),
    )


def _train(job: Job, folder: RunFolder, dataset: Dataset, report: Report) -> Result:
    spec = job.spec
    device = choose_device(job.device)
    prepare_process(device, job.threads)
    model = build_model(
        spec.variant,
        attention=spec.attention,
        image_shape=dataset.image_shape,
        num_classes=dataset.num_classes,
        channels=spec.channels,
        seed=spec.seed,
    )
    state, damaged = load_checkpoint(folder)
    for sentence in damaged:
        report(Notice(sentence))
    folder.keep_journal_before(0 if state is None else state.next_epoch)
    watcher = _Watcher(folder, report)
    trained = train(
        spec,
        model,
        dataset.split(spec.train_size, spec.val_size),
        device=device,
        state=state,
        on_iteration=watcher.on_iteration,
        on_interval=watcher.on_interval,
        on_epoch=watcher.on_epoch,
    )
    recorded = {"code_revision": job.code_revision, "threads": str(job.threads)}
    return conclude(spec, recorded, folder, dataset, model, trained, device)


class _Watcher:
    """Passes on what a training does: every number to the journal, some to the parent."""

    def __init__(self, folder: RunFolder, report: Report) -> None:
        self.folder, self.report = folder, report
        # The clock for the estimate starts after the first validation, which an iteration is
        # not to be charged for.
        self.counted_from: int | None = None
        self.started = 0.0
        self.reported = 0.0
        self.loss: float | None = None
        self.val_accuracy: float | None = None

    def on_iteration(self, done: int) -> None:
        now = time.perf_counter()
        if now - self.reported < _PROGRESS_EVERY:
            return
        self.reported = now
        seconds, updates = 0.0, 0
        if self.counted_from is not None:
            seconds, updates = now - self.started, done - self.counted_from
        self.report(Progress(done, seconds, updates, self.loss, self.val_accuracy))

    def on_interval(self, interval: Interval) -> None:
        if self.counted_from is None:
            self.counted_from = interval.first_step + len(interval.train_loss)
            self.started = time.perf_counter()
        record = asdict(interval)
        # JSON has no NaN; a diverged run's last loss is told by its result
        finite = [loss for loss in interval.train_loss if np.isfinite(loss)]
        self.folder.append({**record, "train_loss": finite})
        if finite:
            self.loss = sum(finite) / len(finite)
        if interval.val_accuracy is not None:
            self.val_accuracy = interval.val_accuracy

    def on_epoch(self, state: TrainingState) -> None:
        save_checkpoint(self.folder, state)
        self.report(EpochDone(state.next_epoch - 1))
