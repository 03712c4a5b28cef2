"""Jobs in this process, one after the other."""

from __future__ import annotations

import contextlib
import math
import signal
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from typing import Any, Self

from attnstudy.executors.base import (
    ASKED,
    ENDING,
    Died,
    Event,
    Finished,
    Notes,
    Reported,
    Started,
    Stopped,
    TimeIsUpError,
    Work,
    died,
)


class Inline:
    """Does the jobs in this process, one after the other: for debugging and for tests."""

    def __enter__(self) -> Self:
        """Return the same: there are no workers."""
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing."""

    def execute(
        self, jobs: Sequence[Any], work: Work, *, until: float = math.inf
    ) -> Generator[Event]:
        """Yield the events of each job; its reports come when it has ended."""
        for index, job in enumerate(jobs):
            if time.monotonic() > until:
                raise TimeIsUpError
            yield Started(index, 0)
            channel, late = Notes(until=until), False
            with _signals_noted() as signals:
                channel.signals = signals
                try:
                    work(job, channel)
                    ending: Event = Finished(index, 0)
                except Stopped:
                    ending, late = Died(index, 0, ASKED), time.monotonic() > until
                except Exception as error:
                    ending = died(index, 0, error)
            if signals:
                signal.raise_signal(signals[0])  # to whoever handles it outside of the work
            yield from (Reported(index, 0, message) for message in channel.messages)
            if late and not signals:
                raise TimeIsUpError
            yield ending


@contextlib.contextmanager
def _signals_noted() -> Iterator[list[int]]:
    """Note the first signal that asks for an end, instead of ending anywhere in the work.

    A second ends it there: the user does not want to wait, and the work has its checkpoint.
    """
    noted: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield noted  # only the main thread may handle signals
        return
    asked = [s for s in ENDING if signal.getsignal(s) is not signal.SIG_IGN]

    def note(number: int, _: object) -> None:
        noted.append(number)
        if len(noted) > 1:
            restore()
            signal.raise_signal(number)

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    before = {s: signal.signal(s, note) for s in asked}
    try:
        yield noted
    finally:
        restore()
