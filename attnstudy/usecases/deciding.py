"""``run --until-decided``: seeds look by look, only for the pairs that are not decided yet."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from attnstudy import runs, stats
from attnstudy.errors import UsageError
from attnstudy.running.outcomes import RunReport
from attnstudy.running.planning import RunPlan, RunRequest
from attnstudy.running.run_study import Observer, run_study
from attnstudy.runs import Status
from attnstudy.stats import Design, Measurements, Pair, Provenance, Ranking, Verdict
from attnstudy.studyplan import Analysis
from attnstudy.tracking import Figures
from attnstudy.usecases.declaring import Declaration, Seen, judge
from attnstudy.usecases.sources.collected import direction_of

OPEN = (Verdict.UNDECIDED, Verdict.DESCRIPTIVE)
"""What the next look may still decide; a pair is descriptive where nothing could be tested yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookTaken:
    """One look at the data."""

    number: int
    """From 1."""
    seeds: int
    """Seeds of every arm that was tested."""
    decided: tuple[Pair, ...]
    """Pairs that it decided."""
    undecided: int
    """Pairs that it left open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """How a study that runs until it is decided came to its end."""

    study: str
    looks: tuple[LookTaken, ...]
    declared: tuple[int, ...]
    """Seeds per arm at each declared look."""
    ranking: Ranking | None
    """At the last look; None if there was none."""
    stopped: str
    """Why it ended: ``decided``, ``seeds``, ``hours`` or ``incomplete``."""
    runs: int
    """Runs with a result."""
    fixed: int
    """Runs of the fixed design: every arm with the seeds of the last look."""
    saved_seconds: float | None
    """What the runs that were not needed would have taken; None if nothing is known."""
    reports: tuple[RunReport, ...]
    """What was trained, a report a look."""
    task: str | None = None
    """Of the study, that which was trained; None in a study without tasks."""


Observe = Callable[[LookTaken, int], None]
"""Told of a look and how many are declared."""


def run_until_decided(
    request: RunRequest,
    plan: Callable[[RunRequest], RunPlan],
    observer: Observer,
    figures: Figures,
    seen: Observe,
    *,
    max_hours: float = math.inf,
) -> Decided:
    """Train the declared arms look by look until every pair is decided.

    At every look the pairs that are still undecided are tested, as ``replay`` of ``stats`` says;
    between looks nothing is tested. The looks are part of the recorded plan, so that stopping
    early keeps the error rate and going beyond them does not.

    Args:
        request: what to train; it carries a declaration with looks.
        plan: makes the plan of a request.
        observer: shows the training.
        figures: draws what is published with a run.
        seen: told of every look.
        max_hours: no run is trained any longer after so many hours; a look that is not complete
            by then is not taken.

    Raises:
        UsageError: the request makes no sense.
        StoreError: a run folder cannot be written.

    """
    declared = request.declared
    assert declared is not None
    assert declared.analysis.looks is not None
    if request.training is None and declared.analysis.metric != "test_accuracy":
        raise UsageError(
            f"--until-decided looks at test_accuracy, and the study's metric is "
            f"{declared.analysis.metric}: change it in the study's file, or give fixed seeds"
        )
    if request.arms != declared.arms:
        raise UsageError("--until-decided is about all arms of the study: leave --variant out")
    looks = declared.analysis.looks
    deadline = time.monotonic() + 3600 * max_hours
    state = _State(declared)
    needed = {arm.name for arm in declared.arms}
    stopped = "seeds"
    for number, seeds in enumerate(looks, start=1):
        arms = tuple(arm for arm in declared.arms if arm.name in needed)
        at_look = plan(replace(request, arms=arms, seeds=declared.seeds[:seeds], wait=True))
        report = run_study(at_look, observer, figures, deadline=deadline)
        state.add(report)
        if report.time_is_up:
            stopped = "hours"
            break
        if any(outcome.result is None for outcome in report.outcomes):
            stopped = "incomplete"
            break
        taken = state.look(number, seeds)
        seen(taken, len(looks))
        assert state.ranking is not None
        needed = _undecided_arms(state.ranking)
        if not needed:
            stopped = "decided"
            break
    return state.ended(request, stopped)


class _State:
    """What the looks so far have given."""

    def __init__(self, declared: Declaration) -> None:
        self.declared = declared
        self.values: dict[str, dict[int, float]] = {arm.name: {} for arm in declared.arms}
        self.diverged: dict[str, set[int]] = {arm.name: set() for arm in declared.arms}
        self.seconds: list[float] = []
        self.reports: list[RunReport] = []
        self.looks: list[LookTaken] = []
        self.ranking: Ranking | None = None

    def add(self, report: RunReport) -> None:
        self.reports.append(report)
        for outcome in report.outcomes:
            arm, seed, result = outcome.spec.arm_name, outcome.spec.seed, outcome.result
            if result is None:
                continue
            value = result.metrics.get(self.declared.analysis.metric)
            if result.status is Status.DIVERGED or value is None:
                self.diverged[arm].add(seed)
            elif seed not in self.values[arm]:
                self.values[arm][seed] = value
                self.seconds.append(result.train_seconds)

    def look(self, number: int, seeds: int) -> LookTaken:
        """Rank what there is, as ``attnstudy rank`` will."""
        analysis = self.declared.analysis
        self.ranking = stats.rank(
            Measurements(samples=self.values, diverged=self.diverged),
            Design.of(analysis, direction=direction_of(analysis.metric, analysis.direction)),
            _judge(self.reports[-1].plan, analysis),
            robust=False,
        )
        decided = tuple(
            pair for pair in self.ranking.pairs if pair.look == number and pair.verdict not in OPEN
        )
        undecided = sum(pair.verdict in OPEN for pair in self.ranking.pairs)
        taken = LookTaken(number=number, seeds=seeds, decided=decided, undecided=undecided)
        self.looks.append(taken)
        return taken

    def ended(self, request: RunRequest, stopped: str) -> Decided:
        looks = self.declared.analysis.looks
        assert looks is not None
        done = sum(len(own) for own in (*self.values.values(), *self.diverged.values()))
        fixed = len(self.values) * looks[-1]
        mean = sum(self.seconds) / len(self.seconds) if self.seconds else None
        return Decided(
            study=request.study,
            task=request.task,
            looks=tuple(self.looks),
            declared=looks,
            ranking=self.ranking,
            stopped=stopped,
            runs=done,
            fixed=fixed,
            saved_seconds=None if mean is None else mean * (fixed - done),
            reports=tuple(self.reports),
        )


def _judge(plan: RunPlan, analysis: Analysis) -> Provenance:
    """Compare what this store's run folders tell with the recorded plans."""
    store_dir, study = plan.request.address.store_dir, plan.request.study
    config = plan.runs[0].spec.config_id
    recorded = runs.recorded_plans(runs.study_facts(store_dir, study))
    seen = []
    for folder in runs.run_folders(store_dir, study):
        started = folder.started()
        if started is not None and started.spec.config_id == config:
            counted = folder.result() is not None
            seen.append(Seen(started.spec.arm_name, started.spec.seed, started.at, counted))
    return judge([one for one in recorded if one.plan.config == config], seen, analysis)


def _undecided_arms(ranking: Ranking) -> set[str]:
    return {name for pair in ranking.pairs if pair.verdict in OPEN for name in (pair.a, pair.b)}
