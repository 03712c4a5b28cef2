"""What a worker does with one specification: claim, train, score once, keep everything."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from attnstudy.crashpoints import reach
from attnstudy.data import Dataset, open_decoded
from attnstudy.executors import Channel, Stopped
from attnstudy.models import build_model
from attnstudy.runs import DatasetFacts, Result, RunFolder
from attnstudy.study import TrialSpec
from attnstudy.training import (
    Checkpoint,
    Interval,
    TrainingState,
    choose_device,
    environment,
    prepare_process,
    save_checkpoint,
    train,
)
from attnstudy.usecases.concluding import conclude
from attnstudy.usecases.resuming import resume

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
    command: str | None = None
    """The command that orders it, see ``runs.command_at_work``."""
    checkpoint_seconds: float = 600.0
    """Time of training after which a checkpoint is due, besides those at the end of epochs."""
    wait: bool = False
    """Whether to wait for a run that another process holds."""


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
class Checkpointed:
    """The journal and a checkpoint are on disk."""


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

    orphaned: bool
    """Whether that process works for a command that was killed, and so will soon let go."""


@dataclass(frozen=True, slots=True)
class AlreadyDone:
    """Another process finished the run in the meantime."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The result is on disk."""

    result: Result


def train_one(job: Job, channel: Channel) -> None:
    """Train one specification in its run folder, unless somebody else does or did."""
    folder = RunFolder(job.folder)

    def patience() -> bool:
        return job.wait and not channel.stopping()

    with folder.claim(command=job.command, patience=patience) as mine:
        if not mine:
            if channel.stopping():
                raise Stopped
            channel.report(Elsewhere(folder.orphaned))
            return
        if folder.result() is not None:
            channel.report(AlreadyDone())
            return
        dataset = open_decoded(job.dataset_folder)
        folder.start(job.spec, _facts(job.spec, dataset))
        channel.report(Claimed())
        result = _train(job, folder, dataset, channel)
        reach("run/before-finish")
        folder.finish(result)
    channel.report(Kept(result))


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


def _train(job: Job, folder: RunFolder, dataset: Dataset, channel: Channel) -> Result:
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
    recorded = {**environment(device, job.threads), "code_revision": job.code_revision}
    resumed = resume(folder, spec, recorded)
    for sentence in resumed.notices:
        channel.report(Notice(sentence))
    watcher = _Watcher(job, folder, channel, recorded, resumed.notes)
    trained = train(
        spec,
        model,
        dataset.split(spec.train_size, spec.val_size),
        device=device,
        state=resumed.state,
        on_iteration=watcher.on_iteration,
        on_interval=watcher.on_interval,
        on_state=watcher.on_state,
    )
    return conclude(
        spec,
        recorded,
        folder,
        dataset,
        model,
        trained,
        device,
        started_at=resumed.started_at,
        notes=resumed.notes,
    )


class _Watcher:
    """Passes on what a training does: every number to the journal, some to the parent."""

    def __init__(
        self,
        job: Job,
        folder: RunFolder,
        channel: Channel,
        recorded: Mapping[str, str],
        notes: tuple[str, ...],
    ) -> None:
        self.job, self.folder, self.channel = job, folder, channel
        self.recorded, self.notes = recorded, notes
        # The clock for the estimate starts after the first validation, which an iteration is
        # not to be charged for.
        self.counted_from: int | None = None
        self.started = 0.0
        self.reported = 0.0
        self.checkpointed = time.perf_counter()
        self.loss: float | None = None
        self.val_accuracy: float | None = None

    def on_iteration(self, done: int) -> bool:
        reach("train/iteration")
        now = time.perf_counter()
        if now - self.reported >= _PROGRESS_EVERY:
            self.reported = now
            seconds, updates = 0.0, 0
            if self.counted_from is not None:
                seconds, updates = now - self.started, done - self.counted_from
            self.channel.report(Progress(done, seconds, updates, self.loss, self.val_accuracy))
        return now - self.checkpointed >= self.job.checkpoint_seconds or self.channel.stopping()

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

    def on_state(self, state: TrainingState) -> None:
        save_checkpoint(self.folder, Checkpoint(state, self.recorded, self.notes))
        self.checkpointed = time.perf_counter()
        if self.channel.stopping():
            raise Stopped
        self.channel.report(Checkpointed())
