"""Killed at a named place, then the same command again: nothing is lost, nothing is done twice.

The short form kills at one place of every eight, at moments that rotate; ``make chaos`` (which sets
``ATTNSTUDY_CHAOS``) kills at every place at three moments.
"""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from attnstudy import runs
from attnstudy.tracking import open_store, read_history, read_runs, resolve
from tests.conftest import SMALL
from tests.crashes.zygote import Ended, Zygote

pytestmark = pytest.mark.timeout(900)
STORE_DIR = Path("mlruns")
FILES = (
    "study.json", "run.json", "holder.json", "journal.jsonl", "checkpoint.pt", "predictions.csv",
    "weights.safetensors", "model.pt2", "attention.npz", "result.json", "embedded.json",
)  # fmt: skip
REQUESTS = (
    "create-run", "log-inputs", "file", "create-model", "model-files", "finalize-model",
    "log-outputs", "log-result", "terminated",
)  # fmt: skip
"""What publishing asks of MLflow; the places of the others are in ``tests/faults``."""
PLACES = (
    *(f"write/{name}/{step}" for name in FILES for step in ("temporary", "renamed")),
    *(f"publish/{when}-{name}" for name in REQUESTS for when in ("before", "after")),
    "publish/before-note", "publish/after-note",
    "study/remembered", "claim/locked", "train/iteration", "journal/before", "journal/written",
    "journal/safe", "checkpoint/before", "checkpoint/previous-kept", "conclude/scored",
    "conclude/written", "run/before-finish", "run/finished",
)  # fmt: skip
ONCE = ("publish/before-create-experiment", "publish/after-create-experiment")
"""Passed once in the life of a store, so there is one moment for them."""
REPEATING = ("repeat/aside", "repeat/moved")
MOMENTS = (1, 2, 5)
"""The kill comes at the n-th time that the place is passed."""
LONG = bool(os.environ.get("ATTNSTUDY_CHAOS"))
CASES = [(place, 1) for place in ONCE] + [
    (place, moment)
    for number, place in enumerate(PLACES)
    for index, moment in enumerate(MOMENTS)
    if LONG or (number % 24, index) == (number // 24 % 24, number // 24 % len(MOMENTS))
]
VARIANTS = ("--variant", "double", "--variant", "vanilla")


class Study:
    """Commands on a study in a working directory of its own."""

    def __init__(self, zygote: Zygote, place: Path, data_dir: Path) -> None:
        self.zygote, self.place, self.data_dir = zygote, place, data_dir

    def run(self, seeds: int, *more: str, crash_at: str = "") -> Ended:
        return self.zygote.run(
            "run", *SMALL, *VARIANTS, "--seeds", str(seeds), "--executor", "inline",
            "--checkpoint-minutes", "0", *more,
            cwd=self.place,
            env={"ATTNSTUDY_DATA_DIR": str(self.data_dir), "ATTNSTUDY_CRASH_AT": crash_at,
                 "ATTNSTUDY_NO_FIGURES": "1"},
        )  # fmt: skip

    def folders(self) -> dict[str, runs.RunFolder]:
        found = {}
        for folder in runs.run_folders(self.place / STORE_DIR, "placement"):
            started = folder.started()
            assert started is not None
            found[started.spec.name] = folder
        return found

    def finished(self) -> dict[str, tuple[int, int]]:
        """Return which result files there are, told apart from later ones of the same content."""
        stats = {
            name: (folder.path / "result.json").stat()
            for name, folder in self.folders().items()
            if folder.result() is not None
        }
        return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in stats.items()}

    def numbers(self) -> dict[str, object]:
        """Return all that was computed, without the times."""
        kept: dict[str, object] = {}
        for name, folder in self.folders().items():
            result = folder.result()
            assert result is not None
            assert folder.damaged_files() == []
            metrics = {k: v for k, v in result.metrics.items() if "second" not in k}
            journal = [(r.step, r.values) for r in folder.journal()]
            files = [(folder.path / file).read_bytes()
                     for file in ("weights.safetensors", "predictions.csv")]  # fmt: skip
            kept[name] = (metrics, journal, files)
        return kept

    def published(self) -> dict[str, object]:
        """Return what MLflow has, without the times: a list for every run of a name."""
        tracker = open_store(resolve(self.place / STORE_DIR, None))
        kept: dict[str, list[object]] = {}
        for run in read_runs(tracker, "placement"):
            if run.superseded:
                continue
            metrics = {k: v for k, v in run.metrics.items() if "second" not in k}
            histories = [read_history(tracker, run.run_id, key)
                         for key in ("train_loss", "val_accuracy")]  # fmt: skip
            artifacts = sorted(a.path for a in tracker.client.list_artifacts(run.run_id))
            info = tracker.client.get_run(run.run_id)
            models = [output.step for output in info.outputs.model_outputs]
            kept.setdefault(run.name, []).append(
                (run.status, info.info.status, metrics, histories, artifacts, models)
            )
        return dict(kept)


@pytest.fixture
def study(zygote: Zygote, workplace: Path, data_dir: Path) -> Study:
    return Study(zygote, workplace, data_dir)


@pytest.fixture(scope="module")
def reference(
    zygote: Zygote, data_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, object], dict[str, object]]:
    """What an uninterrupted study of two seeds computes and publishes."""
    whole = Study(zygote, tmp_path_factory.mktemp("whole"), data_dir)
    ended = whole.run(2)
    assert ended.code == 0, ended.err
    return whole.numbers(), whole.published()


def same(found: dict[str, object], expected: dict[str, object]) -> None:
    assert found == {name: expected[name] for name in found}


@pytest.mark.parametrize(
    ("place", "moment"), [pytest.param(*CASES[0], marks=pytest.mark.proof), *CASES[1:]]
)
def test_nothing_is_lost_and_nothing_done_twice(place, moment, study, reference):
    seeds = 1
    crashed = study.run(seeds, crash_at=f"{place}:{moment}")
    if crashed.code == 0:  # passed less often: the next command passes it once more
        seeds = 2
        crashed = study.run(seeds, crash_at=f"{place}:1")
    assert crashed.code == -signal.SIGKILL, crashed.err
    before = study.finished()
    again = study.run(seeds)
    assert again.code == 0, again.err
    assert "Traceback" not in again.err
    assert "damaged" not in again.err
    assert len(study.folders()) == 2 * seeds
    after = study.finished()
    assert {name: after[name] for name in before} == before, "a finished run was made again"
    same(study.numbers(), reference[0])
    same(study.published(), reference[1])
    if place not in ("write/result.json/renamed", "run/finished"):  # left for ``prune``
        assert not list((study.place / STORE_DIR / "runs").rglob("checkpoint*.pt"))


@pytest.mark.parametrize("place", REPEATING)
def test_a_repetition_that_was_killed_is_gone_on_with(place, study, reference):
    assert study.run(1).code == 0
    assert study.run(1, "--rerun", crash_at=f"{place}:2").code == -signal.SIGKILL
    again = study.run(1)
    assert again.code == 0, again.err
    same(study.numbers(), reference[0])
    same(study.published(), reference[1])


@pytest.mark.proof
def test_every_named_place_is_one_of_these(study):
    """A place that is added in the code is added here."""
    source = Path(runs.__file__).parent.parent
    named = {
        name
        for path in source.rglob("*.py")
        for name in re.findall(r'reach\("([^"]+)"\)', path.read_text())
    }
    others = ("store/", "search/", "tuning/", "checkpoint-folder/")
    elsewhere = {name for name in named if name.startswith(others) or "restore" in name}
    assert named - elsewhere <= {*PLACES, *ONCE, *REPEATING}
    assert len(PLACES) + len(REPEATING) >= 30
