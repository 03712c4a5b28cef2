"""What MLflow shows is put right: states, repetitions, deletions. On a real store."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from dataclasses import replace

import pytest

from attnstudy import runs
from attnstudy.errors import StoreError
from attnstudy.files import write_sealed
from attnstudy.tracking import Publisher, open_store, read_runs, resolve
from attnstudy.usecases import studies
from tests.faults.conftest import figures

FILES = ("result.json", "predictions.csv", "model.pt2", "weights.safetensors")


@pytest.fixture
def store_dir(workplace):
    return workplace / "mlruns"


@pytest.fixture
def address(store_dir):
    return resolve(store_dir, None)


@pytest.fixture
def tracker(address):
    return open_store(address)


@pytest.fixture
def make_run(copy_run, store_dir):
    """Make a finished run in the store."""

    def make(**named):
        return copy_run(store_dir, "small", **named)

    return make


def publisher(tracker, *, republish=False):
    """Return a publisher as the next command makes it: it has seen nothing yet."""
    return Publisher(tracker, "small", "why?", figures, republish)


def only_run(tracker):
    (run,) = read_runs(tracker, "small")
    return run, tracker.client.get_run(run.run_id)


def interrupted_copy(done, tmp_path, lines, delay=0.0):
    """Return a folder as it is after a kill: ``lines`` lines of journal, no result."""
    part = runs.RunFolder(tmp_path / "part")
    part.path.mkdir(exist_ok=True)
    shutil.copy(done.path / "run.json", part.path)
    (part.path / "journal.jsonl").unlink(missing_ok=True)
    for record in done.journal()[:lines]:
        part.append(replace(record, seconds=record.seconds + delay))
    return part


def test_an_interval_that_ends_elsewhere_when_it_is_computed_again_is_not_doubled(
    make_run, tracker, tmp_path
):
    """Killed after a journal's line and before its checkpoint: the line is cut, and longer then."""
    done = make_run()
    part = interrupted_copy(done, tmp_path, 1)
    start, whole, *_ = done.journal()
    cut = replace(
        whole, step=whole.step - 1, values={"train_loss": whole.values["train_loss"][:-1]}
    )
    part.append(cut)
    publisher(tracker).publish(part)
    part.keep_records(1)
    part.append(replace(whole, seconds=whole.seconds + 5.0))
    publisher(tracker).publish(part)
    run, _ = only_run(tracker)
    history = tracker.client.get_metric_history(run.run_id, "train_loss")
    steps = len(start.values["train_loss"] + whole.values["train_loss"])
    assert len(cut.values["train_loss"]) > 0
    assert sorted(point.step for point in history) == list(range(steps))


@pytest.mark.proof
def test_an_interrupted_run_is_no_longer_shown_as_running(make_run, tracker, tmp_path):
    done = make_run()
    part = interrupted_copy(done, tmp_path, 2)
    with part.claim():
        publisher(tracker).publish(part)
    run, shown = only_run(tracker)
    assert (run.status, shown.info.status) == ("running", "RUNNING")
    publisher(tracker).publish(part)  # nobody holds it any more
    run, shown = only_run(tracker)
    assert (run.status, shown.info.status) == ("interrupted", "KILLED")
    seconds = done.journal()[1].seconds
    assert shown.info.end_time == part.started().at + round(1000 * seconds)
    assert not publisher(tracker).publish(part)
    with part.claim():  # and somebody goes on with it
        publisher(tracker).publish(part)
    run, shown = only_run(tracker)
    assert (run.status, shown.info.status) == ("running", "RUNNING")


def test_what_was_computed_again_after_an_interruption_is_not_sent_again(
    make_run, tracker, tmp_path, monkeypatch
):
    """Not even when the answer was lost, so that nobody knows what the store has."""
    done = make_run()
    part = interrupted_copy(done, tmp_path, 3)
    log_batch = tracker.client.log_batch

    def answer_lost(*arguments, **named):
        log_batch(*arguments, **named)
        if named.get("metrics"):
            raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(tracker.client, "log_batch", answer_lost)
        with pytest.raises(StoreError):
            publisher(tracker).publish(part)
    again = interrupted_copy(done, tmp_path, 4, delay=7.0)  # the same losses, later
    publisher(tracker).publish(again)
    run, _ = only_run(tracker)
    for name, steps in (("train_loss", 16), ("val_accuracy", 2)):
        history = tracker.client.get_metric_history(run.run_id, name)
        assert len(history) == steps
        assert max(Counter(point.step for point in history).values()) == 1


def test_a_state_that_was_changed_in_the_ui_is_put_right(make_run, tracker):
    folder = make_run()
    publisher(tracker).publish(folder)
    run, before = only_run(tracker)
    tracker.client.update_run(run.run_id, "RUNNING")
    assert publisher(tracker).publish(folder)
    _, after = only_run(tracker)
    assert (after.info.status, after.info.end_time) == ("FINISHED", before.info.end_time)
    tracker.client.set_tag(run.run_id, "attnstudy.status", "running")
    assert publisher(tracker).publish(folder)
    assert only_run(tracker)[0].status == "complete"
    assert len(tracker.client.search_logged_models([before.info.experiment_id])) == 1


def test_a_store_put_back_to_an_earlier_day_gets_what_it_lost(
    make_run, tracker, store_dir, tmp_path
):
    folder = make_run()
    kept = {name: (folder.path / name).read_bytes() for name in FILES}
    for name in FILES:
        (folder.path / name).unlink()
    publisher(tracker).publish(folder)
    shutil.copy(store_dir / "mlflow.db", tmp_path / "backup.db")
    for name in FILES:
        (folder.path / name).write_bytes(kept[name])
    publisher(tracker).publish(folder)
    published = only_run(tracker)[0].metrics
    # through MLflow itself, whose connections are open
    old = resolve(store_dir, f"sqlite:///{tmp_path / 'backup.db'}")
    note = folder.published("embedded")
    folder.note_published(old.key, note)
    backup = open_store(old)
    assert only_run(backup)[0].status == "interrupted"
    assert publisher(backup).publish(folder)
    run, shown = only_run(backup)
    assert (run.status, run.metrics) == ("complete", published)
    assert len(shown.outputs.model_outputs) == 1


def test_a_run_whose_folder_was_deleted_is_ended(make_run, tracker, tmp_path, store_dir):
    done = make_run()
    for name in FILES:
        (done.path / name).unlink()
    with done.claim():
        publisher(tracker).publish(done)
    other = make_run(seed=1)
    shutil.rmtree(done.path)
    publisher(tracker).publish(other)
    shown = {run.seed: tracker.client.get_run(run.run_id) for run in read_runs(tracker, "small")}
    assert (shown[0].info.status, shown[1].info.status) == ("KILLED", "FINISHED")


def test_a_run_trained_anew_after_its_folder_was_deleted_takes_the_place_of_the_old(
    make_run, tracker
):
    folder = make_run()
    publisher(tracker).publish(folder)
    shutil.rmtree(folder.path)
    again = make_run(later=5000)
    publisher(tracker).publish(again)
    found = read_runs(tracker, "small")
    assert sorted(run.superseded for run in found) == [False, True]
    for run in found:  # neither holds rows of the other
        history = tracker.client.get_metric_history(run.run_id, "train_loss")
        assert [point.step for point in history] == list(range(16))


def test_two_homes_that_share_a_server_do_not_mix_their_runs(
    make_run, store_dir, tmp_path, template_store
):
    shutil.copy(template_store / "mlflow.db", tmp_path / "shared.db")
    shared = f"sqlite:///{tmp_path / 'shared.db'}"
    folder = make_run()
    publisher(open_store(resolve(store_dir, shared))).publish(folder)
    shutil.move(store_dir / "runs", tmp_path / "first")
    again = make_run(later=5000)
    tracker = open_store(resolve(store_dir, shared))
    publisher(tracker).publish(again)
    found = read_runs(tracker, "small")
    assert [(run.seed, run.superseded) for run in found] == [(0, False), (0, False)]


def test_a_repetition_is_published_although_the_first_was_deleted_in_the_ui(make_run, tracker):
    folder = make_run()
    publisher(tracker).publish(folder)
    tracker.client.delete_run(only_run(tracker)[0].run_id)
    folder.repeat()
    again = make_run(later=5000)
    assert publisher(tracker).publish(again)
    assert only_run(tracker)[0].status == "complete"


def test_a_repetition_replaces_also_a_run_of_which_the_note_was_lost(make_run, tracker):
    folder = make_run()
    publisher(tracker).publish(folder)
    shutil.rmtree(folder.path / "published")
    folder.repeat()
    publisher(tracker).publish(make_run(later=5000))
    assert sorted(run.superseded for run in read_runs(tracker, "small")) == [False, True]


def test_a_run_deleted_in_the_ui_stays_deleted_until_it_is_asked_for(make_run, tracker, address):
    folder = make_run()
    publisher(tracker).publish(folder)
    run, _ = only_run(tracker)
    tracker.client.delete_run(run.run_id)
    assert not publisher(tracker).publish(folder)
    assert read_runs(tracker, "small") == []
    status = studies.study_status(address, "small")
    assert (status.undelivered, status.deleted) == (0, 1)
    shutil.rmtree(folder.path / "published")  # also when the note of it is lost
    assert not publisher(tracker).publish(folder)
    assert read_runs(tracker, "small") == []
    assert publisher(tracker, republish=True).publish(folder)
    again, shown = only_run(tracker)
    assert (again.run_id, again.status) == (run.run_id, "complete")
    assert len(shown.outputs.model_outputs) == 1
    status = studies.study_status(address, "small")
    assert (status.undelivered, status.deleted) == (0, 0)


def test_a_run_brought_back_in_the_ui_counts_again(make_run, tracker, address):
    folder = make_run()
    publisher(tracker).publish(folder)
    run, _ = only_run(tracker)
    tracker.client.delete_run(run.run_id)
    publisher(tracker).publish(folder)
    tracker.client.restore_run(run.run_id)
    publisher(tracker).publish(folder)
    assert only_run(tracker)[0].run_id == run.run_id
    assert studies.study_status(address, "small").deleted == 0


def test_a_deleted_run_that_was_purged_stays_away_until_it_is_asked_for(make_run, tracker):
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    folder = make_run()
    publisher(tracker).publish(folder)
    run, _ = only_run(tracker)
    tracker.client.delete_run(run.run_id)
    publisher(tracker).publish(folder)
    SqlAlchemyStore(tracker.address.uri, "unused")._hard_delete_run(run.run_id)  # as `mlflow gc`
    assert not publisher(tracker).publish(folder)
    assert publisher(tracker, republish=True).publish(folder)
    assert only_run(tracker)[0].run_id != run.run_id


def test_a_deleted_experiment_is_told_and_brought_back_when_asked(make_run, tracker, address, cli):
    folder = make_run()
    publisher(tracker).publish(folder)
    experiment = tracker.client.get_experiment_by_name("small")
    tracker.client.delete_experiment(experiment.experiment_id)
    with pytest.raises(StoreError, match=r"was deleted in .*'attnstudy sync small --republish'"):
        read_runs(tracker, "small")
    assert not publisher(tracker).publish(folder)
    assert studies.study_status(address, "small").deleted == 1
    new = make_run(seed=1)
    with pytest.raises(StoreError, match="was deleted"):
        publisher(tracker).publish(new)
    answer = cli("sync", "small")
    assert answer.code == 3
    assert "1 run was deleted in the MLflow UI and stays so" in answer.out
    assert answer.err.count("was deleted in") == 1
    answer = cli("sync", "small", "--republish")
    assert answer.code == 0, answer.err
    assert [run.status for run in read_runs(tracker, "small")] == ["complete"] * 2


def test_status_says_what_is_undelivered_and_what_was_deleted(make_run, tracker, cli, store_dir):
    first, _, third = (make_run(seed=seed) for seed in range(3))
    for name in FILES:
        (third.path / name).unlink()
    answer = cli("status", "small")
    assert "3 runs not yet, or not as they are now, in" in answer.out
    assert cli("sync").code == 0
    found = {run.seed: run for run in read_runs(tracker, "small")}
    assert found[2].status == "interrupted"
    tracker.client.delete_run(found[1].run_id)
    first.note_published("embedded", {})
    third.fail("its process was killed by SIGKILL")
    assert "1 run was deleted in the MLflow UI" in cli("sync").out
    status = json.loads(cli("status", "small", "--json").out)["studies"][0]
    assert (status["undelivered"], status["deleted"]) == (0, 1)
    assert "1 run was deleted in the MLflow UI and stays so" in cli("status", "small").out
    assert "undelivered" not in cli("status", "small").out
    assert cli("sync", "--republish").code == 0
    assert len(read_runs(tracker, "small")) == 3


def test_notes_of_an_earlier_version_are_understood(make_run, tracker):
    folder = make_run()
    publisher(tracker).publish(folder)
    run, _ = only_run(tracker)
    write_sealed(
        folder.path / "published" / "embedded.json",
        {"run_id": run.run_id, "steps": 16, "status": "complete"},
    )
    assert not publisher(tracker).publish(folder)


def test_of_many_runs_that_are_there_none_is_asked_for_alone(make_run, tracker, monkeypatch):
    """Although it takes longer to go through them than what was read is taken for new."""
    folders = [make_run(seed=seed) for seed in range(3)]
    for folder in folders:
        publisher(tracker).publish(folder)
    monkeypatch.setattr("attnstudy.tracking.run_lookup._FRESH", -1.0)
    asked = []
    get_run = tracker.client.get_run
    monkeypatch.setattr(
        tracker.client, "get_run", lambda run_id: asked.append(run_id) or get_run(run_id)
    )
    again = publisher(tracker)
    assert [again.publish(folder) for folder in folders] == [False] * 3
    assert asked == []
    tracker.client.update_run(folders[0].published("embedded")["run_id"], "RUNNING")
    assert publisher(tracker).publish(folders[0])  # and the next command puts it right
