"""Training what is asked for: task by task, or look by look until it is decided."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from attnstudy import runs
from attnstudy.errors import DataError, StoreError
from attnstudy.running.outcomes import Outcome, RunReport
from attnstudy.running.planning import RunPlan, RunRequest, make_plan
from attnstudy.running.run_study import Observer, run_study
from attnstudy.running.study_record import declare_study
from attnstudy.tracking import Figures
from attnstudy.usecases.recovering import recover_facts

if TYPE_CHECKING:
    from attnstudy.usecases.deciding import Decided, LookTaken


class Watcher(Observer, Protocol):
    """Whoever shows the user what happens."""

    def decoding(self) -> contextlib.AbstractContextManager[Callable[[int, int], None]]:
        """Show the decoding of a dataset."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Conducted:
    """What was trained."""

    reports: tuple[RunReport, ...]
    """One per task, or one per look."""
    decided: Decided | None = None
    """How it came to its end, where it ran until it was decided."""

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """Runs that ended without a result."""
        return tuple(outcome for report in self.reports for outcome in report.failed)

    @property
    def lost(self) -> StoreError | None:
        """Why the embedded store could not take the runs."""
        return next((report.lost for report in self.reports if report.lost is not None), None)


def conduct(
    requests: Sequence[RunRequest],
    watcher: Watcher,
    figures: Figures,
    *,
    all_tasks: Sequence[RunRequest],
    until_decided: bool,
    max_hours: float | None,
    seen: Callable[[LookTaken, int], None],
) -> Conducted:
    """Train what is missing of some requests, one after the other, and publish it.

    Args:
        requests: what to train, one per task; until it is decided one, with declared looks.
        watcher: shows the training.
        figures: draws what is published with a run.
        all_tasks: those of all tasks of the study; their plans are recorded before any run.
        until_decided: whether seeds are added look by look.
        max_hours: ends it after so long; None does not.
        seen: told of every look, and how many are declared.

    Raises:
        UsageError: a request makes no sense.
        DataError: a dataset cannot be used.
        StoreError: a run folder cannot be written.

    """

    def plan(wanted: RunRequest) -> RunPlan:
        with watcher.decoding() as decoding:
            return make_plan(wanted, decoding)

    recover_facts(requests[0].address, requests[0].study, watcher.warn)
    if len(all_tasks) > 1:
        _declare(all_tasks, requests, plan, watcher)
    if not until_decided:
        reports = []
        for number, request in enumerate(requests, start=1):
            if request.task is not None:
                watcher.say(f"task {request.task} ({number} of {len(requests)})")
            reports.append(run_study(plan(request), watcher, figures))
        return Conducted(reports=tuple(reports))
    (request,) = requests
    from attnstudy.usecases import deciding  # scipy: only where something is tested

    decided = deciding.run_until_decided(
        request, plan, watcher, figures, seen, max_hours=max_hours or math.inf
    )
    return Conducted(reports=decided.reports, decided=decided)


def _declare(
    all_tasks: Sequence[RunRequest],
    requests: Sequence[RunRequest],
    plan: Callable[[RunRequest], RunPlan],
    watcher: Watcher,
) -> None:
    """Record the plan of every task, in their order, before there is a run of any.

    A plan holds what identifies a dataset, so that each is opened. That of a task which is not
    trained now is opened once, and if it cannot be, the others are trained all the same.
    """
    trained = [request.task for request in requests]
    for request in all_tasks:
        if request.declared is None:
            continue
        if request.task not in trained and _is_declared(request):
            continue
        try:
            planned = plan(request)
        except DataError as error:
            if request.task in trained:
                raise
            watcher.warn(f"the plan of the task {request.task!r} is not recorded yet: {error}")
            continue
        for warning in declare_study(planned):
            watcher.warn(warning)


def _is_declared(request: RunRequest) -> bool:
    facts = runs.study_facts(request.address.store_dir, request.study)
    return any(one.plan.task == request.task for one in runs.recorded_plans(facts))
