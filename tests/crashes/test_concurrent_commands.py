"""Several commands at once on one study, with a store that does not exist yet."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from attnstudy.runs import Status, run_folders
from attnstudy.tracking import open_store, read_runs, resolve
from tests.conftest import SMALL
from tests.stores import held

LONG = bool(os.environ.get("ATTNSTUDY_CHAOS"))
TIMES, COMMANDS = (20, [2, 4]) if LONG else (1, [2])


@pytest.mark.timeout(600)
@pytest.mark.parametrize("time", range(TIMES))
@pytest.mark.parametrize("commands", COMMANDS)
def test_every_seed_is_trained_once_and_the_store_is_whole(workplace, commands, time):
    Path("mlruns", "mlflow.db").unlink()  # created and migrated by whoever comes first
    words = ["run", *SMALL, "--variant", "vanilla", "--variant", "late", "--seeds", "4",
             "--workers", "1", "--wait", "--json"]  # fmt: skip
    children = [
        subprocess.Popen(
            [sys.executable, "-m", "attnstudy", *words],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(commands)
    ]  # fmt: skip
    ended = [child.communicate(timeout=500) for child in children]
    assert [child.returncode for child in children] == [0] * commands, ended
    answers = [json.loads(out) for out, _ in ended]
    trained = Counter((run["variant"], run["seed"]) for answer in answers
                      for run in answer["runs"] if run["trained"])  # fmt: skip
    assert trained == Counter({(v, s): 1 for v in ("vanilla", "late") for s in range(4)})
    # who waited has seen every run complete
    assert {run["status"] for answer in answers for run in answer["runs"]} == {"complete"}
    tracked = read_runs(open_store(resolve(Path("mlruns"), None)), "placement")
    assert Counter((run.arm, run.seed) for run in tracked) == trained
    assert {run.status for run in tracked} == {"complete"}
    with sqlite3.connect(Path("mlruns", "mlflow.db")) as database:
        assert database.execute("pragma integrity_check").fetchall() == [("ok",)]


@pytest.mark.long
def test_a_run_that_was_waited_for_and_then_fails_has_failed(workplace):
    words = [sys.executable, "-m", "attnstudy", "run", *SMALL, "--variant", "vanilla",
             "--seeds", "1", "--wait"]  # fmt: skip
    dies = {**os.environ, "ATTNSTUDY_CRASH_AT": "train/iteration:1"}
    subprocess.run(words, env=dies, check=False, capture_output=True)
    (folder,) = run_folders(Path("mlruns"), "placement")
    hold = contextlib.ExitStack()
    hold.enter_context(held(folder))
    with hold, subprocess.Popen(
        words, env=dies, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as child:  # fmt: skip
        said = [line for line in iter(child.stdout.readline, "") if not waits(line, hold)]
    assert child.returncode == 1, "".join(said)
    assert folder.status is Status.FAILED


def waits(line, hold):
    """Let go of a run as soon as the command says that it waits for it."""
    if line.startswith("waiting for 1"):
        hold.close()
    return False
