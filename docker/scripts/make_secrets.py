"""Create what is missing of the secrets of the stack, in the folder that is named.

The folder is for its owner alone. The files in it are readable for all, because a container reads
them as another user than the owner; nobody else on this machine gets through the folder.
"""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

_RANDOM = (
    "postgres_password",
    "mlflow_db_password",
    "optuna_db_password",
    "mlflow_admin_password",
    "mlflow_worker_password",
    "mlflow_server_key",
)
_EMPTY = ("aws_credentials",)
"""Filled by whoever keeps artifacts in S3."""

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
folder.chmod(0o700)
for name in (*_RANDOM, *_EMPTY):
    path = folder / name
    if not path.exists():
        path.write_text("" if name in _EMPTY else secrets.token_urlsafe(32) + "\n")
        print(f"created {path}")
    path.chmod(0o644)
