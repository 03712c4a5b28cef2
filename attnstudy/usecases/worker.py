"""What a worker does with a specification: claim, train, score once, keep everything.

Several specifications that differ in their seeds alone may be trained together: each has its
own lock, order, journal, checkpoint and result, and only the updates are made at once.

A run of a study is scored on the test images (``train_together``); a run of a search gets a dataset
that has none (``search_together``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from attnstudy.crashpoints import reach
from attnstudy.data import TrainingData, open_decoded, open_training
from attnstudy.executors import Channel, Stopped, died
from attnstudy.models import build_model
from attnstudy.runs import DatasetFacts, Result, RunFolder
from attnstudy.study import TrialSpec
from attnstudy.training import (
    Checkpoint,
    Interval,
    Prepared,
    Trained,
    TrainingState,
    choose_device,
    drive,
    environment,
    evaluate,
    prepare_process,
    save_checkpoint,
    training,
)
from attnstudy.usecases.concluding import conclude, conclude_sealed
from attnstudy.usecases.jobs import (
    AlreadyDone,
    Checkpointed,
    Claimed,
    Elsewhere,
    Failed,
    Job,
    Kept,
    Notice,
    Of,
    Paused,
    Progress,
)
from attnstudy.usecases.resuming import resume

_PROGRESS_EVERY = 0.2  # seconds


D = TypeVar("D", bound=TrainingData)
D_contra = TypeVar("D_contra", bound=TrainingData, contravariant=True)


class _Conclude(Protocol[D_contra]):
    """See ``concluding``."""

    def __call__(
        self,
        spec: TrialSpec,
        recorded: Mapping[str, str],
        folder: RunFolder,
        dataset: D_contra,
        model: nn.Module,
        trained: Trained,
        device: torch.device,
        *,
        started_at: int,
        notes: Sequence[str] = (),
    ) -> Result: ...


@dataclass(frozen=True, slots=True)
class _Protocol(Generic[D]):
    """What a run is given to read, and what is done with it at its end: the two belong together."""

    open: Callable[[Path], D]
    conclude: _Conclude[D]


def train_together(jobs: Sequence[Job], channel: Channel) -> None:
    """Train specifications, each in its run folder, unless somebody else does or did.

    Raises:
        Stopped: the channel asked for it; every run has its checkpoint.

    """
    _together(jobs, channel, _Protocol(open_decoded, conclude))


def search_together(jobs: Sequence[Job], channel: Channel) -> None:
    """Do what ``train_together`` does for a search: from a dataset without test images."""
    _together(jobs, channel, _Protocol(open_training, conclude_sealed))


def _together(jobs: Sequence[Job], channel: Channel, protocol: _Protocol[D]) -> None:
    members = [_Member(channel, number) for number in range(len(jobs))]
    stopped = []

    def failed(number: int, error: Exception) -> None:
        if isinstance(error, Stopped):
            stopped.append(error)
        elif len(jobs) == 1:
            raise error
        else:
            members[number].report(Failed(died(0, 0, error)))

    trials = (_trial(job, member, protocol) for job, member in zip(jobs, members, strict=True))
    drive([*trials], failed)
    if stopped:
        raise stopped[0]


@dataclass(frozen=True, slots=True)
class _Member:
    """The channel of one of the runs."""

    channel: Channel
    number: int

    def report(self, message: object) -> None:
        self.channel.report(Of(self.number, message))

    def stopping(self) -> bool:
        return self.channel.stopping()


Trial = Generator[Prepared | Tensor, Any, None]
"""A run from its claim to its result; leaves its updates to others, see ``training.Training``."""


class _AtPause(Exception):
    """Leaves a training that has come to where it was to pause."""


def _trial(job: Job, channel: Channel, protocol: _Protocol[D]) -> Trial:
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
        if job.until is not None and job.until in folder.pauses():
            channel.report(Paused())
            return
        dataset = protocol.open(job.dataset_folder)
        folder.start(job.spec, _facts(job.spec, dataset))
        channel.report(Claimed())
        try:
            result = yield from _train(job, folder, dataset, channel, protocol.conclude)
        except _AtPause:
            channel.report(Paused())
            return
        reach("run/before-finish")
        folder.finish(result)
    channel.report(Kept(result))


def _facts(spec: TrialSpec, dataset: TrainingData) -> DatasetFacts:
    return DatasetFacts(
        name=Path(spec.dataset).name,
        source=spec.dataset,
        digest=dataset.digest,
        image_shape=dataset.image_shape,
        class_names=dataset.class_names,
        test_images=dataset.test_images,
        normalisation=asdict(dataset.normalisation),
    )


def _train(
    job: Job, folder: RunFolder, dataset: D, channel: Channel, conclude: _Conclude[D]
) -> Generator[Prepared | Tensor, Any, Result]:
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
    recorded = {**environment(device, job.threads, job.fused), "code_revision": job.code_revision}
    resumed = resume(folder, spec, recorded)
    for sentence in resumed.notices:
        channel.report(Notice(sentence))
    split = dataset.split(spec.train_size, spec.val_size)

    def pause(state: TrainingState) -> None:
        """Score the model where the run pauses, and leave its training there."""
        if job.until is not None and (state.epoch, state.iteration) == (job.until, 0):
            model.load_state_dict(state.model)
            scored = evaluate(model, split.validation, split.normalisation, device=device)
            folder.note_pause(state.epoch, scored.accuracy)
            raise _AtPause

    if resumed.state is not None:
        pause(resumed.state)  # killed between the checkpoint and the score
    watcher = _Watcher(job, folder, channel, recorded, resumed.notes, pause)
    trained = yield from training(
        spec,
        model,
        split,
        device=device,
        state=resumed.state,
        on_start=watcher.on_start,
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
        recorded: dict[str, str],
        notes: tuple[str, ...],
        pause: Callable[[TrainingState], None],
    ) -> None:
        self.job, self.folder, self.channel = job, folder, channel
        self.recorded, self.notes, self.pause = recorded, notes, pause
        # The clock for the estimate starts after the first validation, which an iteration is
        # not to be charged for.
        self.counted_from: int | None = None
        self.started = 0.0
        self.reported = 0.0
        self.checkpointed = time.perf_counter()
        self.loss: float | None = None
        self.val_accuracy: float | None = None

    def on_start(self, together: int) -> None:
        # some of those it was to be trained with may be done, or stand at another update
        self.recorded["fused"] = str(together)

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
        self.pause(state)
