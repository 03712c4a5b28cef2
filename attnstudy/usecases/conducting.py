"""Training what a request asks for: all of it, or look by look until it is decided."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from attnstudy.errors import StoreError
from attnstudy.running.outcomes import Outcome, RunReport
from attnstudy.running.planning import RunPlan, RunRequest, make_plan
from attnstudy.running.run_study import Observer, run_study
from attnstudy.tracking import Figures

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
    """One, or one a look."""
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
    request: RunRequest,
    watcher: Watcher,
    figures: Figures,
    *,
    until_decided: bool,
    max_hours: float | None,
    seen: Callable[[LookTaken, int], None],
) -> Conducted:
    """Train what is missing of a request, and publish it.

    Args:
        request: what to train; until it is decided, it carries a declaration with looks.
        watcher: shows the training.
        figures: draws what is published with a run.
        until_decided: whether seeds are added look by look.
        max_hours: ends it after so long; None does not.
        seen: told of every look, and how many are declared.

    Raises:
        UsageError: the request makes no sense.
        StoreError: a run folder cannot be written.

    """

    def plan(wanted: RunRequest) -> RunPlan:
        with watcher.decoding() as decoding:
            return make_plan(wanted, decoding)

    if not until_decided:
        return Conducted(reports=(run_study(plan(request), watcher, figures),))
    from attnstudy.usecases import deciding  # scipy: only where something is tested

    decided = deciding.run_until_decided(
        request, plan, watcher, figures, seen, max_hours=max_hours or math.inf
    )
    return Conducted(reports=decided.reports, decided=decided)
