"""A whole study through a fault, in real processes: nothing is lost and nothing done twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from attnstudy import runs
from attnstudy.files import read_sealed
from attnstudy.runs import Status
from attnstudy.tracking import open_store, read_runs, resolve
from tests.conftest import SMALL
from tests.faults.conftest import CHAOS
from tests.faults.content import embedded_content, store_content
from tests.waiting import PATIENCE, wait_for

STORE_DIR = Path("mlruns")
pytestmark = pytest.mark.usefixtures("processes")


def start(*arguments, **environment):
    """Start a command in a session of its own, to be killed with all its workers."""
    return subprocess.Popen(
        [sys.executable, "-m", "attnstudy", *arguments], env={**os.environ, **environment},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def empty(folder):
    """Make a working directory: a store in this process is opened once for each path."""
    folder.mkdir()
    return folder


def values(content):
    """Return what does not depend on when a study was run."""
    return {
        name: [
            {
                "params": run["params"],
                "status": run["status"],
                "metrics": {
                    key: [(step, value) for step, _, value in points]
                    for key, points in run["metrics"].items()
                    if key not in ("train_seconds", "images_per_second")
                },
                "models": [model["status"] for model in run["models"]],
                "outputs": run["outputs"],
                "files": sorted(run["files"]),
            }
            for run in found
        ]
        for name, found in content.items()
        if name != "models"
    }


@pytest.mark.long
def test_a_server_that_is_killed_and_started_again_during_a_study(
    cli, workplace, server, monkeypatch
):
    study = ("--variant", "vanilla", "--variant", "late", "--seeds", "2", "--study", "killed")
    child = start("run", *SMALL, *study, "--workers", "1", "--tracking-uri", server.uri)
    database, artifacts = server.folder / "server.db", server.folder / "artifacts"
    wait_for(lambda: len(store_content(database, "killed", artifacts)) > 1, child)
    server.kill()
    wait_for(lambda: sum(f.status.done for f in runs.run_folders(STORE_DIR, "killed")) >= 2, child)
    server.start()
    _, errors = child.communicate(timeout=PATIENCE)
    assert child.returncode == 0, errors
    assert "Traceback" not in errors
    answer = cli("sync", "killed", "--tracking-uri", server.uri)
    assert answer.code == 0, answer.err
    assert len(answer.out.splitlines()) == 1  # MLflow would print a link for every run
    found = store_content(database, "killed", artifacts)
    assert len(found) == 5  # four runs and the number of models
    assert found["models"] == 4
    # the same folders, published without a fault
    assert cli("sync", "killed").code == 0
    assert found == embedded_content(STORE_DIR, "killed")
    status = json.loads(cli("status", "killed", "--tracking-uri", server.uri, "--json").out)
    assert status["studies"][0]["undelivered"] == 0
    # and a study of its own that met no fault
    monkeypatch.chdir(empty(workplace / "another"))
    assert cli("run", *SMALL, *study, "--executor", "inline").code == 0
    assert values(found) == values(embedded_content(STORE_DIR, "killed"))


def test_a_run_killed_in_the_middle_is_not_shown_as_running_for_ever(cli, workplace):
    study = ("run", *SMALL, "--epochs", "100", "--variant", "vanilla", "--seeds", "1")
    child = start(*study)
    tracker = open_store(resolve(STORE_DIR, None))

    def published():
        found = read_runs(tracker, "placement")
        return bool(found) and "train_loss" in found[0].metrics

    wait_for(published, child)
    os.killpg(child.pid, signal.SIGKILL)
    child.communicate(timeout=PATIENCE)
    (folder,) = runs.run_folders(STORE_DIR, "placement")
    assert folder.status is Status.INTERRUPTED
    (run,) = read_runs(tracker, "placement")
    assert run.status == "running"
    assert "1 run not yet, or not as they are now" in cli("status").out
    assert cli("sync").code == 0
    (run,) = read_runs(tracker, "placement")
    assert run.status == "interrupted"
    assert tracker.client.get_run(run.run_id).info.status == "KILLED"
    answer = cli(*study)
    assert answer.code == 0, answer.err
    (again,) = read_runs(tracker, "placement")
    assert (again.run_id, again.status) == (run.run_id, "complete")
    for name, steps in (("train_loss", 800), ("val_accuracy", 100)):
        history = tracker.client.get_metric_history(run.run_id, name)
        assert len(history) == steps
        assert max(Counter(point.step for point in history).values()) == 1


@pytest.mark.long
@pytest.mark.parametrize("place", ["store/before-created", "store/after-created"][: 1 + CHAOS])
def test_a_store_whose_making_was_killed_is_made_by_the_next_command(cli, workplace, place):
    (STORE_DIR / "mlflow.db").unlink()
    study = ("run", *SMALL, "--variant", "vanilla", "--seeds", "1")
    child = start(*study, ATTNSTUDY_CRASH_AT=f"{place}:1")
    _, errors = child.communicate(timeout=PATIENCE)
    assert child.returncode == -signal.SIGKILL, errors
    assert (STORE_DIR / "mlflow.db").exists() == (place == "store/after-created")
    answer = cli(*study, "--json")
    assert answer.code == 0, answer.err
    assert json.loads(answer.out)["undelivered"] == 0
    assert not list(STORE_DIR.glob("mlflow-new*"))
    assert read_sealed(STORE_DIR / "store.json") == {"root": str(STORE_DIR.resolve())}
