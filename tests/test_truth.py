"""``rank`` ranks what the run folders hold; what MLflow alone says has to agree with its digest."""

from __future__ import annotations

import json
import shlex
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest

from attnstudy import runs
from attnstudy.runs import MAX_DURING_TRAINING
from attnstudy.tracking import open_store, resolve
from tests.conftest import made_once
from tests.stores import one_sentence, run_named
from tests.truth import (
    STORE_DIR,
    add_points,
    change,
    make_planned,
    predictions_of,
    tracked,
    without_folders,
)

DATABASE = STORE_DIR / "mlflow.db"


def hard_delete(address: str, run_id: str) -> None:
    """Delete a run as ``mlflow gc`` does."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    SqlAlchemyStore(address, "unused")._hard_delete_run(run_id)


@pytest.fixture
def planned(workplace, template_store, data_dir, tmp_path_factory):
    """The working directory with a confirmatory study of two arms and three seeds."""
    made = made_once(
        tmp_path_factory, "planned", lambda place: make_planned(place, template_store, data_dir)
    )
    shutil.rmtree(workplace / STORE_DIR)
    shutil.copytree(made, workplace, dirs_exist_ok=True)
    return workplace


@pytest.fixture
def rank(cli, planned):
    def ranked(*words, study="deep"):
        answer = cli("rank", study, "--json", *words)
        assert answer.code == 0, answer.err
        return json.loads(answer.out)

    return ranked


def means(ranking):
    return {arm["variant"]: arm["mean"] for arm in ranking["arms"]}


def test_an_edited_number_stops_the_ranking_and_sync_repairs_it(rank, cli):
    before = rank()
    assert before["status"] == "confirmatory", before["status_reason"]
    add_points(DATABASE, 40.0)
    answer = cli("rank", "deep")
    assert answer.code == 3
    assert answer.err.count("\n") == 1
    said = answer.err
    value = run_named(STORE_DIR, "early/seed=0", "deep").result().metrics["test_accuracy"]
    shown = f"early/seed=0 (test_accuracy {value + 40:g} in MLflow, {value:g} in its folder)"
    assert shown in said
    assert "early/seed=2" in said
    assert "vanilla" not in said
    assert "'attnstudy sync deep' puts MLflow right" in said
    assert "3 runs delivered" in cli("sync", "deep").out
    after = rank()
    assert (after["status"], means(after)) == ("confirmatory", means(before))


@pytest.mark.rest
@pytest.mark.parametrize(
    ("key", "value", "about"),
    [
        ("attnstudy.status", "running", "running in MLflow, complete in its folder"),
        ("attnstudy.status", "failed", "failed in MLflow, complete in its folder"),
        ("attnstudy.status", "diverged", "diverged in MLflow, complete in its folder"),
        ("attnstudy.seed", "17", "attnstudy.seed 17 in MLflow, 0 by its folder"),
        ("attnstudy.variant", "late", "attnstudy.variant late in MLflow, vanilla by its folder"),
    ],
)
def test_another_state_or_seed_or_arm_in_mlflow_stops_the_ranking(rank, cli, key, value, about):
    (run,) = [one for one in tracked() if one.name == "vanilla/seed=0"]
    change(DATABASE, "UPDATE tags SET value = ? WHERE key = ? AND run_uuid = ?",
           value, key, run.run_id)  # fmt: skip
    answer = cli("rank", "deep")
    assert answer.code == 3
    assert f"about vanilla/seed=0 ({about})" in answer.err
    assert cli("sync", "deep").code == 0
    assert rank()["status"] == "confirmatory"


@pytest.mark.rest
def test_a_run_that_is_finished_in_mlflow_alone_is_named(planned, cli):
    folder = run_named(STORE_DIR, "early/seed=1", "deep")
    (folder.path / "result.json").unlink()
    answer = cli("rank", "deep")
    assert answer.code == 3
    assert "early/seed=1 (complete in MLflow, interrupted in its folder)" in answer.err


@pytest.mark.parametrize("name", ["result.json", "predictions.csv", "run.json"])
def test_a_folder_that_is_damaged_is_named(planned, cli, name):
    path = run_named(STORE_DIR, "early/seed=1", "deep").path / name
    path.write_bytes(path.read_bytes().replace(b"1", b"2", 3))
    answer = cli("rank", "deep")
    assert answer.code == 3
    assert f"{path} is damaged" in answer.err
    assert "--rerun" in answer.err
    if name != "run.json":
        said = answer.err.rstrip().rstrip(".").split("or repeat the run by ")[1].strip("'")
        assert said.startswith("attnstudy run --rerun --study deep --arm early --seeds 1-1 ")
        assert cli(*shlex.split(said)[1:], "-q").code == 0
        assert cli("rank", "deep").code == 0


def test_predictions_that_are_only_in_mlflow_have_to_be_those_of_the_result(rank, cli, planned):
    scope = rank()["scope"]
    folder = run_named(STORE_DIR, "early/seed=1", "deep")
    (folder.path / "predictions.csv").rename("kept.csv")
    assert rank()["scope"] == scope
    (run,) = [one for one in tracked() if one.name == "early/seed=1"]
    there = predictions_of(STORE_DIR, run)
    there.write_bytes(there.read_bytes().replace(b"\n5,", b"\n05,"))
    reason = rank()["status_reason"]
    assert "early/seed=1 has other predictions in MLflow" in reason


def test_a_run_that_mlflow_lost_is_ranked_and_told_until_it_is_delivered(rank, cli, planned):
    before = rank()
    (run,) = [one for one in tracked() if one.name == "early/seed=2"]
    hard_delete(resolve(STORE_DIR, None).uri, run.run_id)
    ranking = rank()
    assert (ranking["status"], means(ranking)) == ("confirmatory", means(before))
    assert any(note.startswith("early/seed=2 is ranked from the run") for note in ranking["notes"])
    assert cli("sync", "deep").code == 0
    assert rank() == before


def test_numbers_that_were_removed_from_mlflow_are_put_back(rank, cli, planned):
    before = rank()
    change(DATABASE, "DELETE FROM latest_metrics WHERE key = 'test_accuracy'")
    answer = cli("rank", "deep")
    assert answer.code == 3
    assert "(test_accuracy none in MLflow, " in answer.err
    assert cli("sync", "deep").code == 0
    assert rank() == before


def test_a_store_that_an_earlier_version_filled_is_ranked_and_completed(rank, cli, planned):
    """It knew one maximum of the validation accuracies, and called it by the other's name."""
    before = rank()
    for run in tracked():
        during = run.metrics[MAX_DURING_TRAINING]
        for table in ("metrics", "latest_metrics"):
            sql = f"UPDATE {table} SET value = ? WHERE key = 'val_accuracy_max' AND run_uuid = ?"
            change(DATABASE, sql, during, run.run_id)
            sql = f"DELETE FROM {table} WHERE key = ? AND run_uuid = ?"
            assert change(DATABASE, sql, MAX_DURING_TRAINING, run.run_id)
    assert rank() == before
    assert cli("sync", "deep").code == 0
    assert rank() == before
    for run in tracked():
        assert run.metrics[MAX_DURING_TRAINING] <= run.metrics["val_accuracy_max"]
        assert run.metrics["val_accuracy_max"] >= run.metrics["val_accuracy_final"]


def test_a_store_that_was_down_all_along_is_no_reason_not_to_rank(rank, planned, template_store):
    before = rank()
    shutil.copy(template_store / "mlflow.db", DATABASE)
    for notes in STORE_DIR.glob("runs/*/*/published"):
        shutil.rmtree(notes)
    ranking = rank()
    assert (ranking["status"], means(ranking)) == ("confirmatory", means(before))
    (note,) = [note for note in ranking["notes"] if "not in MLflow" in note]
    assert "and 3 more are ranked from the run folders" in note
    assert "'attnstudy sync deep' delivers" in note


def test_a_result_that_was_not_delivered_is_ranked_and_told(rank, planned):
    folder = run_named(STORE_DIR, "early/seed=2", "deep")
    note = dict(folder.published("embedded"))
    note.pop("status")
    folder.note_published("embedded", note)
    run_id = note["run_id"]
    change(DATABASE, "DELETE FROM latest_metrics WHERE run_uuid = ?", run_id)
    sql = "UPDATE tags SET value = 'running' WHERE key = 'attnstudy.status' AND run_uuid = ?"
    change(DATABASE, sql, run_id)
    ranking = rank()
    assert ranking["status"] == "confirmatory"
    assert any(note.startswith("early/seed=2 is ranked from the run") for note in ranking["notes"])


@pytest.mark.parametrize("purged", [False, True])
def test_what_was_deleted_in_the_ui_stays_deleted_and_is_told(rank, cli, planned, purged):
    (run,) = [one for one in tracked() if one.name == "early/seed=2"]
    tracker = open_store(resolve(STORE_DIR, None))
    tracker.client.delete_run(run.run_id)
    if purged:
        assert cli("sync", "deep").code == 0  # which notes the deletion
        hard_delete(tracker.address.uri, run.run_id)
    ranking = rank()
    assert {arm["variant"]: arm["n"] for arm in ranking["arms"]} == {"vanilla": 3, "early": 2}
    assert "the result of early/seed=2 was deleted" in ranking["status_reason"]


def test_a_repetition_that_is_not_delivered_takes_the_place_of_what_mlflow_has(rank, planned):
    folder = run_named(STORE_DIR, "early/seed=2", "deep")
    kept = folder.repeat()
    for name in ("result.json", "run.json", "predictions.csv", "journal.jsonl"):
        shutil.copy(kept / name, folder.path)
    started = runs.RunFolder(kept).started()
    (folder.path / "run.json").unlink()
    folder.start(started.spec, asdict(started.dataset))
    ranking = rank()
    assert {arm["variant"]: arm["n"] for arm in ranking["arms"]} == {"vanilla": 3, "early": 3}
    assert [left["reason"] for left in ranking["excluded"]] == ["repeated by a later run"]
    assert ranking["status"] == "confirmatory", ranking["status_reason"]


def test_the_server_alone_is_believed_as_far_as_its_digests_agree(rank, planned, cli):
    whole = rank()
    elsewhere = without_folders(STORE_DIR, planned / "elsewhere")
    alone = ("--store", str(elsewhere))
    ranking = rank(*alone)
    assert (ranking["status"], means(ranking)) == ("confirmatory", means(whole))
    assert ranking["scope"] == whole["scope"]
    add_points(elsewhere / "mlflow.db", 1e-9)
    ranking = rank(*alone)
    assert ranking["status"] == "exploratory"
    said = "early/seed=0, early/seed=1, early/seed=2 have other numbers in MLflow than the digest"
    assert said in ranking["status_reason"]
    assert "'attnstudy sync deep' where the run folders are" in ranking["status_reason"]
    assert "was not followed" not in ranking["status_reason"]


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("UPDATE tags SET value = '18' WHERE key = 'attnstudy.seed' AND value = '0'", "numbers"),
        ("UPDATE params SET value = '9' WHERE key = 'epochs'", "numbers"),
        ("UPDATE runs SET start_time = start_time - 1", "numbers"),
        ("DELETE FROM tags WHERE key = 'attnstudy.result'", "no digest"),
    ],
)
def test_what_else_decides_a_ranking_is_part_of_the_digest(rank, planned, sql, said):
    elsewhere = without_folders(STORE_DIR, planned / "elsewhere")
    assert change(elsewhere / "mlflow.db", sql) >= 2
    ranking = rank("--store", str(elsewhere))
    assert ranking["status"] == "exploratory"
    assert said in ranking["status_reason"]


def test_predictions_that_were_altered_on_the_server_are_told(rank, planned):
    elsewhere = without_folders(STORE_DIR, planned / "elsewhere")
    (run,) = [one for one in tracked(elsewhere) if one.name == "early/seed=1"]
    there = predictions_of(elsewhere, run)
    assert elsewhere in there.parents
    there.write_bytes(there.read_bytes().replace(b"\n5,", b"\n05,"))  # the accuracy is the same
    ranking = rank("--store", str(elsewhere))
    assert ranking["status"] == "exploratory"
    assert "early/seed=1 has other predictions in MLflow" in ranking["status_reason"]
    assert "--republish" in ranking["status_reason"]


def test_an_altered_run_whose_folder_was_deleted_is_told_in_its_own_store(rank, planned):
    shutil.rmtree(run_named(STORE_DIR, "early/seed=1", "deep").path)
    assert rank()["status"] == "confirmatory"
    add_points(DATABASE, 3.0, "vanilla")
    for seed in range(3):
        shutil.rmtree(run_named(STORE_DIR, f"vanilla/seed={seed}", "deep").path)
    assert "vanilla/seed=0" in rank()["status_reason"]


def test_the_curves_are_those_of_the_folders(planned, cli):
    answer = cli("rank", "deep", "--format", "html", "--output", "page.html")
    assert answer.code == 0, answer.err
    assert "Learning curves" in Path("page.html").read_text()


def test_runs_of_another_code_schema_are_held_to_their_folders_and_never_renamed(
    rank, cli, planned, monkeypatch
):
    before, tags = rank(), {run.run_id: run.tags for run in tracked()}
    monkeypatch.setattr("attnstudy.study.CODE_SCHEMA", 99)
    assert cli("sync", "deep").code == 0
    assert {run.run_id: run.tags for run in tracked()} == tags
    after = rank()
    assert (after["status"], after["config"], means(after)) == (
        "confirmatory", before["config"], means(before),
    )  # fmt: skip
    add_points(DATABASE, 4.0)
    assert cli("rank", "deep").code == 3
    assert cli("sync", "deep").code == 0
    assert rank() == after


def test_a_curve_is_no_result(planned, cli):
    answer = cli("rank", "deep", "--metric", "val_accuracy")
    assert answer.code == 2
    assert "val_accuracy is a curve, and no result of a run" in one_sentence(answer.err)
    assert "val_accuracy_final" in answer.err
