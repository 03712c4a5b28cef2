"""Ways to carry out jobs: one after the other here, in processes, or on a Ray cluster.

An executor knows nothing about training. It is given jobs and a function that does one, and
yields what happens, in the order in which it happens. Closing the iterator early stops the work.
"""

from attnstudy.executors.base import (
    Busy,
    Channel,
    Died,
    Event,
    Executor,
    Finished,
    RemoteWork,
    Reported,
    Retried,
    Started,
    Stopped,
    TimeIsUpError,
    Transfer,
    Transport,
    Work,
    died,
)
from attnstudy.executors.choosing import EXECUTORS, ExecutorChoice, make_executor
from attnstudy.executors.cluster import ClusterRequest, check_address
from attnstudy.executors.inline import Inline
from attnstudy.executors.processes import Processes, prepare_workers
from attnstudy.executors.remote import Ray

__all__ = [
    "EXECUTORS",
    "Busy",
    "Channel",
    "ClusterRequest",
    "Died",
    "Event",
    "Executor",
    "ExecutorChoice",
    "Finished",
    "Inline",
    "Processes",
    "Ray",
    "RemoteWork",
    "Reported",
    "Retried",
    "Started",
    "Stopped",
    "TimeIsUpError",
    "Transfer",
    "Transport",
    "Work",
    "check_address",
    "died",
    "make_executor",
    "prepare_workers",
]
