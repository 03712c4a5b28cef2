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

PASSWORD = "swordfish"  # of a server that lives as long as the tests


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """Start a server with an empty database; gives its address, with a password in it."""
    if shutil.which("initdb") is None or shutil.which("postgres") is None:
        pytest.skip("there is no Postgres on this machine")
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        user = None
        if os.geteuid() == 0:  # which Postgres refuses to be run by
            user = pwd.getpwnam("nobody").pw_uid
            os.chown(folder, user, -1)
        place = Path(folder, "data")
        word = Path(folder, "password")
        word.write_text(PASSWORD)
        word.chmod(0o644)
        subprocess.run(
            ["initdb", "-D", place, "-U", "tester", "-A", "scram-sha-256", "--no-sync",
             f"--pwfile={word}"],
            check=True, capture_output=True, user=user, cwd=folder,
        )  # fmt: skip
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with subprocess.Popen(
            ["postgres", "-D", place, "-p", str(port), "-h", "127.0.0.1", "-k", folder, "-F"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, user=user, cwd=folder,
        ) as server:  # fmt: skip
            try:
                assert server.stderr is not None
                for line in server.stderr:
                    if "ready to accept connections" in line:
                        break
                else:
                    pytest.fail("Postgres did not start")
                yield f"postgresql+psycopg2://tester:{PASSWORD}@127.0.0.1:{port}/postgres"
            finally:
                server.send_signal(signal.SIGINT)  # fast: it does not wait for its clients
                server.stderr.close()
