"""Whether a key of a study's file is one, and has a value that it may have."""

from __future__ import annotations

from typing import Any

from attnstudy.errors import UsageError, near_miss
from attnstudy.fields import Field
from attnstudy.studyfile.keys import ARMS, KEYS, NUMBER, TASKS, Kind
from attnstudy.studyfile.said import Place


def checked(place: Place, table: str, key: str, value: Any) -> Any:
    """Return the value of a key, as Python has it; refuse what is unknown or wrong."""
    known = KEYS[table]
    if key not in known:
        where = f"[{table}] {key}" if table else key
        names = [*known, *(f"[{t}]" for t in (*KEYS, ARMS, TASKS) if t and not table)]
        elsewhere = next((t for t, keys in KEYS.items() if key in keys), None)
        hint = near_miss(key, names)
        if not table and isinstance(value, dict):  # a table is meant, and no key
            tables = [name for name in names if name.startswith("[")]
            hint = near_miss(f"[{key}]", tables)
        if elsewhere is not None:
            hint = f"; it belongs {'into [' + elsewhere + ']' if elsewhere else 'above all tables'}"
        raise UsageError(
            f"{place.path}: unknown key {where!r}{hint or '; known: ' + ', '.join(names)}"
        )
    value = typed(place, table, key, known[key], value)
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


def typed(place: Place, table: str, key: str, kind: Kind, value: Any) -> Any:
    """Return a value of the type that its key holds."""
    where = place.of(table, key)
    if isinstance(kind, Field):
        return kind.check(value, where)
    types, called = kind
    # to Python, true is a whole number
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise UsageError(f"{where} must be {called}, not {value!r}")
    if kind is NUMBER and isinstance(value, int):
        return float(value)  # 1 and 1.0 are one setting
    return value
