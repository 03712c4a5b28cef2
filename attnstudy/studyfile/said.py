"""What a study says: its name, its training, its arms, and where each of them is said."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from attnstudy.fields import Field
from attnstudy.studyfile.keys import ARMS, KEYS, SETTINGS_TABLE, TASK_RANKING, TASKS
from attnstudy.studygrid import GRID

FILE_NAME = "study.toml"
FOLDER = Path("studies")
JOURNAL = "tuning.journal"
"""Where a study keeps its tuning, beside its file, unless it says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTraining:
    """The user's own training, as a file names it."""

    function: str | None = None
    """``package.module:function``."""
    command: str | None = None
    """A command line, with ``{seed}`` and the names of settings."""
    metrics: str = "file"
    """Where a command leaves its metrics: in a ``file``, or in its last line on ``stdout``."""
    code: tuple[str, ...] = ()
    """Files or folders, relative to the study's, that belong to its code."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Of all arms, by name."""
    fields: tuple[Field, ...] | None = None
    """The settings that a program declares beside its function; None if it does not."""
    source: str | None = None
    """The source of a function that exists in this process alone; None for one of a module."""

    @property
    def kind(self) -> str:
        """The kind of training, see ``trainings.registry``."""
        return "function" if self.command is None else "command"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a study says what it says, as errors call it."""

    path: Path | None
    """The file; None for a program."""
    of_grid: frozenset[str] = frozenset()
    """The arms that a grid makes, which are written nowhere else."""

    def of(self, table: str, key: str = "") -> str:
        """Return what a key is called, in a table of that name or above all tables."""
        if table in {f"{ARMS}.{name}" for name in self.of_grid}:
            table = f"{ARMS}.{GRID}"
        if self.path is not None:
            return f"{self.path}: {' '.join(filter(None, (table and f'[{table}]', key)))}"
        group, _, name = table.partition(".")
        if group in (ARMS, TASKS) and name:
            return f"{group}[{name!r}] {key}".rstrip()
        if (group, key) == ("ranking", TASKS):
            return "ranking_tasks"
        return key if key and group != SETTINGS_TABLE else f"{name or group} {key}".rstrip()

    def ask(self, table: str, key: str, example: str = "...") -> str:
        """Return how to write a key that is missing."""
        if self.path is not None:
            return f"write {key} = '{example}' under [{table}]"
        return f"give {key}='{example}'"


@dataclass(frozen=True, slots=True)
class StudyFile:
    """A study's name and what its file, or a program, says of it."""

    name: str
    """The folder's name; also the name of the MLflow experiment."""
    path: Path | None = None
    """The file; None for a study that has none."""
    base: Path | None = None
    """The folder of a study without a file; None is where the command runs."""
    question: str | None = None
    """What the study is to answer, for the reader."""
    options: dict[str, Any] = field(default_factory=dict)
    """Defaults for command options, by parameter name."""
    arms: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Arms with settings of their own, by name."""
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What each task says otherwise, by its name: dataset, settings, metric and direction."""
    of_grid: frozenset[str] = frozenset()
    """The arms that [arms.grid] makes."""
    task: str | None = None
    """The one of them that is meant; None means all."""
    space: dict[str, Any] | None = None
    """What a search for hyperparameters varies, as the file says it; None if it does not."""
    own: OwnTraining | None = None
    """What is run; None is the training that is built in."""
    tuned_for: dict[str, str] = field(default_factory=dict)
    """The ``metric`` and ``direction`` of a search, where the file names them."""

    @property
    def place(self) -> Place:
        """Where it is said."""
        return Place(self.path, self.of_grid)

    @property
    def declares_tuning(self) -> bool:
        """Whether it says how hyperparameters are searched."""
        return self.space is not None or any(key in self.options for key in KEYS["tuning"])

    @property
    def folder(self) -> Path | None:
        """What its code and its command are relative to; None is where the command runs."""
        return self.base if self.path is None else self.path.parent

    def key(self, parameter: str) -> str:
        """Return what to call the key that gives a parameter its default: file, table, key."""
        key = "variants" if parameter == "variant" else parameter
        return self.place.of(next((t for t, keys in KEYS.items() if key in keys), ""), key)

    @property
    def task_settings(self) -> dict[str, Any]:
        """What the task that is meant says of the training."""
        return {k: v for k, v in self._of_task.items() if k not in TASK_RANKING}

    @property
    def task_ranking(self) -> dict[str, Any]:
        """What the task that is meant says of the ranking: its metric, its direction."""
        return {k: v for k, v in self._of_task.items() if k in TASK_RANKING}

    @property
    def _of_task(self) -> dict[str, Any]:
        return {} if self.task is None else self.tasks[self.task]

    @property
    def journal(self) -> Path:
        """Where the study keeps its tuning when no other place is named."""
        return (FOLDER / self.name if self.path is None else self.path.parent) / JOURNAL
