"""The folder of the embedded store is moved, copied, linked: what MLflow stored goes along."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from attnstudy.tracking import (
    Publisher,
    open_for_reading,
    open_store,
    read_artifact,
    read_runs,
    relocating,
    resolve,
)
from tests.faults.conftest import figures
from tests.faults.content import embedded_content

NASTY = "50%_mine [a]/it's"  # a wildcard, a quote, a space: all legal in a path


@pytest.fixture
def store_dir(workplace):
    """A store in a working directory of its own, so that the directory can be moved."""
    store_dir = workplace / NASTY / "mlruns"
    store_dir.parent.mkdir(parents=True)
    shutil.move(workplace / "mlruns", store_dir)
    return store_dir


@pytest.fixture
def published(store_dir, copy_run):
    folder = copy_run(store_dir)
    Publisher(open_store(resolve(store_dir, None)), "small", None, figures).publish(folder)
    return embedded_content(store_dir, "small")


def locations(store_dir):
    """Return every location that the database holds."""
    columns = {
        "experiments": "artifact_location", "runs": "artifact_uri",
        "logged_models": "artifact_location", "model_versions": "storage_location",
        "trace_tags": "value",
    }  # fmt: skip
    with sqlite3.connect(store_dir / "mlflow.db") as database:
        return {
            table: [value for (value,) in database.execute(f"SELECT {column} FROM {table}")]
            for table, column in columns.items()
        }


def move(store_dir, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(store_dir.parent, target)
    return target / "mlruns"


def test_a_moved_store_says_so_and_opens_its_artifacts(
    cli, workplace, store_dir, published, digits, tmp_path, monkeypatch
):
    import mlflow
    import numpy as np
    import torch

    new = move(store_dir, workplace / "there")
    monkeypatch.chdir(new.parent)
    answer = cli("sync", "small", "--quiet")
    assert answer.code == 0
    said = f"Warning: the store was moved from {store_dir} to {new}: its locations were rewritten\n"
    lost, moved = answer.err.splitlines(keepends=True)
    assert "study.json is lost" in lost  # these runs were made without a command
    assert moved == said
    assert cli("sync", "small", "--quiet").err == ""
    found = [value for values in locations(new).values() for value in values]
    assert not any(NASTY in value or "50%25_mine" in value for value in found)
    assert embedded_content(new, "small") == published
    tracker = open_store(resolve(new, None))
    (run,) = read_runs(tracker, "small")
    path = tracker.client.download_artifacts(run.run_id, "predictions.csv", str(tmp_path))
    assert len(Path(path).read_text().splitlines()) == 361
    mlflow.set_tracking_uri(tracker.address.uri)
    model = mlflow.pytorch.load_model(f"runs:/{run.run_id}/small-{run.arm}")
    pixels = torch.from_numpy(np.asarray(digits.test.images)).float()
    norm = digits.normalisation
    predicted = model((pixels / norm.scale - norm.mean[0]) / norm.std[0]).argmax(1).numpy()
    assert 100 * (predicted == digits.test.labels).mean() == run.metrics["test_accuracy"]


def test_a_store_made_before_where_it_is_was_noted_is_put_right_too(
    workplace, store_dir, published
):
    (store_dir / "store.json").unlink()
    new = move(store_dir, workplace / "there")
    with pytest.warns(UserWarning, match="was moved from"):
        open_store(resolve(new, None))
    assert embedded_content(new, "small") == published


@pytest.mark.filterwarnings("ignore:the store was moved")
@pytest.mark.parametrize("place", ["store/before-relocated", "store/after-relocated"])
def test_a_rewriting_that_was_killed_is_repeated_whole(
    workplace, store_dir, published, monkeypatch, place
):
    class Killed(BaseException):
        pass

    def reach(name):
        if name == place:
            raise Killed

    new = move(store_dir, workplace / "there")
    with monkeypatch.context() as patch:
        patch.setattr(relocating, "reach", reach)
        with pytest.raises(Killed):
            open_store(resolve(new, None))
    open_store(resolve(new, None))
    assert relocating.settled(new)
    assert embedded_content(new, "small") == published


def test_a_copy_becomes_a_store_of_its_own(workplace, store_dir, published, copy_run):
    copy = workplace / "copy" / "mlruns"
    shutil.copytree(store_dir, copy)
    with pytest.warns(UserWarning, match="was moved from"):
        tracker = open_store(resolve(copy, None))
    assert all(str(copy) in value for value in locations(copy)["runs"])
    assert all("/copy/" not in value for value in locations(store_dir)["runs"])
    Publisher(tracker, "small", None, figures).publish(copy_run(copy, seed=1))
    shutil.rmtree(copy)
    assert embedded_content(store_dir, "small") == published


def test_a_database_copied_alone_goes_on_using_the_artifacts_where_they_are(
    workplace, store_dir, published, recwarn
):
    alone = workplace / "alone"
    alone.mkdir()
    shutil.copy(store_dir / "mlflow.db", alone)
    shutil.copy(store_dir / "store.json", alone)
    open_store(resolve(alone, None))
    assert not [w for w in recwarn if "moved" in str(w.message)]
    assert locations(alone) == locations(store_dir)


def test_a_link_to_the_folder_is_the_same_folder(workplace, store_dir, published, recwarn):
    before = locations(store_dir)
    (workplace / "link").symlink_to(store_dir.parent)
    open_store(resolve(workplace / "link" / "mlruns", None))
    assert not [w for w in recwarn if "moved" in str(w.message)]
    assert locations(store_dir) == before


def test_only_what_lies_in_the_folder_is_rewritten(workplace, store_dir, published):
    """Also of experiments that are not ours, in every way in which MLflow writes a location."""
    client = open_store(resolve(store_dir, None)).client
    client.create_experiment("plain", f"{store_dir}/elsewhere")
    client.create_experiment("neighbour", f"file://{store_dir}2/artifacts")
    client.create_experiment("bucket", "s3://bucket/mlruns/artifacts")
    plain = client.get_experiment_by_name("plain").experiment_id
    client.create_run(plain)
    client.create_registered_model("mine")
    client.create_model_version("mine", f"{store_dir}/elsewhere/model")
    with sqlite3.connect(store_dir / "mlflow.db") as database:
        database.execute(
            "INSERT INTO trace_info (request_id, experiment_id, timestamp_ms, execution_time_ms,"
            " status) VALUES ('t', ?, 0, 0, 'OK')", (plain,),
        )  # fmt: skip
        for key in ("mlflow.artifactLocation", "mine"):
            database.execute(
                "INSERT INTO trace_tags VALUES (?, ?, 't')", (key, f"file://{store_dir}/traces/t")
            )
    new = move(store_dir, workplace / "there")
    with pytest.warns(UserWarning, match="was moved from"):
        open_store(resolve(new, None))
    found = locations(new)
    assert f"{new}/elsewhere" in found["experiments"]
    assert f"file://{store_dir}2/artifacts" in found["experiments"]
    assert "s3://bucket/mlruns/artifacts" in found["experiments"]
    assert sum(value.startswith(f"{new}/elsewhere/") for value in found["runs"]) == 1
    assert found["model_versions"] == [f"{new}/elsewhere/model"]
    assert sorted(found["trace_tags"]) == sorted(
        [f"file://{new}/traces/t", f"file://{store_dir}/traces/t"]
    )


def test_a_store_that_may_only_be_read_is_left_as_it_is(
    workplace, store_dir, published, monkeypatch
):
    new = move(store_dir, workplace / "there")
    may = os.access  # the tests may run as root
    monkeypatch.setattr("os.access", lambda path, mode: Path(path) != new and may(path, mode))
    before = locations(new)
    open_store(resolve(new, None))
    assert locations(new) == before


def test_reading_rewrites_nothing_and_finds_the_artifacts(
    cli, workplace, store_dir, published, recwarn, monkeypatch
):
    new = move(store_dir, workplace / "there")
    monkeypatch.chdir(new.parent)
    before = locations(new), sorted((p, p.stat().st_mtime_ns) for p in new.rglob("*"))
    tracker = open_for_reading(resolve(new, None))
    (run,) = read_runs(tracker, "small")
    predictions = read_artifact(tracker, run.run_id, "predictions.csv")
    assert predictions is not None
    assert len(predictions.decode().splitlines()) == 361
    assert read_artifact(tracker, run.run_id, "no such") is None
    for words in (("status",), ("rank", "small"), ("doctor", "--dataset", "digits")):
        answer = cli(*words)
        assert (answer.code, answer.err) == (0, ""), answer
    assert (locations(new), sorted((p, p.stat().st_mtime_ns) for p in new.rglob("*"))) == before


def test_the_database_named_by_its_uri_is_the_embedded_store(workplace):
    store_dir = workplace / "mlruns"
    for uri in (f"sqlite:///{store_dir.resolve()}/mlflow.db", "sqlite:///mlruns/mlflow.db"):
        assert resolve(store_dir, uri) == resolve(store_dir, None)
    assert not resolve(store_dir, "sqlite:///mlruns/other.db").embedded
