"""The resources for training: the device, and how many runs fit there at once."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from attnstudy.errors import UsageError
from attnstudy.executors import ExecutorChoice


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """The device to train on, and the slots."""

    device: str
    """That of each machine which trains: ``cpu`` or ``cuda``."""
    slots: int | None = None
    """Runs that a cluster has room for at once."""
    notices: tuple[str, ...] = ()
    """What the user should read."""

    def workers(self, threads: int, groups: int) -> int:
        """Return how many groups of runs are trained at once when nobody says how many."""
        if self.slots is not None:
            return max(1, min(self.slots, groups))
        if self.device == "cuda":
            return 1
        return max(1, min(available_cores() // threads, groups))


def find_resources(executor: ExecutorChoice, device: str, here: Callable[[str], str]) -> Resources:
    """Find out what there is to train on.

    Args:
        executor: by what runs are trained.
        device: ``auto``, ``cpu`` or ``cuda``.
        here: returns the device that such a word means on this machine.

    Raises:
        UsageError: the device is not there or cannot do what is asked, or no machine of the
            cluster has what a run is to be given.
        ClusterError: no cluster answers.

    """
    if not executor.remote:
        return Resources(device=here(device))
    remote = _remote_device(executor, device)
    if remote == "cpu":
        here(remote)  # one CPU can do what another can
    slots, notice = executor.room()
    return Resources(device=remote, slots=slots, notices=() if notice is None else (notice,))


def _remote_device(executor: ExecutorChoice, device: str) -> str:
    """Return the device, ``cpu`` or ``cuda``, that ``--device`` means on other machines.

    What each of them has is not asked: a run that was given a GPU and finds none must not be
    trained on something else in silence.

    Raises:
        UsageError: a GPU is asked for, and none for each run.

    """
    gpus = executor.cluster.gpus
    if device == "cuda" and not gpus:
        raise UsageError(
            "--device cuda with --executor ray: say how much of a GPU a run is given with "
            "--gpus-per-run, for example 1 or 0.25"
        )
    return "cuda" if device == "auto" and gpus else "cpu" if device == "auto" else device


def available_cores() -> int:
    """Return the processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
