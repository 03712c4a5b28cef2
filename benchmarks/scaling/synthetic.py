"""Stores of many runs: one is really trained, the others are written as if they had been.

Folders are written by the classes that training writes them with. One run is published as always;
what the others would have in MLflow is its rows, copied, with their own names and numbers.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from attnstudy.files import file_digest, write_sealed
from attnstudy.runs import (
    Result,
    RunFolder,
    Start,
    changing_study_facts,
    run_folder,
    run_folders,
)
from attnstudy.study import RunSpec
from attnstudy.trainings.placement.variants import VARIANTS

STUDY = "many"
SMALL = (
    "--dataset", "digits", "--train-size", "256", "--val-size", "60", "--epochs", "2",
    "--channels", "4,4", "--batch-size", "32", "--study", STUDY,
)  # fmt: skip
"""What the one run that is trained is trained with."""


def attnstudy(*words: object) -> list[str]:
    """Return a command as a list."""
    return [sys.executable, "-m", "attnstudy", *map(str, words)]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A run that was trained, and published to the embedded store of its folder."""

    store_dir: Path
    folder: RunFolder
    started: Start
    result: Result

    @classmethod
    def of(cls, store_dir: Path, study: str = STUDY) -> Pattern:
        """Return the first run of a study."""
        folder = run_folders(store_dir, study)[0]
        started, result = folder.started(), folder.result()
        assert started is not None
        assert result is not None
        return cls(store_dir, folder, started, result)


def make_pattern(store_dir: Path) -> Pattern:
    """Train a run, and have it published."""
    words = attnstudy("run", *SMALL, "--variant", "double", "--seeds", 1, "--store", store_dir)
    subprocess.run([*words, "--executor", "inline", "-q"], check=True, capture_output=True)
    return Pattern.of(store_dir)


def specs_of(pattern: Pattern, arms: int, seeds: int) -> Iterator[RunSpec]:
    """Give the specifications of so many arms with so many seeds, seeds first."""
    names = [None] * 4 if arms == 4 else [f"arm{number:03}" for number in range(arms)]
    for seed in range(seeds):
        for number, name in enumerate(names):
            yield replace(  # type: ignore[call-arg]
                pattern.started.spec, variant=VARIANTS[number % 4], arm=name, seed=seed
            )


def renamed(spec: RunSpec, study: str, seed: int) -> RunSpec:
    """Return the specification for another study and seed."""
    return replace(spec, study=study, seed=seed)


def fill(
    store_dir: Path, pattern: Pattern, specs: Sequence[RunSpec], *, test_images: int | None = None
) -> list[RunFolder]:
    """Write the folders of finished runs, and the study's facts as ``run`` leaves them.

    Args:
        store_dir: the store.
        pattern: whose journal and other files they have; large files are links to its own.
        specs: of the runs.
        test_images: lines of ``predictions.csv``; None takes the pattern's.

    """
    rng = random.Random(1)
    images = test_images or pattern.started.dataset.test_images
    facts = {**asdict(pattern.started.dataset), "test_images": images}
    folders = []
    for spec in specs:
        folder = run_folder(store_dir, spec)
        folder.path.mkdir(parents=True, exist_ok=True)
        folder.start(spec, facts)
        for name in pattern.result.files:
            if name not in ("predictions.csv", "journal.jsonl"):
                (folder.path / name).hardlink_to(pattern.folder.path / name)
        shutil.copy(pattern.folder.path / "journal.jsonl", folder.path)
        (folder.path / "lock").touch()
        accuracy = _predictions(
            folder.path / "predictions.csv", images, rng, VARIANTS.index(spec.variant)
        )
        files = {
            **pattern.result.files,
            "predictions.csv": file_digest(folder.path / "predictions.csv"),
        }
        started = folder.started()
        assert started is not None
        result = replace(
            pattern.result,
            metrics={**pattern.result.metrics, "test_accuracy": accuracy},
            finished_at=started.at + round(1000 * pattern.result.train_seconds),
            files=files,
        )
        folder.finish(result)
        folders.append(folder)
    with changing_study_facts(store_dir, specs[0].study) as remembered:
        remembered.threads = remembered.threads or 1
        asked: dict[tuple[str, str], set[int]] = {}
        for spec in specs:
            asked.setdefault((spec.config_id, spec.arm_name), set()).add(spec.seed)
        for (config, arm), seeds in asked.items():
            remembered.ask(config, arm, seeds)
    return folders


def _predictions(path: Path, images: int, rng: random.Random, variant: int) -> float:
    """Write what a model would have predicted; return its accuracy in percent."""
    right = [rng.random() < 0.4 + 0.01 * variant for _ in range(images)]
    lines = [f"{i},{i % 10},{i % 10 if r else (i + 1) % 10}" for i, r in enumerate(right)]
    path.write_text("\n".join(["index,label,predicted", *lines]) + "\n")
    return 100.0 * sum(right) / images


class Copier:
    """Puts runs into an embedded store by copying the rows of one that was really published."""

    def __init__(self, pattern: Pattern, key: str = "embedded") -> None:
        self.key = key
        note = pattern.folder.published(key)
        self.note, self.run_id = note, str(note["run_id"])
        self.pattern = pattern
        database = pattern.store_dir / "mlflow.db"
        self.engine = sa.create_engine(f"sqlite:///{database}")
        self.tables = sa.MetaData()
        self.tables.reflect(self.engine)
        self.rows = self._rows()

    def _rows(self) -> list[tuple[str, list[dict[str, Any]]]]:
        """Return the rows that the published run has, by table."""
        found = []
        with self.engine.connect() as connection:

            def own(name: str, column: str, values: Sequence[str]) -> list[dict[str, Any]]:
                table = self.tables.tables[name]
                asked = sa.select(table).where(table.c[column].in_(values))
                rows = [dict(row._mapping) for row in connection.execute(asked)]
                if rows:
                    found.append((name, rows))
                return rows

            for name in ("runs", "params", "tags", "metrics", "latest_metrics"):
                own(name, "run_uuid", [self.run_id])
            models = [
                row["model_id"] for row in own("logged_models", "source_run_id", [self.run_id])
            ]
            for name in ("logged_model_params", "logged_model_tags", "logged_model_metrics"):
                own(name, "model_id", models)
            inputs = [
                *own("inputs", "destination_id", [self.run_id]),
                *own("inputs", "source_id", [self.run_id]),
            ]
            own("input_tags", "input_uuid", [row["input_uuid"] for row in inputs])
        self.models = models
        self.inputs = [row["input_uuid"] for row in inputs]
        return found

    def copy(self, folders: Sequence[RunFolder], at_once: int = 500) -> None:
        """Put runs in, and note in their folders that they are there."""
        for first in range(0, len(folders), at_once):
            self._copy(folders[first : first + at_once])

    def _copy(self, folders: Sequence[RunFolder]) -> None:
        batches: dict[str, list[dict[str, Any]]] = {}
        made: list[str] = []
        for folder in folders:
            started, result = folder.started(), folder.result()
            assert started is not None
            assert result is not None
            spec = started.spec
            ids = {self.run_id: uuid.uuid4().hex}
            ids |= {one: f"m-{uuid.uuid4().hex}" for one in self.models}
            ids |= {one: uuid.uuid4().hex for one in self.inputs}
            texts = {**_params(spec), **_tags(started, result)}
            numbers = result.metrics
            for name, rows in self.rows:
                for row in rows:
                    batches.setdefault(name, []).append(
                        _changed(row, ids, texts, numbers, started, result)
                    )
            made.append(ids[self.run_id])
        with self.engine.begin() as connection:
            for name, rows in batches.items():
                connection.execute(self.tables.tables[name].insert(), rows)
        for folder, run_id in zip(folders, made, strict=True):
            _note(folder, self.key, {**self.note, "run_id": run_id})

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()


def _note(folder: RunFolder, key: str, note: Mapping[str, Any]) -> None:
    """Leave what the publisher leaves."""
    (folder.path / "published").mkdir(exist_ok=True)
    write_sealed(folder.path / "published" / f"{key}.json", note)
    (folder.path / "publishing.lock").touch()


def _params(spec: RunSpec) -> dict[str, str]:
    from attnstudy.tracking import param_texts

    return param_texts(spec.to_dict())


def _tags(started: Start, result: Result) -> dict[str, str]:
    from attnstudy.tracking.digests import sealing_tags

    return {"mlflow.runName": started.spec.name, **sealing_tags(started, result)}


def _changed(
    row: Mapping[str, Any], ids: Mapping[str, str], texts: Mapping[str, str],
    numbers: Mapping[str, float], started: Start, result: Result,
) -> dict[str, Any]:  # fmt: skip
    """Return a row as another run would have it."""
    changed: dict[str, Any] = {}
    for column, value in row.items():
        if isinstance(value, str):
            for old, new in ids.items():
                value = value.replace(old, new)  # also within the places of artifacts
        changed[column] = value
    if "start_time" in row:
        changed |= {
            "start_time": started.at,
            "end_time": result.finished_at,
            "name": started.spec.name,
        }
    key = row.get("key")
    if key in texts and isinstance(row["value"], str):
        changed["value"] = texts[key]
    if (key in numbers) and "timestamp" in row:
        changed["value"] = numbers[key]
    if row.get("metric_name") in numbers:
        changed["metric_value"] = numbers[row["metric_name"]]
    return changed
