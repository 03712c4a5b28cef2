"""What the user sees while something is going on; all of it goes to stderr."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from attnstudy.files import discard
from attnstudy.redaction import without_passwords
from attnstudy.render.tables import duration
from attnstudy.runs import Status
from attnstudy.shown import in_line, in_lines, with_minus

if TYPE_CHECKING:
    from attnstudy.running.estimating import Estimate
    from attnstudy.running.jobs import Progress as TrainingProgress
    from attnstudy.running.outcomes import Outcome
    from attnstudy.study import RunSpec

PLAIN_EVERY = 30.0
"""Seconds between two lines of progress without a terminal."""
PLAIN_COUNT_EVERY = 5.0
"""Seconds between two lines of a count whose end is not known."""


class _Console(Console):
    """Says nothing more once nobody reads it; Rich would end the command."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        discard(sys.stderr)


class Terminal:
    """Shows progress: bars on a terminal, else a plain line now and then."""

    def __init__(self, *, quiet: bool = False, progress: bool = True) -> None:
        self.console: Console = _Console(stderr=True, highlight=False, soft_wrap=True)
        self.quiet = quiet
        self.bars = progress and not quiet and self.console.is_terminal
        self.plain = progress and not quiet and not self.console.is_terminal
        self._lock = threading.Lock()
        self._display: Progress | None = None
        self._total: TaskID | None = None
        self._rows: dict[int, TaskID] = {}
        self._current: dict[int, str] = {}
        self._runs = self._done = 0
        self._unit = "runs"
        self._last_line = 0.0

    def say(self, text: str) -> None:
        """Show a line, or several, unless the user wants quiet."""
        if not self.quiet:
            self._print(text)

    def warn(self, text: str) -> None:
        """Show a line that must not be missed."""
        self._print(f"Warning: {in_line(without_passwords(text))}", style="yellow")

    def _print(self, text: str, style: str | None = None) -> None:
        with self._lock:
            # through the bars' console, which puts the line above them
            self.console.print(in_lines(text), style=style, markup=False, emoji=False)

    def begin(self, specs: Sequence[RunSpec], workers: int) -> None:
        """Show how much there is to do."""
        arms = len({spec.arm_name for spec in specs})
        self.say(
            f"{len(specs)} run{'s' * (len(specs) != 1)} to train "
            f"({arms} arm{'s' * (arms != 1)}), "
            f"{min(workers, len(specs))} at once"
        )
        self._begin(len(specs), "all runs")

    def _begin(self, total: int, what: str) -> None:
        """Put up the bars, where there are some."""
        self._runs, self._unit = total, what.partition(" ")[2]
        self._done = 0
        self._rows.clear()  # of the bars before, which are gone
        self._last_line = time.monotonic()
        if self.bars:
            self._display = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=24),
                MofNCompleteColumn(),
                TextColumn("{task.fields[numbers]}", markup=False),
                TimeElapsedColumn(),
                TextColumn("eta"),
                TimeRemainingColumn(),
                console=self.console,
                transient=True,
            )
            self._total = self._display.add_task(what, total=total, numbers="starting workers")
            self._display.start()

    def started(self, worker: int, spec: RunSpec) -> None:
        """Show a run on its worker's row."""
        self._current[worker] = in_line(f"{spec.name} starting")
        if self._display is None:
            return
        if self._total is not None:
            self._display.update(self._total, numbers="")
        if worker not in self._rows:
            self._rows[worker] = self._display.add_task("", numbers="")
        self._display.reset(
            self._rows[worker], total=None, description=in_line(spec.name), numbers="starting"
        )

    def progress(self, worker: int, spec: RunSpec, progress: TrainingProgress) -> None:
        """Show how far a run is."""
        told = (f"{name} {with_minus(f'{value:.4g}')}" for name, value in progress.values.items())
        numbers = in_line("  ".join(told))
        of = "" if progress.total is None else f"/{progress.total}"
        self._current[worker] = in_line(f"{spec.name} {progress.done}{of} {numbers}")
        if self._display is not None:
            row = self._rows[worker]
            self._display.update(
                row, completed=progress.done, total=progress.total, numbers=numbers
            )
        self._plain_line()

    def ended(self, worker: int, spec: RunSpec, outcome: Outcome) -> None:
        """Show that a run ended; a failure is told at once."""
        self._done += 1
        self._current.pop(worker, None)
        if self._display is not None and self._total is not None:
            self._display.update(self._total, completed=self._done)
        if outcome.status is Status.FAILED:
            self.warn(f"{spec.name} failed: {outcome.reason}")
        elif outcome.status is Status.DIVERGED:
            self.say(in_line(f"{spec.name} diverged; that is its result"))
        self._plain_line()

    def _plain_line(self) -> None:
        now = time.monotonic()
        if self.plain and now - self._last_line >= PLAIN_EVERY:
            self._last_line = now
            running = "; ".join(self._current[worker] for worker in sorted(self._current))
            self.say(f"{self._done} of {self._runs} {self._unit} done; {running}")

    def estimated(self, estimate: Estimate) -> None:
        """Show how long the command will take."""
        for line in estimate_lines(estimate):
            self.say(line)

    def end(self) -> None:
        """Take the bars away."""
        if self._display is not None:
            self._display.stop()
            self._display = None

    @contextlib.contextmanager
    def decoding(self) -> Iterator[Callable[[int, int], None]]:
        """Show the decoding of a dataset, which happens once."""
        with self.counting("decoding images (once)", before="loading images") as update:
            yield update

    @contextlib.contextmanager
    def counting(
        self, what: str, *, plain_from: int = 0, before: str | None = None
    ) -> Iterator[Callable[[int, int | None], None]]:
        """Show a count: gives a function that takes how many are done, of how many if known.

        On a terminal it is named from the beginning, while libraries are imported; as ``before``
        until there is something to count, if that may be never.
        Without a terminal it is one line, once there are ``plain_from`` of them; where nobody
        knows how many there are, a line now and then and one at the end.
        """
        if not self.bars:
            shown = counted = 0
            last = 0.0

            def note(done: int, total: int | None) -> None:
                nonlocal shown, counted, last
                counted = done if total is None else total
                now = time.monotonic()
                due = not shown or (total is None and now - last >= PLAIN_COUNT_EVERY)
                if self.plain and due and counted >= max(plain_from, 1):
                    shown, last = counted, now
                    self.say(f"{what}: {counted:,}")

            yield note
            if 0 < shown < counted:
                self.say(f"{what}: {counted:,}")
            return
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
        )
        with Progress(*columns, console=self.console, transient=True) as bars:
            task = bars.add_task(before or what, total=None)
            yield lambda done, total: bars.update(
                task, description=what, completed=done, total=total
            )


def estimate_lines(estimate: Estimate) -> list[str]:
    """Return the time to expect, and what would make it shorter."""
    if estimate.seconds is None:
        runs = f"{estimate.runs} run{'s' * (estimate.runs != 1)}"
        return [f"How long {runs} will take is not known before one has begun."]
    lines = [
        f"About {duration(estimate.seconds)} of training for {estimate.runs} "
        f"run{'s' * (estimate.runs != 1)}, {min(estimate.workers, estimate.runs)} at once."
    ]
    if estimate.of_a_gpu_by_cpu:
        lines.append(
            "Timed on this machine's CPU, as nothing like it was trained on the GPU yet: a GPU "
            "takes a part of it, and the run says how much once it has begun."
        )
    if estimate.channel_seconds is not None:
        lines.append(
            f"With --attention channel (the notebook's code, another question) it would be about "
            f"{duration(estimate.channel_seconds)}."
        )
    return lines
