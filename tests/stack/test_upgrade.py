"""Databases that older versions made: ``migrate`` brings them up to date, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import alembic.command
import pytest
import sqlalchemy

from tests.stack.compose import Stack

OLD_MLFLOW = "867495a8f9d4"  # of 2.14, April 2024
OLD_OPTUNA = "v3.0.0.d"  # of 3.0 and 3.1: what came later is one more index

RUN = """
INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage)
  VALUES (1, 'old study', 'mlflow-artifacts:/1', 'active');
INSERT INTO runs (run_uuid, name, status, start_time, end_time, lifecycle_stage, artifact_uri,
                  experiment_id, source_type, user_id)
  VALUES ('0123456789abcdef0123456789abcdef', 'early/seed=0', 'FINISHED', 1, 2, 'active',
          'mlflow-artifacts:/1/0/artifacts', 1, 'LOCAL', 'ada');
INSERT INTO params (key, value, run_uuid) VALUES ('seed', '0', '0123456789abcdef0123456789abcdef');
INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid)
  VALUES ('test_accuracy', 93.75, 2, 0, false, '0123456789abcdef0123456789abcdef');
"""


@pytest.fixture
def old(postgres, tmp_path: Path, data_dir: Path) -> Stack:
    """A stack whose databases older versions made."""
    import optuna
    from mlflow.store.db.utils import InitialBase, _get_alembic_config  # type: ignore[attr-defined]
    from optuna.storages import RDBStorage

    stack = Stack(tmp_path / "old", postgres, data_dir)
    assert stack.create_databases().returncode == 0
    engine = sqlalchemy.create_engine(stack.database("mlflow"))
    InitialBase.metadata.create_all(engine)
    with engine.begin() as connection:
        config = _get_alembic_config(engine.url.render_as_string(hide_password=False))
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, OLD_MLFLOW)
        connection.execute(sqlalchemy.text(RUN))
    engine.dispose()
    storage = RDBStorage(stack.database("optuna").render_as_string(hide_password=False))
    study = optuna.create_study(study_name="old/early", storage=storage, direction="maximize")
    study.add_trial(optuna.create_trial(value=93.75))
    storage.remove_session()
    alembic.command.stamp(storage._version_manager._create_alembic_config(), OLD_OPTUNA)
    storage.engine.dispose()
    return stack


def test_old_databases_are_brought_up_to_date_and_keep_what_is_in_them(old: Stack):
    import optuna
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
    from optuna.storages import RDBStorage

    optuna_address = old.database("optuna").render_as_string(hide_password=False)
    with pytest.raises(RuntimeError, match="storage upgrade"):
        RDBStorage(optuna_address)
    done = old.run("migrate")
    assert done.returncode == 0, done.stderr
    assert "p@ss" not in done.stdout + done.stderr
    assert "p%40ss" not in done.stdout + done.stderr
    store = SqlAlchemyStore(
        old.database("mlflow").render_as_string(hide_password=False), "mlflow-artifacts:/"
    )
    run = store.get_run("0123456789abcdef0123456789abcdef")
    assert (run.info.run_name, run.info.status) == ("early/seed=0", "FINISHED")
    assert run.data.params == {"seed": "0"}
    assert run.data.metrics == {"test_accuracy": 93.75}
    store.engine.dispose()
    study = optuna.load_study(study_name="old/early", storage=optuna_address)
    assert study.best_value == 93.75
