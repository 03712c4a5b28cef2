"""A run that was trained once, to be published many times, and a server to publish it to."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from attnstudy import runs
from attnstudy.executors import Inline
from attnstudy.files import read_sealed, write_sealed
from attnstudy.running.jobs import Job
from attnstudy.running.worker import train_together
from attnstudy.runs import RunFolder
from attnstudy.study import RunSpec
from tests.faults.server import Server

CHAOS = bool(os.environ.get("ATTNSTUDY_CHAOS"))
"""Whether every point is tried, and not only those that are told apart by what is lost."""


@pytest.fixture(scope="session")
def trained(tmp_path_factory, digits, digits_folder) -> RunFolder:
    """One finished run."""
    store_dir = tmp_path_factory.mktemp("trained")
    spec = RunSpec(
        study="trained", dataset="digits", variant="double", seed=0, dataset_digest=digits.digest,
        train_size=256, val_size=60, epochs=2, batch_size=32, channels=(4, 4),
    )  # fmt: skip
    folder = runs.run_folder(store_dir, spec)
    job = Job(spec, folder.path, "cpu", 1, "test", place=digits_folder)
    list(Inline().execute([[job]], train_together))
    assert folder.result() is not None
    return folder


@pytest.fixture
def copy_run(trained) -> Callable[..., RunFolder]:
    """Copy the trained run into a store, as a run of another study, seed or time."""

    def copy(store_dir: Path, study: str = "small", *, seed: int = 0, later: int = 0) -> RunFolder:
        content = read_sealed(trained.path / "run.json")
        content["spec"].update(study=study, seed=seed)
        content["started_at"] += later
        folder = runs.run_folder(store_dir, RunSpec.from_dict(content["spec"]))
        shutil.copytree(trained.path, folder.path, dirs_exist_ok=True)
        write_sealed(folder.path / "run.json", content)
        result = read_sealed(folder.path / "result.json")
        write_sealed(folder.path / "result.json", {**result, "record": content})
        return folder

    return copy


@pytest.fixture(scope="session")
def server(tmp_path_factory, template_store) -> Iterator[Server]:
    """A real MLflow server."""
    server = Server(tmp_path_factory.mktemp("server"), template_store / "mlflow.db")
    server.start()
    yield server
    server.kill()


def figures(folder: RunFolder) -> dict[str, bytes]:
    """Stand in for the drawings, which take longer than everything else."""
    return {"figure.svg": folder.path.name.encode()}
