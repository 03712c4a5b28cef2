"""The function that an executor calls, once for each job.

The command need not import what a worker needs.
"""

from __future__ import annotations

from collections.abc import Sequence

from attnstudy.executors import Channel
from attnstudy.running.jobs import Job


def train_together(jobs: Sequence[Job], channel: Channel) -> None:
    """Do what ``worker.train_together`` does."""
    from attnstudy.running import worker

    worker.train_together(jobs, channel)
