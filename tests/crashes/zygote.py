"""Commands in real processes, without the seconds that importing torch and MLflow takes each time.

The zygote is a process that has imported everything and done nothing. For every command it forks
a child that becomes the command: its own process, which can be killed like any other. One serves
all processes of a session of tests, over a socket, and ends with the session.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COSTLY = (
    "attnstudy.render.ranking", "attnstudy.running.run_study", "attnstudy.running.worker",
    "attnstudy.trainings.placement.declaration", "attnstudy.trainings.placement.figures",
    "attnstudy.trainings.placement.training_runs", "mlflow.pytorch", "mlflow.pyfunc",
    "mlflow.store.tracking.sqlalchemy_store", "matplotlib.backends.backend_agg", "networkx",
    "torch._dynamo",
    "torch._export.serde.serialize", "torch.export", "torch.export.pt2_archive._package",
)  # fmt: skip
"""What a command imports that takes long."""
SETTINGS = ("ATTNSTUDY_", "MLFLOW_TRACKING", "RAY_")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended; minus the signal's number where it was killed."""

    code: int
    out: str
    err: str


class Zygote:
    """Runs commands of the console script."""

    def __init__(self, address: Path) -> None:
        self.address = address

    def run(
        self, *arguments: str, cwd: Path, env: dict[str, str], said: str = "", first: str = ""
    ) -> Ended:
        """Run ``attnstudy`` with these arguments to its end.

        What it says goes to files whose names end with ``said``. ``first`` names a function
        (``module:function``) which its process calls before all else.
        """
        names = [f"{stream}{said}.txt" for stream in ("out", "err")]
        order = {
            "arguments": arguments, "cwd": str(cwd), "env": env, "names": names, "first": first
        }  # fmt: skip
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(self.address))
            line.sendall(json.dumps(order).encode() + b"\n")
            code = json.loads(line.makefile().readline())
        return Ended(code, *((cwd / name).read_text() for name in names))


def start(address: Path, owner: int) -> None:
    """Start a zygote that listens at an address until the process that owns it has ended."""
    from tests.waiting import wait_for  # not found by what runs this file

    # alone in one thread: what is forked must have no threads that it would lose
    alone = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    # nor settings of other tests' that are still in force where a fixture is made
    plain = {k: v for k, v in os.environ.items() if not k.startswith(SETTINGS)}
    with address.with_suffix(".log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, __file__, str(address), str(owner)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**plain, **alone},
        )  # fmt: skip
    wait_for(address.exists, process, address.with_suffix(".log").read_text)


def become(order: dict[str, Any]) -> None:
    """Be the command: never returns."""
    os.chdir(order["cwd"])
    for descriptor, name in enumerate(order["names"], start=1):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.update(order["env"])
    sys.argv = ["attnstudy", *order["arguments"]]
    code = 70
    try:
        from attnstudy.cli import main

        if order["first"]:
            module, _, function = order["first"].partition(":")
            sys.path.append(str(Path(__file__).parents[2]))  # where the tests are a package
            getattr(importlib.import_module(module), function)()
        main()
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def attend(line: socket.socket) -> None:
    """Fork a command for what is asked on a connection, and answer how it ended: never returns."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        order = json.loads(line.makefile().readline())
        child = os.fork()
        if child == 0:
            try:
                line.close()
                become(order)
            finally:
                os._exit(70)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        with contextlib.suppress(BrokenPipeError):  # a test that timed out does not wait for it
            line.sendall(json.dumps(code).encode() + b"\n")
    finally:
        os._exit(0)


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def serve(address: Path, owner: int) -> None:
    """Import what commands import, then fork for every connection."""
    from attnstudy.tracking.opening import prepare_mlflow

    prepare_mlflow()
    for name in COSTLY:
        importlib.import_module(name)
    assert threading.active_count() == 1  # a fork keeps one

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that attend
    with socket.socket(socket.AF_UNIX) as door:
        beginning = address.with_suffix(".beginning")
        door.bind(str(beginning))
        door.listen(64)
        door.settimeout(1)
        beginning.rename(address)
        while alive(owner):
            with contextlib.suppress(TimeoutError):
                line, _ = door.accept()
                with line:
                    line.setblocking(True)
                    if os.fork() == 0:
                        door.close()
                        attend(line)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
