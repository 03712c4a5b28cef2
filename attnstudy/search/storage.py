"""Where Optuna keeps trials: a journal file beside the study, or a database.

A database is created by one process at a time, because Optuna's migration races as others do.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shlex
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import optuna
from filelock import FileLock
from optuna.storages import BaseStorage, JournalStorage, RDBStorage, get_storage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock
from sqlalchemy import create_engine, inspect
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from attnstudy.errors import StoreError, UsageError, cause
from attnstudy.files import make_folder, reported, sync
from attnstudy.redaction import address_without_passwords, check_password, without_passwords

_SCHEMES = ("sqlite", "postgresql+psycopg2", "mysql+pymysql")
_TIMEOUT = 10  # seconds to connect in
_LOCK = ".lock"  # what Optuna adds to a journal's name
_STALE = 5  # seconds after which a journal's lock is a dead process's: it is held for one write


@dataclass(frozen=True, slots=True)
class Place:
    """A storage that is not open yet: a journal's path, or a database's address."""

    journal: Path | None = None
    url: URL | None = None

    @property
    def shown(self) -> str:
        """What people call it, without a password."""
        if self.url is not None:
            return address_without_passwords(self.url.render_as_string(hide_password=True))
        return str(self.journal)

    @property
    def dashboard(self) -> str:
        """The command that opens it in a browser."""
        return shlex.join(["optuna-dashboard", self.shown])

    @property
    def exists(self) -> bool:
        """Whether there may be something in it: of a file it is known, of a server it is not."""
        return self.file is None or self.file.exists()

    @property
    def file(self) -> Path | None:
        """The file that it is; None for a server."""
        if self.url is None:
            return self.journal
        local = self.url.get_backend_name() == "sqlite" and self.url.database
        return Path(self.url.database) if local and self.url.database else None


@dataclass(frozen=True, slots=True)
class Storage:
    """An open storage."""

    place: Place
    opened: BaseStorage

    @property
    def shown(self) -> str:
        """What people call it, without a password."""
        return self.place.shown

    def errors(self) -> contextlib.AbstractContextManager[None]:
        """Turn what Optuna and a database raise into a sentence for the reader."""
        return storage_errors(self.place)


def parse_storage(text: str) -> Place:
    """Return the place that ``--storage`` means: an address, or else the path of a journal.

    Raises:
        UsageError: the address is of a kind that is not supported, or its password is not quoted.

    """
    if "://" not in text:
        return Place(journal=Path(text))
    check_password(text)
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise UsageError(_unusable("that address")) from error
    if url.drivername == "postgresql":
        shown = Place(url=url.set(drivername="postgresql+psycopg2")).shown
        raise UsageError(f"write --storage {shown}: a bare postgresql:// asks for another driver")
    if url.drivername not in _SCHEMES:
        raise UsageError(_unusable(repr(Place(url=url).shown)))
    return Place(url=url)


def _unusable(what: str) -> str:
    return (
        f"{what} cannot be a storage: write the path of a journal file, "
        "postgresql+psycopg2://user:password@host/database or sqlite:///path.db"
    )


def open_storage(place: Place, store_dir: Path, *, write: bool = True) -> Storage:
    """Open a storage, creating it where it is not there yet.

    Args:
        place: where it is.
        store_dir: the store, in which a lock keeps two processes from creating one database at
            once.
        write: whether there will be writing; then a journal that a power failure or a full disk
            cut off within a line is cut back to the line before.

    Raises:
        UsageError: the database is MLflow's.
        StoreError: the storage is not reachable, or cannot be used.

    """
    logging.getLogger("optuna").setLevel(logging.ERROR)
    with storage_errors(place):
        if place.url is not None:
            with reported(store_dir):
                make_folder(store_dir)
                lock = FileLock(store_dir / "optuna.lock").acquire()
            with lock:
                return Storage(place, get_storage(_database(place, place.url)))
        assert place.journal is not None
        path = place.journal
        if path.exists() and not path.is_file():  # a pipe would never end
            raise StoreError(f"{path} is no file: name the journal that 'attnstudy tune' made")
        if write:
            with reported(path):
                make_folder(path.parent)
                _mend(path)
                _release(path.with_name(path.name + _LOCK))
        elif not path.exists():
            raise StoreError(f"there is no tuning in {path} yet: 'attnstudy tune' makes one")
        # whole: the lock is a link to it, and one that leads nowhere is waited for without end
        whole = str(path.resolve())
        lock_of_dashboards = JournalFileSymlinkLock(whole, grace_period=_STALE)
        backend = JournalFileBackend(whole, lock_obj=lock_of_dashboards)
        if write:
            sync(path.resolve().parent)  # Optuna makes lines safe, and not the name of the file
        try:
            return Storage(place, JournalStorage(backend))
        except _OF_OTHER_LINES as error:
            raise _damaged(place, error) from error


def _database(place: Place, url: URL) -> RDBStorage:
    """Open Optuna's tables in a database, made where they are not there."""
    local = url.get_backend_name() == "sqlite"
    if local and url.database:
        with reported(Path(url.database)):
            make_folder(Path(url.database).parent)
    options = {"connect_args": {} if local else {"connect_timeout": _TIMEOUT}}
    engine = create_engine(url, **options)
    try:
        tables = set(inspect(engine).get_table_names())  # one attempt, which tells why not
    finally:
        engine.dispose()
    if "alembic_version" in tables and "version_info" not in tables:
        raise UsageError(
            f"{place.shown} belongs to MLflow or another program: give --storage a database of "
            "its own"
        )
    return RDBStorage(url.render_as_string(hide_password=False), engine_kwargs=options)


def _mend(path: Path) -> None:
    """Cut a journal's last line off if it was not written to its end."""
    if not path.exists():
        return
    with path.open("rb+") as file:
        size = file.seek(0, os.SEEK_END)
        if size == 0:
            return
        file.seek(max(0, size - 1))
        if file.read(1) == b"\n":
            return
        file.seek(0)
        whole = file.read().rfind(b"\n") + 1
        file.truncate(whole)
        os.fsync(file.fileno())


def _release(lock: Path) -> None:
    """Take away a lock that a dead process left in the journal.

    Optuna does that itself only where the link leads somewhere, which that of a process with a
    relative path does not; and it asks without a pause. A lock may be of a time to come, where the
    clock was set back: then it is one that is still the same after that long.
    """
    with contextlib.suppress(FileNotFoundError):
        made, since = lock.lstat().st_mtime_ns, time.monotonic()
        while time.time() - made / 1e9 < _STALE and time.monotonic() - since < _STALE:
            time.sleep(0.05)
            if (now := lock.lstat().st_mtime_ns) != made:
                made, since = now, time.monotonic()
        os.unlink(lock)


@contextlib.contextmanager
def storage_errors(place: Place) -> Iterator[None]:
    """Turn what Optuna, a database and a file system raise into a sentence for the reader."""
    shown = place.shown
    try:
        yield
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise UsageError(
            f"{shown} needs a driver that is not installed: pip install 'attnstudy[postgres]', or "
            "the driver of your database"
        ) from error
    except ImportError as error:
        raise UsageError(f"the driver of {shown} cannot be imported: {cause(error)}") from error
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        reason = error.__cause__ if not isinstance(error, SQLAlchemyError) else error
        said = without_passwords(cause(getattr(reason, "orig", None) or reason or error))
        if "password" in said:
            raise StoreError(
                f"the storage {shown} refuses the user name or the password: put the right ones "
                "into --storage or ATTNSTUDY_STORAGE; nothing that was trained is lost"
            ) from error
        raise StoreError(
            f"the storage {shown} does not answer, or refuses ({said}): start it, or check "
            "--storage, then run the same command again; nothing that was trained is lost"
        ) from error
    except RuntimeError as error:
        if "storage upgrade" in str(error):
            raise StoreError(
                f"the storage {shown} was made by an older version of Optuna: run 'optuna storage "
                f"upgrade --storage {shown}'"
            ) from error
        if "updating optuna" in str(error):
            raise StoreError(
                f"the storage {shown} was made by a newer version of Optuna: update optuna"
            ) from error
        raise
    except OSError as error:
        raise StoreError(
            f"{shown} cannot be used ({cause(error)}): make room or give access there, then run "
            "the same command again"
        ) from error
    except ValueError as error:
        damaged = isinstance(error, json.JSONDecodeError) or "log format" in str(error)
        if place.journal is None or not damaged:
            raise
        raise _damaged(place, error) from error


_OF_OTHER_LINES = (
    AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError,
    optuna.exceptions.OptunaError,
)  # fmt: skip
"""What Optuna raises where the lines of a journal are not those that it writes."""


def _damaged(place: Place, error: Exception) -> StoreError:
    return StoreError(
        f"the journal {place.shown} is damaged ({cause(error)}): move it away, and 'attnstudy "
        "tune' makes it anew from the results that are in the store"
    )
