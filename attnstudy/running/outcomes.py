"""What a command that trains did, run by run."""

from __future__ import annotations

from dataclasses import dataclass

from attnstudy.errors import StoreError
from attnstudy.running.planning import RunPlan
from attnstudy.runs import Result, Status
from attnstudy.study import RunSpec


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one run in this command."""

    spec: RunSpec
    status: Status
    trained: bool
    """Whether it was trained by this command."""
    result: Result | None = None
    reason: str | None = None
    """Why it failed."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a command did."""

    plan: RunPlan
    outcomes: tuple[Outcome, ...]
    """In the order of the plan; once the time is up, of the runs that had ended by then."""
    undelivered: int
    """Runs that the tracking store has not confirmed."""
    store_error: StoreError | None = None
    """Why it has not."""
    time_is_up: bool = False
    """Whether runs were left because a time limit had passed."""

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """Runs that ended without a result."""
        return tuple(o for o in self.outcomes if o.status is Status.FAILED)

    @property
    def lost(self) -> StoreError | None:
        """Why the embedded store, which needs nobody else, could not take the runs."""
        return self.store_error if self.plan.request.address.embedded else None

    @property
    def elsewhere(self) -> tuple[Outcome, ...]:
        """Runs that another process was working on."""
        return tuple(o for o in self.outcomes if o.status is Status.RUNNING)


def sync_warning(report: RunReport) -> str | None:
    """Return what to do about runs that the tracking store has not confirmed."""
    if not report.undelivered:
        return None
    address = report.plan.request.address
    count = report.undelivered
    return (
        f"{count} run{'s are' if count != 1 else ' is'} kept in {address.store_dir / 'runs'} but "
        f"not whole in {address.shown}: 'attnstudy sync' delivers what is missing"
    )
