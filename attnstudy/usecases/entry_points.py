"""The functions that an executor calls, once for each job.

The command need not import torch: that takes seconds, and only a worker needs it.
"""

from __future__ import annotations

from collections.abc import Sequence

from attnstudy.executors import Channel
from attnstudy.usecases.jobs import Job


def train_together(jobs: Sequence[Job], channel: Channel) -> None:
    """Do what ``worker.train_together`` does."""
    from attnstudy.usecases import worker

    worker.train_together(jobs, channel)


def search_together(jobs: Sequence[Job], channel: Channel) -> None:
    """Do what ``worker.search_together`` does."""
    from attnstudy.usecases import worker

    worker.search_together(jobs, channel)
