"""Claiming a run: it is ours until we release it, or another process holds it, or it is done."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from attnstudy.data import TrainingData
from attnstudy.executors import Channel, Stopped
from attnstudy.runs import DatasetFacts, RunFolder
from attnstudy.study import RunSpec
from attnstudy.usecases.jobs import AlreadyDone, Claimed, Elsewhere, Job, Paused

D = TypeVar("D", bound=TrainingData)


@contextlib.contextmanager
def claimed_run(job: Job, channel: Channel, images: Callable[[Job], D]) -> Iterator[D | None]:
    """Claim a run that is to be trained; gives its images, or None if there is nothing to do.

    Which of them is the case is reported.

    Args:
        job: which run, and whether to wait for the process that holds it.
        channel: to the process that asked for it.
        images: opens the images that the run is trained with.

    Raises:
        Stopped: the channel asked for it.
        StoreError: the run folder cannot be written.

    """
    folder = RunFolder(job.folder)

    def patience() -> bool:
        return job.wait and not channel.stopping()

    with folder.claim(command=job.command, patience=patience) as mine:
        if not mine:
            if channel.stopping():
                raise Stopped
            channel.report(Elsewhere(folder.orphaned))
        elif folder.result() is not None:
            channel.report(AlreadyDone())
        elif job.until is not None and job.until in folder.pauses():
            channel.report(Paused())
        else:
            dataset = images(job)
            folder.start(job.spec, _facts(job.spec, dataset))
            channel.report(Claimed())
            yield dataset
            return
        yield None


def _facts(spec: RunSpec, dataset: TrainingData) -> DatasetFacts:
    return DatasetFacts(
        name=Path(spec.dataset).name,
        source=spec.dataset,
        digest=dataset.digest,
        image_shape=dataset.image_shape,
        class_names=dataset.class_names,
        test_images=dataset.test_images,
        normalisation=asdict(dataset.normalisation),
    )
