"""Study files: ``studies/<name>/study.toml`` states the question and how it is to be answered.

Everything in a file is a default: the command line goes before environment variables, and
those before the file.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from attnstudy.arms import ARM_FIELDS
from attnstudy.errors import UsageError, cause, near_miss
from attnstudy.fields import Field
from attnstudy.settings import SETTINGS, SIZES, setting
from attnstudy.space import Space, parse_space
from attnstudy.study import BUILT_IN, DEFAULT_STUDY, check_study_name, check_variant

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
    },
    "training": {},
    "ranking": {
        "metric": _TEXT,
        "alpha": _NUMBER,
        "correction": _TEXT,
        "control": _TEXT,
        "margin": _NUMBER,
        "paired": ((bool,), "true or false"),
        "looks": ((list,), "a list of whole numbers"),
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
        "space": ((dict,), "a table of fields"),
    },
}
for _field in (*SIZES, *SETTINGS):
    _KEYS.setdefault(_field.table, {})[_field.name] = _field
_ARM_KEYS = {name: setting(name) for name in ARM_FIELDS}
ARMS = "arms"
ARM_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
JOURNAL = "tuning.journal"
"""Where a study keeps its tuning, beside its file, unless it says otherwise."""


@dataclass(frozen=True, slots=True)
class StudyFile:
    """A study's name and what its file says."""

    name: str
    """The folder's name; also the name of the MLflow experiment."""
    path: Path | None = None
    """The file; None for a study that has none."""
    question: str | None = None
    """What the study is to answer, for the reader."""
    options: dict[str, Any] = field(default_factory=dict)
    """Defaults for command options, by parameter name."""
    arms: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Arms with settings of their own, by name."""
    space: Space | None = None
    """What a search for hyperparameters varies; None if the file does not say."""

    def key(self, parameter: str) -> str:
        """Return what to call the key that gives a parameter its default: file, table, key."""
        key = "variants" if parameter == "variant" else parameter
        table = next((table for table, keys in _KEYS.items() if key in keys), "")
        return f"{self.path}: {f'[{table}] ' if table else ''}{key}"

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
    options: dict[str, Any] = {}
    arms = _arms(path, content.pop(ARMS, {}))
    for key, value in content.items():
        if isinstance(value, dict) and key in _KEYS and key:
            for inner, inner_value in value.items():
                options[inner] = _checked(path, key, inner, inner_value)
        else:
            options[key] = _checked(path, "", key, value)
    return StudyFile(
        name=check_study_name(name or path.resolve().parent.name),
        path=path,
        question=options.pop("question", None),
        space=_space(path, options.pop("space", None)),
        options=_as_parameters(options),
        arms=arms,
    )


def _arms(path: Path, tables: Any) -> dict[str, dict[str, Any]]:
    """Return the tables [arms.NAME], each with a variant and fields of its own."""
    known: dict[str, _Kind] = {"variant": _TEXT, **_ARM_KEYS}
    if not isinstance(tables, dict) or not all(isinstance(t, dict) for t in tables.values()):
        raise UsageError(f"{path}: arms are tables: write [{ARMS}.NAME] above the fields of one")
    arms: dict[str, dict[str, Any]] = {}
    for name, table in tables.items():
        where = f"[{ARMS}.{name}]"
        if ARM_NAME.fullmatch(name) is None:
            raise UsageError(f"{path}: {where}: an arm's name is of letters, digits, '.', '_', '-'")
        arms[name] = {}
        for key, value in table.items():
            if key not in known:
                hint = near_miss(key, known) or f"; known: {', '.join(known)}"
                raise UsageError(f"{path}: unknown key {where + ' ' + key!r}{hint}")
            arms[name][key] = _typed(path, f"{where} {key}", known[key], value)
        try:
            _check_variant(name, arms[name])
        except UsageError as error:
            raise UsageError(f"{path}: {where} {error}") from error
    return arms


def _check_variant(name: str, table: dict[str, Any]) -> None:
    if "variant" in table:
        check_variant(table["variant"])
    elif name not in BUILT_IN:
        raise UsageError("names no variant: add variant = '...' to it")


def _space(path: Path, table: dict[str, Any] | None) -> Space | None:
    return None if table is None else parse_space(table, f"{path}: [tuning.space]")


def _checked(path: Path, table: str, key: str, value: Any) -> Any:
    known = _KEYS[table]
    where = f"[{table}] {key}" if table else key
    if key not in known:
        names = [*known, *(f"[{t}]" for t in (*_KEYS, ARMS) if t and not table)]
        elsewhere = next((t for t, keys in _KEYS.items() if key in keys), None)
        hint = near_miss(key, names)
        if elsewhere is not None:
            hint = f"; it belongs {'into [' + elsewhere + ']' if elsewhere else 'above all tables'}"
        raise UsageError(f"{path}: unknown key {where!r}{hint or '; known: ' + ', '.join(names)}")
    value = _typed(path, where, known[key], value)
    if key == "variants":
        _check_variants(path, [value] if isinstance(value, str) else value)
    return value


def _check_variants(path: Path, names: list[Any]) -> None:
    """Refuse a list that would mean something else than it seems to say."""
    if not names:
        raise UsageError(f"{path}: variants is empty: name at least one, or leave it out for all")
    if wrong := [name for name in names if not isinstance(name, str)]:
        raise UsageError(f"{path}: variants must be texts, not {wrong[0]!r}")
    if twice := [name for place, name in enumerate(names) if name in names[:place]]:
        raise UsageError(f"{path}: variants: {twice[0]!r} appears twice, name each variant once")


def _typed(path: Path, where: str, kind: _Kind, value: Any) -> Any:
    if isinstance(kind, Field):
        return kind.check(value, f"{path}: {where}")
    types, called = kind
    # to Python, true is a whole number
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise UsageError(f"{path}: {where} must be {called}, not {value!r}")
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
