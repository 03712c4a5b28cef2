"""From what is given to the requests that use cases take."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attnstudy.asking.declaring import declare, trained_seeds
from attnstudy.asking.given import Given
from attnstudy.asking.tasks import chosen_tasks, each_task, of_task, refuse_of_both
from attnstudy.asking.training import arms_of, chosen_arms, training_of
from attnstudy.errors import UsageError

if TYPE_CHECKING:
    from attnstudy.arms import Arm
    from attnstudy.asking.training import NamedTraining
    from attnstudy.executors import ExecutorChoice
    from attnstudy.running.planning import RunRequest
    from attnstudy.runs import RunFolder
    from attnstudy.space import Space
    from attnstudy.studyfile import StudyFile
    from attnstudy.tracking import Address
    from attnstudy.usecases.ranking import RankRequest
    from attnstudy.usecases.sources import StudyRequest
    from attnstudy.usecases.tuning.plan import TuneRequest

_OF_A_RUN = (
    "device", "threads", "workers", "fuse", "rerun", "wait", "strict", "checkpoint_minutes",
    "republish", "no_models",
)  # fmt: skip
_OF_A_SEARCH = (
    "trials", "seeds_per_trial", "tuning_seeds", "pruner", "sampler", "sampler_seed", "storage",
    "device", "threads", "workers", "fuse", "checkpoint_minutes",
)  # fmt: skip


def run_requests(given: Given, *, imported: bool = True) -> tuple[RunRequest, ...]:
    """Return what ``attnstudy run`` was asked for: a request per task, whichever are to be trained.

    Args:
        given: what was said.
        imported: whether the study's code may be run, to know what settings it declares.

    Raises:
        UsageError: options do not go together, or the study makes no sense.

    """
    chosen = chosen_tasks(given)
    if given["until_decided"] and len(chosen) > 1 and "task" in given:
        raise UsageError(
            f"{given.place('until_decided')} looks at one task at a time, and the study has "
            f"{', '.join(chosen)}: name one with --task"
        )
    find_own_modules(given)
    return tuple(_run_request(one, imported=imported) for one in each_task(given))


def chosen_requests(given: Given, requests: Sequence[RunRequest]) -> tuple[RunRequest, ...]:
    """Return the requests of the tasks that are to be trained; all where there are no tasks."""
    chosen = chosen_tasks(given)
    return tuple(one for one in requests if one.task is None or one.task in chosen)


def _run_request(given: Given, *, imported: bool) -> RunRequest:
    from attnstudy.running.planning import RunRequest

    study = given.study
    if study.tasks and given["tuned"]:
        raise UsageError(
            f"{given.place('tuned')} is for a study without tasks, as no search is made for a "
            "task: leave it out"
        )
    if study.own is None and given.typed("accept_code") and given["accept_code"]:
        raise UsageError(
            f"{given.place('accept_code')} is for a study with a training of its own; a variant "
            "whose module changed is another one, and has other runs: leave it out"
        )
    training = training_of(given, imported=imported)
    declared = declare(given, training)
    seeds = trained_seeds(given, declared)
    arms = arms_of(given, training) if declared is None else declared.arms
    refuse_of_both(study, arms)
    return RunRequest(
        study=study.name,
        task=study.task,
        question=study.question,
        arms=chosen_arms(given, arms, training),
        seeds=seeds,
        declared=declared,
        training=training.kind,
        options=training.options,
        settings=training.settings,
        address=address_of(given),
        executor=_executor(given),
        **{name: given.get(name, False) for name in _OF_A_RUN},
    )


def check(given: Given) -> tuple[Arm, ...]:
    """Return the arms of a study, after finding the mistakes that can be found without a store.

    Raises:
        UsageError: options do not go together, or the study makes no sense.

    """
    find_own_modules(given)
    for one in each_task(given):
        training = training_of(one, with_code=False)
        declared = declare(one, training)
        arms = arms_of(one, training) if declared is None else declared.arms
        refuse_of_both(one.study, arms)
    return arms


def refuse_arms_beside_tuning(study: StudyFile) -> None:
    """Refuse to search for the settings of arms that have some: ``--tuned`` could not take both.

    Raises:
        UsageError: naming the tables.

    """
    if study.arms and study.own is None:
        raise UsageError(
            f"{study.place.of('arms')} and [tuning] both say what the settings of an arm are: "
            "leave one of them out"
        )
    for arm, table in study.arms.items():
        if both := [key for key in table if key in (study.space or {})]:
            raise UsageError(
                f"{study.place.of(f'arms.{arm}', both[0])} is given, and [tuning.space] searches "
                "it: leave one of them out"
            )


def tune_request(given: Given) -> TuneRequest:
    """Return what ``attnstudy tune`` was asked for.

    Raises:
        UsageError: options do not go together, or the study makes no sense.

    """
    from attnstudy.trainings.placement.arms import plain_arms
    from attnstudy.usecases.tuning.plan import TuneRequest

    study = given.study
    if study.tasks:
        raise UsageError(
            f"'attnstudy tune' cannot search for the tasks of {study.name}: tune in a study "
            "without tasks, and write what is found into the arms"
        )
    refuse_arms_beside_tuning(study)
    find_own_modules(given)
    training = training_of(given)
    own = study.own is not None
    arms = chosen_arms(given, arms_of(given, training), training) if own else None
    return TuneRequest(
        study=study.name,
        question=study.question,
        arms=plain_arms(given["variant"] or ("all",)) if arms is None else arms,
        ranking_seeds=given["seeds"],
        space=_space(study, training),
        journal=study.journal,
        training=training.kind,
        settings=training.settings,
        options=training.options,
        address=address_of(given),
        executor=_executor(given),
        **(_judged(study) if own else {}),
        **{name: given[name] for name in _OF_A_SEARCH},
    )


def _space(study: StudyFile, training: NamedTraining) -> Space:
    from attnstudy.space import default_space, parse_space

    if study.space is not None:
        return parse_space(study.space, study.place.of("tuning.space"), training.fields)
    if study.own is None:
        return default_space()
    where = "under [tuning.space]" if study.path else "with space={'lr': {'low': ..., 'high': ...}}"
    raise UsageError(f"{study.path or study.name}: say what is varied {where}")


def _judged(study: StudyFile) -> dict[str, Any]:
    """Return the metric that trials are judged by, and which values of it are better."""
    from attnstudy.studyplan import DIRECTIONS
    from attnstudy.usecases.sources.collected import direction_of

    metric = study.tuned_for.get("metric")
    if metric is None:
        raise UsageError(
            f"{study.path or study.name}: name the metric that trials are judged by, which must "
            f"not be of test data: {study.place.ask('tuning', 'metric')}"
        )
    direction = study.tuned_for.get("direction")
    if direction not in (None, *DIRECTIONS):
        raise UsageError(f"{study.place.of('tuning', 'direction')} is maximize or minimize")
    return {"metric": metric, "direction": direction_of(metric, direction)}


def rank_request(given: Given, source: Any) -> RankRequest:
    """Return what ``attnstudy rank`` was asked for, of a source such as ``study_source`` gives.

    Raises:
        UsageError: a look is not written as one.

    """
    from attnstudy.usecases.ranking import RankRequest, parse_look

    return RankRequest(
        source=source,
        said=given.said("alpha", "correction", "control", "margin", "paired", "looks"),
        look=None if given["look"] is None else parse_look(given["look"]),
        claims=given["claims"],
        calibrate=given["calibrate"],
        folds=given["folds"],
        components=given["components"],
    )


def study_source(given: Given, *, with_curves: bool = False) -> StudyRequest:
    """Return the study that is to be ranked, or the task of it."""
    from attnstudy.usecases.sources import StudyRequest

    task, tasks = given["task"], given.study.tasks if given.named else {}
    meant = task or (next(iter(tasks)) if len(tasks) == 1 else None)
    if meant in tasks:
        given = of_task(given, meant)
    return StudyRequest(
        study=given.study.name if given.named else None,
        config=given["config"],
        metric=given["metric"],
        direction=given["direction"],
        allowed=given["allowed"],
        address=address_of(given),
        task=task,
        with_curves=with_curves,
    )


def task_sources(
    given: Given, tasks: Sequence[str], *, with_curves: bool = False
) -> dict[str, StudyRequest]:
    """Return, of a study that is to be ranked over its tasks, what is to be ranked of each."""
    return {
        task: study_source(replace(given, by_name={**given, "task": task}), with_curves=with_curves)
        for task in tasks
    }


def find_own_modules(given: Given) -> None:
    """Let modules be imported that lie beside the study's file, or where the command runs.

    Behind all that is installed, and only where the study names code in them: whatever else lies
    there, a ``torch.py`` for example, is nobody's to run. A program has what it imports from
    already; only the folder that it names is added, in the place of that of another study.
    """
    study = given.study
    if not _names_modules(given):
        return
    folders = [Path.cwd()] if study.path is not None or study.own is None else []
    if study.folder is not None:
        folders.append(study.folder.resolve())
    sys.path[:] = [place for place in sys.path if place not in _OWN_FOLDERS]
    own = [place for place in map(str, folders) if place not in sys.path]
    _forget_modules({p: before for p, before in _OWN_FOLDERS.items() if p not in own})
    for place in own:
        _OWN_FOLDERS.setdefault(place, frozenset(sys.modules))
    sys.path += own


_OWN_FOLDERS: dict[str, frozenset[str]] = {}
"""What ``find_own_modules`` has added for a study, and what had been imported before."""


def _forget_modules(folders: Mapping[str, frozenset[str]]) -> None:
    """Have modules of other studies' folders imported anew: this one's may have their names.

    Args:
        folders: each with the modules that had been imported before it was added.

    """
    others = set()
    for name, module in list(sys.modules.items()) if folders else ():
        if (file := getattr(module, "__file__", None)) is None:
            continue
        # no paths: of thousands of modules, making them took most of a command
        parent = file.rpartition(os.sep)[0]
        for folder in (parent, parent.rpartition(os.sep)[0]):
            if folder in folders and name not in folders[folder]:
                others.add(name)
    for name in list(sys.modules):
        if name.partition(".")[0] in others:
            del sys.modules[name]


def _names_modules(given: Given) -> bool:
    """Whether a study's training, or a variant of it, is ``package.module:name``."""
    from attnstudy.trainings.placement.variants import is_factory

    study = given.study
    if study.own is not None:
        return study.own.function is not None
    variants = [*(given.get("variant") or ()), *study.options.get("variant", ())]
    variants += [str(table.get("variant", "")) for table in study.arms.values()]
    return any(is_factory(str(variant)) for variant in variants)


def prepare_workers(given: Given) -> None:
    """Have what worker processes need imported, once for all of them."""
    if given["executor"] != "processes":
        return
    from attnstudy import executors
    from attnstudy.trainings.devices import asks_torch
    from attnstudy.trainings.registry import find

    if given.study.own is not None:
        executors.prepare_workers("attnstudy.running.worker", at_once=True)
        return
    # at once where this process will import torch too; else when there is something to train
    at_once = asks_torch(given["device"]) or given["precision"] != "float32"
    executors.prepare_workers("attnstudy.running.worker", *find(None).modules, at_once=at_once)


def figures_of(given: Given) -> Callable[[RunFolder], Mapping[str, bytes]]:
    """Return what draws the figures that are published with a run."""
    from attnstudy.running.figures import run_figures

    return (lambda _: {}) if given["no_figures"] else run_figures


def address_of(given: Given) -> Address:
    """Return the address of the store that is meant."""
    from attnstudy.tracking import resolve

    return resolve(given["store"], given["tracking_uri"])


def _executor(given: Given) -> ExecutorChoice:
    """Return by what runs are trained.

    Raises:
        UsageError: an option of a cluster is given, and no cluster is asked for.

    """
    from attnstudy.executors import ClusterRequest, ExecutorChoice

    name = given["executor"]
    for option in ("address", "cpus_per_run", "gpus_per_run"):
        if name != "ray" and given.typed(option):
            raise UsageError(f"{given.place(option)} goes with --executor ray")
    cluster = ClusterRequest(
        address=given["address"],
        cpus=given["cpus_per_run"],
        gpus=given["gpus_per_run"],
    )
    return ExecutorChoice(name, cluster)
