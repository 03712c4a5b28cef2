"""Commands in real processes, without the seconds that importing torch and MLflow takes each time.

The zygote is a process that has imported everything and done nothing. For every command it forks
a child that becomes the command: its own process, which can be killed like any other.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COSTLY = (
    "attnstudy.render.ranking", "attnstudy.report.run", "attnstudy.usecases.running",
    "attnstudy.usecases.worker", "mlflow.pytorch", "mlflow.pyfunc",
    "mlflow.store.tracking.sqlalchemy_store", "matplotlib.backends.backend_agg", "networkx",
    "torch._dynamo",
    "torch._export.serde.serialize", "torch.export", "torch.export.pt2_archive._package",
)  # fmt: skip
"""What a command imports that takes long."""
SETTINGS = ("ATTNSTUDY_", "MLFLOW_TRACKING")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended; minus the signal's number where it was killed."""

    code: int
    out: str
    err: str


class Zygote:
    """Runs commands of the console script, one at a time."""

    def __init__(self) -> None:
        # alone in one thread: what is forked must have no threads that it would lose
        alone = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        # nor settings of other tests' that are still in force where a fixture is made
        plain = {k: v for k, v in os.environ.items() if not k.startswith(SETTINGS)}
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**plain, **alone},
        )
        assert self._answer() == "ready"

    def run(self, *arguments: str, cwd: Path, env: dict[str, str]) -> Ended:
        """Run ``attnstudy`` with these arguments to its end."""
        order = {"arguments": arguments, "cwd": str(cwd), "env": env}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        code = self._answer()
        return Ended(code, (cwd / "out.txt").read_text(), (cwd / "err.txt").read_text())

    def close(self) -> None:
        """End the zygote."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


def become(order: dict[str, Any]) -> None:
    """Be the command: never returns."""
    from attnstudy.cli import main

    os.chdir(order["cwd"])
    for descriptor, name in ((1, "out.txt"), (2, "err.txt")):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.update(order["env"])
    sys.argv = ["attnstudy", *order["arguments"]]
    code = 70
    try:
        main()
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def serve() -> None:
    """Import what commands import, then fork one for every line on standard input."""
    from attnstudy.tracking.opening import prepare_mlflow

    prepare_mlflow()
    for name in COSTLY:
        importlib.import_module(name)
    assert threading.active_count() == 1  # a fork keeps one

    answers = os.fdopen(os.dup(1), "w")
    orders = sys.stdin
    print(json.dumps("ready"), file=answers, flush=True)
    for line in orders:
        child = os.fork()
        if child == 0:
            become(json.loads(line))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(json.dumps(code), file=answers, flush=True)


if __name__ == "__main__":
    serve()
