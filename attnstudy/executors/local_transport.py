"""Jobs that need no files: they are sent to another machine as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from attnstudy.executors.base import Channel, RemoteWork, Transfer, Work


class LocalTransport:
    """The transport of jobs that need no files."""

    shared = None

    def remote_work(self, work: Work) -> RemoteWork:
        """Return a function that passes the payload, which is the job, to ``work``."""
        return _DirectWork(work)

    def submit(self, job: Any, channel: Channel) -> Transfer:
        """Return the job as it is."""
        return _DirectTransfer(job)


@dataclass(frozen=True, slots=True)
class _DirectWork:
    work: Work

    def __call__(self, payload: Any, shared: Any, channel: Channel) -> None:
        self.work(payload, channel)


@dataclass(frozen=True, slots=True)
class _DirectTransfer:
    payload: Any

    def receive(self, message: Any) -> object | None:
        return message  # type: ignore[no-any-return]

    def close(self) -> None:
        pass
