"""Become the MLflow server: accounts in the database, artifacts through it, no secret in argv."""

from __future__ import annotations

import configparser
import os
import sys
import tempfile
from pathlib import Path

from settings import database, listen, secret, whole


def main() -> None:
    """Write what MLflow wants in a file, put the rest into the environment, and become it."""
    address = whole(database("mlflow"))
    for name in [name for name, value in os.environ.items() if not value]:
        del os.environ[name]  # what compose passes on of a variable that nobody set
    folder = Path(tempfile.mkdtemp(prefix="mlflow-"))  # for nobody else to look into
    os.environ.update(
        MLFLOW_BACKEND_STORE_URI=address,
        MLFLOW_FLASK_SERVER_SECRET_KEY=secret("MLFLOW_SERVER_KEY"),
        MLFLOW_AUTH_CONFIG_PATH=str(_accounts(folder, address)),
        MLFLOW_DISABLE_TELEMETRY="true",
        MLFLOW_ALLOW_PICKLE_DESERIALIZATION="false",
        # jobs would run code on the server, and the study has none
        MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false",
        MLFLOW_ENABLE_REMOTE_ASSISTANT="false",  # its tools would run here too
    )
    host, port = listen()
    command = [
        sys.executable, "-m", "mlflow", "server", "--app-name", "basic-auth",
        "--host", host, "--port", str(port),
        "--workers", os.environ.get("SERVER_WORKERS", "2"),
    ]  # fmt: skip
    os.chdir(folder)
    os.execv(command[0], command)


def _accounts(folder: Path, address: str) -> Path:
    """Write where the accounts are, and what somebody may do who was not told otherwise."""
    config = configparser.ConfigParser()
    config["mlflow"] = {
        "default_permission": os.environ.get("DEFAULT_PERMISSION", "READ"),
        "database_uri": address.replace("%", "%%"),  # a quoted password has some
        # `migrate` made it: the server is never told its password
        "admin_username": "admin",
        # a password is hashed for every request otherwise; a changed one is good for so long still
        "auth_cache_ttl_seconds": os.environ.get("PASSWORD_CACHE_SECONDS", "30"),
    }
    path = folder / "accounts.ini"
    path.touch(mode=0o600)  # before there is anything in it
    with path.open("w", encoding="utf-8") as file:
        config.write(file)
    return path


if __name__ == "__main__":
    main()
