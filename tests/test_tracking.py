"""Publishing to MLflow and reading back, on a real store."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from attnstudy import runs
from attnstudy.errors import StoreError, TrackingUnreachableError, UsageError
from attnstudy.executors import Inline
from attnstudy.running.figures import run_figures
from attnstudy.running.jobs import Job
from attnstudy.running.worker import train_together
from attnstudy.tracking import (
    Publisher,
    log_ranking,
    open_store,
    read_runs,
    resolve,
    tracked_studies,
)
from attnstudy.usecases import logging_reports


@pytest.fixture
def train_run(digits_folder):
    """Train one specification into a store's run folder."""

    def train(store_dir, spec):
        folder = runs.run_folder(store_dir, spec)
        job = Job(spec, folder.path, "cpu", 1, "test", place=digits_folder)
        events = list(Inline().execute([[job]], train_together))
        assert type(events[-1]).__name__ == "Finished", events
        return folder

    return train


@pytest.fixture
def store_dir(workplace) -> Path:
    return workplace / "mlruns"


@pytest.fixture
def tracker(store_dir):
    return open_store(resolve(store_dir, None))


@pytest.fixture
def publisher(tracker):
    return Publisher(tracker, "small", "why?", run_figures)


def content(tracker):
    """Return everything that the store holds of the study, without ids."""
    client = tracker.client
    experiment = client.get_experiment_by_name("small")
    found = {}
    for run in client.search_runs([experiment.experiment_id]):
        history = {
            key: [
                (m.step, m.timestamp, m.value)
                for m in client.get_metric_history(run.info.run_id, key)
            ]
            for key in run.data.metrics
        }
        found.setdefault(run.info.run_name, []).append(
            (run.data.params, run.data.tags, history, run.info.status, run.info.start_time)
        )
    return found


def test_a_run_is_published_with_everything(make_spec, train_run, store_dir, tracker, publisher):
    spec = make_spec(seed=3)
    folder = train_run(store_dir, spec)
    assert publisher.publish(folder)
    client = tracker.client
    experiment = client.get_experiment_by_name("small")
    assert experiment.tags["mlflow.note.content"] == "why?"
    (run,) = client.search_runs([experiment.experiment_id])
    result = folder.result()
    assert run.info.run_name == "double/seed=3"
    assert run.info.status == "FINISHED"
    assert run.data.params == {
        "study": "small", "dataset": "digits", "variant": "double", "seed": "3",
        "dataset_digest": spec.dataset_digest, "train_size": "256", "val_size": "60",
        "attention": "spatial", "channels": "[4, 4]", "epochs": "2", "batch_size": "32",
        "lr": "0.001", "precision": "float32", "optimizer": "adam", "weight_decay": "0.0",
        "augmentation": "none", "split": "fixed",
    }  # fmt: skip
    tags = run.data.tags
    assert tags["attnstudy.study"] == "small"
    assert tags["attnstudy.variant"] == "double"
    assert tags["attnstudy.seed"] == "3"
    assert tags["attnstudy.fingerprint"] == spec.fingerprint
    assert tags["attnstudy.config"] == spec.config_id
    assert tags["attnstudy.status"] == "complete"
    assert tags["attnstudy.dataset_digest"] == spec.dataset_digest
    assert tags["attnstudy.torch"] == torch.__version__
    assert tags["attnstudy.device"] == "cpu"
    assert tags["attnstudy.threads"] == "1"
    for name, value in result.metrics.items():
        assert run.data.metrics[name] == value
    losses = client.get_metric_history(run.info.run_id, "train_loss")
    assert [m.step for m in losses] == list(range(16))
    journal = folder.journal()
    computed = [loss for record in journal for loss in record.values["train_loss"]]
    assert [m.value for m in losses] == computed
    validations = client.get_metric_history(run.info.run_id, "val_accuracy")
    assert [m.step for m in validations] == [0, 8]
    times = [m.timestamp for m in losses]
    assert times == sorted(times)
    assert run.inputs.dataset_inputs[0].dataset.digest == spec.dataset_digest
    names = {artifact.path for artifact in client.list_artifacts(run.info.run_id)}
    assert names >= {
        "learning_curve.png", "confusion_matrix.png", "attention.png", "predictions.csv",
        "weights.safetensors",
    }  # fmt: skip


def test_the_model_loads_without_pickle_and_gives_the_logged_accuracy(
    make_spec, train_run, store_dir, tracker, publisher, digits, monkeypatch
):
    import mlflow

    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    for attention in ("spatial", "channel"):
        publisher.publish(train_run(store_dir, make_spec(attention=attention)))
    mlflow.set_tracking_uri(tracker.address.uri)
    pixels = torch.from_numpy(np.asarray(digits.test.images)).float()
    norm = digits.normalisation
    images = (pixels / norm.scale - norm.mean[0]) / norm.std[0]
    tracked = read_runs(tracker, "small")
    assert len(tracked) == 2
    for run in tracked:
        model = mlflow.pytorch.load_model(f"runs:/{run.run_id}/small-double")
        for size in (1, 7, 360):  # the number of images is free
            predicted = torch.cat([model(part).argmax(1) for part in images.split(size)]).numpy()
            accuracy = 100 * (predicted == digits.test.labels).sum() / 360
            assert accuracy == run.metrics["test_accuracy"]
        served = mlflow.pyfunc.load_model(f"runs:/{run.run_id}/small-double")
        assert served.predict(images[:3].numpy()).shape == (3, 10)
        assert served.metadata.metadata["scale"] == 16.0


def test_predictions_agree_with_the_logged_accuracy(make_spec, train_run, store_dir, digits):
    folder = train_run(store_dir, make_spec())
    with (folder.path / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["image"]) for row in rows] == list(range(360))
    assert [int(row["label"]) for row in rows] == digits.test.labels.tolist()
    right = sum(row["label"] == row["predicted"] for row in rows)
    assert 100 * right / 360 == folder.result().metrics["test_accuracy"]


def test_publishing_again_changes_nothing(make_spec, train_run, store_dir, tracker, publisher):
    folder = train_run(store_dir, make_spec())
    assert publisher.publish(folder)
    before = content(tracker)
    assert not publisher.publish(folder)
    # the note of what was confirmed is lost: everything is sent again
    for note in (folder.path / "published").iterdir():
        note.unlink()
    # and an upload was cut off, of which MLflow would show what is there
    run_folder = next((store_dir / "artifacts" / "small").glob("*/artifacts"))
    (run_folder / ".artifact.uploading.cut_off").write_bytes(b"a part")
    assert publisher.publish(folder)
    assert content(tracker) == before
    assert not list((store_dir / "artifacts").rglob(".*"))
    (runs_of_name,) = before.values()
    assert len(runs_of_name) == 1
    experiment = tracker.client.get_experiment_by_name("small").experiment_id
    (model,) = tracker.client.search_logged_models([experiment])
    assert model.name == "small-double"
    about = model.tags["mlflow.note.content"]
    assert about.startswith("Arm **double** of the study **small**, trained with seed ")
    assert "on 256 images of digits (digest `" in about
    assert {(m.dataset_name, m.model_id) for m in model.metrics} == {("digits", model.model_id)}


def test_a_store_that_was_set_up_anew_gets_everything_again(
    make_spec, train_run, store_dir, publisher, template_store
):
    import shutil

    folder = train_run(store_dir, make_spec())
    publisher.publish(folder)
    shutil.copy(template_store / "mlflow.db", store_dir / "other.db")
    other = open_store(resolve(store_dir, f"sqlite:///{store_dir / 'other.db'}"))
    assert Publisher(other, "small", None, run_figures).publish(folder)
    shutil.rmtree(store_dir / "artifacts")
    shutil.copy(template_store / "mlflow.db", store_dir / "mlflow.db")
    again = open_store(resolve(store_dir, None))
    assert Publisher(again, "small", None, run_figures).publish(folder)
    (run,) = read_runs(again, "small")
    assert run.status == "complete"
    assert run.metrics == read_runs(other, "small")[0].metrics


def test_a_running_run_is_shown_and_then_completed(
    make_spec, train_run, store_dir, tracker, publisher, digits_folder, tmp_path
):
    """At most one request an epoch, and the same content as if published at the end."""
    spec = make_spec()
    done = train_run(store_dir, spec)
    partial = runs.RunFolder(tmp_path / "partial")
    partial.path.mkdir()
    (partial.path / "run.json").write_bytes((done.path / "run.json").read_bytes())
    lines = (done.path / "journal.jsonl").read_bytes().splitlines(keepends=True)
    assert len(lines) == 4  # two intervals an epoch
    (partial.path / "journal.jsonl").write_bytes(b"".join(lines[:2]))
    requests = []
    log_batch = tracker.client.log_batch

    def counted(*arguments, **named):
        requests.append(len(named.get("metrics", ())))
        return log_batch(*arguments, **named)

    tracker.client.log_batch = counted
    with partial.claim():
        publisher.publish(partial)
    (run,) = read_runs(tracker, "small")
    assert run.status == "running"
    assert [m for m in requests if m] == [9]  # 8 losses and a validation
    for path in done.path.iterdir():
        if path.is_file():
            (partial.path / path.name).write_bytes(path.read_bytes())
    publisher.publish(partial)
    (run,) = read_runs(tracker, "small")
    assert run.status == "complete"
    first = content(tracker)
    steps = [step for step, _, _ in first["double/seed=0"][0][2]["train_loss"]]
    assert steps == list(range(16))


def test_a_diverged_run_is_published_as_a_result(
    make_spec, train_run, store_dir, tracker, publisher
):
    folder = train_run(store_dir, make_spec(lr=1e30))
    publisher.publish(folder)
    (run,) = read_runs(tracker, "small")
    assert run.status == "diverged"
    assert "test_accuracy" not in run.metrics
    assert int(run.tags["attnstudy.diverged_at"]) == folder.result().diverged_at
    assert tracker.client.get_run(run.run_id).info.status == "FINISHED"


def test_a_failed_run_is_shown_as_failed_and_then_put_right(
    make_spec, train_run, store_dir, tracker, publisher
):
    spec = make_spec()
    folder = runs.run_folder(store_dir, spec)
    done = train_run(store_dir, spec)
    (done.path / "result.json").rename(store_dir / "kept.json")
    folder.fail("its process was killed by SIGKILL")
    publisher.publish(folder)
    (run,) = read_runs(tracker, "small")
    assert run.status == "failed"
    assert run.tags["attnstudy.failure"] == "its process was killed by SIGKILL"
    assert tracker.client.get_run(run.run_id).info.status == "FAILED"
    (store_dir / "kept.json").rename(done.path / "result.json")
    publisher.publish(folder)
    (again,) = read_runs(tracker, "small")
    assert (again.run_id, again.status) == (run.run_id, "complete")
    assert tracker.client.get_run(run.run_id).info.status == "FINISHED"


def test_damaged_result_files_are_never_published(
    make_spec, train_run, store_dir, tracker, publisher
):
    folder = train_run(store_dir, make_spec())
    with (folder.path / "predictions.csv").open("ab") as file:
        file.write(b"360,1,1\n")
    with pytest.raises(StoreError, match=r"predictions\.csv is damaged.*--rerun"):
        publisher.publish(folder)
    (run,) = read_runs(tracker, "small")
    assert (run.status, run.metrics.get("test_accuracy")) == ("failed", None)
    assert "is damaged" in run.tags["attnstudy.failure"]


def test_an_unreachable_server_is_told_in_one_sentence_and_in_time(store_dir):
    import time

    began = time.monotonic()
    with pytest.raises(TrackingUnreachableError, match="does not answer: start it"):
        open_store(resolve(store_dir, "http://127.0.0.1:9"))
    assert time.monotonic() - began < 60  # MLflow's own settings take minutes


def test_a_database_that_is_down_is_told_at_once(store_dir):
    pytest.importorskip("psycopg2")
    with pytest.raises(TrackingUnreachableError, match=r"database .* does not answer \(.*refused"):
        open_store(resolve(store_dir, "postgresql+psycopg2://me:secret@127.0.0.1:9/mlflow"))


def test_addresses():
    store_dir = Path("mlruns")
    assert resolve(store_dir, None).uri == f"sqlite:///{store_dir.resolve() / 'mlflow.db'}"
    assert resolve(store_dir, None).key == "embedded"
    server = resolve(store_dir, "https://me:secret@host:5000/x")
    assert server.shown == "https://me:***@host:5000/x"
    assert server.is_server
    assert server.artifact_root is None
    assert server.key == resolve(store_dir, "https://me:other@host:5000/x").key
    for wrong in ("mlruns", "file:///tmp/x", "ftp://x"):
        with pytest.raises(UsageError, match="is not usable"):
            resolve(store_dir, wrong)


def test_only_our_studies_are_listed(tracker, publisher, make_spec, train_run, store_dir):
    tracker.client.create_experiment("somebody else's")
    assert tracked_studies(tracker) == []
    publisher.publish(train_run(store_dir, make_spec()))
    assert tracked_studies(tracker) == ["small"]
    assert read_runs(tracker, "nothing") == []


@pytest.mark.long
def test_four_processes_may_open_a_fresh_store_at_once(tmp_path):
    code = (
        "import sys; from pathlib import Path; from attnstudy.tracking import *;"
        "open_store(resolve(Path(sys.argv[1]), None)).ensure_experiment('small', None)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "mlruns")]
    children = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    errors = [child.communicate(timeout=240)[1] for child in children]
    assert [child.returncode for child in children] == [0] * 4, errors
    tracker = open_store(resolve(tmp_path / "mlruns", None))
    assert tracked_studies(tracker) == ["small"]


def test_the_dataset_input_tells_shape_and_classes(
    make_spec, train_run, store_dir, tracker, publisher
):
    publisher.publish(train_run(store_dir, make_spec()))
    (run,) = read_runs(tracker, "small")
    dataset = tracker.client.get_run(run.run_id).inputs.dataset_inputs[0].dataset
    assert dataset.name == "digits"
    profile = json.loads(dataset.profile)
    assert profile["train_images"] == 256
    assert len(profile["classes"]) == 10


class Refusing:
    """A client that takes a run and none of its files."""

    def __init__(self) -> None:
        self.ended: list[tuple[str, ...]] = []

    def create_run(self, *_: object, **__: object) -> SimpleNamespace:
        return SimpleNamespace(info=SimpleNamespace(run_id="r"))

    def log_artifacts(self, *_: object) -> None:
        raise OSError("no room")

    def set_terminated(self, *words: str) -> None:
        self.ended.append(words)


def test_a_report_that_could_not_be_sent_has_failed(tmp_path):
    client = Refusing()
    tracker: Any = SimpleNamespace(
        client=client,
        address=SimpleNamespace(shown="here", embedded=False),
        experiment=lambda study: SimpleNamespace(experiment_id="1", artifact_location="x"),
    )
    with pytest.raises((OSError, StoreError)):
        log_ranking(tracker, "mine", tmp_path, tags={}, name="ranking", note="")
    assert client.ended == [("r", "FAILED")]


def test_a_report_is_called_a_ranking_whatever_files_it_has(monkeypatch):
    called = {}
    monkeypatch.setattr(logging_reports, "open_store", lambda *_, **__: None)
    monkeypatch.setattr(logging_reports, "log_ranking", lambda *_, **told: called.update(told))
    ranking = SimpleNamespace(verdict="", sentence="", status="", metric="", to_json=dict)
    found = SimpleNamespace(study="mine", runs=[SimpleNamespace(name="a", run_id="1", value=1.0)],
                            question=None, config=None)  # fmt: skip
    report: Any = SimpleNamespace(ranking=ranking, collected=found)
    address: Any = None
    logging_reports.log_report(report, address, {"figure.svg": b""}, "")
    assert called["name"].startswith("ranking 2")
