"""From the content of a study's file, or what a program says alike, to the study."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attnstudy.errors import UsageError
from attnstudy.space import parse_space
from attnstudy.study import check_study_name
from attnstudy.studyfile.checking import checked
from attnstudy.studyfile.keys import ARMS, KEYS, TASKS
from attnstudy.studyfile.own_training import own_training_of
from attnstudy.studyfile.said import OwnTraining, Place, StudyFile
from attnstudy.studyfile.tables import arms_of, tasks_of, with_grid


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
    _refuse_nul(place, content)
    options: dict[str, Any] = {}
    own = own_training_of(place, left)
    tables = left.pop(ARMS, {})
    tables, of_grid = with_grid(place, tables) if isinstance(tables, dict) else (tables, ())
    place = Place(path, frozenset(of_grid))
    arms = arms_of(place, tables, of_placements=own is None)
    tasks = tasks_of(place, left.pop(TASKS), of_placements=own is None) if TASKS in left else {}
    tuned_for = _tuned_for(place, left)
    for key, value in left.items():
        if isinstance(value, dict) and key in KEYS and key:
            for inner, inner_value in value.items():
                options[inner] = checked(place, key, inner, inner_value)
        else:
            options[key] = checked(place, "", key, value)
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


def _refuse_nul(place: Place, content: Mapping[str, Any], table: str = "") -> None:
    """Refuse the character that no path, no argument and no name can hold."""
    for key, value in content.items():
        if isinstance(value, Mapping) and "\0" not in str(key):
            _refuse_nul(place, value, f"{table}.{key}" if table else str(key))
        elif "\0" in str(key) or _holds_nul(value):
            shown = str(key).replace("\0", "\\0")
            raise UsageError(
                f"{place.of(table, shown)} holds the character U+0000, which no path and no name "
                "can have: leave it out"
            )


def _holds_nul(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_holds_nul, (*value, *value.values())))
    if isinstance(value, list | tuple):
        return any(map(_holds_nul, value))
    return isinstance(value, str) and "\0" in value


def _tuned_for(place: Place, content: dict[str, Any]) -> dict[str, str]:
    """Take what a search is judged by out of a file's content."""
    tuning = content.get("tuning")
    if not isinstance(tuning, dict):
        return {}
    content["tuning"] = {k: v for k, v in tuning.items() if k not in ("metric", "direction")}
    return {
        key: str(checked(place, "tuning", key, tuning[key]))
        for key in ("metric", "direction")
        if key in tuning
    }


def _space(
    place: Place, table: dict[str, Any] | None, own: OwnTraining | None
) -> dict[str, Any] | None:
    if table is not None and own is None:
        parse_space(table, place.of("tuning.space"))  # a mistake is told by every command
    return table


def _as_parameters(options: dict[str, Any]) -> dict[str, Any]:
    """Rename and join values so that they look as if typed on the command line."""
    if "variants" in options:
        variants = options.pop("variants")
        options["variant"] = [variants] if isinstance(variants, str) else variants
    for key, listed in options.items():
        if isinstance(listed, list | tuple) and key != "variant":
            # one seed in a list is that seed, while a bare number is a count
            single = key.endswith("seeds") and len(listed) == 1 and str(listed[0]).isdecimal()
            options[key] = f"{listed[0]}-{listed[0]}" if single else ",".join(map(str, listed))
    return options
