"""Claiming a run: it is ours until we release it, or another process holds it, or it is done."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from attnstudy.executors import Channel, Stopped
from attnstudy.running.jobs import AlreadyDone, Claimed, Elsewhere, Job, Paused
from attnstudy.runs import RunFolder
from attnstudy.trainings.registry import find


@dataclass(frozen=True, slots=True)
class Claim:
    """A run that is ours."""

    data: Any
    """What its training opened."""


@contextlib.contextmanager
def claimed_run(job: Job, channel: Channel) -> Iterator[Claim | None]:
    """Claim a run that is to be trained; gives its data, or None if there is nothing to do.

    Which of them is the case is reported.

    Args:
        job: which run, and whether to wait for the process that holds it.
        channel: to the process that asked for it.

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
            training = find(job.spec.training)
            data = training.open(job.place, job.data, sealed=job.sealed)
            folder.start(job.spec, training.describe(job.spec, data))
            channel.report(Claimed())
            yield Claim(data)
            return
        yield None
