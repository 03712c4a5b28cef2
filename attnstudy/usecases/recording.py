"""What a worker records of a training while it goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict

import numpy as np

from attnstudy.crashpoints import reach
from attnstudy.executors import Channel, Stopped
from attnstudy.runs import RunFolder
from attnstudy.training import Checkpoint, Interval, TrainingState, save_checkpoint
from attnstudy.usecases.jobs import Checkpointed, Job, Progress

_PROGRESS_EVERY = 0.2  # seconds


class Recorder:
    """Records a training: every number in the journal, some for the parent."""

    def __init__(
        self,
        job: Job,
        folder: RunFolder,
        channel: Channel,
        recorded: dict[str, str],
        notes: tuple[str, ...],
        pause: Callable[[TrainingState], None],
    ) -> None:
        """Start the clocks.

        Args:
            job: what is trained.
            folder: where it is noted.
            channel: to the parent.
            recorded: what it is trained with.
            notes: what the result has to say about how it came about.
            pause: called with every state that was kept; may leave the training there.

        """
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
        """Note with how many others it is really trained."""
        # some of those it was to be trained with may be done, or stand at another update
        self.recorded["fused"] = str(together)

    def on_iteration(self, done: int) -> bool:
        """Tell how far it is; return whether a checkpoint is due."""
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
        """Add an interval to the journal."""
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
        """Keep a checkpoint, and leave the training there if that is asked for."""
        save_checkpoint(self.folder, Checkpoint(state, self.recorded, self.notes))
        self.checkpointed = time.perf_counter()
        if self.channel.stopping():
            raise Stopped
        self.channel.report(Checkpointed())
        self.pause(state)
