"""Opening a store to read it: nothing is made, upgraded, rewritten or locked.

MLflow itself makes a database where there is none, puts its tables into a database of another
program, and brings an older schema up to date.
"""

from __future__ import annotations

import atexit
import contextlib
import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from attnstudy.errors import StoreError
from attnstudy.tracking import relocating
from attnstudy.tracking.address import Address
from attnstudy.tracking.opening import connected, database, no_store, prepare_mlflow
from attnstudy.tracking.store import Tracker, mlflow_errors

if TYPE_CHECKING:
    from sqlalchemy import Connection

_MLFLOW = {"experiments", "runs", "metrics", "params", "alembic_version"}
_OPTUNA = {"studies", "trials", "trial_values"}
_SQLITE = b"SQLite format 3\0"
_JOURNAL_MODE = slice(18, 20)  # of the file's header: 2, 2 where changes go to a file beside it


def open_for_reading(address: Address) -> Tracker:
    """Open a store that is there, and leave it as it is.

    A database in use by others is read as it is at the moment. One that was left in the middle of
    a change, by a process that was killed, is read from a copy that is deleted afterwards.

    Raises:
        TrackingUnreachableError: the server or database does not answer.
        StoreError: the store is not there, is none of MLflow's, or is of another version.

    """
    file = _file(address)
    if file is not None and not file.is_file():
        if address.embedded:
            raise no_store(address.store_dir)
        raise StoreError(
            f"there is no database {file}: check the path in --tracking-uri or MLFLOW_TRACKING_URI"
        )
    prepare_mlflow()
    with mlflow_errors(address):
        if address.is_server:
            return Tracker(address, connected(address.uri))
        uri = address.uri if file is None else _read_only(file)
        with database(address, uri) as connection:
            schema = _schema(connection, address)
            copied = file is not None and not _has_default(connection)
            if file is None or copied:  # nothing else keeps MLflow from upgrading it
                _check_schema(schema, address)
            moved: tuple[Path, ...] = ()
            if address.embedded and not relocating.settled(address.store_dir):
                moved = relocating.moved_from(connection, address.store_dir)
            if file is not None and copied:
                uri = _uri(_backed_up(connection, file.name))
        try:
            return Tracker(address, connected(uri), moved)
        except Exception:  # whatever MLflow trips over in another schema
            _check_schema(schema, address)  # not before: it takes a while
            raise


def _file(address: Address) -> Path | None:
    """Return the file of a SQLite database; None for others."""
    from sqlalchemy import make_url

    if not address.uri.startswith("sqlite:"):
        return None
    return Path(make_url(address.uri).database or "").absolute()


def _read_only(file: Path) -> str:
    """Return a URI that cannot write to a SQLite database.

    Raises:
        StoreError: the file is no database.

    """
    with file.open("rb") as opened:
        header = opened.read(len(_SQLITE) + 84)
    if header and not header.startswith(_SQLITE):
        raise StoreError(
            f"{file} is no SQLite database: name one of MLflow's with --tracking-uri, or a table "
            "of results with --from"
        )
    beside = {end: file.with_name(file.name + end) for end in ("-wal", "-shm")}
    if header[_JOURNAL_MODE] == b"\2\2" and not beside["-shm"].exists():
        # no process has it open, and opening it the usual way would make files beside it
        if not beside["-wal"].exists() or not beside["-wal"].stat().st_size:
            # what MLflow keeps of an unchanging file must not serve for a later state of it
            state = file.stat()
            return _uri(file, immutable="1", state=f"{state.st_mtime_ns}-{state.st_size}")
        return _uri(_copied(file, beside["-wal"]))
    if _cut_short(file):
        return _uri(_copied(file, file.with_name(f"{file.name}-journal")))
    return _uri(file, mode="ro")


def _uri(file: Path, **query: str) -> str:
    from sqlalchemy import URL

    # not "sqlite:///file:...", of which MLflow would make folders
    return URL.create(
        "sqlite+pysqlite", database=f"file:{quote(str(file))}", query={**query, "uri": "true"}
    ).render_as_string(hide_password=False)


def _cut_short(file: Path) -> bool:
    """Whether a process was killed while it changed the database, which has to be undone."""
    uri = f"file:{quote(str(file))}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
        try:
            connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as error:
            return error.sqlite_errorname == "SQLITE_READONLY_ROLLBACK"
    return False


def _copied(*files: Path) -> Path:
    folder = _folder()
    for file in files:
        shutil.copy(file, folder)
    return folder / files[0].name


def _has_default(connection: Connection) -> bool:
    """Whether there is the experiment that MLflow makes wherever it does not find it."""
    from sqlalchemy import text

    found = connection.execute(text("SELECT 1 FROM experiments WHERE experiment_id = 0"))
    return found.scalar() is not None


def _backed_up(connection: Connection, name: str) -> Path:
    copy = _folder() / name
    with contextlib.closing(sqlite3.connect(copy)) as target:
        original = connection.connection.driver_connection
        assert isinstance(original, sqlite3.Connection)
        original.backup(target)
    return copy


def _folder() -> Path:
    """Return a folder that is deleted when this process ends."""
    folder = Path(tempfile.mkdtemp(prefix="attnstudy-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _schema(connection: Connection, address: Address) -> str | None:
    """Return the version of MLflow's tables.

    Raises:
        StoreError: they are not there, and MLflow would make them.

    """
    from sqlalchemy import inspect, text

    tables = set(inspect(connection).get_table_names())
    if not tables >= _MLFLOW:
        raise StoreError(_foreign(tables, address))
    version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if version is None else str(version)


def _check_schema(version: str | None, address: Address) -> None:
    """Refuse tables of another version than those of this MLflow."""
    import mlflow
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(Path(mlflow.__file__).parent / "store" / "db_migrations"))
    if version == scripts.get_current_head():
        return
    if version not in {script.revision for script in scripts.walk_revisions()}:
        raise StoreError(
            f"the tracking store {address.shown} was made by a newer MLflow (schema {version}): "
            "install that version beside attnstudy, or run it as a server and name its address"
        )
    raise StoreError(
        f"the tracking store {address.shown} has the schema of an older MLflow ({version}), "
        f"which this one does not read: back it up, then 'mlflow db upgrade {address.shown}' "
        "brings it up to date"
    )


def _foreign(tables: set[str], address: Address) -> str:
    shown = address.shown
    if tables >= _OPTUNA:
        return (
            f"{shown} is a storage of Optuna and no tracking store of MLflow: write its trials "
            "with study.trials_dataframe().to_csv('trials.csv'), a table that --from trials.csv "
            "reads"
        )
    what = "is empty" if not tables else f"has other tables ({', '.join(sorted(tables)[:3])})"
    return (
        f"{shown} is no tracking store of MLflow, it {what}: check the address in --tracking-uri "
        "or MLFLOW_TRACKING_URI"
    )
