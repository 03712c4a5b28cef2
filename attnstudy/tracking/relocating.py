"""The embedded store after its folder was moved or copied: MLflow keeps absolute locations."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from attnstudy.crashpoints import reach
from attnstudy.files import read_sealed, write_sealed

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

_NOTE = "store.json"

# Every column of MLflow's that holds the location of an artifact.
_COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
    ("trace_tags", "value"),
)
_TRACE_TAG = "mlflow.artifactLocation"


def settled(store_dir: Path) -> bool:
    """Whether the locations in the embedded store are those of the folder where it is now."""
    root = (read_sealed(store_dir / _NOTE) or {}).get("root")
    return root is not None and _same(Path(root), store_dir.resolve())


def settle(store_dir: Path) -> str | None:
    """Rewrite the locations in the embedded store if its folder is not where it was.

    All of them change in one transaction, the user's own experiments included; nothing changes
    where that would break a link that works. The caller holds the store's lock.

    Returns:
        What was done, as a sentence; None if nothing had to be.

    """
    from sqlalchemy import create_engine

    here = store_dir.resolve()
    engine = create_engine(
        f"sqlite:///{here / 'mlflow.db'}",
        connect_args={"timeout": 20.0},
        isolation_level="AUTOCOMMIT",  # BEGIN and COMMIT are ours
    )
    said = None
    try:
        with engine.connect() as connection:
            # at once, so that nobody else writes between what is read and what is changed
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            for root in moved_from(connection, store_dir):
                if _rewrite(connection, root, here):
                    said = (
                        f"the store was moved from {root} to {here}: its locations were rewritten"
                    )
            reach("store/before-relocated")
            connection.exec_driver_sql("COMMIT")
    finally:
        engine.dispose()
    reach("store/after-relocated")
    note(store_dir)
    return said


def moved_from(connection: Connection, store_dir: Path) -> tuple[Path, ...]:
    """Return the folders that locations in the embedded store name in the place of its own."""
    here = store_dir.resolve()
    noted = (read_sealed(store_dir / _NOTE) or {}).get("root")
    roots = [Path(noted)] if noted is not None else _roots(connection)
    return tuple(root for root in roots if not _same(root, here) and _moved(root, here))


def place(location: str, roots: Iterable[Path], store_dir: Path) -> Path | None:
    """Return where now is what a location in one of the old folders means; None if it is in none.

    What ``settle`` writes into the store, for who only reads it.
    """
    for root in roots:
        for before, after in _spellings(root, store_dir.resolve()):
            if location.startswith(before):
                moved = after + location[len(before) :]
                return _path(moved) or Path(moved)
    return None


def note(store_dir: Path) -> None:
    """Keep where the embedded store is, to know when it was moved."""
    write_sealed(store_dir / _NOTE, {"root": str(store_dir.resolve())})


def _same(one: Path, other: Path) -> bool:
    """Whether two paths are one folder, through whatever links or mounts."""
    try:
        return one == other or one.samefile(other)
    except OSError:
        return False


def _moved(root: Path, here: Path) -> bool:
    """Whether the artifacts are here: a database copied alone goes on using the old folder's."""
    return (here / "artifacts").is_dir() or not (root / "artifacts").is_dir()


def _roots(connection: Connection) -> list[Path]:
    """Return where our experiments' artifacts are, for a store that has no note of it yet."""
    from sqlalchemy import select

    experiments = _tables(connection)["experiments"]
    columns = experiments.c.name, experiments.c.artifact_location
    roots: dict[Path, None] = {}
    for name, location in connection.execute(select(*columns)):
        path = _path(location or "")
        # resolving an address gives <root>/artifacts/<study>: see Tracker.ensure_experiment
        if path is not None and path.name == name and path.parent.name == "artifacts":
            roots[path.parent.parent] = None
    return list(roots)


def _path(location: str) -> Path | None:
    """Return the path of a file URI."""
    from urllib.parse import unquote, urlsplit

    parts = urlsplit(location)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def _rewrite(connection: Connection, old: Path, new: Path) -> int:
    """Put ``new`` in the place of ``old`` wherever a location begins with it; count the rows."""
    from sqlalchemy import func, literal, update

    changed = 0
    tables = _tables(connection)
    for table_name, column_name in _COLUMNS:
        table = tables.get(table_name)
        if table is None or column_name not in table.c:
            continue  # of another version of MLflow
        column = table.c[column_name]
        for before, after in _spellings(old, new):
            # by length and not with LIKE, in which _ and % of a path would mean something else
            begins = func.substr(column, 1, len(before)) == before
            if table_name == "trace_tags":
                begins &= table.c.key == _TRACE_TAG
            value = literal(after) + func.substr(column, len(before) + 1)
            done = connection.execute(update(table).where(begins).values({column_name: value}))
            changed += done.rowcount
    return changed


def _spellings(old: Path, new: Path) -> Iterable[tuple[str, str]]:
    """Return the ways in which a folder begins a location, each with its new form."""
    forms = {
        f"{old.as_uri()}/": f"{new.as_uri()}/",
        f"file://{old}/": f"file://{new}/",
        f"{old}/": f"{new}/",
    }
    return forms.items()


def _tables(connection: Connection) -> dict[str, Table]:
    """Return MLflow's own tables that hold locations, as they are in this database."""
    from sqlalchemy import MetaData, inspect

    metadata = MetaData()
    there = set(inspect(connection).get_table_names()) & {table for table, _ in _COLUMNS}
    metadata.reflect(connection, only=sorted(there), resolve_fks=False)
    return dict(metadata.tables)
