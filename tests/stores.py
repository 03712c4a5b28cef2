"""Real stores for tests: trained studies, and processes that hold or kill something."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from attnstudy import runs
from attnstudy.runs import RunFolder
from tests.conftest import SMALL
from tests.waiting import wait_for

STUDY = "placement"
VARIANTS = ("--variant", "vanilla", "--variant", "double")
LONG = ("--variant", "vanilla", "--seeds", "7-7", "--epochs", "40")
"""One run that takes long enough to be killed; another configuration of the same study."""

HOLD = """
import sys
from pathlib import Path
from attnstudy.runs import RunFolder

with RunFolder(Path(sys.argv[1])).claim() as mine:
    print(mine, flush=True)
    sys.stdin.readline()
"""


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "attnstudy", *map(str, arguments)]


def train(store_dir: Path, *arguments: str) -> None:
    """Train small runs in a child, as a user does."""
    words = command("run", *SMALL, *arguments, "--store", store_dir, "--executor", "inline", "-q")
    subprocess.run(words, check=True, capture_output=True, text=True)


def train_and_kill(store_dir: Path, *arguments: str) -> None:
    """Start a training and kill it as soon as it has left a checkpoint."""
    words = command("run", *SMALL, *arguments, "--store", store_dir, "--executor", "inline", "-q")
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        wait_for(lambda: list(store_dir.glob("runs/*/*/checkpoint*.pt")), child)
        child.send_signal(signal.SIGKILL)


@contextlib.contextmanager
def held(folder: RunFolder) -> Iterator[None]:
    """Have another process hold a run."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder.path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as child:  # fmt: skip
        assert child.stdout is not None
        assert child.stdout.readline() == "True\n"
        try:
            yield
        finally:
            child.kill()


def run_named(store_dir: Path, name: str, study: str = STUDY) -> RunFolder:
    """Return a run's folder by the run's name."""
    (found,) = (f for f in runs.run_folders(store_dir, study) if f.started().spec.name == name)
    return found


def snapshot(folder: Path) -> dict[str, str]:
    """Return what is in a folder: the digest of every file, by relative path.

    Not of what the embedded store is opened with, by whatever command comes first.
    """
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in ("mlflow.db", "mlflow.lock", "store.json")
    }


def obey_permissions() -> None:
    """Make what this process executes next heed file permissions, even if root runs it."""
    if os.geteuid() == 0:
        for capability in (1, 2, 3):  # DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER
            ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


def as_a_plain_user(words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, preexec_fn=obey_permissions, capture_output=True, text=True, check=False
    )


def one_sentence(said: str) -> str:
    """Return what is said after checking that it is one line, and no traceback."""
    lines = [line for line in said.splitlines() if not line.endswith(("runs: 4", "runs: 5"))]
    assert len(lines) == 1, said
    assert lines[0].startswith("Error: ")
    assert "Traceback" not in said
    return lines[0]
