"""The publisher beside the trainings: what one fault costs the other runs and the command."""

from __future__ import annotations

import pytest

from attnstudy.tracking import Publisher, open_store, read_runs, resolve
from attnstudy.usecases import publishing
from attnstudy.usecases.publishing import BackgroundPublisher
from tests.faults.conftest import figures
from tests.faults.proxy import always, passing, proxy_before


@pytest.fixture
def store_dir(workplace):
    return workplace / "mlruns"


@pytest.fixture
def proxy(server):
    with proxy_before(server.port) as proxy:
        yield proxy


def background(store_dir, study, uri=None, patience=60.0):
    """Start a publisher for a study; give it and the list of its warnings."""
    warnings: list[str] = []

    def connect():
        return Publisher(open_store(resolve(store_dir, uri)), study, None, figures)

    return BackgroundPublisher(connect, warnings.append, patience=patience), warnings


def test_a_damaged_run_does_not_keep_the_others_from_being_delivered(store_dir, copy_run):
    folders = [copy_run(store_dir, seed=seed) for seed in range(4)]
    (folders[0].path / "predictions.csv").write_bytes(b"")
    (folders[2].path / "weights.safetensors").unlink()
    publisher, warnings = background(store_dir, "small")
    publisher.submit_all(folders)
    assert publisher.close() == 2
    assert set(publisher.refused) == {folders[0], folders[2]}
    assert publisher.down is None
    assert sorted("predictions.csv is damaged" in text for text in warnings) == [False, True]
    tracked = read_runs(open_store(resolve(store_dir, None)), "small")
    assert {run.seed: run.status for run in tracked} == {
        0: "failed", 1: "complete", 2: "failed", 3: "complete",
    }  # fmt: skip


def test_a_request_that_one_run_fails_at_does_not_stop_the_others(store_dir, copy_run, proxy):
    folders = [copy_run(store_dir, "one-fails", seed=seed) for seed in range(3)]
    first = []

    def rule(request):
        """Refuse all that the first run which is created sends after it was created."""
        if request.path.endswith("/log-batch") and (not first or request.number in first):
            first.extend([request.number, request.number + 1])
            return "500"
        return "pass"

    proxy.set(rule)
    publisher, warnings = background(store_dir, "one-fails", proxy.uri)
    publisher.submit_all(folders)
    assert publisher.close() == 0  # the last attempt of all succeeds
    assert len(warnings) == 1
    assert "answers with an error (500)" in warnings[0]
    tracked = read_runs(open_store(resolve(store_dir, proxy.uri)), "one-fails")
    assert [run.status for run in tracked] == ["complete"] * 3


@pytest.mark.parametrize("fault", ["drop", "hang", "slow", "html", "429", "500", "502", "503"])
def test_a_faulty_server_costs_a_warning_and_the_next_publishing_delivers(
    store_dir, copy_run, proxy, fault, monkeypatch
):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    study = f"faulty-{fault}"
    folder = copy_run(store_dir, study)
    proxy.set(always(fault))
    publisher, warnings = background(store_dir, study, proxy.uri, patience=5.0)
    publisher.submit(folder)
    assert publisher.close() == 1
    assert publisher.down is not None
    assert len(warnings) == 1, warnings
    assert "Traceback" not in warnings[0]
    assert len(warnings[0].splitlines()) == 1
    proxy.set(passing)
    publisher, warnings = background(store_dir, study, proxy.uri)
    publisher.submit(folder)
    assert (publisher.close(), warnings) == (0, [])
    (run,) = read_runs(open_store(resolve(store_dir, proxy.uri)), study)
    assert run.status == "complete"


def test_a_server_that_hangs_half_way_does_not_keep_the_command_from_ending(
    store_dir, copy_run, proxy
):
    """With MLflow's own patience, which is longer than ours in this test."""
    folder = copy_run(store_dir, "hangs")
    proxy.set(lambda request: "pass" if request.number < 8 else "hang")
    publisher, warnings = background(store_dir, "hangs", proxy.uri, patience=2.0)
    publisher.submit(folder)
    assert publisher.close() == 1
    assert warnings == ["the tracking store has not answered for 2 seconds"]
    assert publisher._thread.is_alive()  # and is left behind


def test_an_interrupted_command_waits_for_no_server(store_dir, copy_run, proxy, monkeypatch):
    monkeypatch.setattr(publishing, "HURRY", 0.5)
    folder = copy_run(store_dir, "hurry")
    proxy.set(always("hang"))
    publisher, _ = background(store_dir, "hurry", proxy.uri, patience=600.0)
    publisher.submit(folder)
    publisher.hurry()
    publisher.submit(copy_run(store_dir, "hurry", seed=1))  # never taken from the queue
    assert publisher.close() == 2
    assert publisher._thread.is_alive()


def test_a_run_that_was_shown_as_running_is_looked_at_again_at_the_end(store_dir, copy_run):
    folder = copy_run(store_dir)
    for name in ("result.json", "model.pt2"):
        (folder.path / name).unlink()
    delivered = []
    publisher = BackgroundPublisher(
        lambda: Publisher(open_store(resolve(store_dir, None)), "small", None, figures),
        pytest.fail,
        settled=lambda folder, changed: delivered.append(changed),
    )
    with folder.claim():
        publisher.submit(folder)
        while not delivered:
            assert publisher._thread.is_alive()
    assert publisher.close() == 0
    (run,) = read_runs(open_store(resolve(store_dir, None)), "small")
    assert run.status == "interrupted"
