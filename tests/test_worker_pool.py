"""What may go wrong between a command and its workers on a Ray cluster, one thing at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from attnstudy.errors import ClusterError, StoreError
from attnstudy.executors import ClusterRequest, Died, Finished, Ray, Retried, worker_pool
from attnstudy.executors.remote_worker import RemoteWorker
from tests.clusters import Machines


def tell_thrice(payload, shared, channel):
    for number in range(3):
        channel.report((payload.name, number))


class Interrupting:
    """A payload; pickling it takes so long that Ctrl-C comes in between."""

    def __init__(self, name: str, interrupts: bool) -> None:
        self.name, self.interrupts = name, interrupts

    def __reduce__(self) -> Any:
        if self.interrupts:
            raise KeyboardInterrupt
        return Interrupting, (self.name, False)


@dataclass
class Told:
    """A transfer that keeps what arrives, and may refuse it."""

    payload: Any
    refuses: list[BaseException]
    arrived: list[object] = field(default_factory=list)
    closed: bool = False

    def receive(self, message: object) -> object:
        if self.refuses:
            raise self.refuses.pop()
        self.arrived.append(message)
        return message

    def close(self) -> None:
        self.closed = True


@dataclass
class Transfers:
    """A transport of jobs that are the transfers themselves."""

    shared: None = None

    def remote_work(self, work: Any) -> Any:
        return tell_thrice

    def submit(self, job: Told, channel: object) -> Told:
        return job


def ray_with(cluster: Machines, workers: int = 1) -> Ray:
    return Ray(workers, ClusterRequest(address=cluster.address), Transfers())


def test_what_was_said_of_one_job_is_not_taken_for_anothers(cluster):
    first = Told(Interrupting("a", False), [])
    second = Told(Interrupting("b", True), [])
    with pytest.raises(KeyboardInterrupt):
        list(ray_with(cluster).execute([first, second], tell_thrice))  # type: ignore[arg-type]
    assert first.arrived == [("a", 0), ("a", 1), ("a", 2)]
    assert second.arrived == []
    assert second.closed


def test_a_signal_while_a_message_is_kept_does_not_lose_it(cluster):
    job = Told(Interrupting("a", False), [KeyboardInterrupt()])
    with pytest.raises(KeyboardInterrupt):
        list(ray_with(cluster).execute([job], tell_thrice))  # type: ignore[arg-type]
    assert job.arrived == [("a", 0), ("a", 1), ("a", 2)]


def test_a_message_that_cannot_be_kept_ends_the_command(cluster):
    full = [StoreError("the disk is full"), StoreError("the disk is full")]
    job = Told(Interrupting("a", False), full)  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="the disk is full"):
        list(ray_with(cluster).execute([job], tell_thrice))  # type: ignore[arg-type]
    assert job.closed


@pytest.mark.proof
def test_a_worker_answers_for_no_job_but_the_present_one():
    worker = RemoteWorker()
    assert worker.listen(1, 0) is None
    assert worker.begin(1, tell_thrice, Interrupting("a", False), None) == []
    assert worker.listen(1, 0)
    assert worker.listen(2, 0) is None


class FailedStart:
    def __init__(self) -> None:
        raise ImportError("no such library here")

    def greet(self) -> None:
        pass


class Speechless:
    def greet(self) -> None:
        raise ImportError("no such library here")


@pytest.mark.parametrize("worker", [FailedStart, pytest.param(Speechless, marks=pytest.mark.long)])
def test_workers_that_fail_to_start_are_not_started_for_ever(cluster, monkeypatch, worker):
    monkeypatch.setattr(worker_pool, "RemoteWorker", worker)
    with pytest.raises(ClusterError, match=r"end before they have begun \(.*no such library here"):
        list(ray_with(cluster).execute([Told("a", [])], tell_thrice))  # type: ignore[arg-type]


class Forgetful(RemoteWorker):
    """Loses the first order that it is given, as a connection that breaks may do."""

    def begin(self, order, work, payload, shared):
        if not Path(payload.name).exists():
            Path(payload.name).touch()
            return []
        return super().begin(order, work, payload, shared)


def test_an_order_that_was_lost_is_given_again(cluster, monkeypatch, tmp_path):
    monkeypatch.setattr(worker_pool, "RemoteWorker", Forgetful)
    job = Told(Interrupting(str(tmp_path / "lost"), False), [])
    events = list(ray_with(cluster).execute([job], tell_thrice))  # type: ignore[arg-type]
    assert [type(e) for e in events if isinstance(e, Retried | Died | Finished)] == [
        Retried,
        Finished,
    ]
