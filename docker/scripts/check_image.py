"""Exit with 0 if this environment has what the stack runs, and the build of torch asked for."""

from __future__ import annotations

import importlib
import sys

import torch

asked, built = sys.argv[1], "cpu" if torch.version.cuda is None else "cuda"
if asked != built:
    raise SystemExit(f"TORCH_BUILD is {asked}, but the index served torch for {built}")
for name in ("attnstudy.cli", "mlflow.server.auth", "optuna_dashboard", "psycopg2", "boto3"):
    importlib.import_module(name)
