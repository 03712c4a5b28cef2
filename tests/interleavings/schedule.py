"""Several commands at once of which one moves at a time: which one, a seed decides.

A schedule is random, with a tendency to stay with the actor that moved last; how strong that is,
is drawn too. Weak, steps are mixed finely; strong, commands change places a few times, which is
where most races need it (Burckhardt et al. 2010, "A randomized scheduler with probabilistic
guarantees of finding bugs").
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import select
import signal
import socket
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.crashes.zygote import Ended, Zygote
from tests.interleavings.actor import ADDRESS, NAME

STAY = (0.0, 0.5, 0.9, 0.98, 0.995)
"""How likely the actor that moved last moves next."""
LATE = 0.1
"""How likely a wait with a time limit is over before what it waits for."""
SECONDS = 120
"""In which an actor comes to its next pause, on any machine."""
MOST = 50_000


class StuckError(Exception):
    """No actor can move, or one does not come back."""


@dataclass
class _Actor:
    line: socket.socket
    answers: Any
    command: int
    pid: int = 0
    at: str = ""
    waits: bool = False
    timed: bool = False
    since: int = 0
    """What had been moved when it began to wait."""


@dataclass
class Played:
    """How the commands of a schedule ended, and in which order they moved."""

    ended: list[Ended]
    trace: list[str] = field(default_factory=list)
    killed: int | None = None
    """Which command was killed, if any."""


class Scheduler:
    """Plays schedules of commands in one folder."""

    def __init__(self, zygote: Zygote, place: Path, env: dict[str, str]) -> None:
        self.zygote, self.place, self.env = zygote, place, env

    def play(self, commands: Sequence[Sequence[str]], seed: int, *, kill: bool) -> Played:
        """Run commands to their ends, moved as the seed says; with ``kill``, one by SIGKILL.

        Raises:
            StuckError: they wait for each other, or one does not come to its next pause.

        """
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            door = stack.enter_context(socket.socket(socket.AF_UNIX))
            door.bind(str(folder / "door"))
            door.listen(64)
            threads = stack.enter_context(ThreadPoolExecutor(len(commands)))
            game = _Game(door, random.Random(seed), kill=kill)
            stack.callback(game.close)
            for number, words in enumerate(commands):
                env = {**self.env, ADDRESS: str(folder / "door"), NAME: str(number)}
                game.ends.append(
                    threads.submit(
                        self.zygote.run, *words, cwd=self.place, env=env,
                        said=str(number), first="tests.interleavings.actor:take_part",
                    )
                )  # fmt: skip
                game.welcome()
            game.play()
            ended = [end.result() for end in game.ends]
        return Played(ended, game.trace, game.killed)


class _Game:
    """One schedule, as it is played."""

    def __init__(self, door: socket.socket, chance: random.Random, *, kill: bool) -> None:
        self._door, self._chance = door, chance
        self._actors: dict[str, _Actor] = {}
        self._moves = 0
        self._last = ""
        self._stay = chance.choice(STAY)
        # few commands pass more pauses than that
        self._kill_at = int(chance.expovariate(1 / 200)) if kill else None
        self.ends: list[Future[Ended]] = []
        self.trace: list[str] = []
        self.killed: int | None = None

    def close(self) -> None:
        """Let go of all that are left: they end when they read that nobody answers."""
        for actor in self._actors.values():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(actor.pid, signal.SIGKILL)
            actor.line.close()

    def welcome(self) -> None:
        """Wait for an actor that is about to begin."""
        if not select.select([self._door], [], [], SECONDS)[0]:
            raise StuckError("a command does not begin")
        line, _ = self._door.accept()
        answers = line.makefile()
        message = json.loads(answers.readline())
        name = message["actor"]
        number = int(name.partition(".")[0])
        self._actors[name] = _Actor(line, answers, number, message["pid"], "begin")

    def play(self) -> None:
        """Move the actors until none is left."""
        while self._actors:
            name = self._next()
            actor = self._actors[name]
            if self._kill_at == len(self.trace) and self.killed is None:
                self.killed = actor.command
                os.kill(actor.pid, signal.SIGKILL)
                self._gone(actor.command)
                continue
            late = actor.waits and actor.timed and (
                actor.since == self._moves or self._chance.random() < LATE
            )  # fmt: skip
            self.trace.append(f"{name} {actor.at}{' late' if late else ''}")
            if len(self.trace) > MOST:
                raise StuckError(f"no end after {MOST} moves: {self.trace[-20:]}")
            actor.line.sendall(b"late\n" if late else b"go\n")
            self._hear(name, actor)
            self._last = name

    def _next(self) -> str:
        """Choose who moves."""
        free = [n for n, a in self._actors.items() if not a.waits or a.since < self._moves]
        if not free:  # what waits with a limit waits no longer
            free = [n for n, a in self._actors.items() if a.timed]
        if not free:
            at = {name: actor.at for name, actor in self._actors.items()}
            raise StuckError(f"each waits for another: {at}, after {self.trace[-20:]}")
        if self._last in free and self._chance.random() < self._stay:
            return self._last
        return self._chance.choice(sorted(free))

    def _hear(self, name: str, actor: _Actor) -> None:
        """Wait until an actor comes to its next pause, or to its end."""
        if not select.select([actor.line], [], [], SECONDS)[0]:
            raise StuckError(f"{name} does not come back from {actor.at}: {self.trace[-20:]}")
        answer = actor.answers.readline()
        for _ in self._knocking():
            self.welcome()
        message = json.loads(answer) if answer else {"ended": True}
        if message.get("ended"):
            self._moves += 1
            if "." in name:
                self._actors.pop(name).line.close()
            else:
                self._gone(actor.command)
            return
        waits = bool(message.get("waits"))
        if not (waits and actor.waits):  # it did something, and did not only look again
            self._moves += 1
        actor.at, actor.since = str(message["at"]), self._moves
        actor.waits, actor.timed = waits, bool(message.get("timed"))

    def _knocking(self) -> Iterator[None]:
        """Give an item for each actor that waits at the door: a thread that was started."""
        while select.select([self._door], [], [], 0)[0]:
            yield

    def _gone(self, command: int) -> None:
        """Take out a command whose process ends, once it has: until then it holds its locks."""
        self.ends[command].result(SECONDS)
        for name in [n for n, a in self._actors.items() if a.command == command]:
            self._actors.pop(name).line.close()
