"""``attnstudy checklist``: what a store knows of what reproducibility checklists ask for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from attnstudy import runs
from attnstudy.errors import UsageError
from attnstudy.runs import PARAMETERS, Result, RunFolder, Status
from attnstudy.study import TUNING, tuning_of
from attnstudy.studyplan import RecordedPlan
from attnstudy.tracking import Address
from attnstudy.usecases.studies import choose_studies
from attnstudy.usecases.tuning.results import ArmTuning, read_tuning

SOFTWARE = ("version", "python", "torch", "numpy", "code_revision")
"""Names, in the environment of a result, of what a run was trained with."""
_HARDWARE = ("hardware", "device", "threads")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seconds:
    """The training times of runs."""

    runs: int
    total: float
    mean: float
    least: float
    most: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Seconds | None:
        """Return the times of some runs; None of none."""
        if not seconds:
            return None
        total = sum(seconds)
        return cls(
            runs=len(seconds),
            total=total,
            mean=total / len(seconds),
            least=min(seconds),
            most=max(seconds),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmFacts:
    """One arm of one configuration."""

    arm: str
    task: str | None
    config: str
    counts: Mapping[Status, int]
    seeds: tuple[int, ...]
    """Of the runs that have a result."""
    parameters: tuple[int, ...]
    """Trainable, in the runs that recorded them: one number, or several where runs differ."""
    seconds: Seconds | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What runs were trained on."""

    hardware: str
    device: str
    threads: str
    runs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Checklist:
    """What is known of a study; what is not recorded is empty or None."""

    study: str
    arms: tuple[ArmFacts, ...]
    settings: Mapping[str, Mapping[str, Any]]
    """The fields in which the runs of each configuration agree."""
    datasets: tuple[str, ...]
    """Name and digest of each dataset."""
    seconds: Seconds | None
    machines: tuple[Machine, ...]
    software: Mapping[str, tuple[str, ...]]
    """Versions, by name."""
    tuning: tuple[ArmTuning, ...]
    tuning_missing: str | None
    """Why the trials of a tuning that there was cannot be told."""
    tuned: bool
    """Whether settings of arms come from a search."""
    tuning_seconds: Seconds | None
    """Of the runs of the search that are in this store."""
    plans: tuple[RecordedPlan, ...]
    """The latest of each configuration."""
    placements: bool
    """Whether the training is the one that is built in."""
    damage: tuple[str, ...]
    """What is wrong with runs and what to do, a sentence each."""


def checklist_of(address: Address, study: str | None, storage: str | None) -> Checklist:
    """Return what the folders of a study's runs, its plans and its tuning say.

    Args:
        address: of the store.
        study: its name; None is the only one there is.
        storage: where the trials of its tuning are; None where no study is named.

    Raises:
        UsageError: there is no such study, or several and none is named.

    """
    name = _only(choose_studies(address, study), address)
    inspected = [runs.inspect(folder) for folder in runs.run_folders(address.store_dir, name)]
    begun = [(one.folder, one.started) for one in inspected if one.started]
    results = [(start.spec, folder.result()) for folder, start in begun]
    done = [result for _, result in results if result is not None]
    tuning, missing = _tuning(address, name, storage)
    trials = _results(runs.run_folders(address.store_dir, tuning_of(name)))
    recorded = runs.recorded_plans(runs.study_facts(address.store_dir, name))
    return Checklist(
        study=name,
        arms=tuple(_arms(begun)),
        settings={spec.config_id: spec.config_fields() for spec, _ in results},
        datasets=tuple(
            dict.fromkeys(
                f"{s.dataset.name} ({s.dataset.digest[:12]})" for _, s in begun if s.dataset
            )
        ),
        seconds=Seconds.of([result.train_seconds for result in done]),
        machines=tuple(_machines(done)),
        software={what: found for what in SOFTWARE if (found := _texts(done, what))},
        tuning=tuning,
        tuning_missing=missing,
        tuned=any(spec.tuned_by is not None for spec, _ in results),
        tuning_seconds=Seconds.of([result.train_seconds for result in trials]),
        plans=tuple({one.plan.config: one for one in recorded}.values()),
        placements=all(spec.training is None for spec, _ in results),
        damage=tuple(sentence for one in inspected for sentence in one.sentences()),
    )


def _only(names: Sequence[str], address: Address) -> str:
    if len(names) == 1:
        return names[0]
    if not names:
        raise UsageError(f"there are no runs in {address.store_dir}: train a study first")
    raise UsageError(f"there are several studies ({', '.join(names)}): name one of them")


def _results(folders: Iterable[RunFolder]) -> list[Result]:
    return [result for folder in folders if (result := folder.result()) is not None]


def _arms(begun: Sequence[tuple[RunFolder, Any]]) -> Iterable[ArmFacts]:
    grouped: dict[tuple[str | None, str, str], list[tuple[RunFolder, Any]]] = {}
    for folder, start in begun:
        key = (start.spec.task, start.spec.config_id, start.spec.arm_name)
        grouped.setdefault(key, []).append((folder, start))
    for (task, config, arm), members in grouped.items():
        results = [(start, r) for folder, start in members if (r := folder.result()) is not None]
        yield ArmFacts(
            arm=arm,
            task=task,
            config=config,
            counts=Counter(folder.status for folder, _ in members),
            seeds=tuple(sorted({start.spec.seed for start, _ in results})),
            parameters=tuple(
                sorted({int(text) for text in _texts([r for _, r in results], PARAMETERS)})
            ),
            seconds=Seconds.of([result.train_seconds for _, result in results]),
        )


def _texts(results: Sequence[Result], name: str) -> tuple[str, ...]:
    """Return what results recorded under a name, each once."""
    found = (result.environment.get(name) for result in results)
    return tuple(dict.fromkeys(text for text in found if text))


def _machines(results: Sequence[Result]) -> Iterable[Machine]:
    counted = Counter(tuple(r.environment.get(n, "") for n in _HARDWARE) for r in results)
    for (hardware, device, threads), number in counted.most_common():
        yield Machine(hardware=hardware, device=device, threads=threads, runs=number)


def _tuning(
    address: Address, study: str, storage: str | None
) -> tuple[tuple[ArmTuning, ...], str | None]:
    """Return the searches of a study, and why they cannot be told although there were some."""
    if study not in [name.removesuffix(TUNING) for name in runs.tunings(address.store_dir)]:
        return (), None
    if storage is None:
        return (), "name the study, so that its trials are looked for beside its file"
    try:
        return read_tuning(study, storage, address.store_dir), None
    except UsageError as error:
        return (), str(error)
