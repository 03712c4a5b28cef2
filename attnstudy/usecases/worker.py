"""What a worker does with a specification: claim, train, score once, keep everything.

Several specifications that differ in their seeds alone may be trained together: each has its
own lock, order, journal, checkpoint and result, and only the updates are made at once.

A run of a study is scored on the test images (``train_together``); a run of a search gets a dataset
that has none (``search_together``).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import nn

from attnstudy.crashpoints import reach
from attnstudy.data import Dataset, TrainingData, open_decoded, open_training
from attnstudy.executors import Channel, Stopped, died
from attnstudy.models import build_model
from attnstudy.runs import Result, RunFolder
from attnstudy.study import RunSpec
from attnstudy.training import (
    Batch,
    Prepared,
    Trained,
    TrainingState,
    choose_device,
    drive,
    environment,
    evaluate,
    prepare_process,
    training,
)
from attnstudy.usecases.claiming import claimed_run
from attnstudy.usecases.finalizing import finalize, finalize_sealed
from attnstudy.usecases.jobs import Failed, Job, Kept, Member, Notice, Paused
from attnstudy.usecases.recording import Recorder
from attnstudy.usecases.resuming import resume

D = TypeVar("D", bound=TrainingData)
D_contra = TypeVar("D_contra", bound=TrainingData, contravariant=True)


class _Finalize(Protocol[D_contra]):
    """See ``finalizing``."""

    def __call__(
        self,
        spec: RunSpec,
        recorded: Mapping[str, str],
        folder: RunFolder,
        dataset: D_contra,
        model: nn.Module,
        trained: Trained,
        device: torch.device,
        *,
        started_at: int,
        notes: Sequence[str] = (),
        models: bool = True,
    ) -> Result: ...


@dataclass(frozen=True, slots=True)
class _Protocol(Generic[D]):
    """What a run is given to read, and what is done with it at its end: the two belong together."""

    images: Callable[[Job], D]
    finalize: _Finalize[D]


def _all_images(job: Job) -> Dataset:
    if job.images is None:
        return open_decoded(job.dataset_folder)
    if not isinstance(job.images, Dataset):
        raise TypeError("a run of a study was given no test images")
    return job.images


def _no_test_images(job: Job) -> TrainingData:
    if isinstance(job.images, Dataset):
        raise TypeError("a run of a search was given test images")
    return job.images or open_training(job.dataset_folder)


def train_together(jobs: Sequence[Job], channel: Channel) -> None:
    """Train specifications, each in its run folder, unless somebody else does or did.

    Raises:
        Stopped: the channel asked for it; every run has its checkpoint.

    """
    _together(jobs, channel, _Protocol(_all_images, finalize))


def search_together(jobs: Sequence[Job], channel: Channel) -> None:
    """Do what ``train_together`` does for a search: from a dataset without test images."""
    _together(jobs, channel, _Protocol(_no_test_images, finalize_sealed))


def _together(jobs: Sequence[Job], channel: Channel, protocol: _Protocol[D]) -> None:
    members = [Member(channel, number) for number in range(len(jobs))]
    stopped = []

    def failed(number: int, error: Exception) -> None:
        if isinstance(error, Stopped):
            stopped.append(error)
        elif len(jobs) == 1:
            raise error
        else:
            members[number].report(Failed(died(0, 0, error)))

    steps = (_run_steps(job, member, protocol) for job, member in zip(jobs, members, strict=True))
    drive([*steps], failed)
    if stopped:
        raise stopped[0]


RunSteps = Generator[Prepared | Batch, Any, None]
"""A run from its claim to its result; leaves its updates to others, see ``training.Training``."""


class _AtPause(Exception):
    """Leaves a training that has come to where it was to pause."""


def _run_steps(job: Job, channel: Channel, protocol: _Protocol[D]) -> RunSteps:
    folder = RunFolder(job.folder)
    with claimed_run(job, channel, protocol.images) as dataset:
        if dataset is None:
            return
        try:
            result = yield from _train(job, folder, dataset, channel, protocol.finalize)
        except _AtPause:
            channel.report(Paused())
            return
        reach("run/before-finish")
        folder.finish(result)
    channel.report(Kept(result))


def _train(
    job: Job, folder: RunFolder, dataset: D, channel: Channel, finalize: _Finalize[D]
) -> Generator[Prepared | Batch, Any, Result]:
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
    resumed = resume(folder, spec, recorded, strict=job.strict)
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
    recorder = Recorder(job, folder, channel, recorded, resumed.notes, pause)
    trained = yield from training(
        spec,
        model,
        split,
        device=device,
        state=resumed.state,
        on_start=recorder.on_start,
        on_iteration=recorder.on_iteration,
        on_interval=recorder.on_interval,
        on_state=recorder.on_state,
    )
    return finalize(
        spec,
        recorded,
        folder,
        dataset,
        model,
        trained,
        device,
        started_at=resumed.started_at,
        notes=(*resumed.notes, *trained.notes),
        models=job.models,
    )
