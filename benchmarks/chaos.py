"""Kill a study at random moments until it is complete, again and again; then compare every bit.

``python benchmarks/chaos.py [KILLS]``. Each round is a small study on the digits in an empty
working directory. A command is started, and after a random time one of three is killed with
SIGKILL: the whole process group, the command alone (its workers become orphans), or one worker.
Then the same command is started again. A round ends when a command ends by itself; what it has
computed and published must equal that of a study that nobody disturbed.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from attnstudy import runs
from attnstudy.tracking import open_store, read_history, read_runs, resolve

WORDS = (
    "run", "--dataset", "digits", "--train-size", "256", "--val-size", "60", "--epochs", "3",
    "--channels", "4,4", "--batch-size", "32", "--variant", "double", "--variant", "vanilla",
    "--seeds", "3", "--checkpoint-minutes", "0", "--json",
)  # fmt: skip
RUNS = 6


def begin(place: Path, data: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "attnstudy", *WORDS],
        cwd=place,
        env={**os.environ, "ATTNSTUDY_DATA_DIR": str(data)},
        stdout=(place / "out.txt").open("wb"),
        stderr=(place / "err.txt").open("wb"),
        start_new_session=True,
    )


def children(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    with contextlib.suppress(OSError):
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def descendants(pid: int) -> list[int]:
    """Return the workers of a command, and the server that forks them."""
    return [found for child in children(pid) for found in (child, *descendants(child))]


def kill_something(child: subprocess.Popen[bytes], rng: random.Random) -> str:
    """Kill the group, the command or one of its workers; return which."""
    what = rng.choice(("group", "command", "worker"))
    workers = descendants(child.pid)
    with contextlib.suppress(ProcessLookupError):
        if what == "group":
            os.killpg(child.pid, signal.SIGKILL)
        elif what == "command" or not workers:
            what = "command"
            child.kill()
        else:
            os.kill(rng.choice(workers), signal.SIGKILL)
    return what


def computed(place: Path) -> dict[str, object]:
    """Return all that a study has, on disk and in MLflow, without the times."""
    store_dir = place / "mlruns"
    kept: dict[str, object] = {}
    for folder in runs.run_folders(store_dir, "placement"):
        started, result = folder.started(), folder.result()
        assert started is not None
        assert result is not None, folder.path
        assert folder.damaged_files() == [], folder.path
        journal = [(r.step, r.values) for r in folder.journal()]
        metrics = {k: v for k, v in result.metrics.items() if "second" not in k}
        files = [(folder.path / name).read_bytes()
                 for name in ("weights.safetensors", "predictions.csv")]  # fmt: skip
        kept[started.spec.name] = (metrics, journal, files)
    tracker = open_store(resolve(store_dir, None))
    tracked = read_runs(tracker, "placement")
    kept["published"] = [
        (run.name, run.status, read_history(tracker, run.run_id, "train_loss"),
         {k: v for k, v in run.metrics.items() if "second" not in k},
         len(tracker.client.get_run(run.run_id).outputs.model_outputs))
        for run in tracked
    ]  # fmt: skip
    assert len(kept) == RUNS + 1, sorted(kept)
    return kept


def one_round(place: Path, data: Path, rng: random.Random, longest: float) -> Counter[str]:
    """Disturb a study until it is complete; return what was killed how often."""
    kills: Counter[str] = Counter()
    finished: dict[Path, int] = {}
    while True:
        child = begin(place, data)
        try:
            code = child.wait(timeout=rng.uniform(0.0, longest))
        except subprocess.TimeoutExpired:
            kills[kill_something(child, rng)] += 1
            if child.poll() is None:  # a worker was killed: the command goes on, or retries
                continue_until = time.monotonic() + rng.uniform(0.0, longest)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(timeout=continue_until - time.monotonic())
                if child.poll() is None:
                    kills["command"] += 1
                    child.kill()
            code = child.wait()
        said = (place / "err.txt").read_text()
        assert "Traceback" not in said, said
        for path in place.glob("mlruns/runs/placement/*/result.json"):
            written = path.stat().st_mtime_ns
            assert finished.setdefault(path, written) == written, f"{path} was made twice"
        if code == 0:
            assert json.loads((place / "out.txt").read_text())["elsewhere"] == 0
            return kills


def main() -> int:
    asked = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    rng = random.Random(20)
    kills: Counter[str] = Counter()
    rounds = 0
    with tempfile.TemporaryDirectory() as temporary:
        base = Path(temporary)
        data, whole = base / "data", base / "whole"
        whole.mkdir()
        start = time.monotonic()
        child = begin(whole, data)
        assert child.wait() == 0, (whole / "err.txt").read_text()
        longest = 0.9 * (time.monotonic() - start)
        expected = computed(whole)
        while kills.total() < asked:
            place = base / f"round-{rounds}"
            place.mkdir()
            kills += one_round(place, data, rng, longest)
            assert computed(place) == expected, f"round {rounds} differs"
            rounds += 1
            print(f"{kills.total()} kills in {rounds} studies: {dict(kills)}", flush=True)
    print("every study equal to the undisturbed one, bit for bit")
    return 0


if __name__ == "__main__":
    sys.exit(main())
