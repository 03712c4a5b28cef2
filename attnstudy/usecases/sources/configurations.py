"""Which study and which of its configurations a ranking is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from attnstudy.errors import UsageError, near_miss
from attnstudy.studyplan import RecordedPlan
from attnstudy.tracking import Address, TrackedRun
from attnstudy.usecases.sources.collected import settle_differences


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRequest:
    """A study to rank."""

    study: str | None
    """None takes the only study there is."""
    config: str | None
    """None takes the only configuration there is."""
    metric: str | None
    """None takes the plan's, else the test accuracy."""
    direction: str | None
    allowed: tuple[str, ...]
    """Fields in which configurations may differ and be ranked together all the same."""
    address: Address
    task: str | None = None
    """None takes the only task there is."""
    with_curves: bool = False
    """Whether the learning curves are read as well, a request a run."""
    brief: bool = False
    """Whether only the verdict is wanted: neither images nor other studies are looked at."""


class SeveralTasksError(UsageError):
    """A study has several tasks, and a request for one ranking names none."""

    def __init__(self, sentence: str, tasks: Sequence[str]) -> None:
        """Keep the names of the tasks."""
        super().__init__(sentence)
        self.tasks = tuple(tasks)


def choose_study(request: StudyRequest, known: Sequence[str]) -> str:
    """Return the study that a request means.

    Raises:
        UsageError: there is none of that name, or several and no name.

    """
    if request.study is not None:
        if request.study not in known:
            listed = ", ".join(known) if known else "none: 'attnstudy run' makes one"
            raise UsageError(
                f"there is no study {request.study!r} in {request.address.shown}"
                f"{near_miss(request.study, known)} (there: {listed})"
            )
        return request.study
    if not known:
        raise UsageError(f"there is no study in {request.address.shown}: 'attnstudy run' makes one")
    if len(known) > 1:
        raise UsageError(f"several studies are here, name the one to rank: {', '.join(known)}")
    return known[0]


def task_names(
    tracked: Sequence[TrackedRun], recorded: Sequence[RecordedPlan], *, planned: bool = False
) -> tuple[str, ...]:
    """Return the tasks of some runs, in the order in which their plans were recorded.

    Those without a plan follow, by their first run; ``planned`` are those without a run too.
    """
    begun = sorted(tracked, key=lambda run: run.started_at)
    trained = dict.fromkeys(task for run in begun if (task := run.params.get("task")) is not None)
    declared = dict.fromkeys(one.plan.task for one in recorded if one.plan.task is not None)
    return tuple(task for task in {**declared, **trained} if planned or task in trained)


def choose_task(
    request: StudyRequest,
    study: str,
    tracked: Sequence[TrackedRun],
    recorded: Sequence[RecordedPlan],
) -> list[TrackedRun]:
    """Return the runs of the task that a request means; all where none is named.

    Raises:
        UsageError: there is no such task, or several and no name.

    """
    known = task_names(tracked, recorded, planned=True)
    listed = ", ".join(known)
    if request.task is None:
        if len(known) > 1 and request.config is None:
            raise SeveralTasksError(
                f"the study {study!r} has the tasks {listed}: name one with --task NAME", known
            )
        return list(tracked)
    if not known:
        raise UsageError(f"the study {study!r} has no tasks: leave --task out")
    if request.task not in known:
        raise UsageError(
            f"the study {study!r} has no task {request.task!r}{near_miss(request.task, known)} "
            f"(there: {listed})"
        )
    own = [run for run in tracked if run.params.get("task") == request.task]
    if not own:
        raise UsageError(
            f"the study {study!r} has no runs of the task {request.task!r} yet: "
            f"'attnstudy run {study} --task {request.task}' makes some"
        )
    return own


def choose_config(
    request: StudyRequest, study: str, tracked: Sequence[TrackedRun]
) -> tuple[list[TrackedRun], tuple[str, ...]]:
    """Return the runs of one configuration, or say how the configurations differ.

    Configurations that differ in nothing but allowed fields are taken together, with a remark.
    """
    configs: dict[str, list[TrackedRun]] = {}
    for run in tracked:
        configs.setdefault(run.config, []).append(run)
    if request.config is not None:
        matching = [config for config in configs if config.startswith(request.config)]
        if len(matching) != 1:
            raise UsageError(
                f"--config {request.config} is not one configuration of {study!r}: it has "
                f"{', '.join(configs)}"
            )
        return configs[matching[0]], ()
    if len(configs) == 1:
        return next(iter(configs.values())), ()
    fields = _differing_fields(tracked)
    if request.allowed and set(fields) <= set(request.allowed):
        return list(tracked), settle_differences(fields, request.allowed, study)
    choices = []
    for config, runs in configs.items():
        said = _config_of(runs[0])
        telling = ", ".join(f"{name}={said.get(name, '(none)')}" for name in fields)
        choices.append(f"--config {config} ({len(runs)} run{'s' * (len(runs) != 1)}: {telling})")
    raise UsageError(
        f"the study {study!r} holds {len(configs)} configurations, and runs of different "
        f"configurations are never pooled: choose {', '.join(choices[:-1])} or {choices[-1]}"
    )


def _differing_fields(runs: Sequence[TrackedRun]) -> dict[str, dict[str, list[str]]]:
    """Return the fields of the configuration with several values, and who has which."""
    told = [(run.name, _config_of(run)) for run in runs]
    fields: dict[str, dict[str, list[str]]] = {}
    for name in sorted({name for _, config in told for name in config}):
        values: dict[str, list[str]] = {}
        for run, config in told:
            values.setdefault(config.get(name, "(none)"), []).append(run)
        if len(values) > 1:
            fields[name] = values
    return fields


def _config_of(run: TrackedRun) -> dict[str, str]:
    """Return what a run's configuration says; of a field that each arm sets, only that it does."""
    own = run.params.get("arm_fields", "")  # as JSON
    said = {
        name: "(by arm)" if f'"{name}"' in own else run.params[name]
        for name, role in run.roles.items()
        if role == "config" and name != "arm_fields"
    }
    return {**said, "tuned": "yes" if run.params.get("tuned_by") else "no"}


def refuse_twice(runs: Sequence[TrackedRun]) -> None:
    """Refuse two runs of one arm and seed: which of them counts is not ours to choose.

    Raises:
        UsageError: naming both.

    """
    seen: dict[tuple[str, int], TrackedRun] = {}
    for run in runs:
        other = seen.setdefault((run.arm, run.seed), run)
        if other is run:
            continue
        if run.params.get("variant_source") != other.params.get("variant_source"):
            why = "the source of its factory changed in between: delete the runs of one version"
        else:
            why = "delete one of the two in the MLflow UI"
        places = [one.run_id or "a run folder here" for one in (other, run)]
        raise UsageError(f"{run.name} appears twice ({', '.join(places)}): {why}")
