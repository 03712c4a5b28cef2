"""The source of a function that is in no module: of a notebook, a lambda, a nested function."""

from __future__ import annotations

import dis
import inspect
import textwrap
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

from attnstudy.errors import UsageError

_SCALARS = (bool, int, float, str, type(None))


def source_of(function: FunctionType) -> str:
    """Return everything that is known to decide what a function does, as a text.

    That is its source, and what it names of the same place: functions, classes, and constants
    that are numbers or texts. A cell of a notebook that changed one of them makes another function.

    Raises:
        UsageError: its source cannot be had.

    """
    found: dict[str, str] = {}
    _add(function, function.__qualname__, found)
    return "\n".join(found.values())


def _add(function: FunctionType, name: str, found: dict[str, str]) -> None:
    """Add a function, and what it names, each under its name."""
    if name in found:
        return
    found[name] = _text(function)
    for used, value in _used(function):
        if isinstance(value, FunctionType) and value.__module__ == function.__module__:
            _add(value, value.__qualname__, found)
        elif isinstance(value, type) and value.__module__ == function.__module__:
            for method in filter(inspect.isfunction, vars(value).values()):
                _add(method, method.__qualname__, found)
        elif isinstance(value, _SCALARS):
            found.setdefault(f"{used} =", f"{used} = {value!r}")


def _text(function: FunctionType) -> str:
    try:
        return textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError) as error:
        raise UsageError(
            f"the source of {function.__qualname__} cannot be read, so nobody could tell whether "
            "it changed: write the function into a file or into a cell of a notebook"
        ) from error


def _used(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """Yield what a function takes from outside of it, by name, in the order of the names."""
    names = {
        str(step.argval)
        for code in _codes(function.__code__)
        for step in dis.get_instructions(code)
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    }
    outside = {name: function.__globals__[name] for name in names if name in function.__globals__}
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    for name, cell in cells:
        try:
            outside[name] = cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    yield from sorted(outside.items(), key=lambda item: item[0])


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of a function and of what is defined in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)
