"""Become ``attnstudy`` with the arguments given, told of the stack's servers and passwords."""

from __future__ import annotations

import os
import sys

from settings import database, secret, whole


def main() -> None:
    """Put what is secret into the environment, which only this user can read, and become it."""
    os.environ.update(
        MLFLOW_TRACKING_USERNAME="worker",
        MLFLOW_TRACKING_PASSWORD=secret("MLFLOW_WORKER_PASSWORD"),
        ATTNSTUDY_STORAGE=whole(database("optuna")),
        MLFLOW_DISABLE_TELEMETRY="true",
    )
    os.execv(sys.executable, [sys.executable, "-m", "attnstudy", *sys.argv[1:]])


if __name__ == "__main__":
    main()
