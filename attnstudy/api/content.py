"""From the arguments of ``attnstudy.Study`` to what a study's file would say."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from numbers import Integral
from pathlib import Path
from typing import Any

from attnstudy.api.functions import Found
from attnstudy.errors import UsageError
from attnstudy.fields import Field
from attnstudy.seeds import parse_seeds, seeds_text
from attnstudy.studyfile import StudyFile, of_content

_RANKING = (
    "metric", "direction", "alpha", "correction", "control", "margin", "paired", "looks",
)  # fmt: skip


def study_of(
    name: str, found: Found | None, folder: str | os.PathLike[str] | None, said: Mapping[str, Any]
) -> StudyFile:
    """Return the study that a program declares.

    Args:
        name: of the study.
        found: its function; None where it has a command.
        folder: what its code and its command are relative to.
        said: the other arguments by name; None where one is left out.

    Raises:
        UsageError: something makes no sense.

    """
    if not isinstance(name, str):
        raise UsageError(f"the name of the study is {name!r}: give a text")
    given = {key: plain(value) for key, value in said.items() if value is not None}
    if found is None and "command" not in given:
        raise UsageError(
            f"{name}: say what is run: give train=, a function, or command=, a command line"
        )
    fields, settings = declared_settings(given.pop("settings", {}))
    content: dict[str, Any] = {
        key: given[key] for key in ("question", "command", "metrics", "code") if key in given
    }
    if found is not None:
        content["train"] = found.reference
    if "seeds" in given:
        content["seeds"] = seeds_of(given["seeds"])
    content["settings"] = settings
    content["arms"] = _arms(given.get("arms"))
    if "tasks" in given:
        content["tasks"] = _tables("tasks", "task", given["tasks"])
    content["ranking"] = {key: given[key] for key in _RANKING if key in given}
    if "ranking_tasks" in given:
        content["ranking"]["tasks"] = given["ranking_tasks"]
    study = of_content(content, name)
    assert study.own is not None
    own = replace(study.own, fields=fields)
    return replace(study, own=own, base=None if folder is None else Path(folder))


def declared_settings(settings: Any) -> tuple[tuple[Field, ...] | None, dict[str, Any]]:
    """Return the fields that are declared, if any, and the values that are given.

    Args:
        settings: a mapping of values; a dataclass, or one with values; or fields.

    Raises:
        UsageError: it is none of them.

    """
    from attnstudy.trainings.declared import fields_of

    if isinstance(settings, Mapping):
        return None, {str(name): plain(value) for name, value in settings.items()}
    if dataclasses.is_dataclass(settings) and not isinstance(settings, type):
        values = {f.name: plain(getattr(settings, f.name)) for f in dataclasses.fields(settings)}
        return fields_of(type(settings)), values
    if isinstance(settings, type):
        return fields_of(settings), {}
    if isinstance(settings, Iterable) and not isinstance(settings, str):
        return fields_of(settings), {}
    raise UsageError(
        f"settings is {settings!r}: give values by name, as in {{'lr': 0.1}}, or a dataclass"
    )


def _arms(arms: Any) -> dict[str, dict[str, Any]]:
    """Return the settings of each arm by its name."""
    if arms is None:
        return {}
    if isinstance(arms, str) or not isinstance(arms, Mapping | Iterable):
        raise UsageError(
            f"arms is {arms!r}: give the settings of each arm by its name, or a list of names"
        )
    if not isinstance(arms, Mapping):
        names = list(arms)
        if twice := [name for n, name in enumerate(names) if name in names[:n]]:
            raise UsageError(f"two arms are called {twice[0]!r}: name each once")
        return {name: {} for name in names}
    return _tables("arms", "arm", arms)


def _tables(what: str, one: str, given: Any) -> dict[str, dict[str, Any]]:
    """Return the settings of each arm, or each task, by its name."""
    if not isinstance(given, Mapping):
        raise UsageError(f"{what} is {given!r}: give the settings of each {one} by its name")
    tables = {}
    for name, settings in given.items():
        if not isinstance(settings, Mapping | None):
            raise UsageError(
                f"{what}[{name!r}] is {settings!r}: give its settings by name, as in {{'lr': 0.1}}"
            )
        tables[name] = {str(key): plain(value) for key, value in (settings or {}).items()}
    return tables


def seeds_of(seeds: Any) -> str:
    """Return seeds, however a program names them, as the command line takes them.

    >>> seeds_of(range(10)), seeds_of([7]), seeds_of(3)
    ('0-9', '7-7', '3')

    Raises:
        UsageError: they are no seeds.

    """
    if isinstance(seeds, str):
        parse_seeds(seeds)
        return seeds
    if _is_whole(seeds) and seeds >= 0:
        return seeds_of(str(seeds))
    if isinstance(seeds, Iterable):
        listed = list(seeds)
        if listed and all(_is_whole(seed) and seed >= 0 for seed in listed):
            if twice := [seed for n, seed in enumerate(listed) if seed in listed[:n]]:
                raise UsageError(f"seed {twice[0]} appears twice in seeds: name each seed once")
            return seeds_of(seeds_text([int(seed) for seed in listed]))
    raise UsageError(
        f"seeds is {seeds!r}: give a number (3 for 0 to 2), a list of whole numbers from 0 on, or "
        "a text such as '0-9'"
    )


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def plain(value: Any) -> Any:
    """Return what NumPy has as Python has it, and a tuple or range as a list."""
    if isinstance(value, list | tuple | range):
        return [plain(one) for one in value]
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        return value.tolist()
    return value
