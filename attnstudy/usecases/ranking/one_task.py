"""``attnstudy rank``: from samples to what may be said, on one task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from attnstudy import stats
from attnstudy.errors import StoreError, UsageError
from attnstudy.stats import (
    Calibration,
    ClaimCheck,
    Components,
    Conduct,
    Design,
    Measurements,
    Ranking,
)
from attnstudy.studyplan import Analysis
from attnstudy.usecases.declaring import tunings_of
from attnstudy.usecases.ranking.asked import (
    RankRequest,
    Source,
    check,
    check_found,
    folds_of,
    unit_of,
)
from attnstudy.usecases.ranking.earlier import EarlierStudy, earlier_studies, following
from attnstudy.usecases.ranking.status import doubted, notes_of, provenance_of, reason_of
from attnstudy.usecases.sources import (
    Collected,
    ExperimentRequest,
    StudyRequest,
    TableRequest,
    collect_experiment,
    collect_study,
    collect_table,
)
from attnstudy.usecases.sources.collected import values_of


@dataclass(frozen=True, slots=True, kw_only=True)
class RankReport:
    """A ranking, what it was made from, and what else was asked about it."""

    ranking: Ranking
    collected: Collected
    claims: tuple[ClaimCheck, ...]
    calibration: Calibration | None
    earlier: tuple[EarlierStudy, ...] = ()
    components: Components | None = None


def rank(request: RankRequest, progress: Callable[[int], None] = lambda read: None) -> RankReport:
    """Collect the samples, rank them, check the claims.

    Raises:
        UsageError: the request makes no sense for these samples.
        DataError: a table cannot be read.
        StoreError: the store is unreachable or not there.
    """
    check(request, Analysis(**request.said))  # before anything is read
    found = collect(request.source, progress)
    planned = found.plans[-1].plan.analysis if found.plans else Analysis()
    analysis = replace(planned, **request.said, metric=found.metric)
    check(request, analysis)
    check_found(found, analysis)
    design, shares = _design(request, analysis, found)
    tunings = tunings_of(found.plans[-1].plan) if found.plans else {}
    ranking = stats.rank(
        _measured(found, tunings),
        design,
        provenance_of(request, found, analysis, (*shares, *notes_of(request, found, tunings))),
        robust=not (isinstance(request.source, StudyRequest) and request.source.brief),
    )
    earlier = tuple(earlier_studies(request.source, found, _ranked_briefly))
    reason = reason_of(doubted(ranking, found), found) + following(earlier)
    ranking = replace(ranking, status_reason=reason)
    calibration = None
    if request.calibrate:
        finished = {arm: values for arm, values in found.samples.items() if values}
        calibration = stats.calibrate(finished, design)
    return RankReport(
        ranking=ranking,
        collected=found,
        claims=stats.check_claims(ranking, request.claims),
        calibration=calibration,
        earlier=earlier,
        components=stats.find_components(values_of(found), correct=found.correct, split=found.split)
        if request.components
        else None,
    )


def _design(
    request: RankRequest, analysis: Analysis, found: Collected
) -> tuple[Design, tuple[str, ...]]:
    """Return how to test, and the note on the share of alpha that one of several looks has."""
    design = Design.of(
        analysis,
        direction=found.direction,
        unit=unit_of(request.source, found),
        folds=folds_of(request, found),
    )
    if request.look is None:
        return design, ()
    look, looks = request.look
    alpha = analysis.alpha / looks
    note = (
        f"look {look} of {looks}: tested at {alpha:g}, so that all {looks} looks together "
        f"stay within {analysis.alpha:g}"
    )
    return replace(design, alpha=alpha), (note,)


def _measured(found: Collected, tunings: Mapping[str, Mapping[str, Any]]) -> Measurements:
    return Measurements(
        samples=found.samples,
        diverged=found.diverged,
        items=found.items,
        chance=found.chance,
        correct=found.correct,
        seconds_per_run=found.seconds,
        conduct=Conduct(
            tuning_trials={arm: one["trials"] for arm, one in tunings.items()},
            best_of_itself=found.best_of_itself,
        ),
    )


def _ranked_briefly(source: StudyRequest) -> Ranking | None:
    """Return the ranking of a study as its own plan declares it; None if it cannot be ranked."""
    asked = replace(source, metric=None, direction=None, allowed=(), with_curves=False, brief=True)
    try:
        return rank(
            RankRequest(source=asked, said={}, look=None, claims=(), calibrate=False)
        ).ranking
    except (StoreError, UsageError):
        return None


def collect(source: Source, progress: Callable[[int], None]) -> Collected:
    """Return the samples of any source."""
    if isinstance(source, TableRequest):
        return collect_table(source)
    if isinstance(source, ExperimentRequest):
        return collect_experiment(source, progress)
    return collect_study(source, progress)
