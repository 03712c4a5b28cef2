"""Many workers that report to one driver as trainings do, on any executor.

Nothing is trained: what is measured is the way of the messages, and the driver that reads them.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass

from attnstudy.executors import Channel, Died, Executor, Finished, Reported, Retried
from attnstudy.running.jobs import Checkpointed, Of, Progress

PROGRESS_EVERY = 0.2  # seconds, as in a training
CHECKPOINT_EVERY = 10  # reports of progress


@dataclass(frozen=True, slots=True)
class Job:
    """How long a worker is to seem to train."""

    number: int
    reports: int


@dataclass(frozen=True, slots=True)
class Measured:
    """What the driver heard."""

    workers: int
    jobs: int
    expected: int
    """Messages that the workers sent."""
    heard: int
    seconds: float
    """From the first job's start to the last one's end, as the driver saw them."""
    driver_cpu: float
    """Seconds of the driver's processor in that time."""
    slowest_message: float
    """Seconds from a worker's sending to the driver's reading, the longest: on one clock."""

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.heard / self.seconds


def seem_to_train(job: Job, channel: Channel) -> None:
    """Report as ``running.run`` does, and no more work than that."""
    for done in range(job.reports):
        values = {"train_loss": 0.5, "val_accuracy": 50.0}
        channel.report(Of(0, Progress(done, None, time.time(), job.number, values)))
        if done % CHECKPOINT_EVERY == CHECKPOINT_EVERY - 1:
            channel.report(Of(0, Checkpointed()))
        time.sleep(PROGRESS_EVERY)


def measure(executor: Executor, workers: int, jobs: int, reports: int) -> Measured:
    """Have the jobs done; raise if a message is missing, doubled or out of order."""
    ordered = [Job(number, reports) for number in range(jobs)]
    progress: Counter[int] = Counter()
    checkpoints: Counter[int] = Counter()
    finished: Counter[int] = Counter()
    slowest, began, began_cpu = 0.0, 0.0, 0.0
    for event in executor.execute(ordered, seem_to_train):
        match event:
            case Reported(job=job, message=Of(message=Progress() as said)):
                began = began or time.perf_counter()
                began_cpu = began_cpu or time.process_time()
                assert said.updates == job
                assert said.done == progress[job], "out of order"
                progress[job] += 1
                slowest = max(slowest, time.time() - said.seconds)
            case Reported(job=job, message=Of(message=Checkpointed())):
                checkpoints[job] += 1
            case Finished(job=job):
                finished[job] += 1
            case Died() | Retried():
                raise SystemExit(f"a worker died: {event}")
    seconds, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    everybody = range(jobs)
    assert all(progress[n] == reports and finished[n] == 1 for n in everybody)
    assert all(checkpoints[n] == reports // CHECKPOINT_EVERY for n in everybody)
    expected = jobs * (reports + reports // CHECKPOINT_EVERY)
    heard = progress.total() + checkpoints.total()
    return Measured(workers, jobs, expected, heard, seconds, cpu, slowest)
