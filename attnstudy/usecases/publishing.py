"""Publishing beside the training: one thread that sends run folders to the tracking store."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable

from attnstudy.errors import StoreError
from attnstudy.runs import RunFolder
from attnstudy.tracking import Publisher

_RETRY_AFTER = 60.0  # seconds without an attempt after a failed one


class BackgroundPublisher:
    """Publishes what it is handed, in order; a store that fails costs a warning, never a run."""

    def __init__(self, connect: Callable[[], Publisher], warn: Callable[[str], None]) -> None:
        self._connect = connect
        self._warn = warn
        self._publisher: Publisher | None = None
        self._queue: queue.SimpleQueue[RunFolder | None] = queue.SimpleQueue()
        self._undelivered: dict[RunFolder, None] = {}
        self._pause_until = 0.0
        self._warned = False
        self.error: StoreError | None = None
        """Why the last attempt failed, if the store said so."""
        self._thread = threading.Thread(target=self._serve, name="publisher", daemon=True)
        self._thread.start()

    def submit(self, folder: RunFolder) -> None:
        """Have a folder's present content sent soon."""
        self._queue.put(folder)

    def close(self) -> int:
        """Send what is left, once; return how many runs could not be delivered."""
        self._queue.put(None)
        self._thread.join()
        return len(self._undelivered)

    def _serve(self) -> None:
        while (folder := self._queue.get()) is not None:
            self._undelivered[folder] = None
            if time.monotonic() >= self._pause_until:
                self._deliver()
        if self._undelivered:
            self._deliver()

    def _deliver(self) -> None:
        for folder in list(self._undelivered):
            try:
                if self._publisher is None:
                    self._publisher = self._connect()
                self._publisher.publish(folder)
            except Exception as error:  # whatever it is, the trainings go on
                self.error = error if isinstance(error, StoreError) else None
                self._pause_until = time.monotonic() + _RETRY_AFTER
                if not self._warned:
                    self._warned = True
                    known = isinstance(error, StoreError)
                    self._warn(str(error) if known else f"publishing failed: {error!r}")
                return
            del self._undelivered[folder]
