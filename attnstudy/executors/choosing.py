"""An executor by its name."""

from __future__ import annotations

from attnstudy.errors import UsageError
from attnstudy.executors.base import Executor
from attnstudy.executors.inline import Inline
from attnstudy.executors.processes import Processes


def make_executor(name: str, workers: int) -> Executor:
    """Return the executor called ``name``.

    Raises:
        UsageError: there is none of that name.

    """
    if name == "processes":
        return Processes(workers)
    if name == "inline":
        return Inline()
    raise UsageError(f"unknown executor {name!r}: use processes or inline")
