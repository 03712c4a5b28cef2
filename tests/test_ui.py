"""``attnstudy ui``: whatever ends it ends its server with all that it has started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from attnstudy.tracking import open_store, resolve


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def of_session(leader: int) -> list[str]:
    """Return the command lines of the processes whose session began with one of those of ours."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            fields = (place / "stat").read_text().rpartition(")")[2].split()
            if fields[3] == str(leader) and fields[0] != "Z":
                found.append((place / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


@pytest.mark.rest
@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
@pytest.mark.timeout(180)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_with_its_children(tmp_path, number):
    port, store = free_port(), tmp_path / "mlruns"
    open_store(resolve(store, None))
    words = [sys.executable, "-m", "attnstudy", "ui", "--store", str(store), "--port", str(port)]
    child = subprocess.Popen(
        words, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        # who runs the tests may have Ctrl-C ignored, as a shell has it behind &
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        start_new_session=True, env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"},
    )  # fmt: skip
    try:
        servers = wait_for(child, port)
        os.kill(child.pid, number)
        _, said = child.communicate(timeout=60)
        assert child.returncode == 128 + number
        assert "The MLflow UI has ended." in said
        assert "Traceback" not in said
        assert "to go on from there" not in said
        assert [line for leader in servers for line in of_session(leader)] == []
    finally:
        child.kill()


def wait_for(child: subprocess.Popen[str], port: int) -> list[int]:
    """Wait until the UI answers; return the processes that were started by it."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        assert child.poll() is None, child.stderr.read()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2):
                break
        except OSError:
            time.sleep(0.5)
    children = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
    servers = [int(one) for one in children]
    assert any(of_session(one) for one in servers)
    return servers
