"""What the scripts of the stack are told: secrets from files, addresses from the environment."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy.engine import URL


def secret(name: str) -> str:
    """Return the content of the file that the variable ``<name>_FILE`` names.

    Raises:
        SystemExit: there is no such file, or nothing in it.

    """
    variable = f"{name}_FILE"
    place = os.environ.get(variable)
    if not place:
        raise SystemExit(f"{variable} is not set: name the file that holds this secret")
    try:
        value = Path(place).read_text(encoding="utf-8").rstrip("\n")
    except OSError as error:
        raise SystemExit(
            f"the secret {place} cannot be read ({error.strerror}): 'make secrets' creates it"
        ) from error
    if not value:
        raise SystemExit(f"the secret {place} is empty: delete it, and 'make secrets' fills it")
    return value


def database(owner: str) -> URL:
    """Return the address of a database, ``mlflow`` or ``optuna``, with its owner's password."""
    name = os.environ.get(f"{owner.upper()}_DB", owner)
    return URL.create(
        "postgresql+psycopg2",
        username=name,
        password=secret(f"{owner.upper()}_DB_PASSWORD"),
        host=os.environ.get("POSTGRES_HOST", "db"),
        port=int(os.environ.get("POSTGRES_PORT", "5432")),
        database=name,
    )


def whole(url: URL) -> str:
    """Return an address as text, with its password, quoted as URLs want it."""
    return url.render_as_string(hide_password=False)


def listen() -> tuple[str, int]:
    """Return the host and port to listen at."""
    return os.environ.get("LISTEN_HOST", "127.0.0.1"), int(os.environ["LISTEN_PORT"])
