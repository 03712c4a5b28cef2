"""Bring both databases to what this image needs, and see to the two accounts of the stack.

Run before any server, once. MLflow and Optuna migrate whatever they open, and two processes that do
so at once destroy a fresh database: a lock in the database keeps a second run of this waiting.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import time
from collections.abc import Iterator

from settings import database, secret, whole
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

_LOCK = 0x6174746E  # "attn"; any number that nobody else takes in these databases
_PATIENCE = float(os.environ.get("DATABASE_PATIENCE", "60"))
"""Seconds that a database is waited for."""
_OF_WORKERS = (("experiment", "EDIT"), ("run", "MANAGE"), ("logged_model", "MANAGE"))
"""What a worker may do everywhere: it goes on with studies that others began, and removes doubles
of runs and models; only experiments of its own can it delete."""
_SHORTEST = 12
"""Characters of a password that MLflow accepts for an administrator."""


def main() -> None:
    """Migrate MLflow's database with its accounts, then Optuna's."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    # before anything is changed
    admin, worker = secret("MLFLOW_ADMIN_PASSWORD"), secret("MLFLOW_WORKER_PASSWORD")
    if min(len(admin), len(worker)) < _SHORTEST:
        raise SystemExit(
            f"a password of MLflow's accounts is shorter than {_SHORTEST} characters: write a "
            "longer one into its file"
        )
    mlflow, optuna = database("mlflow"), database("optuna")
    with _alone(mlflow):
        _migrate_mlflow(whole(mlflow))
        _see_to_accounts(whole(mlflow), admin, worker)
    with _alone(optuna):
        _migrate_optuna(whole(optuna))
    print("The databases are ready.")


@contextlib.contextmanager
def _alone(url: URL) -> Iterator[None]:
    """Hold the lock of a database, once the database is there."""
    shown = url.render_as_string(hide_password=True)
    engine = create_engine(url, poolclass=NullPool, connect_args={"connect_timeout": 5})
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            connection = engine.connect()
            break
        except OperationalError as error:
            said = str(error.orig).strip().splitlines()[-1]
            # a wrong password does not get right by waiting
            if "authentication" in said or "does not exist" in said or time.monotonic() > deadline:
                raise SystemExit(f"{shown} cannot be used: {said}") from error
            time.sleep(0.5)
    with connection.execution_options(isolation_level="AUTOCOMMIT") as held:
        held.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
        yield  # the lock goes with the connection


def _migrate_mlflow(address: str) -> None:
    """Create MLflow's tables, or bring older ones up to date."""
    import mlflow.db
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    upgrade = mlflow.db.upgrade.callback  # the command itself shows the password to every `ps`
    assert upgrade is not None
    upgrade(address)
    # what the first opening creates, so that no two servers do; artifacts go through the server
    store = SqlAlchemyStore(address, "mlflow-artifacts:/")  # type: ignore[no-untyped-call]
    store.engine.dispose()


def _see_to_accounts(address: str, admin: str, worker: str) -> None:
    """Create the administrator and the workers' account; their passwords are what the files say.

    They live in MLflow's database: the tables of its accounts have a version table of their own.
    """
    from mlflow.server.auth.sqlalchemy_store import SqlAlchemyStore

    store = SqlAlchemyStore()
    store.init_db(address)  # type: ignore[no-untyped-call]
    for name, password, rules in (("admin", admin, True), ("worker", worker, False)):
        if not store.has_user(name):
            store.create_user(name, password, is_admin=rules)
        elif not store.authenticate_user(name, password):
            store.update_user(name, password=password)
            print(f"The password of {name!r} is now the one in its file.")
    for kind, permission in _OF_WORKERS:
        store.grant_user_permission("worker", kind, "*", permission)
    store.engine.dispose()


def _migrate_optuna(address: str) -> None:
    """Create Optuna's tables, or bring older ones up to date."""
    from optuna.storages import RDBStorage

    storage = RDBStorage(address, skip_compatibility_check=True)
    if storage.get_current_version() != storage.get_head_version():
        storage.upgrade()
    storage.remove_session()
    storage.engine.dispose()


if __name__ == "__main__":
    main()
