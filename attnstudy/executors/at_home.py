"""Jobs that need nothing carried: they go to another machine as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from attnstudy.executors.base import AbroadWork, Channel, Journey, Work


class AtHome:
    """A carrier of jobs that need nothing carried."""

    shared = None

    def abroad(self, work: Work) -> AbroadWork:
        """Return a function that passes the parcel, which is the job, to ``work``."""
        return _Plainly(work)

    def depart(self, job: Any, channel: Channel) -> Journey:
        """Return the job as it is."""
        return _Plain(job)


@dataclass(frozen=True, slots=True)
class _Plainly:
    work: Work

    def __call__(self, parcel: Any, shared: Any, channel: Channel) -> None:
        self.work(parcel, channel)


@dataclass(frozen=True, slots=True)
class _Plain:
    parcel: Any

    def arrive(self, message: Any) -> object | None:
        return message  # type: ignore[no-any-return]

    def close(self) -> None:
        pass
