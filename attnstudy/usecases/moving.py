"""``export`` and ``import``: a study as one file, checked by digest on both sides.

An archive holds, of each run, what decides and tells its result. What belongs to the machine stays
behind: locks, failures, and the notes of what a tracking store has confirmed. The store that the
runs come to may not have them, and one that has them takes them again without harm.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attnstudy import runs
from attnstudy.archives import Archive, ArchiveWriter, open_archive, write_archive
from attnstudy.errors import ArchiveError, StoreError, UsageError
from attnstudy.files import read_sealed, reported
from attnstudy.runs import Damage, Inspection, Remedy, RunFolder, StudyFacts
from attnstudy.study import TUNING, check_study_name
from attnstudy.studyplan import RecordedPlan, differences
from attnstudy.usecases.packing import (
    FACTS,
    RUNS,
    ExportedRun,
    Packed,
    damaged,
    pack,
    run_name,
)
from attnstudy.usecases.staging import staging
from attnstudy.usecases.unpacking import ImportedRun, UnpackedRun, place, unpack_run
from attnstudy.usecases.validation import possible_plan

Progress = Callable[[int, int], None]
_MEMBER = re.compile(rf"{RUNS}/([0-9a-f]{{32}})/([^/]+)")


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What ``export`` did."""

    study: str
    file: Path
    size: int
    """Bytes of the archive."""
    runs: tuple[ExportedRun, ...]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What ``import`` did."""

    study: str
    runs: tuple[ImportedRun, ...]
    threads: tuple[int, int] | None
    """Threads per run, here and in the archive, when they differ."""

    @property
    def refused(self) -> tuple[ImportedRun, ...]:
        """Runs that were not taken although they are not here."""
        return tuple(run for run in self.runs if run.status.refused)


def export_study(
    store_dir: Path,
    study: str,
    file: Path,
    *,
    unfinished: bool = False,
    skip_damaged: bool = False,
    force: bool = False,
    progress: Progress = lambda done, total: None,
) -> ExportReport:
    """Write a study's runs into one file: the finished ones, on request the unfinished too.

    Runs that somebody is training at this moment are left out. The same content of the run folders
    gives the same file, to the byte. The runs of a tuning are filed under a name of their own.

    Raises:
        UsageError: the file is there already, or no run would go along.
        StoreError: a run is damaged, or something cannot be read or written. No file is left.

    """
    if file.is_dir():
        raise UsageError(f"{file} is a folder: name a file in it")
    if file.exists() and not force:
        raise UsageError(f"{file} already exists: name another file, or replace it with --force")
    folders = runs.run_folders(store_dir, study)
    facts = runs.study_folder(store_dir, study) / FACTS
    damage = {
        folder: found
        for folder in folders
        if not folder.claimed and (found := damaged(folder)) is not None
    }
    if damage and not skip_damaged:
        raise StoreError(_refusal(study, damage))
    if folders and read_sealed(facts) is None and not (skip_damaged or study.endswith(TUNING)):
        raise StoreError(
            f"study.json is lost: {facts} held the plans of {study!r}; 'attnstudy sync {study}' "
            "writes it anew, or export without it by --skip-damaged"
        )
    exported: list[ExportedRun] = []
    with write_archive(file, {"study": study}) as archive:
        if read_sealed(facts) is not None:
            archive.add(FACTS, facts)
        for done, folder in enumerate(folders, start=1):
            packed = Packed.LEFT_DAMAGED
            if folder not in damage:
                packed = _pack_if_free(archive, folder, unfinished=unfinished)
            exported.append(ExportedRun(run_name(folder), folder.path.name, packed))
            progress(done, len(folders))
        if all(run.packed.left for run in exported):
            raise UsageError(_nothing(study, exported))
    return ExportReport(study, file, file.stat().st_size, tuple(exported))


def _pack_if_free(archive: ArchiveWriter, folder: RunFolder, *, unfinished: bool) -> Packed:
    with folder.claim() as mine:  # nobody goes on with it, or repeats it, while it is read
        return pack(archive, folder, unfinished=unfinished) if mine else Packed.LEFT_HELD


def _refusal(study: str, damage: Mapping[RunFolder, tuple[Inspection, Damage]]) -> str:
    found, reason = next(iter(damage.values()))
    others = f" ({len(damage) - 1} more are damaged too)" if len(damage) > 1 else ""
    again = "attnstudy run --rerun"
    if found.started is not None:
        again = found.started.spec.command_line("--rerun")
    repeat = f"repeat this run with '{again}'"
    if study.endswith(TUNING):
        repeat = f"move {found.folder.path} away and run 'attnstudy tune' again, which repeats it"
    elif reason.remedy is not Remedy.REPEATED:
        repeat = found.advice(reason)
    return f"{reason}{others}: {repeat}, or leave out what is damaged with --skip-damaged"


def _nothing(study: str, exported: list[ExportedRun]) -> str:
    if any(run.packed is Packed.LEFT_UNFINISHED for run in exported):
        return f"no run of {study!r} is finished: --unfinished exports the others, to go on with"
    if any(run.packed is Packed.LEFT_HELD for run in exported):
        return f"every run of {study!r} is being trained: export it when they have ended"
    return f"no run of {study!r} is whole: 'attnstudy status {study}' shows how they stand"


def import_study(
    store_dir: Path, file: Path, progress: Progress = lambda done, total: None
) -> ImportReport:
    """Put the runs of an archive into a store, each whole or not at all.

    Everything is verified before anything can be seen. A run that is here is never overwritten: an
    unfinished or damaged one makes room for a finished one and is kept aside.

    Raises:
        ArchiveError: the file is no archive, or something in it is not as it was exported.
        StoreError: the store cannot be written; runs that are in place stay there.

    """
    with open_archive(file) as archive, reported(store_dir):
        study, names = _contents(archive)
        with staging(store_dir) as stage:
            facts = _facts(archive, stage)
            unpacked: list[UnpackedRun] = []
            for done, (fingerprint, files) in enumerate(sorted(names.items()), start=1):
                here = RunFolder(runs.study_folder(store_dir, study) / fingerprint)
                unpacked.append(unpack_run(archive, study, fingerprint, files, stage, here))
                progress(done, len(names))
            threads = _merge_facts(archive, store_dir, study, facts)
            imported = [place(run, stage, continuing=threads is None) for run in unpacked]
    return ImportReport(study, tuple(imported), threads)


def _contents(archive: Archive) -> tuple[str, dict[str, set[str]]]:
    """Return the study's name, and the names of the files of each run, by fingerprint."""
    try:
        study = str(archive.about["study"])
        check_study_name(study.removesuffix(TUNING))
    except (KeyError, TypeError, UsageError) as error:
        raise archive.altered("it does not say which study it holds") from error
    names: dict[str, set[str]] = {}
    for member in archive.members:
        match = _MEMBER.fullmatch(member)
        if match is not None:
            names.setdefault(match[1], set()).add(match[2])
        elif member != FACTS:
            raise archive.altered(f"{member} is not a file of a study")
    return study, names


def _facts(archive: Archive, stage: Path) -> StudyFacts:
    """Return what was fixed at the study's first run and asked for, if the archive says it."""
    if FACTS not in archive.members:
        return StudyFacts()
    archive.unpack(FACTS, stage / FACTS)
    content = read_sealed(stage / FACTS)
    try:
        if content is None:
            raise ValueError(FACTS)
        facts = StudyFacts.from_json(content)
        plans = [RecordedPlan.from_json(record) for record in facts.plans]
        if not all(plan is not None and possible_plan(plan) for plan in plans):
            raise ValueError(FACTS)
    except ValueError as error:
        raise archive.altered(f"{FACTS} is not what it was") from error
    return facts


def _refuse_backdated(
    archive: Archive, store_dir: Path, theirs: StudyFacts, ours: StudyFacts, study: str
) -> None:
    """Refuse a plan that would take the place of the one that the first run here followed.

    Raises:
        ArchiveError: naming both.

    """
    known = runs.recorded_plans(ours)
    begun: dict[str, int] = {}
    for folder in runs.run_folders(store_dir, study) if known and theirs.plans else ():
        if (started := folder.started()) is not None:
            config = started.spec.config_id
            begun[config] = min(started.at, begun.get(config, started.at))
    for one in runs.recorded_plans(theirs):
        first = begun.get(one.plan.config, 0)
        own = [p for p in known if p.plan.config == one.plan.config and p.at <= first]
        if own and own[-1].at < one.at <= first and (what := differences(own[-1].plan, one.plan)):
            raise ArchiveError(
                f"{archive.path} brings the plan {one.hash}, dated before the first run here, "
                f"which followed the plan {own[-1].hash} ({'; '.join(what)}): ask who wrote it, "
                "and import it into another --store"
            )


def _merged_code(
    here: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return what made the runs of an archive and those here, with what was accepted for either.

    What is from here stays behind: the last is what a change of the code is compared with.
    """
    known = {one["identity"] for one in here}
    accepted: dict[str, dict[str, None]] = {}
    for one in (*(other for other in others if other["identity"] not in known), *here, *others):
        accepted.setdefault(one["identity"], {}).update(dict.fromkeys(one.get("accepted", ())))
    return [{"identity": identity, "accepted": list(own)} for identity, own in accepted.items()]


def _merge_facts(
    archive: Archive, store_dir: Path, study: str, facts: StudyFacts
) -> tuple[int, int] | None:
    """Add an archive's facts to the study's; return both thread counts if they differ.

    This comes before the runs, so that a study never stands there without its thread count.
    """
    with runs.changing_study_facts(store_dir, study) as here:
        _refuse_backdated(archive, store_dir, facts, here, study)
        here.threads = here.threads or facts.threads
        here.question = here.question or facts.question
        for what, known in facts.code.items():
            here.code[what] = _merged_code(here.code.get(what, ()), known)
        here.others = {**facts.others, **here.others}
        here.plans += [record for record in facts.plans if record not in here.plans]
        for config, arms in facts.asked.items():
            for arm, seeds in arms.items():
                here.ask(config, arm, seeds)
        ours, theirs = here.threads, facts.threads
    return None if ours is None or theirs in (None, ours) else (ours, theirs)
