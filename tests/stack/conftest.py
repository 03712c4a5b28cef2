"""The team's stack, started once: a database server, and the services of docker/compose.yaml."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.postgres import Postgres, postgres_server
from tests.stack.compose import Stack, words


@pytest.fixture(scope="package")
def postgres() -> Iterator[Postgres]:
    """A database server."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="package")
def fresh(postgres, tmp_path_factory, data_dir: Path, digits_folder: Path) -> Stack:
    """A stack with databases that are empty."""
    stack = Stack(tmp_path_factory.mktemp("stack"), postgres, data_dir)
    done = stack.create_databases()
    assert done.returncode == 0, done.stderr
    return stack


@pytest.fixture(scope="package")
def migrations(fresh: Stack) -> list[subprocess.CompletedProcess[str]]:
    """The ends of two ``migrate`` that were started at once on the fresh databases."""
    service = fresh.services["migrate"]
    both = [
        subprocess.Popen(
            words(service), env=fresh.environment("migrate"), cwd=fresh.folder,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    ended = [(process, *process.communicate(timeout=240)) for process in both]
    return [
        subprocess.CompletedProcess(process.args, process.returncode, out, err)
        for process, out, err in ended
    ]


@pytest.fixture(scope="package")
def stack(fresh: Stack, migrations) -> Iterator[Stack]:
    """The stack with its servers running."""
    try:
        # one worker process is enough for what a test asks, and starts in half the time
        fresh.launch("mlflow", SERVER_WORKERS="1")
        fresh.launch("dashboard")
        fresh.wait("mlflow")
        fresh.wait("dashboard")
        yield fresh
    finally:
        fresh.stop_all()


@pytest.fixture
def worker(stack: Stack) -> Mapping[str, str]:
    """The variables that a worker of the stack has, for commands in this process."""
    return {
        "MLFLOW_TRACKING_URI": stack.uri,
        "MLFLOW_TRACKING_USERNAME": "worker",
        "MLFLOW_TRACKING_PASSWORD": stack.secret("mlflow_worker_password"),
    }
