"""Where the runs of a study lie in a store, and what was fixed for all of them."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from filelock import FileLock

from attnstudy.errors import StoreError
from attnstudy.files import make_folder, read_sealed, reported, write_sealed
from attnstudy.runs.folder import RESULT, START, RunFolder
from attnstudy.study import TUNING, RunSpec
from attnstudy.studyplan import RecordedPlan, StudyPlan, differences


def study_folder(store: Path, study: str) -> Path:
    """Return the folder of a study's runs inside a store."""
    return store / "runs" / study


def run_folder(store: Path, spec: RunSpec) -> RunFolder:
    """Return the folder of the run that ``spec`` describes."""
    return RunFolder(study_folder(store, spec.study) / spec.fingerprint)


def run_folders(store: Path, study: str) -> list[RunFolder]:
    """Return the folders of all runs of a study that were ever started, by path.

    One that lost its record is among them while it has a result.
    """
    folder = study_folder(store, study)
    paths = {path.parent for name in (START, RESULT) for path in folder.glob(f"*/{name}")}
    return [RunFolder(path) for path in sorted(paths)]


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


@dataclass(slots=True)
class StudyFacts:
    """What was fixed at a study's first run, asked for and planned; a file in the store.

    Raises ``ValueError`` on construction when a value is not of its kind.
    """

    threads: int | None = None
    """A run, since the first."""
    question: str | None = None
    asked: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    """Configuration -> arm -> seeds, ascending."""
    plans: list[dict[str, Any]] = field(default_factory=list)
    """As ``RecordedPlan`` writes them, damaged ones too."""
    code: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Function or command -> what its runs were made by, the first first: ``identity``, and the
    digests that were ``accepted`` for it."""
    others: dict[str, Any] = field(default_factory=dict)
    """What another version of attnstudy wrote."""
    lost: bool = False
    """Whether there are runs and no file: then this is what they tell, and plans they do not."""

    def __post_init__(self) -> None:
        seeds = [s for arms in self.asked.values() for own in arms.values() for s in own]
        if not all(type(number) is int for number in (self.threads or 1, *seeds)):
            raise ValueError("threads and seeds are whole numbers")
        if not all(isinstance(record, dict) for record in self.plans):
            raise ValueError("plans are objects")
        if not isinstance(self.question or "", str):
            raise ValueError("a question is a text")
        if (self.threads or 1) < 1 or not all(0 <= seed < 2**63 for seed in seeds):
            raise ValueError("there is no thread count below 1, and no such seed")
        if not all(type(one["identity"]) is str for known in self.code.values() for one in known):
            raise ValueError("code has identities")

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> StudyFacts:
        """Return the facts that a file holds.

        Raises:
            ValueError: they are not what ``to_json`` writes.

        """
        known = {one.name for one in fields(cls)} - _NOT_WRITTEN
        own = {name: value for name, value in content.items() if name in known}
        try:
            return cls(**own, others={n: v for n, v in content.items() if n not in known})
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(str(error)) from error

    def to_json(self) -> dict[str, Any]:
        """Return what ``from_json`` takes; what is not known is left out."""
        written = [one.name for one in fields(self) if one.name not in _NOT_WRITTEN]
        own = {name: getattr(self, name) for name in written}
        return {**self.others, **{n: v for n, v in own.items() if v or v == 0}}

    def ask(self, config: str, arm: str, seeds: Iterable[int]) -> None:
        """Add to the seeds of an arm that were asked for."""
        own = self.asked.setdefault(config, {})
        own[arm] = sorted({*own.get(arm, ()), *seeds})


_NOT_WRITTEN = {"others", "lost"}


def facts_path(store: Path, study: str) -> Path:
    """Return where the facts of a study are kept."""
    return study_folder(store, study) / "study.json"


def report_notes(store: Path, study: str) -> list[Path]:
    """Return the notes of the reports that the embedded store was sent of a study."""
    return sorted((study_folder(store, study) / "reports").glob("*.json"))


def note_report(store: Path, study: str, run_id: str, files: Mapping[str, Any]) -> None:
    """Note the files of a report, each with size and SHA-256, by path."""
    folder = study_folder(store, study) / "reports"
    with reported(folder):
        make_folder(folder)
    write_sealed(folder / f"{run_id}.json", {"files": dict(files)})


def study_facts(store: Path, study: str) -> StudyFacts:
    """Return what was fixed at a study's first run (its thread count), asked for and planned.

    Where the file is lost or damaged, what the study's runs tell of that.

    Raises:
        StoreError: the file holds something else.

    """
    path = facts_path(store, study)
    content = read_sealed(path)
    if content is None:
        return _told_by_runs(run_folders(store, study))
    try:
        return StudyFacts.from_json(content)
    except ValueError as error:
        raise StoreError(f"{path} is not what attnstudy writes: restore it from a copy") from error


def _told_by_runs(folders: Iterable[RunFolder]) -> StudyFacts:
    """Return threads, code and seeds as runs tell them; nothing where there is no run."""
    facts = StudyFacts()
    threads: list[tuple[int, int]] = []
    for folder in folders:
        try:
            started, result = folder.started() or folder.sealed_start(), folder.result()
        except StoreError:  # of another version
            continue
        facts.lost = True
        if started is None:
            continue
        spec = started.spec
        facts.ask(spec.config_id, spec.arm_name, [spec.seed])
        told = (result.environment or {}).get("threads") if result is not None else None
        if told is not None and told.isdecimal():
            threads.append((started.at, int(told)))
        what = spec.facts.get("function") or spec.facts.get("command")
        if what is not None:
            known = facts.code.setdefault(what, [])
            if spec.code not in [one["identity"] for one in known]:
                known.append({"identity": spec.code, "accepted": []})
    facts.threads = min(threads)[1] if threads else None
    return facts


@contextlib.contextmanager
def changing_study_facts(store: Path, study: str) -> Iterator[StudyFacts]:
    """Read, let change, and write a study's facts, one process at a time."""
    folder = study_folder(store, study)
    lock = FileLock(folder / "study.lock")
    with reported(folder):
        make_folder(folder)
        held = lock.acquire()
    with held:
        facts = study_facts(store, study)
        before = json.dumps(facts.to_json(), sort_keys=True)
        yield facts
        if facts.lost and facts_path(store, study).exists():  # somebody may still read a part of it
            os.replace(facts_path(store, study), folder / "study-damaged.json")
        if facts.lost or json.dumps(facts.to_json(), sort_keys=True) != before:
            write_sealed(facts_path(store, study), facts.to_json())


def recorded_plans(facts: StudyFacts) -> list[RecordedPlan]:
    """Return the plans among a study's facts, oldest first; damaged records are left out."""
    read = map(RecordedPlan.from_json, facts.plans)
    return sorted((one for one in read if one is not None), key=lambda one: one.at)


def record_plan(facts: StudyFacts, plan: StudyPlan, *, after: int = 0) -> None:
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
        facts.plans.append(RecordedPlan.of(plan, at).to_json())
