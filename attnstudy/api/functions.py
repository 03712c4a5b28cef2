"""Where a function is that a program gives: in a module, in its script, or in this process alone.

A worker imports what is in a module. A script's function is in a module too, that of its file, if
an import of the script does nothing else than define it: if what the script does stands under
``if __name__ == "__main__":``.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from attnstudy.errors import UsageError
from attnstudy.trainings.function import IN_PROCESS, check_reference, register
from attnstudy.trainings.in_process import source_of
from attnstudy.trainings.source import script_blocks


@dataclass(frozen=True, slots=True)
class Found:
    """A function and how others find it."""

    reference: str
    """``package.module:function``."""
    function: Callable[..., Any] | None = None
    """Itself, where this process has it already."""
    here_because: str | None = None
    """Why it can run in this process alone; None if workers can import it."""

    @property
    def source(self) -> str | None:
        """What identifies a function of this process alone; None for one of a module.

        Raises:
            UsageError: its source cannot be had.

        """
        if self.here_because is None:
            return None
        assert isinstance(self.function, FunctionType)
        return source_of(self.function)

    def register(self) -> None:
        """Have it found by its reference in this process."""
        if self.function is not None:
            register(self.reference, self.function)


def find_function(train: Callable[..., Any] | str) -> Found:
    """Return where a function is.

    Raises:
        UsageError: it is none.

    """
    if isinstance(train, str):
        return Found(check_reference(train))
    if not isinstance(train, FunctionType):
        raise UsageError(
            f"train is {train!r}: give a function, or its name as 'package.module:function'"
        )
    module, name = train.__module__, train.__qualname__
    if module == IN_PROCESS:
        return _of_script(train, sys.modules[IN_PROCESS])
    if getattr(sys.modules.get(module), name, None) is train and _can_be_imported(module):
        return Found(f"{module}:{name}", train)
    return Found(
        f"{IN_PROCESS}:{name}",
        train,
        f"{name} is in no module by a name of its own: define it at the top of one",
    )


def _of_script(train: FunctionType, main: ModuleType) -> Found:
    """Return a function of ``__main__``: of a script under the name of its file, if it can be."""
    name, file = train.__qualname__, getattr(main, "__file__", None)
    here = f"{IN_PROCESS}:{name}"
    if file is None or not _same(train.__code__.co_filename, file):
        return Found(here, train, f"{name} is of a notebook: write it into a module")
    if getattr(main, name, None) is not train:
        return Found(here, train, f"{name} is not at the top of its script: define it there")
    blocks = list(script_blocks(Path(file).read_bytes()))
    if not blocks:
        return Found(
            here,
            train,
            f"an import of {Path(file).name} would run all of it: put what it does under "
            "if __name__ == '__main__':",
        )
    first = train.__code__.co_firstlineno
    inside = any(block.lineno <= first <= (block.end_lineno or first) for block in blocks)
    spec = getattr(main, "__spec__", None)
    module = Path(file).stem if spec is None else spec.name
    if inside or not _can_be_imported(module, file):
        return Found(
            here,
            train,
            f"{name} cannot be imported as {module}.{name}: write it into a module",
        )
    return Found(f"{module}:{name}", train)


def _can_be_imported(module: str, file: str | None = None) -> bool:
    """Tell whether a module can be found by its name, in that file where one is given."""
    if not all(part.isidentifier() for part in module.split(".")):
        return False
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError, AttributeError):
        return False
    if spec is None or spec.origin is None:
        return False
    return _same(spec.origin, file or inspect.getsourcefile(sys.modules[module]) or "")


def _same(one: str, other: str) -> bool:
    return Path(one).is_file() and Path(other).is_file() and Path(one).samefile(other)
