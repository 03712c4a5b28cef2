"""A Postgres server of the tests' own, where there is one to start."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.waiting import PATIENCE, wait_for

SUPERUSER = "tester"
PASSWORD = "swordfish"  # of a server that lives as long as the tests


class Postgres:
    """A server on loopback that can be stopped and started again on the same data."""

    def __init__(self, folder: Path) -> None:
        """Create its data in an empty folder, which the server's user is given."""
        self.folder = folder
        self.user = None
        if os.geteuid() == 0:  # which Postgres refuses to be run by
            self.user = pwd.getpwnam("nobody").pw_uid
            os.chown(folder, self.user, -1)
        word = folder / "password"
        word.write_text(PASSWORD)
        word.chmod(0o644)
        subprocess.run(
            ["initdb", "-D", folder / "data", "-U", SUPERUSER, "-A", "scram-sha-256", "--no-sync",
             f"--pwfile={word}"],
            check=True, capture_output=True, user=self.user, cwd=folder,
        )  # fmt: skip
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Of its first database, with the superuser's password in it."""
        return f"postgresql+psycopg2://{SUPERUSER}:{PASSWORD}@127.0.0.1:{self.port}/postgres"

    @property
    def log(self) -> str:
        """All that it has said."""
        path = self.folder / "log"
        return path.read_text() if path.exists() else ""

    def start(self) -> None:
        """Start it and wait until it accepts connections."""
        before = len(self.log)
        with (self.folder / "log").open("a") as log:
            self._process = subprocess.Popen(
                ["postgres", "-D", self.folder / "data", "-p", str(self.port), "-h", "127.0.0.1",
                 "-k", self.folder, "-F"],
                stdout=log, stderr=log, user=self.user, cwd=self.folder,
            )  # fmt: skip
        wait_for(
            lambda: "ready to accept connections" in self.log[before:],
            self._process,
            lambda: self.log[before:],
        )

    def stop(self, number: int = signal.SIGINT) -> None:
        """End it: fast, which does not wait for its clients, unless the signal says otherwise."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(timeout=PATIENCE)
            self._process = None


@contextlib.contextmanager
def postgres_server() -> Iterator[Postgres]:
    """Start a server with an empty database."""
    if shutil.which("initdb") is None or shutil.which("postgres") is None:
        pytest.skip("there is no Postgres on this machine")
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        server = Postgres(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """Start a server with an empty database; gives its address, with a password in it."""
    with postgres_server() as server:
        yield server.address
