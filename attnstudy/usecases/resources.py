"""The resources for training: the device, and how many runs fit there at once."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import metadata

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


def find_resources(executor: ExecutorChoice, device: str, precision: str) -> Resources:
    """Find out what there is to train on.

    Raises:
        UsageError: the device is not there or cannot compute in that precision, or no machine of
            the cluster has what a run is to be given.
        ClusterError: no cluster answers.

    """
    if not executor.remote:
        return Resources(device=_local_device(device, precision))
    remote = _remote_device(executor, device)
    if remote == "cpu":
        _local_device(remote, precision)  # one CPU computes in what another does
    slots, notice = executor.room()
    return Resources(device=remote, slots=slots, notices=() if notice is None else (notice,))


def asks_torch(device: str, precision: str) -> bool:
    """Whether torch has to say what there is on this machine: to import it takes seconds."""
    without_gpus = metadata.version("torch").endswith("+cpu")  # as such builds are called
    on_the_cpu = device == "cpu" or (device == "auto" and without_gpus)
    return not on_the_cpu or precision != "float32"


def _local_device(device: str, precision: str) -> str:
    """Return the device, ``cpu`` or ``cuda``, that ``--device`` means on this machine.

    Raises:
        UsageError: it is not there, or cannot compute in that precision.

    """
    if not asks_torch(device, precision):
        return "cpu"
    from attnstudy.training import check_precision, choose_device

    chosen = choose_device(device)
    check_precision(chosen, precision)
    return chosen.type


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
