"""``status`` and ``sync``: where the studies in a store stand, and delivering what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from attnstudy import runs
from attnstudy.errors import UsageError, near_miss
from attnstudy.runs import RunFolder, Status
from attnstudy.study import TUNING, tuning_of
from attnstudy.studyplan import RecordedPlan
from attnstudy.tracking import Address, Figures, Publisher, open_store
from attnstudy.usecases.publishing import LONG_PATIENCE, BackgroundPublisher


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
    for folder in folders:
        started = folder.started()
        if started is None:
            continue
        spec, status = started.spec, folder.status
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
    folders = runs.run_folders(address.store_dir, tuning_of(study))
    return TuningStatus(study, Counter(folder.status for folder in folders))


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


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What ``sync`` did."""

    delivered: int
    """Runs of which something was sent."""
    already: int
    """Runs of which the store had everything."""
    deleted: int
    """Runs that were deleted in the UI, and are left so."""
    refused: int
    """Runs that cannot be published; why was said."""


def sync(
    address: Address,
    study: str | None,
    figures: Figures,
    progress: Callable[[int, int], None],
    warn: Callable[[str], None],
    *,
    republish: bool = False,
) -> SyncReport:
    """Deliver to the tracking store what it has not confirmed, and put states right there.

    Raises:
        StoreError: the store is unreachable; what was delivered stays delivered.

    """
    todo = {
        name: [
            folder
            for folder in runs.run_folders(address.store_dir, name)
            if folder.status is not Status.RUNNING  # whoever trains it publishes it
        ]
        for name in choose_studies(address, study)
    }
    counts: Counter[str] = Counter()
    total = sum(len(folders) for folders in todo.values())

    def settled(folder: RunFolder, changed: bool) -> None:
        deleted = folder.published(address.key).get("deleted", False)
        counts["deleted" if deleted else "delivered" if changed else "already"] += 1
        progress(counts.total(), total)

    refused = 0
    for name, folders in todo.items():
        if not folders:
            continue
        question = runs.study_facts(address.store_dir, name).question
        connect = partial(_connect, address, name, question, figures, republish)
        said: list[str] = []
        publisher = BackgroundPublisher[RunFolder](
            connect, said.append, patience=LONG_PATIENCE, settled=settled
        )
        publisher.submit_all(folders)
        publisher.close()
        for sentence in said:
            if sentence != str(publisher.down):  # which is raised
                warn(sentence)
        if publisher.down is not None:
            raise publisher.down
        refused += len(publisher.refused)
    return SyncReport(counts["delivered"], counts["already"], counts["deleted"], refused)


def _connect(
    address: Address, study: str, question: str | None, figures: Figures, republish: bool
) -> Publisher:
    return Publisher(open_store(address), study, question, figures, republish)
