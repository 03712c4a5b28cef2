"""A server that runs for as long as something is measured on it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path


@contextlib.contextmanager
def serving(
    words: Sequence[str], place: Path, address: str, settings: Mapping[str, str] | None = None
) -> Iterator[int]:
    """Start a command that serves MLflow and wait until it answers; gives its process."""
    settings = {"MLFLOW_DISABLE_TELEMETRY": "true", **(settings or {})}
    with (place / "server.log").open("ab") as log:
        child = subprocess.Popen(
            words, cwd=place, stdout=log, stderr=log, start_new_session=True,
            env={**os.environ, **settings},
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 300
        while not _answers(address):
            if child.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"no server: {(place / 'server.log').read_text()}")
            time.sleep(0.2)
        yield child.pid
    finally:
        os.killpg(child.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(60)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
