"""Publishing beside the training: one thread that sends run folders to the tracking store."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Collection, Hashable, Iterable
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from attnstudy import runs
from attnstudy.errors import StoreError, TrackingUnreachableError
from attnstudy.runs import RunFolder, Status
from attnstudy.tracking import Address, Tracker

RETRY_AFTER = 60.0
"""Seconds without an attempt after the store was found to be down."""
PATIENCE = 30.0
"""Seconds without any answer of a server after which a command ends without it."""
LONG_PATIENCE = 300.0
"""The same where delivering is what the command is for, or where there is no server to hang: a
file on a busy machine is slow at times."""
HURRY = 5.0
"""Seconds that an interrupted command still publishes for."""
_WARNINGS = 5  # of one command; how many runs are concerned is said at its end


Item = TypeVar("Item", bound=Hashable)
"""What is published: a run's folder, or whatever else stands for something that can be read."""
Item_contra = TypeVar("Item_contra", contravariant=True)


class Sender(Protocol[Item_contra]):
    """Sends items to an open store."""

    @property
    def tracker(self) -> Tracker:
        """The store."""
        ...

    def tell_of_answers(self, answered: Callable[[], None], /) -> None:
        """Have a function called after every request that the store answered."""
        ...

    def publish(self, item: Item_contra, /) -> bool:
        """Send what the store has not confirmed of an item; tell whether that was any."""
        ...


def _is_running(item: object) -> bool:
    """Whether somebody works on a run, who may be gone before it has a result."""
    return isinstance(item, RunFolder) and item.result() is None and item.status is Status.RUNNING


class BackgroundPublisher(Generic[Item]):
    """Publishes what it is handed, in order; a store that fails costs a warning, never a run.

    A store that is down is left alone for a while, and then tried with the next run first. A
    run that the store, or its folder, refuses is put aside and does not stop the others.
    """

    def __init__(
        self,
        connect: Callable[[], Sender[Item]],
        warn: Callable[[str], None],
        *,
        prepare: Callable[[], None] = lambda: None,
        patience: float = PATIENCE,
        settled: Callable[[Item, bool], None] = lambda item, changed: None,
    ) -> None:
        """Start the thread.

        Args:
            connect: opens the store; called in the thread, again after the store was down.
            warn: shows a sentence to the user.
            prepare: called in the thread at once, whether or not there will be something to send.
            patience: seconds without an answer after which ``close`` gives up.
            settled: told each time that a run was delivered, and whether anything was sent.

        """
        self._connect, self._warn = connect, warn
        self._prepare, self._patience, self._settled = prepare, patience, settled
        self._publisher: Sender[Item] | None = None
        self._queue: queue.SimpleQueue[Item | None] = queue.SimpleQueue()
        self._undelivered: dict[Item, None] = {}
        self._refused: dict[Item, str] = {}
        self._shown_running: dict[Item, None] = {}
        self._warned: set[str] = set()
        self._pause_until = 0.0
        self._answered_at = 0.0
        self._deadline: float | None = None
        self._given_up = False
        self.down: StoreError | None = None
        """Why the store could not be reached the last time; None if it could."""
        self._thread = threading.Thread(target=self._serve, name="publisher", daemon=True)
        self._thread.start()

    @property
    def refused(self) -> dict[Item, str]:
        """The runs that cannot be published, and why."""
        return dict(self._refused)

    @property
    def trouble(self) -> StoreError | None:
        """Why something could not be delivered, if that is so."""
        if not self._undelivered:
            return None
        return self.down or next((StoreError(text) for text in self._refused.values()), None)

    def submit(self, folder: Item) -> None:
        """Have a folder's present content sent soon."""
        self._queue.put(folder)

    def submit_all(self, folders: Iterable[Item]) -> None:
        """Have the present content of many folders sent soon."""
        for folder in folders:
            self.submit(folder)

    def hurry(self) -> None:
        """Have ``close`` wait no longer than a few seconds: the user wants to leave."""
        self._deadline = time.monotonic() + HURRY

    def close(self) -> int:
        """Send what is left, once more; return how many runs could not be delivered.

        Waits as long as the store goes on answering, and then for the patience. What is under
        way when it gives up is cut off, as by a kill: the next publishing repeats it.
        """
        self._queue.put(None)
        self._answered()
        while self._thread.is_alive():
            until = self._answered_at + self._patience
            if self._deadline is not None:
                until = min(until, self._deadline)
            left = until - time.monotonic()
            if left <= 0:
                return self._give_up()
            self._thread.join(min(left, 0.5))
        return len(self._undelivered)

    def _give_up(self) -> int:
        """Leave the thread behind; return how many runs it and its queue still hold."""
        self._given_up = True
        while True:
            try:
                folder = self._queue.get_nowait()
            except queue.Empty:
                break
            if folder is not None:
                self._undelivered[folder] = None
        if self.down is None:
            self.down = TrackingUnreachableError(
                f"the tracking store has not answered for {self._patience:.0f} seconds"
            )
        if self._deadline is None:
            self._warn_once(str(self.down))
        return len(self._undelivered)

    def _answered(self) -> None:
        self._answered_at = time.monotonic()

    def _serve(self) -> None:
        with contextlib.suppress(Exception):  # what is wrong, connecting will say
            self._prepare()
        closing = False
        while not closing:
            closing = self._take()
            if closing or time.monotonic() >= self._pause_until:
                self._deliver()
        self._take_back_running()
        if not isinstance(self.down, TrackingUnreachableError):
            self._deliver(again=True)

    def _take(self) -> bool:
        """Wait for something to do and take all there is; tell whether it is the end."""
        folder = self._queue.get()
        while folder is not None:
            self._undelivered[folder] = None
            self._refused.pop(folder, None)
            try:
                folder = self._queue.get_nowait()
            except queue.Empty:
                return False
        return True

    def _take_back_running(self) -> None:
        """Look again at runs that the store shows as running: whoever held them may be gone."""
        for folder in self._shown_running:
            if not _is_running(folder):
                self._undelivered[folder] = None

    def _deliver(self, *, again: bool = False) -> None:
        """Try every run once; with ``again`` also those that were refused before."""
        for folder in list(self._undelivered):
            if self._given_up or (folder in self._refused and not again):
                continue
            try:
                if self._publisher is None:
                    self._publisher = self._connect()
                    self._publisher.tell_of_answers(self._answered)
                    self._answered()
            except Exception as error:  # whatever it is, the trainings go on
                self._leave_alone(error)
                return
            try:
                changed = self._publisher.publish(folder)
            except Exception as error:
                if not self._publisher.tracker.answers():
                    # others first at the next attempt: it may be this one that the store dies of
                    self._undelivered[folder] = self._undelivered.pop(folder)
                    self._leave_alone(error)
                    return
                self._answered()
                self._refused[folder] = _sentence(error)
                self._warn_once(_sentence(error))
                continue
            self._delivered(folder, changed)

    def _delivered(self, folder: Item, changed: bool) -> None:
        self.down = None
        del self._undelivered[folder]
        self._refused.pop(folder, None)
        self._shown_running.pop(folder, None)
        if _is_running(folder):
            self._shown_running[folder] = None
        self._settled(folder, changed)

    def _leave_alone(self, error: Exception) -> None:
        self.down = error if isinstance(error, StoreError) else StoreError(_sentence(error))
        self._publisher = None
        self._pause_until = time.monotonic() + RETRY_AFTER
        self._warn_once(str(self.down))

    def _warn_once(self, sentence: str) -> None:
        if sentence not in self._warned and len(self._warned) < _WARNINGS:
            self._warned.add(sentence)
            self._warn(sentence)


def patience(address: Address) -> float:
    """Return how many seconds without an answer a command waits at its end."""
    return LONG_PATIENCE if address.uri.startswith("sqlite:") else PATIENCE


def backlog(store_dir: Path, study: str, others_than: Collection[RunFolder]) -> list[RunFolder]:
    """Return a study's runs that a command is not about, and that nobody works on.

    Whatever an earlier command could not deliver is among them.
    """
    return [
        folder
        for folder in runs.run_folders(store_dir, study)
        if folder not in others_than and not folder.claimed
    ]


def _sentence(error: Exception) -> str:
    return str(error) if isinstance(error, StoreError) else f"publishing failed: {error!r}"
