"""The tables of an empty store as MLflow makes them; run as a module, it writes them down."""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path

from attnstudy.tracking.opening import EMPTY_STORE, prepare_mlflow


def dumped(database: Path) -> str:
    """Return SQL that makes the same tables, without the experiment that each store has."""
    with sqlite3.connect(database) as connection:
        connection.execute("DELETE FROM experiments")
        connection.commit()
        return "\n".join(connection.iterdump()) + "\n"


def made_by_mlflow() -> str:
    """Have MLflow make a store, by all its migrations, and return what to write down."""
    prepare_mlflow()
    import mlflow
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder, "mlflow.db")
        store = SqlAlchemyStore(f"sqlite:///{database}", folder)
        store.engine.dispose()
        return f"-- MLflow {mlflow.__version__}\n{dumped(database)}"


if __name__ == "__main__":
    EMPTY_STORE.write_text(made_by_mlflow(), encoding="utf-8")
