"""What a search for hyperparameters may vary: settings of the training, and their values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from attnstudy.errors import UsageError, near_miss
from attnstudy.fields import Field
from attnstudy.trainings.placement.settings import SPACE, recorded_settings

SAMPLERS = ("tpe", "random")
PRUNERS = ("none", "wilcoxon", "median")

Value = int | float | str | tuple[int, int]
"""What a setting can be."""


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
        """The least and the greatest among its values are two of these."""
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
        """The least and the greatest among its values are two of these."""
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
    return parse_space(SPACE)


def parse_space(
    table: Mapping[str, Any],
    where: str = "[tuning.space]",
    fields: Sequence[Field] = recorded_settings(),
) -> Space:
    """Return the space that a table of a study's file means.

    Args:
        table: by field: ``{low = 1e-4, high = 1e-2, log = true}`` or a list of values.
        where: what the table is called in errors.
        fields: the settings of the training.

    Raises:
        UsageError: a field is unknown, or a value is one that it cannot have.

    """
    if not table:
        raise UsageError(f"{where} is empty: name a field, as in lr = {{low = 1e-4, high = 1e-2}}")
    searchable = {field.name: field for field in fields if field.searched}
    for name in table:
        if name not in searchable:
            known = near_miss(name, searchable) or f"; known: {', '.join(searchable)}"
            raise UsageError(f"{where}: {name!r} is not a field that can be searched{known}")
    return Space(
        {
            name: _dimension(field, table[name], f"{where} {name}")
            for name, field in searchable.items()
            if name in table
        }
    )


def _dimension(field: Field, given: Any, where: str) -> Dimension:
    if isinstance(given, dict):
        return _range(field, given, where)
    if isinstance(given, list):
        return _choice(field, given, where)
    raise UsageError(f"{where} is {given!r}: write {{low = ..., high = ...}} or a list of values")


def _range(field: Field, given: Mapping[str, Any], where: str) -> Range:
    known = ("low", "high", "log")
    for key in given:
        if key not in known:
            hint = near_miss(key, known) or f"; known: {', '.join(known)}"
            raise UsageError(f"{where}: unknown key {key!r}{hint}")
    if field.kind is str or field.parts:
        raise UsageError(f"{where} is not a number: write a list of values")
    missing = [key for key in ("low", "high") if key not in given]
    if missing:
        raise UsageError(f"{where} lacks {missing[0]}: write {{low = ..., high = ...}}")
    low, high = (field.check(given[key], f"{where}: {key}") for key in ("low", "high"))
    log = given.get("log", False)
    if not isinstance(log, bool):
        raise UsageError(f"{where}: log is {log!r}: write true or false")
    if low > high:
        raise UsageError(f"{where}: low is {low} and high is {high}: low must not be above high")
    if log and low <= 0:
        raise UsageError(f"{where}: low is {low}: with log = true it must be above 0")
    return Range(low, high, log)


def _choice(field: Field, given: list[Any], where: str) -> Choice:
    if not given:
        raise UsageError(f"{where} is an empty list: name at least one value")
    values = tuple(field.check(value, where) for value in given)
    twice = next((value for n, value in enumerate(values) if value in values[:n]), None)
    if twice is not None:
        raise UsageError(f"{where} has {twice!r} twice: name each value once")
    return Choice(values)
