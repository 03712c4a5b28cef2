"""Exclusive use of a search by one command, wherever its trials are kept.

The lock is the operating system's or the database's: either frees it when its holder dies.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from attnstudy.runs import file_held
from attnstudy.search.storage import Place, storage_errors

_IN_USE = ".in-use"


@contextlib.contextmanager
def exclusive_use(place: Place, study: str) -> Iterator[bool]:
    """Keep other commands from working on a study's search; gives False if one does.

    Raises:
        StoreError: the storage is not reachable, or its folder cannot be written.

    """
    if place.file is None:
        assert place.url is not None
        with _exclusive_in_database(place, place.url, study) as mine:
            yield mine
        return
    path = place.file.with_name(place.file.name + _IN_USE)
    with file_held(path) as mine:
        yield mine


@contextlib.contextmanager
def _exclusive_in_database(place: Place, url: URL, study: str) -> Iterator[bool]:
    """Hold a lock of a database server for as long as a connection lives."""
    name = hashlib.sha256(f"attnstudy tune {study}".encode()).hexdigest()
    if url.get_backend_name() == "postgresql":
        asked = text("SELECT pg_try_advisory_lock(:key)").bindparams(key=int(name[:15], 16))
    else:
        asked = text("SELECT GET_LOCK(:name, 0)").bindparams(name=name[:60])
    with storage_errors(place):
        engine = create_engine(url, connect_args={"connect_timeout": 10}, poolclass=NullPool)
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    try:
        with storage_errors(place):
            mine = bool(connection.execute(asked).scalar())
        yield mine
    finally:
        with contextlib.suppress(SQLAlchemyError):  # gone with the server, and the lock with it
            connection.close()
        engine.dispose()
