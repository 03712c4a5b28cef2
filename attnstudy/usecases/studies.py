"""``status``: where the studies in a store stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from attnstudy import runs
from attnstudy.errors import UsageError, near_miss
from attnstudy.runs import Status, inspect
from attnstudy.study import TUNING, tuning_of
from attnstudy.studyplan import RecordedPlan
from attnstudy.tracking import Address
from attnstudy.usecases.recovering import lost_facts
from attnstudy.usecases.verifying import Verified, verify


@dataclass(frozen=True, slots=True)
class ArmStatus:
    """How one arm of a configuration stands."""

    name: str
    counts: Counter[Status]
    missing: tuple[int, ...]
    """Seeds that were asked for and have no result, and that nobody is training."""
    planned_missing: tuple[int, ...] = ()
    """Seeds that the recorded plan declares and that are missing likewise."""


@dataclass(frozen=True, slots=True)
class ConfigStatus:
    """How one configuration of a study stands."""

    config: str
    settings: dict[str, object]
    """Its fields, by name; none when no run of it was started yet."""
    arms: tuple[ArmStatus, ...]
    plan: RecordedPlan | None = None
    """The plan in force; None if nothing was declared."""
    task: str | None = None
    """The task that it is of; None in a study without tasks."""


@dataclass(frozen=True, slots=True)
class StudyStatus:
    """How a study stands."""

    study: str
    configs: tuple[ConfigStatus, ...]
    undelivered: int
    """Runs whose present state the tracking store has not confirmed; not those that are running,
    which are delivered by whoever trains them."""
    deleted: int
    """Runs that were deleted in the MLflow UI, and stay so."""
    damage: tuple[str, ...] = ()
    """What is damaged, as far as it is seen without reading all of it, and what to do."""


def study_status(address: Address, study: str) -> StudyStatus:
    """Return how a study stands, from its run folders alone."""
    folders = runs.run_folders(address.store_dir, study)
    facts = runs.study_facts(address.store_dir, study)
    plans = {one.plan.config: one for one in runs.recorded_plans(facts)}  # the latest of each
    standing: dict[str, dict[str, dict[int, Status]]] = {
        config: {arm: {} for arm in arms} for config, arms in facts.asked.items()
    }
    for config, recorded in plans.items():
        for arm in recorded.plan.arms:
            standing.setdefault(config, {}).setdefault(arm, {})
    tasks = {config: recorded.plan.task for config, recorded in plans.items()}
    settings: dict[str, dict[str, object]] = {}
    undelivered = deleted = 0
    lost = lost_facts(address, study)
    damage = [] if lost is None else [lost]
    for folder in folders:
        found = inspect(folder)
        damage += found.sentences()
        if found.started is None:
            continue
        spec, status = found.started.spec, found.status
        config = spec.config_id
        if config not in settings:
            settings[config] = spec.config_fields()
            tasks.setdefault(config, spec.task)
        arms = standing.setdefault(config, {})
        # a factory whose source changed has two runs of one seed: a finished one counts
        previous = arms.setdefault(spec.arm_name, {}).get(spec.seed)
        if previous is None or not previous.done:
            arms[spec.arm_name][spec.seed] = status
        confirmed = folder.published(address.key)
        if confirmed.get("deleted"):
            deleted += 1
        elif status is not Status.RUNNING:
            undelivered += confirmed.get("status") != status.value
    return StudyStatus(
        study,
        tuple(
            ConfigStatus(
                config,
                settings.get(config, {}),
                tuple(
                    _arm_status(
                        arm,
                        seeds,
                        facts.asked.get(config, {}).get(arm, ()),
                        _planned(plans.get(config), arm),
                    )
                    for arm, seeds in arms.items()
                ),
                plans.get(config),
                tasks.get(config),
            )
            for config, arms in _by_task(standing, tasks)
        ),
        undelivered,
        deleted,
        tuple(damage),
    )


def _by_task(
    standing: Mapping[str, dict[str, dict[int, Status]]], tasks: Mapping[str, str | None]
) -> list[tuple[str, dict[str, dict[int, Status]]]]:
    """Return how configurations stand, those of a task together, tasks as they were recorded."""
    order = list(dict.fromkeys([*tasks.values(), None]))
    return sorted(standing.items(), key=lambda one: order.index(tasks.get(one[0])))


@dataclass(frozen=True, slots=True)
class TuningStatus:
    """How the runs of a study's tuning stand; of its trials, the search's storage tells."""

    study: str
    counts: Counter[Status]
    damage: tuple[str, ...] = ()


def standing(address: Address, study: str | None) -> tuple[list[StudyStatus], list[TuningStatus]]:
    """Return how a study and its tuning stand, or all that there are, from run folders alone.

    Raises:
        UsageError: there is neither of that name.

    """
    tuned = [name.removesuffix(TUNING) for name in runs.tunings(address.store_dir)]
    only_tuned = study in tuned and study not in runs.studies(address.store_dir)
    names = [] if only_tuned else choose_studies(address, study)
    return (
        [study_status(address, name) for name in names],
        [_tuning_status(address, name) for name in tuned if study in (None, name)],
    )


def _tuning_status(address: Address, study: str) -> TuningStatus:
    found = [inspect(folder) for folder in runs.run_folders(address.store_dir, tuning_of(study))]
    damage = tuple(sentence for one in found for sentence in one.sentences())
    return TuningStatus(study, Counter(one.status for one in found), damage)


def verify_all(
    address: Address,
    studies: Sequence[StudyStatus],
    tunings: Sequence[TuningStatus],
    progress: Callable[[int, int], None],
) -> Verified:
    """Read everything that the store has of what was shown."""
    names = [*(one.study for one in studies), *(tuning_of(one.study) for one in tunings)]
    said = [sentence for one in studies for sentence in one.damage]
    said += [sentence for one in tunings for sentence in one.damage]
    return verify(address, names, said, progress)


def _planned(recorded: RecordedPlan | None, arm: str) -> tuple[int, ...]:
    if recorded is None or arm not in recorded.plan.arms:
        return ()
    return recorded.plan.seeds


def _arm_status(
    arm: str, seeds: dict[int, Status], asked: Sequence[int], planned: Sequence[int]
) -> ArmStatus:
    settled = {seed for seed, status in seeds.items() if status.done or status is Status.RUNNING}
    return ArmStatus(
        arm,
        Counter(seeds.values()),
        tuple(seed for seed in sorted({*asked, *seeds}) if seed not in settled),
        tuple(seed for seed in planned if seed not in settled),
    )


def choose_studies(address: Address, study: str | None) -> list[str]:
    """Return the study that is meant, or all that there are.

    Raises:
        UsageError: there is no such study.

    """
    known = runs.studies(address.store_dir)
    if study is None:
        return known
    if study not in known:
        listed = ", ".join(known) if known else "none yet"
        raise UsageError(
            f"there is no study {study!r} in {address.store_dir}{near_miss(study, known)} "
            f"(there: {listed})"
        )
    return [study]


def choose_tuning(address: Address, study: str) -> str:
    """Return the name under which the runs of a study's tuning are filed.

    Raises:
        UsageError: there are none.

    """
    name = tuning_of(study)
    known = [one.removesuffix(TUNING) for one in runs.tunings(address.store_dir)]
    if study not in known:
        listed = ", ".join(known) if known else "none yet"
        raise UsageError(
            f"there is no tuning of {study!r} in {address.store_dir}{near_miss(study, known)} "
            f"(there: {listed}): 'attnstudy tune' makes one"
        )
    return name
