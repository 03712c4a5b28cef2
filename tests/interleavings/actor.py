"""What makes a command an actor: it pauses before each step that others can see, and asks.

Only threads that a command starts for its own work are actors beside its main thread. All that an
actor would wait for (a lock, a thread, a queue, a time) it asks the scheduler for instead, so that
at any moment one actor of all commands moves, and which one is the scheduler's choice alone. What
else a command meets by chance is the same each time: its clock, its random names, the order in
which a folder is listed.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import hashlib
import io
import itertools
import json
import os
import queue
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, SupportsIndex

import filelock

ADDRESS, NAME = "SCHEDULER", "ACTOR"
"""Environment variables: where the scheduler listens, what it calls the command."""
UNCLAIMED = "UNCLAIMED"
"""Environment variable: with it, nobody who claims a run is refused."""
THREADS = ("publisher", "estimate")
TICK = 0.001
"""Seconds that pass, to an actor, between two looks at the clock."""
_here = threading.local()


class _Line:
    """An actor's connection to the scheduler."""

    def __init__(self, name: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(os.environ[ADDRESS])
        self._answers = self._socket.makefile()
        self.name = name

    def tell(self, **what: Any) -> None:
        message = json.dumps({"actor": self.name, "pid": os.getpid(), **what})
        self._socket.sendall(message.encode() + b"\n")

    def ask(self, **what: Any) -> str:
        """Tell the scheduler where the actor is, and wait for its turn."""
        self.tell(**what)
        answer = self._answers.readline().strip()
        if not answer:  # the scheduler is gone
            os._exit(71)
        return answer


def _line() -> _Line | None:
    return getattr(_here, "line", None)


def pause(place: str) -> None:
    """Let others move here."""
    if (line := _line()) is not None:
        line.ask(at=place)


def wait(what: str, *, timed: bool) -> bool:
    """Wait until another actor has moved; False if that took longer than this one waits."""
    line = _line()
    assert line is not None
    return line.ask(at=what, waits=True, timed=timed) != "late"


def take_part() -> None:
    """Be an actor: called once in the process of a command, before it begins."""
    place = Path.cwd()
    _replace_reach()
    _replace_locks()
    _replace_threads()
    _replace_clocks()
    _replace_names()
    _replace_files(place)
    if os.environ.get(UNCLAIMED):
        _replace_claims()
    _begin(os.environ[NAME])


def _begin(name: str) -> None:
    line = _here.line = _Line(name)
    line.ask(at="begin")


def _replace_reach() -> None:
    from attnstudy import crashpoints

    old = crashpoints.reach

    def reach(name: str) -> None:
        pause(name)

    for module in list(sys.modules.values()):
        if getattr(module, "reach", None) is old:
            module.reach = reach  # type: ignore[attr-defined]


def _replace_locks() -> None:
    acquire = filelock.BaseFileLock.acquire

    def asked(
        self: Any, timeout: float | None = None, *_: Any, blocking: bool | None = None, **__: Any
    ) -> Any:
        if _line() is None or self.is_locked:
            return acquire(self, timeout, blocking=blocking)
        name = f"lock {Path(self.lock_file).name}"
        limit = self.timeout if timeout is None else timeout
        waits = (self.blocking if blocking is None else blocking) and limit != 0
        pause(name)
        while True:
            try:
                return acquire(self, 0, blocking=False)
            except filelock.Timeout:
                if not waits or not wait(name, timed=limit > 0):
                    raise

    setattr(filelock.BaseFileLock, "acquire", asked)  # noqa: B010 - no assignment, to a checker of types


def _replace_claims() -> None:
    from attnstudy.runs import RunFolder

    @contextlib.contextmanager
    def claim(self: RunFolder, **_: Any) -> Iterator[bool]:
        self.path.mkdir(parents=True, exist_ok=True)
        yield True

    setattr(RunFolder, "claim", claim)  # noqa: B010 - no assignment, to a checker of types


def _replace_threads() -> None:
    start, join, sleep = threading.Thread.start, threading.Thread.join, time.sleep
    ended: set[threading.Thread] = set()

    def start_as_actor(self: threading.Thread) -> None:
        if _line() is None or self.name not in THREADS:
            start(self)
            return
        name, run, begun = f"{os.environ[NAME]}.{self.name}", self.run, threading.Event()

        def acting() -> None:
            line = _here.line = _Line(name)
            line.tell(at="begin")
            begun.set()
            line._answers.readline()
            try:
                run()
            finally:
                _here.line = None
                ended.add(self)
                line.tell(at="end", ended=True)

        setattr(self, "run", acting)  # noqa: B010 - no assignment, to a checker of types
        start(self)
        begun.wait()

    def join_as_actor(self: threading.Thread, timeout: float | None = None) -> None:
        if _line() is None or self.name not in THREADS:
            join(self, timeout)
            return
        while self not in ended:
            if not wait(f"join {self.name}", timed=timeout is not None):
                return
        join(self, 60)

    def sleep_as_actor(seconds: SupportsIndex | float) -> None:
        if _line() is None:
            sleep(seconds)
        else:
            wait("sleep", timed=True)

    class Queue(queue._PySimpleQueue):  # type: ignore[name-defined]
        def get(self, *arguments: Any, **named: Any) -> Any:
            if _line() is not None and not arguments and not named:
                while self.empty():
                    wait("queue", timed=False)
            return super().get(*arguments, **named)

    threading.Thread.start = start_as_actor  # type: ignore[method-assign]
    threading.Thread.join = join_as_actor  # type: ignore[method-assign]
    time.sleep = sleep_as_actor
    # what waits there is for a program's end, which is no other actor's doing
    subprocess.time = SimpleNamespace(sleep=sleep)  # type: ignore[attr-defined]
    queue.SimpleQueue = Queue  # type: ignore[misc]


def _replace_clocks() -> None:
    """Let time pass by what an actor does, not by how fast the machine is."""
    for name in ("monotonic", "perf_counter"):
        clock = getattr(time, name)
        ticks = itertools.count()

        def told(clock: Any = clock, ticks: Iterator[int] = ticks, begun: float = clock()) -> float:
            return clock() if _line() is None else begun + TICK * next(ticks)

        setattr(time, name, told)


def _replace_names() -> None:
    token_hex, count = secrets.token_hex, itertools.count()

    def numbered(nbytes: int | None = None) -> str:
        line = _line()
        if line is None or nbytes is None:
            return token_hex(nbytes)
        return hashlib.sha256(f"{line.name} {next(count)}".encode()).hexdigest()[: 2 * nbytes]

    secrets.token_hex = numbered


def _replace_files(place: Path) -> None:
    """Pause before what changes the store's files, and before they are opened."""
    below = os.fspath(place / "mlruns") + os.sep

    def pausing(module: Any, name: str) -> None:
        function = getattr(module, name)

        @functools.wraps(function)
        def paused(path: Any, *arguments: Any, **named: Any) -> Any:
            if _line() is None or not isinstance(path, str | Path):
                return function(path, *arguments, **named)
            whole = os.path.abspath(path)  # noqa: PTH100 - no link is to be followed
            if not whole.startswith(below) or _is_mlflows(whole[len(below) :]):
                return function(path, *arguments, **named)
            pause(f"{name} {Path(whole).name}")
            return function(path, *arguments, **named)

        setattr(module, name, paused)

    listdir, scandir = os.listdir, os.scandir
    setattr(os, "listdir", lambda path=".": sorted(listdir(path)))  # noqa: B010 - as above
    setattr(os, "scandir", lambda path=".": _Sorted(scandir(path)))  # noqa: B010 - as above
    for name in ("replace", "rename", "unlink", "remove", "rmdir", "mkdir", "scandir", "listdir"):
        pausing(os, name)
    pausing(shutil, "rmtree")
    opened = builtins.open
    pausing(io, "open")
    assert builtins.open is opened
    builtins.open = io.open


class _Sorted:
    """The entries of a folder in the order of their names, as ``os.scandir`` gives them."""

    def __init__(self, entries: Any) -> None:
        with entries:
            self._entries = iter(sorted(entries, key=lambda entry: os.fspath(entry.name)))

    def __iter__(self) -> Iterator[Any]:
        return self._entries

    def __next__(self) -> Any:
        return next(self._entries)

    def __enter__(self) -> _Sorted:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go, as of what the system gives."""


def _is_mlflows(path: str) -> bool:
    """Whether MLflow or SQLite guard it themselves."""
    return path.startswith(("mlflow", "artifacts")) or path.endswith(".lock")
