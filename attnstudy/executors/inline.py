"""Jobs in this process, one after the other."""

from __future__ import annotations

import contextlib
import signal
import threading
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

    def execute(self, jobs: Sequence[Any], work: Work) -> Generator[Event]:
        """Yield the events of each job; its reports come when it has ended."""
        for index, job in enumerate(jobs):
            yield Started(index, 0)
            channel = Notes()
            with _signals_noted() as signals:
                channel.signals = signals
                try:
                    work(job, channel)
                    ending: Event = Finished(index, 0)
                except Stopped:
                    ending = Died(index, 0, ASKED)
                except Exception as error:
                    ending = died(index, 0, error)
            if signals:
                signal.raise_signal(signals[0])  # to whoever handles it outside of the work
            yield from (Reported(index, 0, message) for message in channel.messages)
            yield ending


@contextlib.contextmanager
def _signals_noted() -> Iterator[list[int]]:
    """Note the signals that ask for an end, instead of ending anywhere in the work."""
    noted: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield noted  # only the main thread may handle signals
        return
    asked = [s for s in ENDING if signal.getsignal(s) is not signal.SIG_IGN]
    before = {s: signal.signal(s, lambda number, _: noted.append(number)) for s in asked}
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
