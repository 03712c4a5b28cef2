"""Where the tracking store is."""

from __future__ import annotations

import hashlib
import shlex
from dataclasses import dataclass
from pathlib import Path

from attnstudy.errors import UsageError
from attnstudy.redaction import address_without_passwords, check_password

_SCHEMES = ("http", "https", "sqlite", "postgresql", "postgresql+psycopg2", "mysql+pymysql")


@dataclass(frozen=True, slots=True)
class Address:
    """A tracking store: the embedded one, a server, or a database of the user's."""

    uri: str
    """What MLflow is given."""
    store_dir: Path
    """The folder that holds the run folders, and the embedded store."""
    embedded: bool

    @property
    def key(self) -> str:
        """Short name under which a run folder notes what this store has confirmed.

        The embedded store lies beside the run folders and moves with them, so its path is not
        part of the name.
        """
        if self.embedded:
            return "embedded"
        return hashlib.sha256(self.shown.encode()).hexdigest()[:12]

    @property
    def shown(self) -> str:
        """The address without a password."""
        return address_without_passwords(self.uri)

    @property
    def is_server(self) -> bool:
        """Whether an MLflow server stands between us and the database."""
        return self.uri.startswith(("http://", "https://"))

    @property
    def artifact_root(self) -> str | None:
        """Where the artifacts of new experiments go; None leaves it to the server."""
        if self.is_server:
            return None
        return (self.store_dir.resolve() / "artifacts").as_uri()


def resolve(store_dir: Path, tracking_uri: str | None) -> Address:
    """Return the address of the store that the options mean.

    Raises:
        UsageError: the URI is of a kind that MLflow cannot open, or its password is not quoted.

    """
    database = store_dir.resolve() / "mlflow.db"
    # also when somebody set MLFLOW_TRACKING_URI to it, for a command of MLflow's
    named = (tracking_uri or "").partition("sqlite:///")[2]
    if not tracking_uri or (named and Path(named).resolve() == database):
        return Address(f"sqlite:///{database}", store_dir, embedded=True)
    folder = Path(tracking_uri.removeprefix("file://").removeprefix("file:"))
    if is_file_store(folder):
        raise UsageError(file_store_words(folder))
    scheme, separator, _ = tracking_uri.partition("://")
    if not separator or scheme not in _SCHEMES:
        raise UsageError(
            f"tracking URI {address_without_passwords(tracking_uri)!r} is not usable: write "
            "http://host:port, sqlite:////absolute/path.db or postgresql+psycopg2://..."
        )
    check_password(tracking_uri)
    return Address(tracking_uri, store_dir, embedded=False)


def is_file_store(folder: Path) -> bool:
    """Whether a folder holds runs in MLflow's old form, a file for each param and metric."""
    return any(folder.glob("*/meta.yaml"))


def file_store_words(folder: Path) -> str:
    """Return what to do about such a folder: MLflow does not open it any more."""
    command = shlex.join(
        ["mlflow", "migrate-filestore", "--source", str(folder), "--target", "sqlite:///mlflow.db"]
    )
    return (
        f"{folder} holds runs in MLflow's old form, as files: '{command}' copies them into a "
        "database; then add --tracking-uri sqlite:///mlflow.db"
    )
