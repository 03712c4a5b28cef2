"""What a study runs: the kind of training, its settings, its arms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from attnstudy.arms import Arm, choose_arms, with_all_fields
from attnstudy.asking import own_training
from attnstudy.asking.given import Given
from attnstudy.errors import UsageError
from attnstudy.fields import Field
from attnstudy.trainings.placement.arms import declared_arms, plain_arms
from attnstudy.trainings.placement.settings import recorded_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedTraining:
    """What is to be run, whatever is declared of it."""

    kind: str | None
    """See ``trainings.registry``."""
    fields: Sequence[Field]
    """The settings that it takes."""
    settings: Mapping[str, Any]
    """All of them by name; those of an arm go before them."""
    options: Mapping[str, Any]
    """See ``trainings.contract.Asked``."""


def training_of(given: Given, *, with_code: bool = True, imported: bool = True) -> NamedTraining:
    """Return what a study runs.

    Args:
        given: what was said.
        with_code: whether its code is looked at, and compared with that of earlier runs.
        imported: whether its code may be run, to know what settings it declares.

    Raises:
        UsageError: the study makes no sense, or options have no effect on what it runs.

    """
    own = given.study.own
    if own is None:
        from attnstudy.trainings.placement.data import default_data_dir

        names = ("dataset", "train_size", "val_size")
        data_dir = given["data_dir"] or default_data_dir()
        return NamedTraining(
            kind=None,
            fields=recorded_settings(),
            settings={field.name: given[field.name] for field in recorded_settings()},
            options={**{name: given[name] for name in names}, "data_dir": data_dir},
        )
    own_training.refuse_options_of_placements(given)
    fields = own_training.settings_fields(given.study, own, imported=imported)
    return NamedTraining(
        kind=own.kind,
        fields=fields,
        settings=own_training.own_settings(given.study, own, fields),
        options=own_training.told(given, own) if with_code else {},
    )


def arms_of(given: Given, training: NamedTraining) -> tuple[Arm, ...]:
    """Return all arms of the study, each with all fields that any of them declares.

    Raises:
        UsageError: an arm makes no sense, or was not tuned where it was to be.

    """
    study = given.study
    if study.own is not None:
        arms = own_training.own_arms(study, study.own, training.fields)
    else:
        variants = study.options.get("variant")
        if study.path is None:
            variants = given["variant"] or ("all",)
        try:
            arms = declared_arms(variants, study.arms)
        except UsageError as error:
            if study.path is None:
                raise
            raise UsageError(f"{study.place.of('', 'variants')}: {error}") from error
    if given.get("tuned"):
        arms = _tuned(arms, given)
    return with_all_fields(arms, training.settings)


def _tuned(arms: tuple[Arm, ...], given: Given) -> tuple[Arm, ...]:
    """Return the arms with the best configurations that were found for their variants."""
    from attnstudy.usecases.tuning.results import best_configurations

    study = given.study
    if study.arms and study.own is None:
        raise UsageError(
            "--tuned and [arms.NAME] both say what the settings of an arm are: leave one of them "
            "out"
        )
    best = best_configurations(
        study.name,
        given["storage"] or str(study.journal),
        given["store"],
        [arm.name for arm in arms],
    )
    return tuple(
        replace(
            arm, settings={**arm.settings, **best[arm.name].fields}, tuning=best[arm.name].to_json()
        )
        for arm in arms
    )


def chosen_arms(
    given: Given, all_arms: tuple[Arm, ...], training: NamedTraining
) -> tuple[Arm, ...]:
    """Return the arms that a command trains.

    Raises:
        UsageError: there is no such arm.

    """
    if not given.typed("variant"):
        return all_arms
    return choose_arms(all_arms, given["variant"], plain_arms if training.kind is None else None)
