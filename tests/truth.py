"""A planned study, trained once, in stores of which the rows and files can be altered."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit

from attnstudy.tracking import TrackedRun, open_store, read_runs, resolve
from tests.stores import command
from tests.studies import SMALL, write_study

STORE_DIR = Path("mlruns")
STUDY = f"""
variants = ["vanilla", "early"]
seeds = "0-2"
{SMALL}
"""


def make_planned(place: Path, template: Path, data_dir: Path) -> None:
    """Run a study with a plan in a folder, as a user does."""
    write_study(place, "deep", STUDY)
    (place / STORE_DIR).mkdir()
    shutil.copy(template / "mlflow.db", place / STORE_DIR / "mlflow.db")
    subprocess.run(
        command("run", "deep", "-q", "--no-figures", "--data-dir", data_dir),
        cwd=place, check=True, capture_output=True,
    )  # fmt: skip


def change(database: Path, sql: str, *values: object) -> int:
    """Change rows of a store, as somebody with access to it can; return how many."""
    with sqlite3.connect(database) as opened:
        return opened.execute(sql, values).rowcount


def add_points(database: Path, points: float, arm: str = "early") -> None:
    """Add to the test accuracy of an arm, and nowhere else."""
    runs = "SELECT run_uuid FROM tags WHERE key = 'attnstudy.variant' AND value = ?"
    for table in ("metrics", "latest_metrics"):
        sql = f"UPDATE {table} SET value = value + ? WHERE key = 'test_accuracy'"
        assert change(database, f"{sql} AND run_uuid IN ({runs})", points, arm) == 3


def tracked(
    store_dir: Path = STORE_DIR, study: str = "deep", uri: str | None = None
) -> list[TrackedRun]:
    """Return what MLflow has of a study."""
    return read_runs(open_store(resolve(store_dir, uri)), study)


def predictions_of(store_dir: Path, run: TrackedRun) -> Path:
    """Return where the embedded store keeps a run's predictions."""
    uri = open_store(resolve(store_dir, None)).client.get_run(run.run_id).info.artifact_uri
    return Path(unquote(urlsplit(uri).path)) / "predictions.csv"


def without_folders(store_dir: Path, elsewhere: Path) -> Path:
    """Copy a store as somebody sees it who has the server alone."""
    elsewhere.mkdir()
    shutil.copy(store_dir / "mlflow.db", elsewhere)
    shutil.copy(store_dir / "store.json", elsewhere)
    shutil.copytree(store_dir / "artifacts", elsewhere / "artifacts")
    return elsewhere
