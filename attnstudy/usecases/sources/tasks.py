"""Samples by task, from any source, and how they were read in one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from attnstudy.errors import UsageError
from attnstudy.stats import Exclusion, Source
from attnstudy.tables.words import some
from attnstudy.usecases.sources.collected import Collected
from attnstudy.usecases.sources.configurations import StudyRequest
from attnstudy.usecases.sources.experiment import collect_experiment_by_task
from attnstudy.usecases.sources.logged_runs import ExperimentRequest
from attnstudy.usecases.sources.study import collect_study
from attnstudy.usecases.sources.table import TableRequest, collect_table_by_task

TaskSource: TypeAlias = Mapping[str, StudyRequest] | ExperimentRequest | TableRequest
_FEW = 3  # tasks whose reading is told one by one


def collect_by_task(
    source: TaskSource,
    task_by: str | None,
    progress: Callable[[int], None] = lambda read: None,
) -> tuple[dict[str, Collected], tuple[Exclusion, ...]]:
    """Return the samples of each task, and the runs that belong to none.

    Args:
        source: what to rank; of a study, a request a task.
        task_by: what says on which task a run was made; None for a study, which knows it.
        progress: told how many runs were read.

    Raises:
        UsageError: there are no tasks, or a name is wrong.
        DataError: the data cannot be read.
        StoreError: the store is unreachable or not there.
    """
    if isinstance(source, Mapping):
        return {task: collect_study(one, progress) for task, one in source.items()}, ()
    if task_by is None:
        raise UsageError("nothing says on which task a run was made: name it with --task-by")
    if isinstance(source, TableRequest):
        return collect_table_by_task(source, task_by), ()
    return collect_experiment_by_task(source, task_by, progress)


def source_of(tasks: Mapping[str, Collected], task_by: str | None) -> Source | None:
    """Return how the results of all tasks were read; None where they are of a study."""
    read = {task: one.source for task, one in tasks.items() if one.source is not None}
    if not read:
        return None
    first = next(iter(read.values()))
    named = f"{len(read)} tasks ({task_by}: {some(list(read), 8, 6)})"
    readings = {one.read_as for one in read.values()}
    if len(readings) == 1:
        words = f"{named}, on each {first.read_as}"
    else:
        each = [f"on {task} {one.read_as}" for task, one in list(read.items())[:_FEW]]
        more = [f"and alike on {len(read) - _FEW} more"] if len(read) > _FEW else []
        words = f"{named}; {'; '.join([*each, *more])}"
    return Source(
        name=first.name,
        read_as=words,
        layout=first.layout,
        by=first.by,
        seed_by=first.seed_by,
        left_out=tuple(
            dict.fromkeys(f"{task}: {what}" for task, one in read.items() for what in one.left_out)
        ),
    )
