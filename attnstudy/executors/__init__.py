"""Ways to carry out jobs: one after the other here, or several at once in processes.

An executor knows nothing about training. It is given jobs and a function that does one, and
yields what happens, in the order in which it happens. Closing the iterator early stops the work.
"""

from attnstudy.executors.base import (
    Channel,
    Died,
    Event,
    Executor,
    Finished,
    Reported,
    Retried,
    Started,
    Stopped,
    died,
)
from attnstudy.executors.choosing import make_executor
from attnstudy.executors.inline import Inline
from attnstudy.executors.processes import Processes, prepare_workers

__all__ = [
    "Channel",
    "Died",
    "Event",
    "Executor",
    "Finished",
    "Inline",
    "Processes",
    "Reported",
    "Retried",
    "Started",
    "Stopped",
    "died",
    "make_executor",
    "prepare_workers",
]
