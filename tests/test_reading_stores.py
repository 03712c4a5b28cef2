"""Reading a store changes nothing, and what is no store of MLflow's is refused in a sentence."""

from __future__ import annotations

import hashlib
import json
import shlex
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from attnstudy.tracking import open_for_reading, open_store, resolve
from tests.conftest import SMALL

OLDER = "3500859a5d39"  # schema of MLflow 2.x, with the experiments' and runs' tables of today


def state(folder):
    """Names, sizes, times and contents of everything in a folder.

    But not what stands in a database's shared memory, where readers say that they are reading.
    """
    return {
        str(path.relative_to(folder)): (
            path.stat().st_size,
            path.stat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest()
            if path.is_file() and not path.name.endswith("-shm")
            else "",
        )
        for path in sorted([folder, *folder.rglob("*")])
    }


def fill(database):
    """Log two arms with three seeds each by plain MLflow code."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{database}")
    experiment = client.create_experiment("theirs", (database.parent / "artifacts").as_uri())
    for model, base in (("a", 0.5), ("b", 0.7)):
        for seed in range(3):
            run = client.create_run(experiment).info.run_id
            client.log_param(run, "model", model)
            client.log_param(run, "seed", seed)
            client.log_metric(run, "acc", base + seed / 100)
            client.set_terminated(run)


@pytest.fixture(scope="module")
def filled(tmp_path_factory, template_store):
    place = tmp_path_factory.mktemp("theirs")
    shutil.copy(template_store / "mlflow.db", place / "their.db")
    fill(place / "their.db")
    return place / "their.db"


@pytest.fixture
def theirs(workplace, filled):
    """A folder with the database of somebody else, whose name would trouble a URI."""
    folder = workplace / "50%_of [a]'s #1"
    folder.mkdir()
    shutil.copy(filled, folder / "their.db")
    return folder / "their.db"


@pytest.fixture
def ranked(cli, workplace):
    """Rank what a database holds and look whether anything changed in the working directory."""
    shutil.rmtree(workplace / "mlruns")

    def rank(database, code=0):
        before = state(workplace)
        answer = cli(
            "rank", "--tracking-uri", f"sqlite:///{database}", "--experiment", "theirs", "--by",
            "params.model", "--seed-by", "params.seed", "--metric", "acc", "--json",
        )  # fmt: skip
        assert state(workplace) == before
        assert answer.code == code, answer
        if code:
            assert answer.err.count("\n") == 1
            return answer.err
        return {arm["variant"]: arm["values"] for arm in json.loads(answer.out)["arms"]}

    return rank


RIGHT = {
    "a": pytest.approx([0.5, 0.51, 0.52]),
    "b": pytest.approx([0.7, 0.71, 0.72]),
}


@pytest.mark.proof
def test_ranking_changes_nothing(ranked, theirs):
    assert ranked(theirs) == RIGHT


def test_a_database_with_a_log_ahead_is_read_with_and_without_a_writer(ranked, theirs):
    with closing(sqlite3.connect(theirs)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
    assert ranked(theirs) == RIGHT
    with closing(sqlite3.connect(theirs)) as writer:
        writer.execute("UPDATE latest_metrics SET value = value + 0.2 WHERE value < 0.6")
        writer.commit()
        left = {path: path.read_bytes() for path in (theirs, Path(f"{theirs}-wal"))}
        changed = {"a": pytest.approx([0.7, 0.71, 0.72]), "b": RIGHT["b"]}
        assert ranked(theirs) == changed
    assert ranked(theirs) == changed  # the log was folded in when the writer closed it
    for path, content in left.items():
        path.write_bytes(content)
    assert ranked(theirs) == changed  # as a killed writer leaves it, or a copy


def test_a_change_that_was_cut_short_is_read_as_it_was_before(ranked, theirs):
    script = (
        "import os, sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1])\n"
        "c.execute('PRAGMA cache_size = 1')\n"
        "c.execute('UPDATE latest_metrics SET value = 0.1')\n"
        "c.execute('CREATE TABLE filler AS SELECT hex(randomblob(200000)) AS x FROM runs')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(theirs)], check=False)
    assert Path(f"{theirs}-journal").stat().st_size
    assert ranked(theirs) == RIGHT


def test_a_database_that_is_not_there_is_not_made(ranked, workplace):
    assert "there is no database" in ranked(workplace / "no" / "such.db", code=3)
    assert "there is no database" in ranked(workplace / "such.db", code=3)


def test_what_is_no_database_of_mlflow_is_refused(ranked, workplace):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    optuna.create_study(storage=f"sqlite:///{workplace / 'optuna.db'}", study_name="s")
    said = ranked(workplace / "optuna.db", code=3)
    assert "is a storage of Optuna and no tracking store of MLflow" in said
    assert "study.trials_dataframe().to_csv('trials.csv')" in said
    (workplace / "table.csv").write_text("model,acc\na,1\n")
    assert "is no SQLite database" in ranked(workplace / "table.csv", code=3)
    (workplace / "empty.db").touch()
    assert "is no tracking store of MLflow, it is empty" in ranked(workplace / "empty.db", code=3)
    with closing(sqlite3.connect(workplace / "mine.db")) as mine:
        mine.execute("CREATE TABLE recipes (name)")
        mine.commit()
    assert "it has other tables (recipes)" in ranked(workplace / "mine.db", code=3)


def test_a_schema_of_another_version_is_named_and_not_changed(ranked, workplace, theirs):
    from alembic import command
    from mlflow.store.db.utils import _get_alembic_config
    from mlflow.store.tracking.dbmodels.initial_models import Base
    from sqlalchemy import create_engine

    old = workplace / "old.db"
    engine = create_engine(f"sqlite:///{old}")
    Base.metadata.create_all(engine)
    config = _get_alembic_config(f"sqlite:///{old}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, OLDER)
    engine.dispose()
    said = ranked(old, code=3)
    assert f"has the schema of an older MLflow ({OLDER})" in said
    (advised,) = [part for part in said.split("'") if part.startswith("mlflow db upgrade")]
    subprocess.run([sys.executable, "-m", *shlex.split(advised)], check=True, capture_output=True)
    # it has not even MLflow's default experiment, which MLflow makes when it opens a database
    assert "there is no experiment 'theirs'" in ranked(old, code=2)

    with closing(sqlite3.connect(theirs)) as older:  # with MLflow's default experiment
        older.execute(f"UPDATE alembic_version SET version_num = '{OLDER}'")
        older.execute("DROP TABLE trace_metrics")
        older.commit()
    assert f"has the schema of an older MLflow ({OLDER})" in ranked(theirs, code=3)
    with closing(sqlite3.connect(theirs)) as newer:
        newer.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
        newer.commit()
    assert "was made by a newer MLflow (schema ffffffffffff)" in ranked(theirs, code=3)


def test_runs_in_mlflows_old_form_are_migrated_as_the_sentence_says(cli, workplace):
    shutil.rmtree(workplace / "mlruns")
    log = (
        "import mlflow\n"
        "mlflow.set_tracking_uri('file:mlruns')\n"
        "mlflow.set_experiment('theirs')\n"
        "for model in 'ab':\n"
        "    for seed in range(3):\n"
        "        with mlflow.start_run():\n"
        "            mlflow.log_params({'model': model, 'seed': seed})\n"
        "            mlflow.log_metric('acc', {'a': 0.5, 'b': 0.7}[model] + seed / 100)\n"
    )
    environment = {"MLFLOW_ALLOW_FILE_STORE": "true", "PATH": "", "HOME": str(workplace)}
    subprocess.run([sys.executable, "-c", log], check=True, capture_output=True, env=environment)
    ranking = ("rank", "--experiment", "theirs", "--by", "params.model", "--seed-by",
               "params.seed", "--metric", "acc", "--json")  # fmt: skip
    before = state(workplace)
    answer = cli(*ranking)
    assert answer.code == 3
    for uri in ("mlruns", "file:mlruns", (workplace / "mlruns").as_uri()):
        named = cli(*ranking, "--tracking-uri", uri)
        assert named.code == 2
        assert "in MLflow's old form" in named.err
    assert state(workplace) == before
    (advised,) = [part for part in answer.err.split("'") if part.startswith("mlflow migrate")]
    assert advised == "mlflow migrate-filestore --source mlruns --target sqlite:///mlflow.db"
    subprocess.run([sys.executable, "-m", *shlex.split(advised)], check=True, capture_output=True)
    shutil.rmtree(workplace / "mlruns")
    hint = cli(*ranking)
    assert hint.code == 3
    assert "for the database of MLflow that is here, add --tracking-uri sqlite:///mlflow.db" in (
        hint.err
    )
    done = cli(*ranking, "--tracking-uri", "sqlite:///mlflow.db")
    assert done.code == 0, done
    arms = json.loads(done.out)["arms"]
    assert {arm["variant"]: arm["values"] for arm in arms} == RIGHT
    assert not (workplace / "mlruns").exists()


def test_a_study_of_ours_is_looked_at_without_a_trace(cli, workplace):
    answer = cli("run", "--study", "small", "--variant", "vanilla", "--variant", "late",
                 "--seeds", "2", *SMALL)  # fmt: skip
    assert answer.code == 0, answer
    before = state(workplace)
    for words in (("rank", "small"), ("status",), ("status", "small", "--json"),
                  ("rank", "small", "--format", "html")):  # fmt: skip
        answer = cli(*words)
        assert answer.code == 0, answer
        assert state(workplace) == before, words


def test_a_reader_cannot_write_and_a_writer_still_can(workplace):
    from mlflow.exceptions import MlflowException

    address = resolve(workplace / "mlruns", None)
    reader = open_for_reading(address)
    with pytest.raises(MlflowException, match="readonly"):
        reader.client.create_experiment("mine")
    open_store(address).client.create_experiment("mine")
    assert reader.client.get_experiment_by_name("mine") is not None
