"""What the engine and a training owe each other.

A *training* is what is run once for each arm and seed. It declares the settings it takes and the
facts that identify it, and trains one run, or several together. The *engine* gives each run its
seed, its settings and named random streams, keeps its checkpoints, its log and its files, and tells
it when to stop. The engine knows nothing else of a training, and finds it through
``trainings.find`` alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from attnstudy.fields import Field, Settings

if TYPE_CHECKING:
    import numpy as np
    import torch

    from attnstudy.arms import Arm
    from attnstudy.runs import RunFolder
    from attnstudy.study import RunSpec


class Diverged(Exception):
    """Raised by a training whose numbers are no longer finite: that is its result.

    Examples:
        >>> raise Diverged(120)
        Traceback (most recent call last):
        attnstudy.trainings.contract.Diverged: 120

    """

    def __init__(self, step: int, metrics: Mapping[str, float] | None = None) -> None:
        """Say where.

        Args:
            step: of the first number that is not finite, counted from 0.
            metrics: what was measured before.

        """
        super().__init__(step)
        self.step = step
        self.metrics = dict(metrics or {})


class Run(Protocol):
    """One run, as the training sees it: what it is asked to do, and where it leaves what comes out.

    ``checkpoint`` and ``log`` end the training where it is to end: at Ctrl-C or SIGTERM, at the end
    of a time limit, and where a search pauses it. What they raise is for the engine and must not be
    caught; the next attempt goes on from ``restore``.
    """

    @property
    def study(self) -> str:
        """Name of the study."""
        ...

    @property
    def arm(self) -> str:
        """Name of the arm: what is compared."""
        ...

    @property
    def seed(self) -> int:
        """Root of every random stream of the run, from 0 to 2^63 - 1."""
        ...

    @property
    def settings(self) -> Mapping[str, Any]:
        """All settings of the run by name, those of its arm included."""
        ...

    @property
    def device(self) -> str:
        """``cpu`` or ``cuda``: where to train."""
        ...

    @property
    def threads(self) -> int:
        """Threads that the run may use; numerical libraries are told."""
        ...

    @property
    def tuning(self) -> bool:
        """Whether it is a run of a search, which must not look at test data."""
        ...

    @property
    def should_stop(self) -> bool:
        """Whether the next ``checkpoint`` or ``log`` will end the training here."""
        ...

    def rng(self, name: str) -> np.random.Generator:
        """Return NumPy's generator at the start of the run's stream of that name.

        Streams of other names, and of other seeds, are statistically independent.
        """
        ...

    def torch_generator(self, name: str) -> torch.Generator:
        """Return a PyTorch generator (on the CPU) at the start of the run's stream of that name."""
        ...

    def restore(self) -> Any | None:
        """Return the state that an earlier attempt gave to ``checkpoint`` last; else None."""
        ...

    def checkpoint(self, state: Any) -> None:
        """Keep a state to go on from; it is safe on disk when this returns.

        Args:
            state: tensors, arrays, numbers, texts, None, and dictionaries, lists and tuples of
                these; it comes back equal.

        Raises:
            UsageError: something else is in it, which is named.

        """
        ...

    def log(self, step: int, **metrics: float | Sequence[float]) -> None:
        """Log values at a step, counted from 0; several values are those of the steps up to it.

        Raises:
            UsageError: a value is not a number.

        """
        ...

    def progress(self, done: int, total: int | None = None) -> None:
        """Tell how far the training is; may be called as often as one likes."""
        ...

    def file(self, name: str) -> Path:
        """Return where to write a file that belongs to the result and is published with it.

        Raises:
            UsageError: no file of a run can have that name.

        """
        ...

    def predictions(self, correct: Sequence[bool] | Sequence[int]) -> None:
        """Keep which test items were answered correctly, in an order that all runs share.

        With them, ``rank`` can tell what holds for new test items as well.
        """
        ...

    def model(self, state: Any) -> None:
        """Keep a model: a ``torch.nn.Module``, or its tensors or arrays by name.

        It is written as ``weights.safetensors``, unless the command has ``--no-models``.
        """
        ...

    def note(self, text: str) -> None:
        """Have a sentence stand with the result."""
        ...


Metrics = Mapping[str, float]
Ended = Callable[[int, "Metrics | Exception"], None]
"""Told that a run is over: its place, and its metrics or what it raised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Materials:
    """What a command finds out about a training before any run: its facts, and its data."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    """Facts of all runs, by name; those of an arm come from ``Training.arm_facts``."""
    place: Any = None
    """Where a worker on this machine finds the data; it travels with every job."""
    data: Any = None
    """The data themselves, sent once to each machine that does not see this one's files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a command asks of a training, beside the seeds."""

    arms: Sequence[Arm]
    settings: Mapping[str, Any]
    """All by name; those of an arm go before them."""
    options: Mapping[str, Any]
    """What else the training is told: for the placements the dataset, its size and place."""


class Training(ABC):
    """What is run for each arm and seed. Made once, and without a state of its own."""

    kind: str | None = None
    """What a specification calls it; None is the training that is built in."""
    facts: tuple[Field, ...] = ()
    """What identifies it beside its settings, and names for the reader; each with its role."""
    settings: tuple[Field, ...] = ()
    """The settings that it declares, in the order in which runs record them."""
    accepts_others: bool = False
    """Whether it takes settings that it does not declare: JSON's scalars."""
    metrics: tuple[str, ...] | None = None
    """The names of its metrics; None where each run says what it has measured."""
    promises: tuple[str, ...] = ()
    """What holds for its runs, and on what condition, a sentence each."""
    modules: tuple[str, ...] = ()
    """What a worker imports for it; worth importing once for all workers."""

    def check_settings(self, given: Mapping[str, Any]) -> Settings:
        """Return settings as a specification holds them, those left out at their defaults.

        Raises:
            UsageError: a setting cannot have its value.
            TypeError: there is no such setting.

        """
        return Settings(self.settings, given, others=self.accepts_others)

    def check_facts(self, given: Mapping[str, Any]) -> Settings:
        """Return facts as a specification holds them; None where one is left out.

        Raises:
            UsageError: a fact cannot have its value.
            TypeError: there is no such fact.

        """
        return Settings(self.facts, given, lacking=True)

    def options(self, spec: RunSpec) -> list[str]:
        """Return the options of ``run`` that say a run's settings where no study's file does."""
        return []

    def arm_facts(self, arm: Arm) -> dict[str, Any]:
        """Return the facts that are an arm's own; none where an arm is its settings.

        Raises:
            UsageError: what the arm names is not there.

        """
        return {}

    @abstractmethod
    def known_facts(self, asked: Asked) -> dict[str, Any]:
        """Return the facts of all runs as far as they are known before any data are opened.

        Raises:
            UsageError: what is asked for makes no sense: a mistake must not cost a download.

        """

    @abstractmethod
    def prepare(
        self, asked: Asked, *, sealed: bool, progress: Callable[[int, int], None] | None = None
    ) -> Materials:
        """Open what the runs need, and find out the facts that all of them share.

        Args:
            asked: what is to be run.
            sealed: whether the test data are to stay out of it, as in a search.
            progress: called with what is done and its total, where it takes a while.

        Raises:
            UsageError: it does not work with these data.
            DataError: the data cannot be used.

        """

    def may_fuse(self, spec: RunSpec) -> bool:
        """Whether a run may be trained together with others that differ in their seeds alone."""
        return False

    def device(self, name: str, settings: Mapping[str, Any]) -> str:
        """Return the device of this machine, ``cpu`` or ``cuda``, that ``--device`` means.

        Raises:
            UsageError: it is not there, or cannot do what the settings ask for.

        """
        from attnstudy.trainings.devices import device_here

        return device_here(name)

    def steps(self, spec: RunSpec, materials: Materials) -> float | None:
        """Return a run's work in its steps; None if nobody knows before it was run."""
        return None

    def epochs(self, spec: RunSpec, steps: int) -> float:
        """Return how many epochs so many steps of a run are: each is one, if not said otherwise."""
        return float(steps)

    def step_seconds(
        self, spec: RunSpec, materials: Materials, threads: int, go_on: Callable[[], None]
    ) -> float | None:
        """Return the seconds of a step, measured here and now; None if that cannot be done.

        ``go_on`` is called again and again meanwhile; what it raises ends the measuring.
        """
        return None

    def quicker(self, spec: RunSpec) -> RunSpec | None:
        """Return the run with the setting that would save the most time; None if there is none."""
        return None

    def summary(self, specs: Sequence[RunSpec]) -> Sequence[str]:
        """Return what is to be run, in lines for the reader of ``--dry-run``."""
        return ()

    def open(self, place: Any, data: Any, *, sealed: bool) -> Any:
        """Return, in a worker, the data of a run; ``sealed`` are those without test data."""
        return None

    def describe(self, spec: RunSpec, data: Any) -> Mapping[str, Any] | None:
        """Return what is told about the data of a run, so that nobody needs them to tell it."""
        return None

    def code(self, specs: Sequence[RunSpec], data: Any) -> Mapping[str, bytes]:
        """Return sources that another machine needs, by path relative to ``sys.path``.

        Args:
            specs: of the runs.
            data: as ``prepare`` gave them.

        """
        return {}

    def require_same_code(self, specs: Sequence[RunSpec]) -> None:
        """Refuse to run, on another machine, what is other code there than where it was ordered.

        Raises:
            ImportError: naming it.

        """
        return

    @abstractmethod
    def train(self, runs: Sequence[Run], ended: Ended) -> None:
        """Train runs that differ in their seeds alone, each to its end."""

    def figures(self, folder: RunFolder) -> Mapping[str, bytes]:
        """Return the figures of a finished run: file names and contents."""
        return {}
