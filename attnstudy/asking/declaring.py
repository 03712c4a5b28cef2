"""From what is given to what a study declares before its first run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from attnstudy.asking.given import Given
from attnstudy.asking.training import NamedTraining, arms_of
from attnstudy.errors import UsageError
from attnstudy.seeds import parse_seeds
from attnstudy.studyfile import TASKS, StudyFile
from attnstudy.studyplan import Analysis
from attnstudy.tables.directions import way_of

if TYPE_CHECKING:
    from attnstudy.usecases.declaring import Declaration


def declare(given: Given, training: NamedTraining) -> Declaration | None:
    """Return what the study, or the command, declares; None if nothing is.

    A file declares when its study is named; that of the default study gives its settings alone.
    ``--until-decided`` and ``--tuned`` declare without a file too.

    Raises:
        UsageError: options do not go together, or the study makes no sense.

    """
    from attnstudy.usecases.declaring import Declaration, looks_up_to, seeds_for_looks

    study = given.study
    if not given["until_decided"]:
        for name in ("max_seeds", "max_hours"):
            if given[name] is not None:
                raise UsageError(f"{given.place(name)} goes with --until-decided")
        says = study.own is not None or (study.path is not None and given.named)
        if not says and not given["tuned"]:
            return None
    looks, seeds = given["looks"], _declared_seeds(given)
    if given["until_decided"]:
        looks = looks_up_to(given["max_seeds"], looks, named=given.place("max_seeds"))
    analysis = analysis_of(given, looks)
    if looks is not None:
        seeds = seeds_for_looks(looks, seeds, named=_seeds_place(given))
    arms = arms_of(given, training)
    with _blaming(study, _where(study, "metric")):  # control and metric stand nowhere else
        return Declaration(
            arms=arms,
            seeds=given["seeds"] if seeds is None else seeds,
            analysis=analysis,
            folder=None if study.path is None else study.path.parent,
            training=training.kind,
        )


def analysis_of(given: Given, looks: tuple[int, ...] | None) -> Analysis:
    """Return how a study is to be ranked, with these looks.

    Raises:
        UsageError: a value makes no sense, or is missing.

    """
    study = given.study
    names = ("metric", "direction", "correction", "control", "tasks")
    ranking: dict[str, Any] = {name: study.options[name] for name in names if name in study.options}
    ranking["paired"] = bool(study.options.get("paired"))
    if "tasks" in ranking and not study.tasks:
        raise UsageError(
            f"{study.place.of('ranking', 'tasks')} says what is asked of several tasks, and the "
            "study has none: leave it out"
        )
    if study.own is not None and "metric" not in {**ranking, **study.task_ranking}:
        named = study.name if study.path is None else study.path
        raise UsageError(
            f"{named}: name the metric that the study is ranked by: "
            f"{study.place.ask('ranking', 'metric')}"
        )
    with _blaming(study):
        Analysis(**ranking, looks=None if given.typed("looks") else given["looks"])
    analysis = Analysis(alpha=given["alpha"], margin=given["margin"], looks=looks, **ranking)
    with _blaming(study, _where(study, "direction")):
        return replace(analysis, **ranked_on_task(study))


def ranked_on_task(study: StudyFile) -> dict[str, Any]:
    """Return metric and direction of the task that is meant, where they are not the study's.

    The direction that the study names is that of its own metric: one of another name that says
    which way is better goes by its name.
    """
    own = study.task_ranking
    metric = own.get("metric")
    if "direction" in own or metric in (None, study.options.get("metric")):
        return own
    return own if way_of(str(metric)) is None else {**own, "direction": None}


def _where(study: StudyFile, key: str) -> str:
    """Return the table that says something of the ranking: the task's, else the study's."""
    return f"{TASKS}.{study.task}" if key in study.task_ranking else "ranking"


@contextlib.contextmanager
def _blaming(study: StudyFile, table: str = "ranking") -> Iterator[None]:
    """Let what is wrong be put down to the study's file, where there is one."""
    try:
        yield
    except UsageError as error:
        if study.path is None:
            raise
        raise UsageError(f"{study.place.of(table)} {error}") from error


def _seeds_place(given: Given) -> str:
    """Return where the declared seeds are written."""
    study = given.study
    return study.key("seeds") if "seeds" in study.options else given.place("seeds")


def _declared_seeds(given: Given) -> tuple[int, ...] | None:
    """Return the seeds of the study, else of the command; None if nobody names any."""
    declared = given.study.options.get("seeds")
    if declared is not None:
        return parse_seeds(str(declared))
    return given["seeds"] if given.said("seeds") else None


def trained_seeds(given: Given, declared: Declaration | None) -> tuple[int, ...]:
    """Return the seeds that this command trains: those that are typed, else the declared ones.

    Raises:
        UsageError: the settings of an arm were chosen by one of them.

    """
    typed: tuple[int, ...] = given["seeds"]
    seeds = typed if declared is None or given.typed("seeds") else declared.seeds
    _refuse_tuning_seeds(declared, seeds)
    return seeds


def _refuse_tuning_seeds(declared: Declaration | None, trained: Sequence[int]) -> None:
    """Refuse to rank by a seed by which the settings of an arm were chosen."""
    if declared is None:
        return
    tuning = {s for arm in declared.arms if arm.tuning for s in arm.tuning["tuning_seeds"]}
    if both := tuning & {*declared.seeds, *trained}:
        raise UsageError(
            f"the seed {min(both)} was used for tuning, and a ranking by it would favour what was "
            "tuned with it: give other --seeds"
        )
