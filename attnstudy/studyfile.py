"""Study files: ``studies/<name>/study.toml`` states the question and how it is to be answered.

Everything in a file is a default: the command line goes before environment variables, and
those before the file. A program says the same by ``attnstudy.Study``, and is checked alike.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from attnstudy.errors import UsageError, cause, near_miss
from attnstudy.fields import Field
from attnstudy.space import parse_space
from attnstudy.study import DEFAULT_STUDY, check_study_name
from attnstudy.studygrid import GRID, arms_of_grid, is_grid
from attnstudy.trainings.placement.arms import ARM_FIELDS
from attnstudy.trainings.placement.settings import SETTINGS, SIZES, setting
from attnstudy.trainings.placement.variants import BUILT_IN, check_variant

FILE_NAME = "study.toml"
FOLDER = Path("studies")

# table -> key -> a setting, or (types allowed, how they are called); "" is the top level
_TEXT = ((str,), "a text")
_WHOLE = ((int,), "a whole number")
_NUMBER = ((int, float), "a number")
_LIST = ((list, str), "a text or a list")
_Kind = tuple[tuple[type, ...], str] | Field
_KEYS: dict[str, dict[str, _Kind]] = {
    "": {
        "question": _TEXT,
        "variants": _LIST,
        "seeds": ((str, int, list), "a number, a text like '0-29' or a list"),
        "dataset": _TEXT,
        "train": _TEXT,
        "command": _TEXT,
        "metrics": _TEXT,
        "code": _LIST,
    },
    "training": {},
    "ranking": {
        "metric": _TEXT,
        "direction": _TEXT,
        "alpha": _NUMBER,
        "correction": _TEXT,
        "control": _TEXT,
        "margin": _NUMBER,
        "paired": ((bool,), "true or false"),
        "looks": ((list,), "a list of whole numbers"),
        "tasks": _TEXT,
    },
    "run": {
        "workers": ((int, str), "a number or 'auto'"),
        "fuse": ((int, str), "a number or 'auto'"),
        "threads": _WHOLE,
        "device": _TEXT,
        "executor": _TEXT,
        "address": _TEXT,
        "cpus_per_run": _NUMBER,
        "gpus_per_run": _NUMBER,
        "data_dir": _TEXT,
        "store": _TEXT,
        "tracking_uri": _TEXT,
    },
    "tuning": {
        "trials": _WHOLE,
        "seeds_per_trial": _WHOLE,
        "tuning_seeds": ((str, list), "a text like '100-102' or a list"),
        "pruner": _TEXT,
        "sampler": _TEXT,
        "sampler_seed": _WHOLE,
        "storage": _TEXT,
        "metric": _TEXT,
        "direction": _TEXT,
        "space": ((dict,), "a table of fields"),
    },
}
for _field in (*SIZES, *SETTINGS):
    _KEYS.setdefault(_field.table, {})[_field.name] = _field
_ARM_KEYS = {name: setting(name) for name in ARM_FIELDS}
TASK_RANKING: dict[str, _Kind] = {"metric": _TEXT, "direction": _TEXT}
_TASK_KEYS: dict[str, _Kind] = {
    "dataset": _TEXT,
    **{field.name: field for field in (*SIZES, *SETTINGS)},
    **TASK_RANKING,
}
ARMS = "arms"
TASKS = "tasks"
SETTINGS_TABLE = "settings"
_OWN_TRAINING = ("train", "command", "metrics", "code")
"""Keys of a file that says what is run: a function, or a command."""
_OF_PLACEMENTS = frozenset(
    {"dataset", "variants", *(field.name for field in (*SIZES, *SETTINGS)), "fuse", "data_dir"}
)
"""Keys that mean something to the placements alone."""
ARM_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
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
        return self.space is not None or any(key in self.options for key in _KEYS["tuning"])

    @property
    def folder(self) -> Path | None:
        """What its code and its command are relative to; None is where the command runs."""
        return self.base if self.path is None else self.path.parent

    def key(self, parameter: str) -> str:
        """Return what to call the key that gives a parameter its default: file, table, key."""
        key = "variants" if parameter == "variant" else parameter
        return self.place.of(next((t for t, keys in _KEYS.items() if key in keys), ""), key)

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


def find(argument: str | None, name: str | None, *, needs_file: bool = True) -> StudyFile:
    """Return the study that a command means.

    Args:
        argument: the positional STUDY: a study's name, its folder or its file.
        name: ``--study``: the name under which to run; its file is used when there is one.
        needs_file: whether STUDY must have a file; else it may be the name of a study.

    Raises:
        UsageError: STUDY names no file, or the file is not right.

    """
    if argument is not None:
        path = _locate(argument)
        if path is None and not needs_file:
            return StudyFile(check_study_name(name or argument))
        if path is None:
            known = sorted(p.parent.name for p in FOLDER.glob(f"*/{FILE_NAME}"))
            named = Path(argument)
            expected = named if named.suffix == ".toml" else FOLDER / named / FILE_NAME
            raise UsageError(
                f"there is no study {argument!r} ({expected} does not exist): "
                f"write that file, or name a study without one by --study"
                f"{near_miss(argument, known)}"
            )
    else:
        path = _locate(name or DEFAULT_STUDY)
    if path is None:
        return StudyFile(check_study_name(name or DEFAULT_STUDY))
    return _load(path, name)


def _locate(study: str) -> Path | None:
    candidates = (Path(study), Path(study) / FILE_NAME, FOLDER / study / FILE_NAME)
    try:
        return next((p for p in candidates if p.suffix == ".toml" and p.is_file()), None)
    except OSError:  # a name that no file can have, such as one of a thousand letters
        return None


def _load(path: Path, name: str | None) -> StudyFile:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not valid TOML: {error}") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {cause(error)}") from error
    return of_content(content, name or path.resolve().parent.name, path)


def of_content(content: Mapping[str, Any], name: str, path: Path | None = None) -> StudyFile:
    """Return the study that the content of a file means.

    Args:
        content: tables and keys, as TOML has them.
        name: of the study.
        path: of the file; None where a program says it.

    Raises:
        UsageError: a key is unknown, or has a wrong value.

    """
    left, place = dict(content), Place(path)
    options: dict[str, Any] = {}
    own = _own_training(place, left)
    tables = left.pop(ARMS, {})
    tables, of_grid = _with_grid(place, tables) if isinstance(tables, dict) else (tables, ())
    place = Place(path, frozenset(of_grid))
    arms = _arms(place, tables, of_placements=own is None)
    tasks = _tasks(place, left.pop(TASKS), of_placements=own is None) if TASKS in left else {}
    tuned_for = _tuned_for(place, left)
    for key, value in left.items():
        if isinstance(value, dict) and key in _KEYS and key:
            for inner, inner_value in value.items():
                options[inner] = _checked(place, key, inner, inner_value)
        else:
            options[key] = _checked(place, "", key, value)
    return StudyFile(
        name=check_study_name(name),
        path=path,
        question=options.pop("question", None),
        space=_space(place, options.pop("space", None), own),
        own=own,
        tuned_for=tuned_for,
        options=_as_parameters(options),
        arms=arms,
        tasks=tasks,
        of_grid=place.of_grid,
    )


def _tuned_for(place: Place, content: dict[str, Any]) -> dict[str, str]:
    """Take what a search is judged by out of a file's content."""
    tuning = content.get("tuning")
    if not isinstance(tuning, dict):
        return {}
    content["tuning"] = {k: v for k, v in tuning.items() if k not in ("metric", "direction")}
    return {
        key: str(_checked(place, "tuning", key, tuning[key]))
        for key in ("metric", "direction")
        if key in tuning
    }


def _own_training(place: Place, content: dict[str, Any]) -> OwnTraining | None:
    """Take what a file says of the user's own training out of its content."""
    given = {
        key: _checked(place, "", key, content.pop(key)) for key in _OWN_TRAINING if key in content
    }
    settings = content.pop(SETTINGS_TABLE, None)
    if "train" not in given and "command" not in given:
        if given or settings is not None:
            key = next(iter(given), f"[{SETTINGS_TABLE}]")
            raise UsageError(
                f"{place.of('', key)} belongs to a training of your own: name it with train = "
                "'package.module:function' or command = '...'"
            )
        return None
    if "train" in given and "command" in given:
        raise UsageError(
            f"{place.of('', 'train')} and command both say what is run: leave one of them out"
        )
    for table in ("", "training", "run"):
        inner = content if not table else content.get(table, {})
        for key in inner if isinstance(inner, dict) else ():
            if key in _OF_PLACEMENTS or (not table and key == "training"):
                raise UsageError(
                    f"{place.of(table, key)} is for the placements of "
                    f"attention, and this study runs a training of its own: put its settings into "
                    f"[{SETTINGS_TABLE}]"
                )
    if not isinstance(settings, dict | None):
        raise UsageError(
            f"{place.of('', SETTINGS_TABLE)} is a table: write [{SETTINGS_TABLE}] above it"
        )
    if given.get("metrics", "file") not in ("file", "stdout") or (
        "metrics" in given and "command" not in given
    ):
        raise UsageError(f"{place.of('', 'metrics')} is 'file' or 'stdout', and goes with command")
    code = given.get("code", ())
    return OwnTraining(
        function=given.get("train"),
        command=given.get("command"),
        metrics=given.get("metrics", "file"),
        code=(code,) if isinstance(code, str) else tuple(map(str, code)),
        settings=settings or {},
    )


def _with_grid(place: Place, tables: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the tables of arms with those that a grid makes in its place, and their names."""
    grid = tables.get(GRID)
    if not isinstance(grid, dict) or not is_grid(GRID, grid):
        return tables, ()
    others = {name: table for name, table in tables.items() if name != GRID}
    made = arms_of_grid(grid, others, place.of(f"{ARMS}.{GRID}"))
    return {**others, **made}, tuple(made)


def _arms(place: Place, tables: Any, *, of_placements: bool) -> dict[str, dict[str, Any]]:
    """Return the tables [arms.NAME], each with settings of its own."""
    known: dict[str, _Kind] = {"variant": _TEXT, **_ARM_KEYS}
    if not isinstance(tables, dict) or not all(isinstance(t, dict) for t in tables.values()):
        raise UsageError(
            f"{place.of('', ARMS)} are tables: write [{ARMS}.NAME] above the fields of one"
        )
    arms: dict[str, dict[str, Any]] = {}
    for name, table in tables.items():
        where = f"{ARMS}.{name}"
        if not isinstance(name, str) or ARM_NAME.fullmatch(name) is None:
            raise UsageError(
                f"{place.of(where)}: an arm's name is of letters, digits, '.', '_', '-'"
                + (f", and a value makes it {name[:120]!r}" if name in place.of_grid else "")
            )
        arms[name] = {}
        if not of_placements:
            arms[name] = dict(table)
            continue
        for key, value in table.items():
            if key not in known:
                hint = near_miss(key, known) or f"; known: {', '.join(known)}"
                written = f"{ARMS}.{GRID}" if name in place.of_grid else where
                raise UsageError(f"{place.path}: unknown key {f'[{written}] {key}'!r}{hint}")
            arms[name][key] = _typed(place, where, key, known[key], value)
        try:
            _check_variant(name, arms[name])
        except UsageError as error:
            raise UsageError(f"{place.of(where)} {error}") from error
    return arms


def _tasks(place: Place, tables: Any, *, of_placements: bool) -> dict[str, dict[str, Any]]:
    """Return the tables [tasks.NAME], each with what is the task's own."""
    if not isinstance(tables, dict) or not all(isinstance(t, dict) for t in tables.values()):
        raise UsageError(
            f"{place.of('', TASKS)} are tables: write [{TASKS}.NAME] above the settings of one"
        )
    if not tables:
        raise UsageError(f"{place.of('', TASKS)} is empty: name at least one, or leave it out")
    tasks: dict[str, dict[str, Any]] = {}
    for name, table in tables.items():
        where = f"{TASKS}.{name}"
        if not isinstance(name, str) or ARM_NAME.fullmatch(name) is None:
            raise UsageError(
                f"{place.of(where)}: a task's name is of letters, digits, '.', '_', '-'"
            )
        if twice := [other for other in tasks if other.lower() == name.lower()]:
            raise UsageError(
                f"{place.of(where)}: the tasks {twice[0]!r} and {name!r} differ in upper and lower "
                "case alone: rename one of them"
            )
        known = _TASK_KEYS if of_placements else TASK_RANKING
        for key in table:
            if of_placements and key not in known:
                hint = near_miss(key, known) or f"; known: {', '.join(known)}"
                raise UsageError(f"{place.path}: unknown key {f'[{where}] {key}'!r}{hint}")
        tasks[name] = {
            key: _typed(place, where, key, known[key], value) if key in known else value
            for key, value in table.items()
        }
    return tasks


def _check_variant(name: str, table: dict[str, Any]) -> None:
    if "variant" in table:
        check_variant(table["variant"])
    elif name not in BUILT_IN:
        raise UsageError("names no variant: add variant = '...' to it")


def _space(
    place: Place, table: dict[str, Any] | None, own: OwnTraining | None
) -> dict[str, Any] | None:
    if table is not None and own is None:
        parse_space(table, place.of("tuning.space"))  # a mistake is told by every command
    return table


def _checked(place: Place, table: str, key: str, value: Any) -> Any:
    known = _KEYS[table]
    if key not in known:
        where = f"[{table}] {key}" if table else key
        names = [*known, *(f"[{t}]" for t in (*_KEYS, ARMS, TASKS) if t and not table)]
        elsewhere = next((t for t, keys in _KEYS.items() if key in keys), None)
        hint = near_miss(key, names)
        if elsewhere is not None:
            hint = f"; it belongs {'into [' + elsewhere + ']' if elsewhere else 'above all tables'}"
        raise UsageError(
            f"{place.path}: unknown key {where!r}{hint or '; known: ' + ', '.join(names)}"
        )
    value = _typed(place, table, key, known[key], value)
    if key == "variants":
        _check_variants(place, [value] if isinstance(value, str) else value)
    return value


def _check_variants(place: Place, names: list[Any]) -> None:
    """Refuse a list that would mean something else than it seems to say."""
    where = place.of("", "variants")
    if not names:
        raise UsageError(f"{where} is empty: name at least one, or leave it out for all")
    if wrong := [name for name in names if not isinstance(name, str)]:
        raise UsageError(f"{where} must be texts, not {wrong[0]!r}")
    if twice := [name for number, name in enumerate(names) if name in names[:number]]:
        raise UsageError(f"{where}: {twice[0]!r} appears twice, name each variant once")


def _typed(place: Place, table: str, key: str, kind: _Kind, value: Any) -> Any:
    where = place.of(table, key)
    if isinstance(kind, Field):
        return kind.check(value, where)
    types, called = kind
    # to Python, true is a whole number
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise UsageError(f"{where} must be {called}, not {value!r}")
    if kind is _NUMBER and isinstance(value, int):
        return float(value)  # 1 and 1.0 are one setting
    return value


def _as_parameters(options: dict[str, Any]) -> dict[str, Any]:
    """Rename and join values so that they look as if typed on the command line."""
    if "variants" in options:
        variants = options.pop("variants")
        options["variant"] = [variants] if isinstance(variants, str) else variants
    for key, listed in options.items():
        if isinstance(listed, list | tuple) and key != "variant":
            # one seed in a list is that seed, while a bare number is a count
            single = key.endswith("seeds") and len(listed) == 1 and str(listed[0]).isdigit()
            options[key] = f"{listed[0]}-{listed[0]}" if single else ",".join(map(str, listed))
    return options
