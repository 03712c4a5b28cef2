"""What a function of the user's own leaves running: it does not print into runs that are sealed."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.own import Own

TOP = 'train = "mine:train"\nseeds = 3'
WORDS = ("--executor", "processes", "--workers", "1", "--no-figures")
POOL = """
from joblib import Parallel, delayed


def item(seed, number):
    print("seed", seed, "item", number, flush=True)
    return number


def train(run):
    if run.seed == 1:
        list(zip(range(2), Parallel(n_jobs=2, return_as="generator")(
            delayed(item)(run.seed, number) for number in range(4))))
        raise RuntimeError("in the midst of it")
    return {"acc": sum(Parallel(n_jobs=2)(delayed(item)(run.seed, n) for n in range(4)))}
"""


@pytest.mark.rest
def test_processes_that_joblib_keeps_print_into_the_run_that_began_them(own: Own):
    """All runs are those of one worker; whoever reads what the command says need not wait."""
    pytest.importorskip("joblib")
    own.write(POOL, top=TOP)
    words = [sys.executable, "-m", "attnstudy", "run", "own", *WORDS]
    began = time.monotonic()
    ended = subprocess.run(words, cwd=own.place, capture_output=True, text=True, check=False)
    assert time.monotonic() - began < 120, "joblib ends its processes after 300 seconds"
    assert ended.returncode == 1, ended.stderr
    for name, folder in own.folders().items():
        seed = name[-1]
        printed = (folder.path / "output.log").read_text().splitlines()
        items = {line for line in printed if line.startswith("seed")}
        if seed == "1":
            assert items <= {f"seed 1 item {number}" for number in range(4)}
            assert "in the midst of it" in printed[-1]
        else:
            assert sorted(printed) == [f"seed {seed} item {number}" for number in range(4)]
        assert folder.damaged_files() == []


LEAVES = """
import os
import subprocess
import time


def train(run):
    with open("pids.txt", "a") as pids:
        loop = "echo begun; while true; do echo on; sleep 0.05; done"
        left = subprocess.Popen(["sh", "-c", loop])
        pids.write(f"{left.pid}\\n")
    time.sleep(0.3)
    if os.fork() == 0:
        return {"acc": 0.0}  # a copy that nobody ends
    return {"acc": 1.0}
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_a_process_that_is_left_behind_does_not_alter_a_result(own: Own):
    own.write(LEAVES, top='train = "mine:train"\nseeds = 2')
    words = ("run", "own", *WORDS)
    try:
        answer = own.command(*words)
        assert answer.code == 0, (answer.err, own.failures())
        time.sleep(0.3)
        for folder in own.folders().values():
            assert folder.result().metrics["acc"] == 1.0
            assert folder.damaged_files() == []
            assert (folder.path / "output.log").read_text().startswith("begun\non\n")
            assert not [path for path in folder.path.iterdir() if path.name.startswith(".")]
    finally:
        for pid in Path("pids.txt").read_text().split():
            subprocess.run(["kill", "-9", pid], check=False)
