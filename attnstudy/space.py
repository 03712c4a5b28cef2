"""What a search for hyperparameters may vary: fields of a specification, and their values.

A field is named as in ``TrialSpec``, and so is whatever is added there: its type and what it
refuses are read from it.
"""

from __future__ import annotations

import math
import typing
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from attnstudy.errors import UsageError, near_miss
from attnstudy.study import TrialSpec

SAMPLERS = ("tpe", "random")
PRUNERS = ("none", "wilcoxon", "median")

Value = int | float | str | tuple[int, int]
"""What a field of a specification can be."""

# what the images are is no hyperparameter, nor is the arithmetic
_FIXED = ("dataset_digest", "train_size", "val_size", "precision", "arm_fields")
_TYPES = typing.get_type_hints(TrialSpec)
SEARCHABLE = tuple(
    f.name for f in fields(TrialSpec) if f.metadata["role"] == "config" and f.name not in _FIXED
)
"""The fields that a search can vary."""


@dataclass(frozen=True, slots=True)
class Range:
    """All numbers between two, both included; whole numbers where the field is one."""

    low: float
    high: float
    log: bool = False
    """Whether equal ratios are equally likely, instead of equal differences."""

    def to_json(self) -> dict[str, Any]:
        """Return it as a study's file has it."""
        return {"low": self.low, "high": self.high, "log": self.log}

    @property
    def ends(self) -> tuple[Value, ...]:
        """The values that have to make sense for all to do."""
        return (self.low, self.high)

    @property
    def shown(self) -> str:
        """What people read."""
        return f"from {self.low:g} to {self.high:g}{', log scale' if self.log else ''}"


@dataclass(frozen=True, slots=True)
class Choice:
    """Some values."""

    values: tuple[Value, ...]

    def to_json(self) -> list[Any]:
        """Return it as a study's file has it."""
        return [list(value) if isinstance(value, tuple) else value for value in self.values]

    @property
    def ends(self) -> tuple[Value, ...]:
        """The values that have to make sense for all to do."""
        return self.values

    @property
    def shown(self) -> str:
        """What people read."""
        listed = (",".join(map(str, v)) if isinstance(v, tuple) else str(v) for v in self.values)
        return " or ".join(listed)


Dimension = Range | Choice


@dataclass(frozen=True, slots=True)
class Space:
    """The fields that are varied, in the order in which a specification has them."""

    dimensions: Mapping[str, Dimension]

    def to_json(self) -> dict[str, Any]:
        """Return it as a study's file has it."""
        return {name: dimension.to_json() for name, dimension in self.dimensions.items()}

    @property
    def shown(self) -> str:
        """All of it in a line."""
        return "; ".join(f"{name} {one.shown}" for name, one in self.dimensions.items())

    def most_epochs(self, otherwise: int) -> int:
        """Return the epochs that a trial trains at most; ``otherwise`` if they are not varied."""
        epochs = self.dimensions.get("epochs")
        return otherwise if epochs is None else max(int(end) for end in epochs.ends)  # type: ignore[arg-type]  # whole numbers


def default_space() -> Space:
    """Return what is varied when a study's file does not say."""
    return Space(
        {
            "batch_size": Choice((32, 64, 128)),
            "lr": Range(1e-4, 1e-2, log=True),
            "weight_decay": Range(1e-6, 1e-2, log=True),
        }
    )


def parse_space(table: Mapping[str, Any], where: str = "[tuning.space]") -> Space:
    """Return the space that a table of a study's file means.

    Args:
        table: by field: ``{low = 1e-4, high = 1e-2, log = true}`` or a list of values.
        where: what the table is called in errors.

    Raises:
        UsageError: a field is unknown, or a value is one that it cannot have.

    """
    if not table:
        raise UsageError(f"{where} is empty: name a field, as in lr = {{low = 1e-4, high = 1e-2}}")
    for name in table:
        if name not in SEARCHABLE:
            known = near_miss(name, SEARCHABLE) or f"; known: {', '.join(SEARCHABLE)}"
            raise UsageError(f"{where}: {name!r} is not a field that can be searched{known}")
    return Space(
        {
            name: _dimension(name, table[name], f"{where} {name}")
            for name in SEARCHABLE
            if name in table
        }
    )


def _dimension(name: str, given: Any, where: str) -> Dimension:
    if isinstance(given, dict):
        found: Dimension = _range(name, given, where)
    elif isinstance(given, list):
        found = _choice(name, given, where)
    else:
        raise UsageError(
            f"{where} is {given!r}: write {{low = ..., high = ...}} or a list of values"
        )
    for value in found.ends:
        try:
            # alone with the defaults: what two fields forbid together shows when they meet
            _smallest(**{name: value})
        except UsageError as error:
            raise UsageError(f"{where}: {error}") from error
    return found


def _smallest(**changes: Any) -> TrialSpec:
    return TrialSpec(
        study="x",
        dataset="x",
        variant="vanilla",
        seed=0,
        dataset_digest="",
        train_size=1,
        val_size=1,
        **changes,
    )


def _range(name: str, given: Mapping[str, Any], where: str) -> Range:
    known = ("low", "high", "log")
    for key in given:
        if key not in known:
            hint = near_miss(key, known) or f"; known: {', '.join(known)}"
            raise UsageError(f"{where}: unknown key {key!r}{hint}")
    if _TYPES[name] not in (int, float):
        raise UsageError(f"{where} is not a number: write a list of values")
    missing = [key for key in ("low", "high") if key not in given]
    if missing:
        raise UsageError(f"{where} lacks {missing[0]}: write {{low = ..., high = ...}}")
    low, high = (_number(name, given[key], f"{where}: {key}") for key in ("low", "high"))
    log = given.get("log", False)
    if not isinstance(log, bool):
        raise UsageError(f"{where}: log is {log!r}: write true or false")
    if low > high:
        raise UsageError(f"{where}: low is {low} and high is {high}: low must not be above high")
    if log and low <= 0:
        raise UsageError(f"{where}: low is {low}: with log = true it must be above 0")
    return Range(low, high, log)


def _choice(name: str, given: list[Any], where: str) -> Choice:
    if not given:
        raise UsageError(f"{where} is an empty list: name at least one value")
    values = tuple(_value(name, value, where) for value in given)
    twice = next((value for n, value in enumerate(values) if value in values[:n]), None)
    if twice is not None:
        raise UsageError(f"{where} has {twice!r} twice: name each value once")
    return Choice(values)


def _value(name: str, given: Any, where: str) -> Value:
    if _TYPES[name] in (int, float):
        return _number(name, given, where)
    if _TYPES[name] is str:
        if not isinstance(given, str):
            raise UsageError(f"{where} has {given!r}: its values are texts")
        return given
    whole = isinstance(given, list) and all(type(part) is int for part in given)
    if not whole or len(given) != 2:
        raise UsageError(f"{where} has {given!r}: its values are lists of two whole numbers")
    return int(given[0]), int(given[1])


def _number(name: str, given: Any, where: str) -> float:
    """Return a number of the field's type; to Python, true is a whole number."""
    whole = _TYPES[name] is int
    fits = isinstance(given, int if whole else (int, float)) and not isinstance(given, bool)
    if not fits or not math.isfinite(given):
        raise UsageError(f"{where} is {given!r}: give a {'whole ' * whole}number")
    return int(given) if whole else float(given)
