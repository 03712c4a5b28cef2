"""``attnstudy rank`` and ``audit``: from samples or a printed table to what may be said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from attnstudy import stats
from attnstudy.errors import DataError, StoreError, UsageError
from attnstudy.stats import (
    Calibration,
    ClaimCheck,
    Components,
    Conduct,
    Design,
    Measurements,
    Provenance,
    Ranking,
)
from attnstudy.stats.audit import Audit, audit
from attnstudy.stats.vocabulary import Direction, Folds
from attnstudy.studyplan import Analysis, shown
from attnstudy.tables.asked import Asked
from attnstudy.tables.directions import assumed, way_of
from attnstudy.tables.grid import read_text
from attnstudy.usecases.declaring import fairness, judge, tunings_of
from attnstudy.usecases.sources import (
    Collected,
    ExperimentRequest,
    StudyRequest,
    TableRequest,
    collect_experiment,
    collect_study,
    collect_table,
)
from attnstudy.usecases.sources.collected import direction_of, values_of
from attnstudy.usecases.sources.related import RelatedStudy

Source = StudyRequest | ExperimentRequest | TableRequest
_TOLD = 5  # earlier studies that are ranked to tell what they said; the others are named alone


@dataclass(frozen=True, slots=True, kw_only=True)
class RankRequest:
    """What ``attnstudy rank`` was asked for."""

    source: Source
    said: Mapping[str, Any]
    """Fields of ``Analysis`` that the user gave; a plan fills in the others."""
    look: tuple[int, int] | None
    """Which of how many declared looks this is; each gets its share of alpha."""
    claims: tuple[str, ...]
    """Claims to check, such as ``double > vanilla``."""
    calibrate: bool
    folds: tuple[int, int] | None = None
    """Training and test items of a fold, where the repetitions are folds of a cross-validation."""
    components: bool = False
    """Whether the components of variance are asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierStudy:
    """A study of the same arms, settings and dataset that was begun before the ranked one."""

    study: RelatedStudy
    status: str | None
    """``confirmatory`` or ``exploratory``; None where it was not ranked, or cannot be."""
    verdict: str | None
    """What it said, ranked as its own plan declares."""

    @property
    def said(self) -> str:
        """What it said, for the reader."""
        if self.verdict is None:
            return f"see 'attnstudy rank {self.study.study}'"
        return f'which said "{self.verdict}" ({self.status})'


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
    _check(request, Analysis(**request.said))  # before anything is read
    found = collect(request.source, progress)
    planned = found.plans[-1].plan.analysis if found.plans else Analysis()
    analysis = replace(planned, **request.said, metric=found.metric)
    _check(request, analysis)
    design, shares = _design(request, analysis, found)
    tunings = tunings_of(found.plans[-1].plan) if found.plans else {}
    ranking = stats.rank(
        _measured(found, tunings),
        design,
        _provenance(request, found, analysis, (*shares, *_notes(request, found, tunings))),
        robust=not (isinstance(request.source, StudyRequest) and request.source.brief),
    )
    earlier = tuple(_earlier(request.source, found))
    reason = _reason(_doubted(ranking, found), found) + _following(earlier)
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
        unit=_unit(request.source, found),
        folds=_folds(request, found),
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


def _provenance(
    request: RankRequest, found: Collected, analysis: Analysis, notes: tuple[str, ...]
) -> Provenance:
    """Return what is reported with the ranking; above all whether the plan was followed."""
    judged = judge(found.plans, found.seen, analysis)
    return replace(
        judged,
        study=found.study,
        config=found.config,
        deviations=(*judged.deviations, *_deviations(request, found), *found.doubts),
        excluded=found.excluded,
        notes=notes,
        source=found.source,
    )


def _notes(
    request: RankRequest, found: Collected, tunings: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    """Give the remarks that are known before anything is ranked."""
    yield from found.notes
    if found.other_tasks:
        others = ", ".join(found.other_tasks)
        yield f"ranked on the task {found.task} alone; the study has {others} as well"
    yield from _guesses(request.source, found)
    yield from _later(found)
    yield from fairness(tunings)


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


def _earlier(source: Source, found: Collected) -> Iterator[EarlierStudy]:
    """Give the earlier studies of the same, with what they said."""
    earlier = [one for one in found.related if one.earlier]
    for number, one in enumerate(earlier):
        assert isinstance(source, StudyRequest)
        said = None
        if number >= len(earlier) - _TOLD:
            said = _ranked_briefly(replace(source, study=one.study, config=one.config))
        yield EarlierStudy(
            study=one,
            status=None if said is None else said.status,
            verdict=None if said is None else said.verdict,
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


def _following(earlier: Sequence[EarlierStudy]) -> str:
    """Return what a reader of the verdict has to know of the studies before."""
    if not earlier:
        return ""
    last = earlier[-1]
    before = f", the last of {len(earlier)}" if len(earlier) > 1 else ""
    return (
        f"; it follows an earlier study of the same arms, settings and dataset{before}: "
        f"{last.study.study!r}, {last.said}"
    )


def _later(found: Collected) -> tuple[str, ...]:
    later = [one for one in found.related if not one.earlier]
    return tuple(
        f"a later study compares the same arms with the same settings and dataset: {one.words}"
        for one in later
    )


def _doubted(ranking: Ranking, found: Collected) -> str:
    """Return why a ranking is what it is, where the plan was kept and the store is in doubt."""
    reason, plan = ranking.status_reason, ranking.plan
    if plan is None or not found.doubts:
        return reason
    doubts = "; ".join(found.doubts)
    if reason != f"the plan {plan.hash} of {plan.date} was not followed: {doubts}":
        return reason
    return f"the plan {plan.hash} of {plan.date} was followed, as far as can be seen, but {doubts}"


def _check(request: RankRequest, analysis: Analysis) -> None:
    """Refuse options that do not go together, and what is not installed."""
    if request.components:
        stats.require_statsmodels()
    if request.folds is not None:
        _check_folds(request, analysis, "--folds")
    if analysis.looks is None:
        return
    if request.look is not None:
        raise UsageError(
            f"looks at {shown(analysis.looks)} seeds are declared and are replayed together: leave "
            "--look out"
        )
    if request.calibrate:
        raise UsageError(
            f"--calibrate asks about a single analysis, and looks at {shown(analysis.looks)} seeds "
            "make several: leave one of them out"
        )


def _check_folds(request: RankRequest, analysis: Analysis, what: str) -> None:
    """Refuse what the folds of a cross-validation cannot answer; ``what`` says that they are."""
    if request.said.get("paired") is False:
        raise UsageError(f"{what} compares fold by fold: leave --unpaired out")
    if request.look is not None or analysis.looks is not None:
        raise UsageError(
            f"{what} and looks do not go together, as folds belong to one cross-validation and are "
            "not added one by one: leave the looks out"
        )
    if request.calibrate:
        raise UsageError(
            f"{what} and --calibrate do not go together: permuted labels would hide that the folds "
            "overlap, and a simulation would take for granted how they do: leave --calibrate out"
        )
    if request.components:
        raise UsageError(
            f"{what} and --components do not go together: folds share training items, so their "
            "values are not independent draws: leave --components out"
        )


def _folds(request: RankRequest, found: Collected) -> Folds | None:
    """Return what is known of the folds; None where the repetitions are no folds.

    Raises:
        UsageError: something is asked that folds cannot answer, or they have no numbers.
    """
    if request.folds is None:
        if found.folds is None:
            return None
        asked = replace(request, said={k: v for k, v in request.said.items() if k != "paired"})
        analysis = Analysis(looks=request.said.get("looks"))
        _check_folds(asked, analysis, f"a ranking of folds (the field {found.folds})")
        return "unknown"
    if any(values and not isinstance(values, Mapping) for values in found.samples.values()):
        raise UsageError(
            "--folds compares fold by fold: name the column that numbers the folds with --seed-by"
        )
    return request.folds


def _reason(reason: str, found: Collected) -> str:
    """Return why a ranking is what it is, with what the plan of one configuration cannot know."""
    if found.pooled_plans:
        return "several configurations are pooled, and a plan is for one"
    if found.plans and found.configurations > 1:
        return (
            f"{reason}; this is one of {found.configurations} configurations that were trained in "
            "this study, and alpha is for this one alone"
        )
    return reason


def _deviations(request: RankRequest, found: Collected) -> tuple[str, ...]:
    """Return what a plan never declares and the request asks for."""
    deviations = []
    if found.damaged_plans:
        deviations.append("a plan's record in the tracking store was altered")
    if found.trained_before:
        names, studies = list(found.trained_before), sorted(set(found.trained_before.values()))
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        deviations.append(
            f"{names[0]}{more} had been trained before it was recorded, in the study {studies[0]!r}"
        )
    if found.plans and request.look is not None:
        deviations.append(f"look {request.look[0]} of {request.look[1]} was not planned")
    asked = request.source.direction
    if found.plans and asked not in (None, direction_of(found.metric, _declared_direction(found))):
        deviations.append(f"the direction, {asked}, was not planned")
    return tuple(deviations)


def _declared_direction(found: Collected) -> str | None:
    """Return which way the ranked metric is better by the plan; None if that does not say."""
    analysis = found.plans[-1].plan.analysis if found.plans else None
    return analysis.direction if analysis is not None and analysis.metric == found.metric else None


def _guesses(source: Source, found: Collected) -> Iterator[str]:
    """Give what the names of the metrics decide about which way is better."""
    known = source.direction or _declared_direction(found)
    if known is None and (said := assumed(found.metric)):
        yield said
    of = source.point.of if isinstance(source, TableRequest | ExperimentRequest) else None
    if of not in (None, found.metric) and way_of(of or "") is None:
        yield f"{of} does not say which way is better, and its highest value is taken as the best"


def _unit(source: Source, found: Collected) -> str | None:
    """Return the unit that --items says the metric has; None where it says nothing.

    Raises:
        UsageError: it says that the values are percentages, and they are none.
    """
    if isinstance(source, StudyRequest) or source.items is None:
        return None
    values = [
        value
        for given in found.samples.values()
        for value in (given.values() if isinstance(given, Mapping) else given)
    ]
    if all(0.0 <= value <= 1.0 for value in values) and any(value > 0.0 for value in values):
        raise UsageError(
            f"--items counts behind accuracies in percent, and no value of {found.metric} is above "
            "1: give them in percent, or leave --items out"
        )
    return "points"


def collect(source: Source, progress: Callable[[int], None]) -> Collected:
    """Return the samples of any source."""
    if isinstance(source, TableRequest):
        return collect_table(source)
    if isinstance(source, ExperimentRequest):
        return collect_experiment(source, progress)
    return collect_study(source, progress)


def audit_table(
    table: str,
    *,
    items: int | None,
    logs: str | None,
    alpha: float,
    direction: Direction | None = None,
    asked: Asked | None = None,
    n: int | None = None,
    standard_input: bytes = b"",
) -> Audit:
    """Audit a printed table in a CSV file; ``-`` is standard input.

    Raises:
        DataError: a file cannot be read, or is no table.
        UsageError: the table makes no sense or can be read in several ways, or a file is not there.
    """
    what = "standard input" if table == "-" else table
    content = standard_input if table == "-" else _bytes(table)
    logged = None if logs is None else read_text(_bytes(logs), logs)
    return audit(
        read_text(content, what),
        items=items,
        logged=logged,
        alpha=alpha,
        direction=direction,
        asked=asked,
        n=n,
        what=what,
    )


def _bytes(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except FileNotFoundError as error:
        raise UsageError(f"there is no file {path}: name a CSV file") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): name a CSV file") from error


def parse_look(text: str) -> tuple[int, int]:
    """Return look and number of looks from ``2/5``.

    Raises:
        UsageError: it is not written like that.
    """
    parts: Sequence[str] = text.split("/")
    if len(parts) == 2 and all(part.isascii() and part.isdigit() for part in parts):
        look, looks = int(parts[0]), int(parts[1])
        if 1 <= look <= looks:
            return look, looks
    raise UsageError(f"{text!r} is not a look: write 2/5 for the second of five declared looks")
