"""Where the runs of a study lie in a store, and what was fixed for all of them."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock

from attnstudy.files import read_sealed, reported, write_sealed
from attnstudy.runs.folder import RunFolder
from attnstudy.study import TUNING, RunSpec
from attnstudy.studyplan import RecordedPlan, StudyPlan, differences


def study_folder(store: Path, study: str) -> Path:
    """Return the folder of a study's runs inside a store."""
    return store / "runs" / study


def run_folder(store: Path, spec: RunSpec) -> RunFolder:
    """Return the folder of the run that ``spec`` describes."""
    return RunFolder(study_folder(store, spec.study) / spec.fingerprint)


def run_folders(store: Path, study: str) -> list[RunFolder]:
    """Return the folders of all runs of a study that were ever started, by path."""
    paths = sorted(study_folder(store, study).glob("*/run.json"))
    return [RunFolder(path.parent) for path in paths]


def repeated_folders(store: Path, study: str) -> list[RunFolder]:
    """Return the folders of a study's earlier trainings, which a repetition took the place of."""
    paths = sorted(study_folder(store, study).glob("repeated/*/run.json"))
    return [RunFolder(path.parent) for path in paths]


def studies(store: Path) -> list[str]:
    """Return the names of the studies that have run folders in a store; tunings are none."""
    return [name for name in _names(store) if not name.endswith(TUNING)]


def tunings(store: Path) -> list[str]:
    """Return the names under which tunings have run folders in a store."""
    return [name for name in _names(store) if name.endswith(TUNING)]


def _names(store: Path) -> list[str]:
    return sorted(path.name for path in (store / "runs").glob("*/") if path.is_dir())


def study_facts(store: Path, study: str) -> dict[str, Any]:
    """Return what was fixed at a study's first run (its thread count), asked for and planned."""
    return read_sealed(study_folder(store, study) / "study.json") or {}


@contextlib.contextmanager
def changing_study_facts(store: Path, study: str) -> Iterator[dict[str, Any]]:
    """Read, let change, and write a study's facts, one process at a time."""
    folder = study_folder(store, study)
    lock = FileLock(folder / "study.lock")
    with reported(folder):
        folder.mkdir(parents=True, exist_ok=True)
        held = lock.acquire()
    with held:
        facts = study_facts(store, study)
        before = json.dumps(facts, sort_keys=True)
        yield facts
        if json.dumps(facts, sort_keys=True) != before:
            write_sealed(folder / "study.json", facts)


def recorded_plans(facts: Mapping[str, Any]) -> list[RecordedPlan]:
    """Return the plans among a study's facts, oldest first; damaged records are left out."""
    read = map(RecordedPlan.from_json, facts.get("plans", ()))
    return sorted((one for one in read if one is not None), key=lambda one: one.at)


def record_plan(facts: dict[str, Any], plan: StudyPlan, *, after: int = 0) -> None:
    """Add a plan to a study's facts, unless it is the one in force for its configuration.

    Args:
        facts: of the study; changed in place.
        plan: to be recorded.
        after: when the last of the configuration's runs was started (milliseconds); a clock that
            was set back must not date a plan before what was known when it was made.

    """
    recorded = recorded_plans(facts)
    before = [one for one in recorded if one.plan.config == plan.config]
    if not before or differences(before[-1].plan, plan):
        last = before[-1].at if before else 0
        at = max(time.time_ns() // 1_000_000, last + 1, after + 1)
        while at in {one.at for one in recorded}:
            at += 1  # so that all plans have an order, also in a tracking store
        facts.setdefault("plans", []).append(RecordedPlan.of(plan, at).to_json())
