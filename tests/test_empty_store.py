"""A new store has the very tables that MLflow's own migrations would have made."""

from __future__ import annotations

import sqlite3

import pytest

from attnstudy.tracking import open_store, opening, resolve
from tests.empty_store import dumped, made_by_mlflow


def content(store_dir):
    database = store_dir / "mlflow.db"
    with sqlite3.connect(database) as connection:
        names = connection.execute("SELECT name, lifecycle_stage FROM experiments").fetchall()
    return names, dumped(database)


def lines(sql):
    """Return the lines in an order of their own: MLflow's migrations shuffle the constraints."""
    return sorted(line.strip().rstrip(",") for line in sql.splitlines())


def test_what_is_written_down_is_what_mlflow_makes():
    written = opening.EMPTY_STORE.read_text(encoding="utf-8")
    assert lines(written) == lines(made_by_mlflow()), "write it: python -m tests.empty_store"


@pytest.mark.rest
@pytest.mark.parametrize("known", [True, False], ids=["this version", "another version"])
def test_a_new_store_is_the_same_by_either_way(tmp_path, monkeypatch, known):
    migrated = []
    from mlflow.store.db import utils

    upgrade = utils._upgrade_db
    monkeypatch.setattr(
        utils, "_upgrade_db", lambda engine: (migrated.append(engine), upgrade(engine))
    )
    if not known:
        other = tmp_path / "other.sql"
        text = opening.EMPTY_STORE.read_text(encoding="utf-8")
        other.write_text(text.replace("-- MLflow ", "-- MLflow 0."), encoding="utf-8")
        monkeypatch.setattr(opening, "EMPTY_STORE", other)
    open_store(resolve(tmp_path / "mlruns", None))
    assert bool(migrated) is not known
    names, tables = content(tmp_path / "mlruns")
    assert names == [("Default", "active")]
    assert lines(tables) == lines(made_by_mlflow().partition("\n")[2])
