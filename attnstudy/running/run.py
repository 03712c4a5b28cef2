"""A run that this process works on: what a training is given, see ``trainings.contract.Run``."""

from __future__ import annotations

import csv
import io
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from attnstudy import rng
from attnstudy.crashpoints import reach
from attnstudy.errors import UsageError
from attnstudy.executors import Channel, Stopped
from attnstudy.files import write_atomically
from attnstudy.running.jobs import Checkpointed, Job, Notice, Progress
from attnstudy.running.kept_folder import FolderWatch
from attnstudy.running.resuming import Resumed
from attnstudy.runs import (
    PREDICTIONS,
    Checkpoint,
    LogRecord,
    RunFolder,
    impossible_fact,
    is_metric_name,
    may_have,
    save_checkpoint,
)
from attnstudy.study import RunSpec
from attnstudy.trainings.contract import Diverged

_PROGRESS_EVERY = 0.2  # seconds
WEIGHTS = "weights.safetensors"


class PausedError(Exception):
    """Leaves a run that has come to where it was to pause."""


class ActiveRun:
    """A claimed run: gives the training what it needs, and keeps what it gives."""

    def __init__(
        self, job: Job, channel: Channel, resumed: Resumed, recorded: dict[str, str], data: Any
    ) -> None:
        """Start the clocks.

        Args:
            job: what is run.
            channel: to the process that ordered it.
            resumed: from where it goes on.
            recorded: what it is run with.
            data: what its training opened for it.

        """
        self.job, self.channel, self.data = job, channel, data
        self.spec: RunSpec = job.spec
        self.folder = RunFolder(job.folder.absolute())  # a training may go elsewhere
        self.recorded = recorded
        self.notes = list(resumed.notes)
        self.files: dict[str, None] = {}
        self.started_at = resumed.started_at
        self._resumed: Resumed | None = resumed
        self._records = resumed.records
        self._seconds_before = 0.0
        self._began = time.perf_counter()
        self._checkpointed = self._began
        self._told = 0.0
        self._shown: dict[str, float] = {}
        self._first: tuple[float, int] | None = None
        self._pause_value: float | None = None
        self._kept_there = FolderWatch(self.folder.path)

    # what it is

    @property
    def study(self) -> str:
        """Name of the study."""
        return self.spec.study

    @property
    def arm(self) -> str:
        """Name of the arm."""
        return self.spec.arm_name

    @property
    def seed(self) -> int:
        """Root of every random stream of the run."""
        return self.spec.seed

    @property
    def settings(self) -> Mapping[str, Any]:
        """All settings of the run by name."""
        return self.spec.settings

    @property
    def device(self) -> str:
        """``cpu`` or ``cuda``."""
        return self.job.device

    @property
    def threads(self) -> int:
        """Threads that the run may use."""
        return self.job.threads

    @property
    def tuning(self) -> bool:
        """Whether it is a run of a search."""
        return self.job.sealed

    @property
    def keeps_models(self) -> bool:
        """Whether models are kept."""
        return self.job.models and not self.job.sealed

    def rng(self, name: str) -> np.random.Generator:
        """Return NumPy's generator at the start of a stream of the run."""
        return np.random.default_rng(rng.stream_seed(self.seed, "user", name))

    def torch_generator(self, name: str) -> Any:
        """Return a PyTorch generator at the start of a stream of the run."""
        return rng.generator(self.seed, "user", name)

    # where it stands

    @property
    def should_stop(self) -> bool:
        """Whether it is to end where it can go on later."""
        return self.channel.stopping()

    @property
    def seconds(self) -> float:
        """Time of the run so far, without interruptions."""
        return self._seconds_before + time.perf_counter() - self._began

    @property
    def checkpoint_due(self) -> bool:
        """Whether a checkpoint is wanted now."""
        late = time.perf_counter() - self._checkpointed >= self.job.checkpoint_seconds
        return late or self.channel.stopping()

    @property
    def pause_at(self) -> int | None:
        """After how many steps, or epochs, it is to pause; None lets it go on to its end."""
        return self.job.until

    def restore(self) -> Any | None:
        """Return the newest state that is whole; None where there is none."""
        resumed, self._resumed = self._resumed, None
        if resumed is None or resumed.checkpoint is None:
            return None
        self._seconds_before = resumed.checkpoint.seconds
        self._began = time.perf_counter()
        value = self._value_at_pause()
        if value is not None:
            self.pause(value)
        return resumed.checkpoint.state

    def _value_at_pause(self) -> float | None:
        """Return how the run stood where it was to pause, if it was killed just there.

        Its checkpoint is from there, and the pause was not noted any more.
        """
        if self.job.until is None or self.job.metric is None:
            return None
        for record in self.folder.journal()[: self._records]:
            value = record.last(self.job.metric)
            if value is not None and record.step + 1 >= self.job.until:
                return value
        return None

    def _begin(self) -> None:
        """Begin anew where there is a state that nobody asked for."""
        resumed, self._resumed = self._resumed, None
        if resumed is not None and resumed.checkpoint is not None:
            text = "it was interrupted and began anew, because its training never calls restore()"
            self.channel.report(Notice(text))
            self.notes = [note for note in self.notes if note not in resumed.notes] + [text]
            self.folder.keep_records(0)
            self._records = 0

    def checkpoint(self, state: Any) -> None:
        """Keep a state; leave the training there if that is asked for."""
        self._begin()
        kept = Checkpoint(state, self.recorded, tuple(self.notes), self._records, self.seconds)
        save_checkpoint(self.folder.path, kept)
        self._checkpointed = time.perf_counter()
        if self.channel.stopping():
            raise Stopped
        self.channel.report(Checkpointed())
        if self._pause_value is not None:
            self.pause(self._pause_value)

    def pause(self, value: float) -> None:
        """Note how the run stands where it is to pause, and leave its training there."""
        assert self.job.until is not None
        self.folder.note_pause(self.job.until, value)
        raise PausedError

    def log(self, step: int, **metrics: float | Sequence[float]) -> None:
        """Add values to the journal; leave the training there if that is asked for."""
        if isinstance(step, bool) or not isinstance(step, int | np.integer) or step < 0:
            raise UsageError(f"log(step={step!r}): a step is a whole number from 0 on")
        if not metrics:
            raise UsageError("log() was given no metric: name one, as in log(step=3, loss=0.2)")
        values = {name: _numbers(name, value) for name, value in metrics.items()}
        self.record(LogRecord(int(step), self.seconds, values))
        if self._pause_value is not None:  # there was no checkpoint behind it
            self.pause(self._pause_value)
        watched = values.get(self.job.metric) if self.job.metric else None
        if watched and self.job.until is not None and step + 1 >= self.job.until:
            if not math.isfinite(watched[-1]):
                raise Diverged(int(step))  # nobody knows what that is worth
            self._pause_value = watched[-1]
        self.progress(int(step) + 1)
        if self.channel.stopping():
            raise Stopped

    def keep_alive(self) -> None:
        """Leave the training if that is asked for, and tell of what it keeps in ``checkpoint/``.

        What is run has no other way to be told, nor to tell.
        """
        if self.channel.stopping():
            raise Stopped
        if self._kept_there.changed():
            self.channel.report(Checkpointed())

    def record(self, record: LogRecord) -> None:
        """Add a line to the journal; what is not finite is left out, which JSON cannot say."""
        self._begin()
        finite = {n: v for n, v in record.values.items() if all(map(math.isfinite, v)) and v}
        self.folder.append(LogRecord(record.step, record.seconds, finite))
        self._records += 1
        self._shown |= {name: math.fsum(v) / len(v) for name, v in finite.items()}

    def progress(self, done: int, total: int | None = None) -> None:
        """Tell the command how far the run is, a few times a second."""
        reach("train/iteration")
        now = time.perf_counter()
        if now - self._told < _PROGRESS_EVERY:
            return
        self._told = now
        if self._first is None:
            self._first = now, done
        seconds, updates = now - self._first[0], done - self._first[1]
        self.channel.report(Progress(done, total, seconds, updates, dict(self._shown)))

    # what comes out

    def may_have(self, name: str) -> bool:
        """Whether a file of the result may have that name."""
        return may_have(name)

    def file(self, name: str) -> Path:
        """Return where to write a file that belongs to the result."""
        if not isinstance(name, str) or not self.may_have(name):
            raise UsageError(
                f"a run cannot have a file called {name!r}: use letters, digits, '_', '-' and '.', "
                "and no name that attnstudy uses itself"
            )
        self.files[name] = None
        return self.folder.path / name

    def write(self, name: str, content: bytes) -> None:
        """Keep a file of the result."""
        self.files[name] = None
        write_atomically(self.folder.path / name, content)

    def predictions(self, correct: Sequence[bool] | Sequence[int]) -> None:
        """Keep which test items were answered correctly."""
        answers = np.asarray(correct)
        if answers.ndim != 1 or not answers.size or not np.isin(answers, (0, 1)).all():
            raise UsageError(
                "predictions() takes one true or false (or 1 or 0) for each test item, in order"
            )
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["item", "correct"])
        writer.writerows(enumerate(answers.astype(int).tolist()))
        self.write(PREDICTIONS, text.getvalue().encode())

    def model(self, state: Any) -> None:
        """Keep tensors or arrays by name."""
        named = state.state_dict() if hasattr(state, "state_dict") else state
        if not self.keeps_models:
            return
        if not isinstance(named, Mapping) or not all(hasattr(v, "shape") for v in named.values()):
            raise UsageError(
                "model() takes a torch.nn.Module, or tensors or arrays by name: a model of another "
                "kind can be written to file(name)"
            )
        self.write(WEIGHTS, _safetensors(named))

    def describe(self, name: str, value: str) -> None:
        """Have something recorded with the result that is no metric and part of no identity."""
        if not isinstance(name, str) or not isinstance(value, str):
            raise UsageError(f"describe({name!r}, {value!r}) takes two texts, a name and a value")
        if (wrong := impossible_fact(name, value)) is not None:
            raise UsageError(f"describe(): {wrong}")
        self.recorded[name] = value

    def note(self, text: str) -> None:
        """Have a sentence stand with the result."""
        self.notes.append(" ".join(str(text).split()))


def check_metric_name(name: str) -> str:
    """Return the name of a metric if MLflow takes it: with another one no run could be published.

    Raises:
        UsageError: it does not.

    """
    if not is_metric_name(name):
        raise UsageError(
            f"{name!r} cannot be the name of a metric: use letters, digits, blanks and _ - . : /, "
            "at most 250 of them"
        )
    return name


def _numbers(name: str, value: Any) -> tuple[float, ...]:
    check_metric_name(name)
    try:
        values = np.atleast_1d(np.asarray(_plain(value), dtype=np.float64))
    except (TypeError, ValueError):
        values = np.zeros((0, 0))
    if values.ndim != 1 or not values.size:
        raise UsageError(f"log(): {name} is {value!r}: give a number, or a list of numbers")
    return tuple(values.tolist())


def _plain(value: Any) -> Any:
    """Return a tensor, or a list of tensors, as numbers."""
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.detach().cpu().tolist() if hasattr(value, "detach") else value


def _safetensors(named: Mapping[str, Any]) -> bytes:
    # copies: tied weights share memory, and the form has no word for that
    if all(hasattr(value, "detach") for value in named.values()):
        from safetensors.torch import save

        return save({name: _copied(value) for name, value in named.items()})
    from safetensors.numpy import save as save_arrays

    return save_arrays({name: np.array(value, order="C") for name, value in named.items()})


def _copied(tensor: Any) -> Any:
    return tensor.detach().cpu().clone().contiguous()
