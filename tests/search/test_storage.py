"""Storages that are not there, not whole, too old, or somebody else's: one sentence each."""

from __future__ import annotations

import os
import sqlite3
import time

import pytest

from attnstudy.errors import StoreError, UsageError
from attnstudy.search import open_storage, parse_storage


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("redis://host/1", "'redis://host/1' cannot be a storage"),
        (
            "postgresql://me:secret@host/x",
            r"write --storage postgresql\+psycopg2://me:\*\*\*@host/x",
        ),
        ("http://host", "cannot be a storage"),
        ("://", "cannot be a storage"),
    ],
)
def test_an_address_of_another_kind_is_refused(text, sentence):
    with pytest.raises(UsageError, match=sentence) as refused:
        parse_storage(text)
    assert "secret" not in str(refused.value)


def test_a_database_that_does_not_answer_is_told_in_one_sentence_without_its_password(tmp_path):
    place = parse_storage("postgresql+psycopg2://me:secret@127.0.0.1:9/optuna")
    with pytest.raises(StoreError, match="does not answer") as refused:
        open_storage(place, tmp_path)
    said = str(refused.value)
    assert "me:***@127.0.0.1:9/optuna" in said
    assert "secret" not in said
    assert "\n" not in said


def test_a_storage_of_an_older_optuna_is_told_with_the_command_that_upgrades_it(
    tmp_path, make_search
):
    path = tmp_path / "old.db"
    make_search(f"sqlite:///{path}")
    with sqlite3.connect(path) as database:
        database.execute("UPDATE alembic_version SET version_num = 'v2.6.0.a'")
        database.execute("UPDATE version_info SET library_version = '2.6.0'")
    with pytest.raises(StoreError, match="older version of Optuna: run 'optuna storage upgrade"):
        make_search(f"sqlite:///{path}")
    with sqlite3.connect(path) as database:
        database.execute("UPDATE alembic_version SET version_num = 'v99.0.0.a'")
    with pytest.raises(StoreError, match="newer version of Optuna: update optuna"):
        make_search(f"sqlite:///{path}")


def test_the_database_of_mlflow_is_left_alone(tmp_path, template_store):
    place = parse_storage(f"sqlite:///{template_store / 'mlflow.db'}")
    before = (template_store / "mlflow.db").read_bytes()
    with pytest.raises(UsageError, match="belongs to MLflow or another program"):
        open_storage(place, tmp_path)
    assert (template_store / "mlflow.db").read_bytes() == before


def test_a_line_that_was_cut_off_is_taken_back(tmp_path, make_search):
    path = tmp_path / "tuning.journal"
    search = make_search()
    first = search.ask()
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"op_code":5,"worker')
    again = make_search()
    assert path.read_bytes() == whole
    assert again.open_trial() == first


def test_a_journal_damaged_in_its_middle_is_told(tmp_path, make_search):
    path = tmp_path / "tuning.journal"
    make_search().ask()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], b"{nonsense\n", *lines[1:]]))
    with pytest.raises(StoreError, match=r"is damaged.*move it away"):
        make_search()


@pytest.mark.parametrize(
    "line",
    [b"\x80\x04\x95.", b'{"op_code": 99, "worker_id": "x"}', b"[" * 100_000, b"7", b"{}"],
    ids=["pickle", "unknown", "nested", "number", "empty"],
)
def test_a_journal_of_other_lines_is_told(tmp_path, line):
    path = tmp_path / "other.journal"
    path.write_bytes((line + b"\n") * 2)
    with pytest.raises(StoreError, match=r"is damaged.*move it away"):
        open_storage(parse_storage(str(path)), tmp_path, write=False)


def test_a_pipe_is_no_journal(tmp_path):
    os.mkfifo(tmp_path / "x.journal")
    with pytest.raises(StoreError, match="is no file: name the journal"):
        open_storage(parse_storage(str(tmp_path / "x.journal")), tmp_path, write=False)


def test_looking_makes_no_journal(tmp_path):
    place = parse_storage(str(tmp_path / "none" / "tuning.journal"))
    with pytest.raises(StoreError, match="there is no tuning in"):
        open_storage(place, tmp_path, write=False)
    assert not (tmp_path / "none").exists()


def test_the_lock_of_a_dead_process_in_the_journal_is_taken_away(tmp_path, make_search):
    """Optuna waits without end for one that leads nowhere, as that of a relative path does."""
    make_search()
    lock = tmp_path / "tuning.journal.lock"
    lock.symlink_to("studies/x/tuning.journal")
    os.utime(lock, (1, 1), follow_symlinks=False)
    assert make_search().ask().number == 0


def test_a_lock_of_a_time_to_come_is_one_too(tmp_path, make_search, monkeypatch):
    """As where the clock was set back after a process had died with the lock."""
    monkeypatch.setattr("attnstudy.search.storage._STALE", 1)
    make_search()
    lock = tmp_path / "tuning.journal.lock"
    lock.symlink_to("studies/x/tuning.journal")
    later = time.time() + 365 * 86400
    os.utime(lock, (later, later), follow_symlinks=False)
    assert make_search().ask().number == 0


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("studies/x/tuning.journal", "optuna-dashboard studies/x/tuning.journal"),
        ("sqlite:///a.db", "optuna-dashboard sqlite:///a.db"),
        (
            "postgresql+psycopg2://me:secret@h/d",
            "optuna-dashboard 'postgresql+psycopg2://me:***@h/d'",
        ),
    ],
)
def test_the_command_that_opens_it_in_a_browser(text, command):
    assert parse_storage(text).dashboard == command
