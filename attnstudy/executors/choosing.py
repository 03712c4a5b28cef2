"""An executor by its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from attnstudy.errors import UsageError
from attnstudy.executors.base import Executor, Transport
from attnstudy.executors.cluster import ClusterRequest, connect, require_room
from attnstudy.executors.inline import Inline
from attnstudy.executors.processes import Processes
from attnstudy.executors.remote import Ray

EXECUTORS = ("processes", "inline", "ray")


@dataclass(frozen=True, slots=True)
class ExecutorChoice:
    """By what jobs are to be done."""

    name: str = "processes"
    """One of ``EXECUTORS``."""
    cluster: ClusterRequest = field(default_factory=ClusterRequest)
    """Where ``ray`` does them, and with what."""

    @property
    def remote(self) -> bool:
        """Whether they are done on other machines."""
        return self.name == "ray"

    def for_threads(self, threads: int) -> ExecutorChoice:
        """Return the same where a run has a core for each thread, unless somebody said else."""
        cpus = self.cluster.cpus or threads
        return replace(self, cluster=replace(self.cluster, cpus=cpus))

    def room(self) -> tuple[int, str | None]:
        """Return how many jobs the cluster can do at once, and what the user should read.

        Raises:
            ClusterError: no cluster answers.
            UsageError: not one job fits on any machine.

        """
        notice = connect(self.cluster)
        return require_room(self.cluster), notice


def make_executor(
    choice: ExecutorChoice, workers: int, transport: Transport, say: Callable[[str], None]
) -> Executor:
    """Return the executor that is chosen.

    Args:
        choice: which.
        workers: jobs at once.
        transport: sends jobs to other machines, if that is where they run.
        say: shows a line that must not be missed.

    Raises:
        UsageError: there is none of that name.

    """
    if choice.name == "processes":
        return Processes(workers)
    if choice.name == "inline":
        return Inline()
    if choice.name == "ray":
        return Ray(workers, choice.cluster, transport, say)
    raise UsageError(f"unknown executor {choice.name!r}: use {', '.join(EXECUTORS)}")
