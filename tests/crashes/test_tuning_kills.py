"""A search whose command is killed by SIGKILL at a named place, then run again, is one search.

``make chaos`` (which sets ``ATTNSTUDY_CHAOS``) kills at every place; otherwise it is a few of them.
"""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from attnstudy import runs
from attnstudy.tracking import open_store, read_experiments, resolve
from tests.crashes.zygote import Ended, Zygote
from tests.tuning import SMALL, numbers

PLACES = (
    # of a trial's training, and between its last update and its sealed result
    ("train/iteration", 9), ("checkpoint/previous-kept", 3), ("run/before-finish", 2),
    ("run/finished", 3), ("write/pauses.json/renamed", 2),
    # between what Optuna is asked and told
    ("search/before-design", 1), ("search/before-ask", 2), ("search/after-ask", 2),
    ("tuning/asked", 2), ("tuning/trained", 2), ("search/before-report", 4),
    ("search/before-tell", 2), ("search/described", 1), ("search/after-tell", 1),
    # of publishing, which goes on beside it
    ("publish/after-create-experiment", 1), ("publish/after-create-search", 1),
    ("publish/after-create-trial", 2), ("publish/after-trial-values", 1),
    ("publish/after-trial-ended", 2), ("publish/after-search-values", 1),
    ("publish/before-search-tags", 1), ("publish/after-search-tags", 1),
    ("publish/after-search-figure", 1),
)  # fmt: skip
SHORT = ("search/after-ask", "publish/after-create-trial")
CASES = [case for case in PLACES if os.environ.get("ATTNSTUDY_CHAOS") or case[0] in SHORT]


def search(zygote: Zygote, place: Path, data_dir: Path, crash_at: str = "") -> Ended:
    return zygote.run(
        "tune", *SMALL, "--variant", "vanilla", "--trials", "3", "--seeds-per-trial", "2",
        "--epochs", "2", "--pruner", "median", "--checkpoint-minutes", "0", "--json",
        cwd=place,
        env={"ATTNSTUDY_DATA_DIR": str(data_dir), "ATTNSTUDY_CRASH_AT": crash_at},
    )  # fmt: skip


def published(place: Path) -> list[Any]:
    """Return what MLflow shows, without the times."""
    tracker = open_store(resolve(place / "mlruns", None))
    return sorted(
        (run.name, run.status, dict(run.params), run.tags.get("attnstudy.state"),
         {k: v for k, v in run.metrics.items() if "second" not in k})
        for run in read_experiments(tracker, ["placement.tuning"])[0]
    )  # fmt: skip


@pytest.fixture(scope="module")
def whole(
    zygote: Zygote, data_dir: Path, template_store: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Any, Any]:
    """The same search, never interrupted: its trials and what MLflow shows of it."""
    place = workplace_in(tmp_path_factory.mktemp("whole"), template_store)
    ended = search(zygote, place, data_dir)
    assert ended.code == 0, ended.err
    return numbers(json.loads(ended.out)), published(place)


def workplace_in(place: Path, template_store: Path) -> Path:
    (place / "mlruns").mkdir()
    (place / "mlruns" / "mlflow.db").write_bytes((template_store / "mlflow.db").read_bytes())
    return place


@pytest.mark.parametrize(("name", "moment"), CASES, ids=lambda value: str(value))
def test_killed_and_run_again_it_is_the_search_that_was_never_killed(
    name, moment, zygote, whole, tmp_path, data_dir, template_store
):
    place = workplace_in(tmp_path, template_store)
    killed = search(zygote, place, data_dir, f"{name}:{moment}")
    assert killed.code == -signal.SIGKILL, (killed.code, killed.err)
    folders = runs.run_folders(place / "mlruns", "placement.tuning")
    sealed = {f.path: (f.path / "result.json").stat() for f in folders if f.result() is not None}
    again = search(zygote, place, data_dir)
    assert again.code == 0, again.err
    assert numbers(json.loads(again.out)) == whole[0]
    assert published(place) == whole[1]
    for path, stat in sealed.items():  # what was complete is not computed again
        assert (path / "result.json").stat().st_ino == stat.st_ino
