"""Opening the tracking store: created once and whole, never waited for long."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import sqlite3
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from attnstudy.crashpoints import reach
from attnstudy.errors import StoreError, TrackingUnreachableError, cause
from attnstudy.files import make_folder, reported
from attnstudy.tracking import relocating
from attnstudy.tracking.address import Address, file_store_words, is_file_store
from attnstudy.tracking.store import Tracker, mlflow_errors

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from sqlalchemy import Connection

_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # MLflow's own defaults keep a call to a dead server busy for minutes
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    # a server in trouble may ask us to come back in an hour, and MLflow would sleep until then
    "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "false",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # it prints a link for every run, to stdout, which is for our result
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
EMPTY_STORE = Path(__file__).with_name("empty_store.sql")
"""The tables of a new store, and the version of MLflow that made them."""
_OPENING = 120.0  # seconds for another process to create a store; it takes seconds


def prepare_mlflow() -> None:
    """Set MLflow's defaults for this process, before it is imported; the user's own win."""
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    for noisy in ("alembic", "mlflow.tracking"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # it logs every database error with a traceback, and raises it too
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)


def import_mlflow() -> None:
    """Import what every store needs, which takes seconds."""
    prepare_mlflow()
    importlib.import_module("mlflow")


def open_store(address: Address, *, create: bool = True) -> Tracker:
    """Open a store to write, creating the embedded one if it is not there and ``create`` says so.

    To read one that is there, use ``open_for_reading``, which changes nothing.

    Opening a fresh database migrates it, and two processes that do so at once destroy it. So a
    lock in ``address.store_dir`` is held meanwhile; it guards a database elsewhere, such as one on
    Postgres, only from processes with the same store folder. An embedded store is made under
    another name and put in place whole, so that a process killed on the way leaves nothing half
    made; one whose folder was moved gets its locations rewritten, which a warning says.

    Raises:
        TrackingUnreachableError: the server or database does not answer.
        StoreError: the store is not there, or cannot be used.

    """
    if address.embedded and not create and not (address.store_dir / "mlflow.db").exists():
        raise no_store(address.store_dir)
    prepare_mlflow()
    if address.is_server:
        with mlflow_errors(address):
            return Tracker(address, connected(address.uri))
    with reported(address.store_dir):
        make_folder(address.store_dir)
    with opening(address.store_dir), mlflow_errors(address):
        if address.embedded:
            _create(address.store_dir)
            _settle(address.store_dir)
        else:
            _reach_database(address)
        return Tracker(address, connected(address.uri))


@contextlib.contextmanager
def opening(store_dir: Path) -> Iterator[None]:
    """Hold the right to create, migrate or rewrite a store."""
    lock = FileLock(store_dir / "mlflow.lock", timeout=_OPENING)
    try:
        with reported(store_dir):
            lock.acquire()
    except StoreError as error:
        if not isinstance(error.__cause__, Timeout):
            raise
        raise StoreError(
            f"another process has been opening the store in {store_dir} for {_OPENING:.0f} "
            "seconds: end it, then run the same command again"
        ) from error
    try:
        yield
    finally:
        lock.release()


def _create(store_dir: Path) -> None:
    """Make the embedded database unless it is there."""
    database = store_dir.resolve() / "mlflow.db"
    if database.exists() and database.stat().st_size:
        return
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    fresh = database.with_name("mlflow-new.db")
    for left in store_dir.glob("mlflow-new.db*"):  # by a process that was killed here
        left.unlink(missing_ok=True)
    _lay_out(fresh)
    root = (store_dir.resolve() / "artifacts").as_uri()
    store = SqlAlchemyStore(f"sqlite:///{fresh}", root)  # type: ignore[no-untyped-call]
    store.engine.dispose()
    reach("store/before-created")
    os.replace(fresh, database)
    reach("store/after-created")
    relocating.note(store_dir)


def _lay_out(database: Path) -> None:
    """Make the tables of a new store, if they are known for this version of MLflow.

    Otherwise MLflow makes them, by every migration since its first version, which takes seconds.
    """
    import mlflow

    text = EMPTY_STORE.read_text(encoding="utf-8")
    if text.partition("\n")[0] == f"-- MLflow {mlflow.__version__}":
        with contextlib.closing(sqlite3.connect(database)) as connection:
            connection.executescript(text)


def _reach_database(address: Address) -> None:
    """Connect once: MLflow tries ten times, for minutes, and logs each failure."""
    with database(address, address.uri):
        pass


@contextlib.contextmanager
def database(address: Address, uri: str) -> Iterator[Connection]:
    """Connect to the database of an address by a URI, for a moment.

    Raises:
        TrackingUnreachableError: the database does not answer.

    """
    from sqlalchemy import create_engine
    from sqlalchemy.exc import OperationalError

    local = uri.startswith("sqlite")
    engine = create_engine(uri, connect_args={} if local else {"connect_timeout": 10})
    try:
        try:
            connection = engine.connect()
        except OperationalError as error:
            raise TrackingUnreachableError(
                f"the tracking database {address.shown} does not answer "
                f"({cause(error.orig or error)}): start it, or check the address in "
                "--tracking-uri or MLFLOW_TRACKING_URI"
            ) from error
        with connection:
            yield connection
    finally:
        engine.dispose()


def _settle(store_dir: Path) -> None:
    # who may only look at a store has to take its links as they are
    if os.access(store_dir, os.W_OK) and not relocating.settled(store_dir):
        said = relocating.settle(store_dir)
        if said is not None:
            warnings.warn(said, stacklevel=3)


def connected(uri: str) -> MlflowClient:
    """Return a client that has spoken to its store."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    client.search_experiments(max_results=1)  # the first call is what connects
    return client


def no_store(store_dir: Path) -> StoreError:
    """Return the error of a folder without an embedded store, with what there is instead."""
    if is_file_store(store_dir):
        return StoreError(file_store_words(store_dir))
    advice = "'attnstudy run' makes one, or name another with --store or --tracking-uri"
    if Path("mlflow.db").is_file():  # where MLflow keeps its own since version 3
        advice = (
            "for the database of MLflow that is here, add --tracking-uri sqlite:///mlflow.db; else "
            + advice
        )
    return StoreError(f"there is no tracking store in {store_dir}: {advice}")
