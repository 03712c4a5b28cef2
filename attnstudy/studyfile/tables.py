"""The tables of a study's file that have names of the user's: arms, and tasks."""

from __future__ import annotations

from typing import Any

from attnstudy.errors import UsageError, near_miss
from attnstudy.studyfile.checking import typed
from attnstudy.studyfile.keys import (
    ARM_KEYS,
    ARM_NAME,
    ARMS,
    TASK_KEYS,
    TASK_RANKING,
    TASKS,
    TEXT,
    Kind,
)
from attnstudy.studyfile.said import Place
from attnstudy.studygrid import GRID, arms_of_grid, is_grid
from attnstudy.trainings.placement.variants import BUILT_IN, check_variant


def with_grid(place: Place, tables: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the tables of arms with those that a grid makes in its place, and their names."""
    grid = tables.get(GRID)
    if not isinstance(grid, dict) or not is_grid(GRID, grid):
        return tables, ()
    others = {name: table for name, table in tables.items() if name != GRID}
    made = arms_of_grid(grid, others, place.of(f"{ARMS}.{GRID}"))
    return {**others, **made}, tuple(made)


def arms_of(place: Place, tables: Any, *, of_placements: bool) -> dict[str, dict[str, Any]]:
    """Return the tables [arms.NAME], each with settings of its own."""
    known: dict[str, Kind] = {"variant": TEXT, **ARM_KEYS}
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
            arms[name][key] = typed(place, where, key, known[key], value)
        try:
            _check_variant(name, arms[name])
        except UsageError as error:
            raise UsageError(f"{place.of(where)} {error}") from error
    return arms


def tasks_of(place: Place, tables: Any, *, of_placements: bool) -> dict[str, dict[str, Any]]:
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
        known = TASK_KEYS if of_placements else TASK_RANKING
        for key in table:
            if of_placements and key not in known:
                hint = near_miss(key, known) or f"; known: {', '.join(known)}"
                raise UsageError(f"{place.path}: unknown key {f'[{where}] {key}'!r}{hint}")
        tasks[name] = {
            key: typed(place, where, key, known[key], value) if key in known else value
            for key, value in table.items()
        }
    return tasks


def _check_variant(name: str, table: dict[str, Any]) -> None:
    if "variant" in table:
        check_variant(table["variant"])
    elif name not in BUILT_IN:
        raise UsageError("names no variant: add variant = '...' to it")
