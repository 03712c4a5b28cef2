"""What ``rank`` is asked, and whether it can be answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from attnstudy import stats
from attnstudy.errors import UsageError
from attnstudy.stats.vocabulary import Folds
from attnstudy.studyplan import Analysis, shown
from attnstudy.usecases.sources import Collected, ExperimentRequest, StudyRequest, TableRequest

Source = StudyRequest | ExperimentRequest | TableRequest


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


def check(request: RankRequest, analysis: Analysis) -> None:
    """Refuse options that do not go together, and what is not installed."""
    if request.components:
        stats.require_statsmodels()
    if request.folds is not None:
        check_folds(request, analysis, "--folds")
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


def check_found(found: Collected, analysis: Analysis) -> None:
    """Refuse what the runs that were found cannot answer.

    Raises:
        UsageError: looks are asked for and nobody knows which runs came first.
    """
    numbered = all(isinstance(values, Mapping) for values in found.samples.values() if values)
    if analysis.looks is not None and not numbered:
        raise UsageError(
            "looks need to know which runs came first: number the runs with a column of seeds "
            "(--seed-by; in Python seed=, or values by seed)"
        )


def check_folds(request: RankRequest, analysis: Analysis, what: str) -> None:
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


def folds_of(request: RankRequest, found: Collected) -> Folds | None:
    """Return what is known of the folds; None where the repetitions are no folds.

    Raises:
        UsageError: something is asked that folds cannot answer, or they have no numbers.
    """
    if request.folds is None:
        if found.folds is None:
            return None
        asked = replace(request, said={k: v for k, v in request.said.items() if k != "paired"})
        analysis = Analysis(looks=request.said.get("looks"))
        check_folds(asked, analysis, f"a ranking of folds (the field {found.folds})")
        return "unknown"
    if any(values and not isinstance(values, Mapping) for values in found.samples.values()):
        raise UsageError(
            "--folds compares fold by fold: name the column that numbers the folds with --seed-by"
        )
    return request.folds


def unit_of(source: Source, found: Collected) -> str | None:
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
