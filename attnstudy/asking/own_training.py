"""From a study to the user's own training: its settings, its arms and its code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attnstudy.arms import Arm
from attnstudy.asking.given import Given
from attnstudy.errors import UsageError, near_miss
from attnstudy.fields import Field, Settings
from attnstudy.studyfile import SETTINGS_TABLE, TASK_RANKING, TASKS, OwnTraining, StudyFile
from attnstudy.trainings.placement.settings import SETTINGS, SIZES

_NOT_THEIRS = ("dataset", "data_dir", "fuse", *(field.name for field in (*SIZES, *SETTINGS)))


def refuse_options_of_placements(given: Given) -> None:
    """Refuse options that would have no effect on a training of the user's own.

    Raises:
        UsageError: naming the first.

    """
    for name in _NOT_THEIRS:
        if given.called(name):  # the environment may be meant for other studies
            raise UsageError(
                f"{given.place(name)} is for the placements of attention, and {given.study.name} "
                f"runs a training of its own: change {given.study.place.of(SETTINGS_TABLE)}"
            )


def settings_fields(
    study: StudyFile, own: OwnTraining, *, imported: bool = True
) -> tuple[Field, ...]:
    """Return the settings of a training as fields.

    Args:
        study: which names it.
        own: what it says of it.
        imported: whether its code may be run; else what it declares is not known, and what the
            study says is believed.

    Raises:
        UsageError: a setting is not one that the training declares, or has a wrong value.

    """
    from attnstudy.trainings.declared import declared_fields, fields_by_value
    from attnstudy.trainings.function import load_function, look_for_function

    declared, unknown = None, False
    if own.function is not None and imported:
        declared = declared_fields(load_function(own.function))
    elif own.function is not None:
        unknown = look_for_function(own.function) and own.fields is None
    if own.fields is not None and declared not in (None, own.fields):
        raise UsageError(
            f"the training declares its settings by attnstudy.training, and {study.name} declares "
            "others: leave one of them out"
        )
    declared = own.fields if declared is None else declared
    if declared is not None:
        return declared
    space = [{name: _sample(value) for name, value in (study.space or {}).items()}]
    known = {**own.settings}
    tasks = [
        {name: value for name, value in table.items() if name not in TASK_RANKING}
        for table in study.tasks.values()
    ]
    # a setting that every arm, or each of several tasks, gives needs no default
    for tables in ([*study.arms.values()], tasks if len(tasks) > 1 or unknown else []):
        for table in tables:
            for name, value in table.items():
                if name not in known and (unknown or all(name in other for other in tables)):
                    known[name] = value
    return fields_by_value(known, [*study.arms.values(), *tasks, *space])


def unchecked_settings(study: StudyFile) -> str | None:
    """Return what ``study check`` leaves unchecked, as it runs no code; None if it is nothing."""
    from attnstudy.trainings.function import look_for_function

    own = study.own
    if own is None or own.function is None or own.fields or not look_for_function(own.function):
        return None
    return (
        f"Settings that {own.function} declares are not checked here, as no code is run: "
        f"'attnstudy run {study.name} --dry-run' checks them."
    )


def _sample(dimension: Any) -> Any:
    """Return a value of a dimension of a search, for its kind."""
    if isinstance(dimension, dict):
        return dimension.get("low")
    return dimension[0] if isinstance(dimension, list) and dimension else None


def own_settings(study: StudyFile, own: OwnTraining, fields: Sequence[Field]) -> dict[str, Any]:
    """Return all settings by name, those that are left out at their defaults.

    What the task says that is meant goes before the study's own.

    Raises:
        UsageError: a setting is unknown, or cannot have its value.

    """
    settings = _checked(study, own.settings, fields, SETTINGS_TABLE, with_defaults=True)
    return {**settings, **_checked(study, study.task_settings, fields, f"{TASKS}.{study.task}")}


def own_arms(study: StudyFile, own: OwnTraining, fields: Sequence[Field]) -> tuple[Arm, ...]:
    """Return the arms of a study; one called as the study where it names none.

    Raises:
        UsageError: a setting is unknown, or cannot have its value.

    """
    if not study.arms:
        return (Arm(study.name),)
    names = dict.fromkeys(name for table in study.arms.values() for name in table)
    defaults = own_settings(study, own, fields)
    arms = []
    for arm, table in study.arms.items():
        where = f"arms.{arm}"
        if missing := [name for name in names if name not in table and name not in defaults]:
            raise UsageError(
                f"{study.place.of(where)} lacks {missing[0]}, which other arms have: name it "
                f"there, or its usual value in {study.place.of(SETTINGS_TABLE)}"
            )
        arms.append(Arm(arm, settings=_checked(study, table, fields, where)))
    return tuple(arms)


def _checked(
    study: StudyFile,
    given: Mapping[str, Any],
    fields: Sequence[Field],
    table: str,
    *,
    with_defaults: bool = False,
) -> dict[str, Any]:
    known = {field.name: field for field in fields}
    for name, value in given.items():
        if name not in known and value is not None:
            listed = near_miss(str(name), known) or f"; known: {', '.join(known) or 'none'}"
            raise UsageError(f"{study.place.of(table)}: there is no setting {name!r}{listed}")
    values = {
        name: None if value is None else known[name].check(value, study.place.of(table, name))
        for name, value in given.items()
    }
    if not with_defaults:
        return values
    given_values = {name: value for name, value in values.items() if value is not None}
    return {**dict(Settings(fields, given_values)), **values}


def told(given: Given, own: OwnTraining) -> dict[str, Any]:
    """Return what the engine is told of a training beside its settings.

    Raises:
        UsageError: its code is not there, or changed since its runs were made.

    """
    from attnstudy.running.code import settled_code
    from attnstudy.trainings.function import IN_PROCESS, check_reference
    from attnstudy.trainings.source import Code, function_code

    folder = given.study.folder
    if folder is None and (own.function is None or own.code):
        folder = Path.cwd()
    folder = None if folder is None else folder.resolve()
    if own.source is not None:
        assert own.function is not None
        what = own.function
        code = Code.of_text(own.source, what.removeprefix(f"{IN_PROCESS}:"))
        extra: dict[str, Any] = {"function": what}
    elif own.function is not None:
        what = check_reference(own.function)
        code = function_code(what, own.code, folder)
        extra = {"function": what}
    else:
        from attnstudy.trainings.command import command_files

        assert own.command is not None
        what = own.command
        code = Code.of(command_files(what, own.code, folder), folder)
        extra = {"command": what, "metrics_in": own.metrics, "folder": folder}
    code = settled_code(
        given["store"],
        given.study.name,
        what,
        code,
        accept=bool(given.get("accept_code")),
        again=bool(given.get("rerun")),
    )
    return {**extra, "what": what, "code": code}
