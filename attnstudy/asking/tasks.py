"""The tasks of a study: what was given, as it is for one of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from attnstudy.arms import Arm
from attnstudy.asking.declaring import ranked_on_task
from attnstudy.asking.given import Given, Source
from attnstudy.errors import UsageError, near_miss
from attnstudy.studyfile import TASK_RANKING, TASKS, StudyFile


def each_task(given: Given) -> tuple[Given, ...]:
    """Return what is given for each task of a study; as it is where there are none."""
    return tuple(of_task(given, task) for task in given.study.tasks) or (given,)


def of_task(given: Given, task: str) -> Given:
    """Return what is given for one task: what it says itself goes before everything else."""
    study = replace(given.study, task=task)
    told = {} if study.own is not None else study.task_settings
    typed = [name for name in TASK_RANKING if given.typed(name)]
    ranked = {n: v for n, v in ranked_on_task(study).items() if n not in typed}
    own = {name: value for name, value in {**told, **ranked}.items() if name in given}
    return replace(
        given,
        study=study,
        by_name={**given, **own},
        sources={**given.sources, **dict.fromkeys(own, Source.STUDY)},
    )


def chosen_tasks(given: Given) -> tuple[str, ...]:
    """Return the tasks that a command is to train, as the study orders them; none without tasks.

    Raises:
        UsageError: there is no such task, or an option says what is the task's own.

    """
    study, asked = given.study, given.get("task") or ()
    if not study.tasks:
        if asked and given.called("task"):
            raise UsageError(
                f"the study {study.name!r} has no tasks: leave {given.place('task')} out"
            )
        return ()
    for task in asked:
        check_task(study, task)
    chosen = tuple(task for task in study.tasks if not asked or task in asked)
    for task in chosen:
        for name in study.tasks[task]:
            if given.called(name) and name not in TASK_RANKING:
                raise UsageError(
                    f"{given.place(name)} would go beside what the task {task!r} says of it: "
                    f"leave it out, or change {study.place.of(f'{TASKS}.{task}', name)}"
                )
    return chosen


def check_task(study: StudyFile, task: str) -> None:
    """Refuse a task that a study does not have.

    Raises:
        UsageError: naming those that it has.

    """
    if task not in study.tasks:
        raise UsageError(
            f"the study {study.name!r} has no task {task!r}{near_miss(task, study.tasks)} "
            f"(there: {', '.join(study.tasks)})"
        )


def refuse_of_both(study: StudyFile, arms: Iterable[Arm]) -> None:
    """Refuse a setting that is said to belong to the task and to what is compared on it.

    Raises:
        UsageError: naming it.

    """
    for arm in arms:
        for name in study.task_settings:
            if name in arm.settings:
                raise UsageError(
                    f"{study.place.of(f'{TASKS}.{study.task}', name)} is a setting of the arms "
                    "as well, and cannot belong to both: leave it out there or here"
                )
