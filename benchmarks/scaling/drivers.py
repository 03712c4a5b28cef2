"""Several machines, each with a store of its own, that publish to one server at the same time."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from attnstudy.runs import run_folders
from attnstudy.tracking import open_store, read_history, read_runs, resolve
from benchmarks.scaling import synthetic
from benchmarks.scaling.serving import serving


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of it."""

    drivers: int
    runs: int
    """In the server at the end: each once, and whole."""
    seconds: float
    """From the start of the commands to the end of the last."""
    trained: int
    """Of them, by these commands; the others were trained before and only sent."""
    gave_up: int
    """Commands that ended without having delivered everything; ``sync`` delivered the rest."""

    @property
    def an_hour(self) -> float:
        """Runs delivered."""
        return 3600 * self.runs / self.seconds


def measure(place: Path, uri: str, drivers: int, each: int, trained: int) -> Measured:
    """Have so many commands publish so many runs each.

    Args:
        place: for their stores.
        uri: of the server.
        drivers: how many.
        each: runs of each that lie finished in its store.
        trained: runs that each has to train besides.

    Raises:
        SystemExit: a run is missing, twice there, or not whole.

    """
    study = f"{synthetic.STUDY}-{drivers}"
    pattern = synthetic.make_pattern(place / f"pattern-{drivers}")
    store_dirs: list[tuple[Path, int]] = []
    for number in range(drivers):
        store_dir = place / f"machine-{drivers}-{number}"
        first = number * (each + trained)
        seeds = range(first, first + each)
        synthetic.fill(
            store_dir,
            pattern,
            [synthetic.renamed(pattern.started.spec, study, seed) for seed in seeds],
        )
        store_dirs.append((store_dir, first))
    began = time.perf_counter()
    commands = [
        synthetic.attnstudy(
            "run", *synthetic.SMALL, "--variant", "double", "--executor", "inline", "-q",
            "--seeds", f"{first}-{first + each + trained - 1}", "--store", store_dir,
            "--tracking-uri", uri, "--study", study,
        )
        for store_dir, first in store_dirs
    ]  # fmt: skip
    gave_up = sum("Warning" in said for said in _together(commands))
    if gave_up:  # a server that is too busy to answer in time: the next command delivers
        sync = [
            synthetic.attnstudy("sync", study, "--store", store_dir, "--tracking-uri", uri, "-q")
            for store_dir, _ in store_dirs
        ]
        _together(sync)
    seconds = time.perf_counter() - began
    _check(store_dirs, study, uri, drivers * (each + trained))
    return Measured(drivers, drivers * (each + trained), seconds, drivers * trained, gave_up)


def _together(commands: Sequence[Sequence[str]]) -> list[str]:
    """Run commands at the same time; return what each warned of."""
    children = [
        subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for words in commands
    ]
    warned = []
    for child in children:
        _, told = child.communicate()
        if child.returncode:
            raise SystemExit(f"a driver ended with {child.returncode}: {told}")
        warned.append(told)
    return warned


def _check(store_dirs: list[tuple[Path, int]], study: str, uri: str, expected: int) -> None:
    """Compare the server with the folders: every run once, every loss once, every number."""
    tracker = open_store(resolve(store_dirs[0][0], uri))
    shown = read_runs(tracker, study, deleted=True)
    twice = [seed for seed, count in Counter(run.seed for run in shown).items() if count > 1]
    if len(shown) != expected or twice:
        raise SystemExit(f"{len(shown)} runs are there, {expected} were sent; twice: {twice}")
    by_print = {run.tags["attnstudy.fingerprint"]: run for run in shown}
    for store_dir, _ in store_dirs:
        for folder in run_folders(store_dir, study):
            run, result = by_print[folder.path.name], folder.result()
            assert result is not None
            assert run.status == "complete"
            assert run.metrics["test_accuracy"] == result.metrics["test_accuracy"]
            losses = [x for record in folder.journal() for x in record.values["train_loss"]]
            assert read_history(tracker, run.run_id, "train_loss") == list(enumerate(losses))


@contextlib.contextmanager
def server(place: Path, database: str) -> Iterator[str]:
    """Start an MLflow server on a database; gives its address."""
    place.mkdir(parents=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [
        sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port),
        "--workers", "1", "--backend-store-uri", database,
        "--artifacts-destination", str(place / "artifacts"),
    ]  # fmt: skip
    settings = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with serving(words, place, f"http://127.0.0.1:{port}", settings):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def postgres() -> Iterator[str | None]:
    """Start a Postgres server if there is one on this machine; gives its address, or none."""
    if shutil.which("initdb") is None or shutil.which("postgres") is None:
        yield None
        return
    from tests.postgres import postgres as started

    with started() as uri:
        yield uri
