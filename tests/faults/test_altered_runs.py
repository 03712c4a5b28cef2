"""What was altered in MLflow behind our back is put right from the run folder. On a real store."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from attnstudy.errors import StoreError
from attnstudy.tracking import Publisher, open_store, read_runs, resolve
from attnstudy.tracking.requests import Requests
from tests.faults.conftest import figures

IDENTITY = (
    "study", "variant", "arm", "seed", "fingerprint", "config", "dataset_digest", "test_images",
    "classes", "predictions",
)  # fmt: skip
METRICS = (
    "val_accuracy_max", "val_accuracy_max_every_100_iterations", "val_accuracy_final",
    "test_accuracy", "test_loss", "train_seconds",
    "images_per_second",
)  # fmt: skip
TABLES = ("metrics", "latest_metrics")


@pytest.fixture
def store_dir(workplace):
    return workplace / "mlruns"


@pytest.fixture
def tracker(store_dir):
    return open_store(resolve(store_dir, None))


@pytest.fixture
def folder(copy_run, store_dir, tracker):
    made = copy_run(store_dir, "small")
    publisher(tracker).publish(made)
    return made


def publisher(tracker, *, republish=False):
    return Publisher(tracker, "small", "why?", figures, republish)


def alter(store_dir: Path, change: str, tables=TABLES) -> None:
    with sqlite3.connect(store_dir / "mlflow.db") as database:
        for table in tables:
            done = database.execute(f"UPDATE {table} SET {change} WHERE key = 'test_accuracy'")
            assert done.rowcount == 1


def only_run(tracker):
    (run,) = read_runs(tracker, "small")
    return run


def written(monkeypatch) -> list[str]:
    """Return the list that will name every request that changes something."""
    names: list[str] = []
    write = Requests.write
    monkeypatch.setattr(
        Requests,
        "write",
        lambda self, name, *given, **named: (
            names.append(name) or write(self, name, *given, **named)
        ),
    )
    return names


def test_a_run_carries_a_digest_that_can_be_computed_from_what_mlflow_shows(folder, tracker):
    run = only_run(tracker)
    assert run.agrees is True
    assert run.tags["attnstudy.predictions"] == folder.result().files["predictions.csv"]
    assert len(run.tags["attnstudy.result"]) == 64


def test_the_digest_is_the_one_that_decision_19_describes(folder, tracker):
    """By hand, from what a stranger reads from the server."""
    shown = tracker.client.get_run(only_run(tracker).run_id)
    tags = {name.removeprefix("attnstudy."): text for name, text in shown.data.tags.items()}
    added_later = ("optimizer", "weight_decay", "augmentation", "split")  # and at their defaults
    content = {
        "identity": {name: tags.get(name) for name in IDENTITY},
        "metrics": {name: shown.data.metrics[name] for name in METRICS},
        "params": {n: text for n, text in shown.data.params.items() if n not in added_later},
        "started_at": shown.info.start_time,
        "status": "complete",
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    assert tags["result"] == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("tables", [TABLES, TABLES[1:]])
@pytest.mark.parametrize("change", ["value = value + 5", "value = value - 5", "value = 'NaN'"])
def test_a_number_that_was_altered_is_put_right(folder, tracker, store_dir, change, tables):
    """Raised too: of two numbers of one moment MLflow goes on showing the greater."""
    alter(store_dir, change.replace("'NaN'", "0, is_nan = 1"), tables)
    assert only_run(tracker).agrees is False
    assert publisher(tracker).publish(folder)
    run = only_run(tracker)
    assert run.metrics["test_accuracy"] == folder.result().metrics["test_accuracy"]
    assert run.agrees is True
    assert not publisher(tracker).publish(folder)


def test_the_smallest_change_of_a_number_is_seen(folder, tracker, store_dir):
    alter(store_dir, "value = value * (1 + 1e-14)")
    assert only_run(tracker).agrees is False
    assert publisher(tracker).publish(folder)
    assert only_run(tracker).agrees is True


def test_a_number_that_mlflow_keeps_is_told_and_the_way_out_works(folder, tracker, store_dir):
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    alter(store_dir, "value = 99, timestamp = 9000000000000000", TABLES[1:])
    with pytest.raises(StoreError, match=r"keeps showing other numbers of double/seed=0") as said:
        publisher(tracker).publish(folder)
    assert "'attnstudy sync small --republish'" in str(said.value)
    run = only_run(tracker)
    tracker.client.delete_run(run.run_id)
    SqlAlchemyStore(tracker.address.uri, "unused")._hard_delete_run(run.run_id)  # as `mlflow gc`
    assert publisher(tracker, republish=True).publish(folder)
    assert only_run(tracker).agrees is True


@pytest.mark.parametrize("tag", ["attnstudy.seed", "attnstudy.result", "attnstudy.classes"])
def test_a_tag_that_was_altered_is_put_right(folder, tracker, tag, monkeypatch):
    tracker.client.set_tag(only_run(tracker).run_id, tag, "7")
    assert only_run(tracker).agrees is False
    names = written(monkeypatch)
    assert publisher(tracker).publish(folder)
    assert names == ["seal"]
    assert only_run(tracker).agrees is True


def test_a_run_of_an_earlier_version_gets_its_digest_and_nothing_else(folder, tracker, monkeypatch):
    run_id = only_run(tracker).run_id
    for tag in ("attnstudy.result", "attnstudy.predictions", "attnstudy.classes"):
        tracker.client.delete_tag(run_id, tag)
    assert only_run(tracker).agrees is None
    names = written(monkeypatch)
    assert publisher(tracker).publish(folder)
    assert names == ["seal"]
    assert only_run(tracker).agrees is True
    assert not publisher(tracker).publish(folder)


@pytest.mark.parametrize("how", ["altered", "deleted"])
def test_predictions_are_sent_again_where_it_is_asked_for(folder, tracker, how):
    uri = tracker.client.get_run(only_run(tracker).run_id).info.artifact_uri
    there = Path(unquote(urlsplit(uri).path)) / "predictions.csv"
    good = there.read_bytes()
    if how == "altered":
        there.write_bytes(good.replace(b"\n0,", b"\n000,"))
    else:
        there.unlink()
    assert not publisher(tracker).publish(folder)  # nobody downloads every file at each sync
    assert publisher(tracker, republish=True).publish(folder)
    assert there.read_bytes() == good
    assert not publisher(tracker, republish=True).publish(folder)
