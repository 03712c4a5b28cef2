"""``attnstudy ui``: it shows a study's runs, and ends with all that it has started."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from attnstudy.tracking import open_store, resolve
from tests.conftest import SMALL
from tests.stores import VARIANTS, command
from tests.waiting import PATIENCE, answers, wait_for


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
        servers = started_by(child, port)
        os.kill(child.pid, number)
        _, said = child.communicate(timeout=PATIENCE)
        assert child.returncode == 128 + number
        assert "The MLflow UI has ended." in said
        assert "Traceback" not in said
        assert "to go on from there" not in said
        assert [line for leader in servers for line in of_session(leader)] == []
    finally:
        child.kill()


def started_by(child: subprocess.Popen[str], port: int) -> list[int]:
    """Wait until the UI answers; return the processes that were started by it."""
    wait_for(lambda: answers(f"http://127.0.0.1:{port}/health"), child)
    children = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
    servers = [int(one) for one in children]
    assert any(of_session(one) for one in servers)
    return servers


AGAIN = (*SMALL, "--variant", "double", "--seeds", "0-0")
NOISE = (
    "AG Grid: since v27.1, `getRowNodeId` is deprecated",
    "AG Grid: since v27.1, `immutableData` is deprecated",
)
"""What MLflow's own pages say on the console."""
NOT_THERE = "/ajax-api/2.0/mlflow/users/current"
"""What they ask for of a server that has no users."""


@pytest.fixture
def opened(workplace: Path, cli: Any) -> Any:
    """The page that ``attnstudy ui --open`` opens of the study, and what happened on it."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="pip install -e '.[dev]' for Playwright"
    )
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("the test of the UI needs chromium on the PATH: apt-get install chromium")
    assert cli("run", *SMALL, *VARIANTS, "--seeds", "2", "-q").code == 0
    assert cli("run", *AGAIN, "--rerun", "-q").code == 0  # what it replaces is not counted
    assert cli("rank", "placement", "--log").code == 0
    browser, asked_for, port = workplace / "browser.sh", workplace / "address", free_port()
    browser.write_text(f'#!/bin/sh\necho "$1" > {asked_for}.new; mv {asked_for}.new {asked_for}\n')
    browser.chmod(0o755)
    child = subprocess.Popen(
        command("ui", "placement", "--open", "--port", port),
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        env={**os.environ, "BROWSER": f"{browser} %s"},
    )  # fmt: skip
    try:
        wait_for(asked_for.exists, child)
        address = asked_for.read_text().strip()
        with playwright.sync_playwright() as started:
            chrome = started.chromium.launch(executable_path=chromium)
            page = chrome.new_page(viewport={"width": 1400, "height": 900})
            happened: list[str] = []
            page.on(
                "console", lambda said: happened.append(f"{said.text} ({said.location['url']})")
            )
            page.on("pageerror", lambda error: happened.append(f"failed: {error}"))
            page.on("request", lambda asked: happened.append(f"asked for {asked.url}"))
            page.goto(address)
            yield page, address, happened, f"http://127.0.0.1:{port}/"
            chrome.close()
    finally:
        child.terminate()
        _, said = child.communicate(timeout=PATIENCE)
    assert address in said, "printed as well"


@pytest.mark.rest
def test_the_study_opens_by_arm_with_seed_and_metric(opened):
    page, address, happened, server = opened
    assert address.startswith(f"{server}#/experiments/")
    page.get_by_text("vanilla/seed=1", exact=True).wait_for(timeout=90_000)
    headings = page.locator("[role=columnheader][col-id]").all_text_contents()
    columns = {heading.strip() for heading in headings}
    assert {"variant", "seed", "test_accuracy"} < columns
    assert not {"Source", "Models", "Dataset"} & columns
    shown = [" ".join(row.split()) for row in page.locator("[role=row]").all_text_contents()]
    groups = [text for text in shown if "Group:" in text]
    assert any("Group: vanilla2" in text for text in groups), shown
    assert any("Group: double2" in text for text in groups), shown
    assert "ranking" not in " ".join(shown)  # the report has no part in a mean
    assert page.get_by_text("Group by: variant").count() == 1
    assert page.get_by_text("Sort: test_accuracy").count() == 1
    assert "Model training" in page.locator("nav, aside, body").first.text_content()
    asked = [one.removeprefix("asked for ") for one in happened if one.startswith("asked for")]
    assert [url for url in asked if not url.startswith((server, "data:", "blob:"))] == []
    rest = [one for one in happened if not one.startswith(("asked for", *NOISE))]
    assert [one for one in rest if NOT_THERE not in one] == []
