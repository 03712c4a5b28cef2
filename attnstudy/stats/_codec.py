"""Frozen dataclasses to JSON-safe dictionaries and back, by their type hints."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from attnstudy.errors import UsageError


def encode(value: Any) -> Any:
    """Return ``value`` as strict JSON knows it; a number that is not finite becomes null."""
    if value is None or (isinstance(value, str | bool) and not isinstance(value, Enum)):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {name: encode(getattr(value, field)) for name, field in _names(type(value))}
    return value


@cache
def _names(kind: type[Any]) -> tuple[tuple[str, str], ...]:
    """Return the fields of a dataclass: their names in JSON, and in Python."""
    return tuple((key(one), one.name) for one in fields(kind))


def key(one: Field[Any]) -> str:
    """Return the name of a field in JSON, which may be an earlier one than that in Python."""
    return str(one.metadata.get("key", one.name))


def decode(kind: Any, value: Any, where: str = "ranking") -> Any:
    """Return ``value``, which ``encode`` gave, as an object of type ``kind``.

    Fields that ``kind`` does not know are passed over, so that a superset can be read.

    Raises:
        UsageError: ``value`` does not fit; ``where`` names the place.

    """
    if get_origin(kind) in (Union, UnionType):  # the first holds a Literal or none
        if value is None:
            return None
        kind = next(option for option in get_args(kind) if option is not NoneType)
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise _misfit(where, "a list", value)
        return tuple(
            decode(get_args(kind)[0], item, f"{where}[{index}]") for index, item in enumerate(value)
        )
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise _misfit(where, f"one of {', '.join(map(repr, get_args(kind)))}", value)
        return value
    if is_dataclass(kind) and isinstance(kind, type):
        return _decode_object(kind, value, where)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if issubclass(kind, Enum):
        try:
            return kind(value)
        except ValueError:
            raise _misfit(
                where, f"one of {', '.join(repr(m.value) for m in kind)}", value
            ) from None
    if type(value) is not kind:
        raise _misfit(where, kind.__name__, value)
    return value


def _decode_object(kind: type[Any], value: Any, where: str) -> Any:
    if not isinstance(value, Mapping):
        raise _misfit(where, "an object", value)
    hints = get_type_hints(kind)
    known = [f for f in fields(kind) if f.init]
    missing = sorted(key(f) for f in known if key(f) not in value and f.default is MISSING)
    if missing:
        raise UsageError(f"{where} lacks {missing[0]!r}: give JSON that 'attnstudy rank' wrote")
    given = [f for f in known if key(f) in value]  # fields with a default came later
    return kind(
        **{f.name: decode(hints[f.name], value[key(f)], f"{where}.{key(f)}") for f in given}
    )


def _misfit(where: str, wanted: str, value: object) -> UsageError:
    return UsageError(f"{where} must be {wanted}, not {value!r}: give what 'attnstudy rank' wrote")
