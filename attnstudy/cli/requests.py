"""From the options of ``run`` and a study's file to what is to be trained and what is declared."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from attnstudy import options
from attnstudy.arms import Arm, choose_arms, declared_arms, with_all_fields
from attnstudy.cli.common import address_of, data_dir_of, executor_of, find_own_variants
from attnstudy.errors import UsageError
from attnstudy.seeds import parse_seeds
from attnstudy.settings import recorded_settings
from attnstudy.studyplan import Analysis

if TYPE_CHECKING:
    from attnstudy.usecases.declaring import Declaration
    from attnstudy.usecases.planning import RunRequest

_SAME = (
    "seeds", "dataset", "train_size", "val_size", "device", "threads", "workers", "fuse", "rerun",
    "wait", "strict", "checkpoint_minutes", "republish", "no_models",
)  # fmt: skip


def run_request(given: dict[str, Any]) -> RunRequest:
    """Return what ``attnstudy run`` was asked for.

    Raises:
        UsageError: options do not go together, or the study's file makes no sense.

    """
    from attnstudy.usecases.planning import RunRequest

    study = options.current_study()
    find_own_variants()
    declared = declare(given)
    seeds = _trained(given, declared)
    _refuse_tuning_seeds(declared, seeds)
    return RunRequest(
        study=study.name,
        question=study.question,
        arms=_chosen(given, declared),
        declared=declared,
        data_dir=data_dir_of(given),
        address=address_of(given),
        executor=executor_of(given),
        settings=settings_of(given),
        **{**{name: given.get(name, False) for name in _SAME}, "seeds": seeds},
    )


def settings_of(given: dict[str, Any]) -> dict[str, Any]:
    """Return the training's settings among a command's options."""
    return {field.name: given[field.name] for field in recorded_settings()}


def declare(given: dict[str, Any]) -> Declaration | None:
    """Return what the study's file, or the command, declares; None if nothing is.

    A file declares when its study is named; that of the default study gives its settings alone.
    ``--until-decided`` and ``--tuned`` declare without a file too.

    Raises:
        UsageError: options do not go together, or the study's file makes no sense.

    """
    from attnstudy.usecases.declaring import Declaration, looks_up_to, seeds_for_looks

    study = options.current_study()
    if not given["until_decided"]:
        for name in ("max_seeds", "max_hours"):
            if given[name] is not None:
                raise UsageError(f"{options.place(name)} goes with --until-decided")
        named = given["study_argument"] or given["study"]
        if (study.path is None or not named) and not given["tuned"]:
            return None
    looks, seeds = given["looks"], _declared_seeds(given)
    if given["until_decided"]:
        looks = looks_up_to(given["max_seeds"], looks, named=options.place("max_seeds"))
    analysis = _analysis(given, looks)
    if looks is not None:
        seeds = seeds_for_looks(looks, seeds, named=_seeds_place())
    arms = _arms(given)
    with _blaming("[ranking]"):  # control and metric stand nowhere else
        return Declaration(
            arms=arms,
            seeds=given["seeds"] if seeds is None else seeds,
            analysis=analysis,
            folder=None if study.path is None else study.path.parent,
        )


def _analysis(given: dict[str, Any], looks: tuple[int, ...] | None) -> Analysis:
    file = options.current_study().options
    names = ("metric", "correction", "control")
    ranking: dict[str, Any] = {name: file[name] for name in names if name in file}
    ranking["paired"] = bool(file.get("paired"))
    with _blaming("[ranking]"):
        Analysis(**ranking, looks=None if options.typed("looks") else given["looks"])
    return Analysis(alpha=given["alpha"], margin=given["margin"], looks=looks, **ranking)


@contextlib.contextmanager
def _blaming(where: str) -> Iterator[None]:
    """Let what is wrong be put down to the study's file, where there is one."""
    study = options.current_study()
    try:
        yield
    except UsageError as error:
        if study.path is None:
            raise
        raise UsageError(f"{study.path}: {where} {error}") from error


def _seeds_place() -> str:
    """Return where the declared seeds are written."""
    study = options.current_study()
    return study.key("seeds") if "seeds" in study.options else options.place("seeds")


def _declared_seeds(given: dict[str, Any]) -> tuple[int, ...] | None:
    """Return the seeds of the study's file, else of the command; None if nobody names any."""
    file = options.current_study().options.get("seeds")
    if file is not None:
        return parse_seeds(str(file))
    return given["seeds"] if options.said(given, "seeds") else None


def _trained(given: dict[str, Any], declared: Declaration | None) -> tuple[int, ...]:
    """Return the seeds that this command trains: those that are typed, else the declared ones."""
    seeds: tuple[int, ...] = given["seeds"]
    return seeds if declared is None or options.typed("seeds") else declared.seeds


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


def _arms(given: dict[str, Any]) -> tuple[Arm, ...]:
    """Return all arms of the study, each with all fields that any of them declares."""
    study = options.current_study()
    variants = study.options.get("variant")
    if study.path is None:
        variants = given["variant"] or ("all",)
    arms = declared_arms(variants, study.arms)
    if given["tuned"]:
        arms = _tuned(arms, given)
    return with_all_fields(arms, settings_of(given))


def _tuned(arms: tuple[Arm, ...], given: dict[str, Any]) -> tuple[Arm, ...]:
    """Return the arms with the best configurations that were found for their variants."""
    from attnstudy.usecases.tuning_results import best_configurations

    study = options.current_study()
    if study.arms:
        raise UsageError(
            "--tuned and [arms.NAME] both say what the settings of an arm are: leave one of them "
            "out"
        )
    best = best_configurations(
        study.name,
        given["storage"] or str(study.journal),
        given["store"],
        [arm.variant for arm in arms],
    )
    return tuple(
        replace(arm, settings=best[arm.variant].fields, tuning=best[arm.variant].to_json())
        for arm in arms
    )


def _chosen(given: dict[str, Any], declared: Declaration | None) -> tuple[Arm, ...]:
    """Return the arms that this command trains."""
    arms = _arms(given) if declared is None else declared.arms
    return choose_arms(arms, given["variant"]) if options.typed("variant") else arms
