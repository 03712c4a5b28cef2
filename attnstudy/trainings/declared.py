"""How the author of a training declares its settings: with fields, or with a dataclass."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from attnstudy.errors import UsageError
from attnstudy.fields import Field, scalar
from attnstudy.study import reserved_names
from attnstudy.trainings.registry import find, kinds

F = TypeVar("F", bound=Callable[..., Any])
_DECLARED = "__attnstudy_settings__"
_KINDS = (bool, int, float, str)


def training(*, settings: type | Iterable[Field]) -> Callable[[F], F]:
    """Declare the settings of a training: they are then checked before anything runs.

    Args:
        settings: a dataclass whose fields are whole numbers, numbers, texts or true and false,
            each with a default; or ``Field`` objects, which can have bounds and choices.

    Raises:
        UsageError: a field cannot be a setting.

    Examples:
        >>> @training(settings=[Field("lr", float, 0.1, "Learning rate.", above=0)])
        ... def train(run):
        ...     return {"test_accuracy": 0.5}

    """
    fields = fields_of(settings)

    def decorate(function: F) -> F:
        setattr(function, _DECLARED, fields)
        return function

    return decorate


def declared_fields(function: Callable[..., Any]) -> tuple[Field, ...] | None:
    """Return the settings that a function declares; None if it declares none."""
    found: tuple[Field, ...] | None = getattr(function, _DECLARED, None)
    return found


def fields_of(settings: type | Iterable[Field]) -> tuple[Field, ...]:
    """Return a dataclass, or some fields, as fields.

    Raises:
        UsageError: a field cannot be a setting.

    """
    if dataclasses.is_dataclass(settings) and isinstance(settings, type):
        fields = tuple(_of_dataclass(settings))
    elif isinstance(settings, type):
        raise UsageError(
            f"settings are declared by a dataclass or by Fields, and {settings.__name__} is "
            "neither: write @dataclass above it"
        )
    else:
        fields = tuple(settings)
        if wrong := [field for field in fields if not isinstance(field, Field)]:
            raise UsageError(f"settings are declared by attnstudy.Field, not by {wrong[0]!r}")
    for field in fields:
        check_name(field.name)
    return fields


def _of_dataclass(settings: type) -> Iterable[Field]:
    kinds = typing.get_type_hints(settings)
    for field in dataclasses.fields(settings):
        if field.default is dataclasses.MISSING:
            raise UsageError(f"the setting {field.name} of {settings.__name__} needs a default")
        kind = kinds[field.name]
        if kind not in _KINDS:
            raise UsageError(
                f"the setting {field.name} of {settings.__name__} is declared as {kind}: a setting "
                "is an int, a float, a str or a bool"
            )
        yield Field(field.name, kind, field.default, field.metadata.get("help", ""))


def fields_by_value(
    values: Mapping[str, Any], others: Iterable[Mapping[str, Any]]
) -> tuple[Field, ...]:
    """Return fields for settings that nobody declared, each of the kind of its values.

    Args:
        values: the defaults, by name.
        others: what arms and a search give to the same settings: where one is a whole number in
            one place and a number in another, it is a number.

    Raises:
        UsageError: a value is no scalar, or the name is taken.

    """
    fields = []
    for name, value in values.items():
        check_name(name)
        scalar(value, f"the setting {name}")
        given = [value, *(other[name] for other in others if name in other)]
        numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in given)
        kind = float if numbers and any(isinstance(v, float) for v in given) else type(value)
        if kind in _KINDS:
            fields.append(Field(name, kind, value, ""))
    return tuple(fields)


def check_name(name: str) -> None:
    """Refuse a name that means something else in a run.

    Raises:
        UsageError: it does, or it is none.

    """
    if not name.isidentifier():
        raise UsageError(f"a setting cannot be called {name!r}: use letters, digits and '_'")
    facts = {fact.name for kind in kinds() if kind for fact in find(kind).facts}
    if name in reserved_names() | facts:
        raise UsageError(
            f"a setting cannot be called {name!r}, which every run has already: rename it"
        )
