"""Worker processes that a program starts: they must not run the program again."""

from __future__ import annotations

import multiprocessing
from functools import cache
from multiprocessing import spawn
from typing import Any

from attnstudy.errors import UsageError

_WORKER = "attnstudy-worker"
_MAIN = ("init_main_from_name", "init_main_from_path")


@cache
def leave_the_script_alone() -> None:
    """Have our workers not import the script that starts them, which Python does by default.

    They need nothing of it: a function of a script is imported by the name of its file, as any
    other. Other processes of the program are started as before.
    """
    before = spawn.get_preparation_data

    def prepared(name: str) -> dict[str, Any]:
        data: dict[str, Any] = before(name)
        if not name.startswith(_WORKER):
            return data
        return {key: value for key, value in data.items() if key not in _MAIN}

    spawn.get_preparation_data = prepared


def refuse_in_worker(what: str) -> None:
    """Refuse to run a study in a worker, where a script without a guard would start it again.

    Raises:
        UsageError: this process is a worker.

    """
    if multiprocessing.current_process().name.startswith(_WORKER):
        raise UsageError(
            f"{what} was called while a worker imported the script: put it under "
            "if __name__ == '__main__':"
        )
