"""What the methods of a study return: read as the answers of the commands, and as tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from attnstudy.api.words import translated

if TYPE_CHECKING:
    from pandas import DataFrame

    from attnstudy.running.outcomes import Outcome
    from attnstudy.stats import Ranking
    from attnstudy.tracking import Address
    from attnstudy.usecases.conducting import Conducted
    from attnstudy.usecases.studies import StudyStatus
    from attnstudy.usecases.tuning.tune_study import TuneReport


@dataclass(frozen=True, repr=False)
class RunAnswer:
    """What ``Study.run`` did."""

    conducted: Conducted
    """All that is known of it."""

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What became of each run; of several looks the last, trained if any trained it."""
        last: dict[Any, Outcome] = {}
        for report in self.conducted.reports:
            for outcome in report.outcomes:
                before = last.get(outcome.spec)
                last[outcome.spec] = before if before and before.trained else outcome
        return tuple(last.values())

    @property
    def trained(self) -> int:
        """Runs that this call trained to their end."""
        return sum(outcome.trained and outcome.status.done for outcome in self.outcomes)

    @property
    def skipped(self) -> int:
        """Runs that were complete before."""
        return sum(not outcome.trained and outcome.status.done for outcome in self.outcomes)

    @property
    def failed(self) -> Mapping[str, str]:
        """Why runs failed, by name; the same call tries them again."""
        failed = (outcome for outcome in self.outcomes if outcome.status.value == "failed")
        return {outcome.spec.name: outcome.reason or "" for outcome in failed}

    @property
    def stopped(self) -> str | None:
        """Why a study that ran until it was decided ended.

        ``decided``, ``seeds``, ``hours`` or ``incomplete``; None for one with fixed seeds.
        """
        return None if self.conducted.decided is None else self.conducted.decided.stopped

    @property
    def ranking(self) -> Ranking | None:
        """The ranking at the last look of a study that ran until it was decided."""
        return None if self.conducted.decided is None else self.conducted.decided.ranking

    def to_frame(self) -> DataFrame:
        """Return the runs as a pandas DataFrame, a row each: what became of them, and why."""
        from attnstudy.api.frames import outcomes_frame

        return outcomes_frame(self.outcomes)

    def __repr__(self) -> str:
        from attnstudy import render

        if self.conducted.decided is not None:
            text = render.decided_text(self.conducted.decided)
        else:
            text = render.run_text(self.conducted.reports)
        return translated(_without_commands(text))


@dataclass(frozen=True, repr=False)
class TuneAnswer:
    """What ``Study.tune`` has come to."""

    report: TuneReport
    """All that is known of it."""

    @property
    def best(self) -> Mapping[str, Mapping[str, Any]]:
        """The best settings of each arm that has a complete trial, by its name."""
        found = ((t.arm, t.best_configuration()) for t in self.report.tunings)
        return {arm: dict(best.fields) for arm, best in found if best is not None}

    @property
    def failed(self) -> Mapping[str, str]:
        """Why trials failed, by arm and number."""
        return {f"{arm} {t.number}": t.reason or "" for arm, t in self.report.failed}

    def to_frame(self) -> DataFrame:
        """Return the trials as a pandas DataFrame, a row each: their settings and their value."""
        from attnstudy.api.frames import trials_frame

        return trials_frame(self.report.tunings)

    def __repr__(self) -> str:
        from attnstudy import render

        return _without_commands(render.tune_text(self.report))


@dataclass(frozen=True, repr=False)
class StatusAnswer:
    """How a study stands."""

    study: StudyStatus
    """All that is known of it."""
    address: Address
    """Of its store."""

    @property
    def missing(self) -> Mapping[str, tuple[int, ...]]:
        """The seeds of each arm that were asked for or planned and have no result.

        An arm is called by its name, in a study with tasks behind that of the task: ``a/large``.
        """
        found: dict[str, set[int]] = {}
        for config in self.study.configs:
            for arm in config.arms:
                name = "/".join(filter(None, (config.task, arm.name)))
                seeds = found.setdefault(name, set())
                seeds.update(arm.missing, arm.planned_missing)
        return {arm: tuple(sorted(seeds)) for arm, seeds in found.items() if seeds}

    @property
    def counts(self) -> Mapping[str, int]:
        """Runs of the study by how they stand: ``complete``, ``failed`` and so on."""
        found: dict[str, int] = {}
        for config in self.study.configs:
            for arm in config.arms:
                for status, count in arm.counts.items():
                    found[status.value] = found.get(status.value, 0) + count
        return found

    def __repr__(self) -> str:
        from attnstudy import render

        if not self.study.configs:
            return f"study {self.study.study} has no runs in {self.address.store_dir} yet"
        return render.status_text([self.study], [], self.address)


def _without_commands(text: str) -> str:
    """Return an answer without its last lines, which tell what to type next."""
    typed = ("Rank them:", "Browse them:", "All trials:", "In Optuna:")
    lines = [line for line in text.splitlines() if not line.startswith(typed)]
    return "\n".join(lines).rstrip()
