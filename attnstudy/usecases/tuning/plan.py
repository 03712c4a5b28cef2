"""From options to a search: one configuration per arm, checked before anything is trained."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from attnstudy import runs
from attnstudy.arms import Arm
from attnstudy.errors import UsageError
from attnstudy.fields import left_out
from attnstudy.running.resources import find_resources
from attnstudy.running.training_request import TrainingRequest
from attnstudy.search import MEDIAN_STARTUP, Place, SearchConfig, parse_storage
from attnstudy.space import Space
from attnstudy.study import RunSpec, tuning_of
from attnstudy.trainings.contract import Materials
from attnstudy.trainings.registry import find

SEEDS_PER_TRIAL = 3
FIRST_SEED = 1_000_000
"""First of the seeds that trials are trained with, far from those that anybody ranks by: a study
may grow, and what its hyperparameters were chosen with never becomes part of its ranking."""
FEWEST_FOR_WILCOXON = 5
"""Seeds per trial below which the pruner could stop nothing: four in a row have to be worse for a
one-sided p-value below .1 (1/16), and then there must be a fifth to save."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TuneRequest(TrainingRequest):
    """What ``attnstudy tune`` was asked for: one search per arm."""

    ranking_seeds: tuple[int, ...]
    """Seeds of the study's own runs, which tuning leaves alone."""
    trials: int
    """Trials per arm, in total."""
    seeds_per_trial: int | None
    tuning_seeds: tuple[int, ...] | None
    pruner: str
    sampler: str
    sampler_seed: int
    space: Space
    storage: str | None
    """A database's address, or the path of a journal; None takes ``journal``."""
    journal: Path
    """The usual place of the study's trials."""
    metric: str = "val_accuracy_final"
    """What trials are judged by."""
    direction: Literal["minimize", "maximize"] = "maximize"


@dataclass(frozen=True, slots=True)
class TunePlan:
    """A checked request."""

    request: TuneRequest
    place: Place
    """Where Optuna keeps the trials."""
    configs: tuple[SearchConfig, ...]
    """One per arm."""
    materials: Materials
    """What its training prepared, without test data."""
    device: str
    """``cpu`` or ``cuda``."""
    threads: int
    workers: int
    fused: int
    notices: tuple[str, ...] = ()
    """What the user should read before anything is trained."""

    @property
    def experiment(self) -> str:
        """Name of the MLflow experiment, and of the study that the runs are filed under."""
        return tuning_of(self.request.study)


def make_tune_plan(
    request: TuneRequest, decoding: Callable[[int, int], None] | None = None
) -> TunePlan:
    """Check a request. Nothing is trained or written.

    Raises:
        UsageError: the request makes no sense.
        DataError: the training images cannot be used.

    """
    seeds = _seeds(request)
    place = parse_storage(request.storage or str(request.journal))
    notices = _check_pruner(request, seeds)
    training = find(request.training)
    known = training.known_facts(request.asked)
    for arm in request.arms:  # a mistake must not cost a download
        facts = {**known, **training.arm_facts(arm)}
        _spec(request, arm, facts, seeds[0])
    threads, changed = _threads(request)
    request = replace(request, executor=request.executor.for_threads(threads))
    resources = find_resources(
        request.executor, request.device, lambda name: training.device(name, request.settings)
    )
    materials = training.prepare(request.asked, sealed=True, progress=decoding)
    configs = tuple(_config(request, arm, seeds, materials) for arm in request.arms)
    fused = request.fuse
    at_once = len(configs) * (1 if request.pruner == "wilcoxon" else math.ceil(len(seeds) / fused))
    return TunePlan(
        request=request,
        place=place,
        configs=configs,
        materials=materials,
        device=resources.device,
        threads=threads,
        workers=request.workers or resources.workers(threads, at_once),
        fused=fused,
        notices=(*notices, *resources.notices, *changed),
    )


def spec_of(config: SearchConfig, chosen: Mapping[str, Any], seed: int) -> RunSpec:
    """Return what one run of a trial trains.

    Args:
        config: of the arm's search.
        chosen: the trial's fields.
        seed: one of the configuration's.

    Raises:
        UsageError: the fields do not go together.

    """
    # a search of the placements is of a variant, which is a fact of theirs
    variant = {"variant": config.arm} if config.training is None else {}
    return RunSpec(
        study=tuning_of(config.study),
        training=config.training,
        arm=config.arm if config.training else None,
        seed=seed,
        facts={**config.facts, **variant},
        settings={**config.settings, **chosen},
    )


def _config(
    request: TuneRequest, arm: Arm, seeds: tuple[int, ...], materials: Materials
) -> SearchConfig:
    training = find(request.training)
    facts = {**materials.facts, **training.arm_facts(arm)}
    facts.pop("variant", None)  # which has a place of its own
    epochs = request.settings.get("epochs")
    return SearchConfig(
        study=request.study,
        arm=arm.name,
        training=request.training,
        facts=facts,
        space=request.space.to_json(),
        sampler=request.sampler,
        sampler_seed=request.sampler_seed,
        pruner=request.pruner,
        seeds=seeds,
        settings=_fixed(request, arm),
        metric=request.metric,
        direction=request.direction,
        most_epochs=0 if epochs is None else request.space.most_epochs(int(epochs)),
        classes=getattr(materials.data, "num_classes", None),
    )


def _spec(request: TuneRequest, arm: Arm, facts: Mapping[str, Any], seed: int) -> RunSpec:
    return RunSpec(
        study=tuning_of(request.study),
        training=request.training,
        arm=arm.name if request.training else None,
        seed=seed,
        facts=facts,
        settings={**request.settings, **arm.settings},
    )


def _fixed(request: TuneRequest, arm: Arm) -> dict[str, Any]:
    """Return the settings that are not varied, as JSON has them."""
    declared = {field.name: field for field in find(request.training).settings}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in {**request.settings, **arm.settings}.items()
        if name not in request.space.dimensions
        and not (name in declared and left_out(declared[name], value))
    }


def _seeds(request: TuneRequest) -> tuple[int, ...]:
    """Return the seeds of every trial, none of which the study ranks by."""
    count, seeds = request.seeds_per_trial, request.tuning_seeds
    if seeds is None:
        count = count or SEEDS_PER_TRIAL
        seeds = tuple(range(FIRST_SEED, FIRST_SEED + count))
    elif count is not None and count != len(seeds):
        raise UsageError(
            f"--tuning-seeds names {len(seeds)} seeds, and --seeds-per-trial, or seeds_per_trial "
            f"in the study's file, says {count}: leave one of them out"
        )
    trained = _trained_seeds(request)
    both = sorted(set(seeds) & {*request.ranking_seeds, *trained})
    if both:
        raise UsageError(
            f"seed {both[0]} is one that the study {request.study!r} is ranked by: hyperparameters "
            "chosen with it would favour it, so name other --tuning-seeds, or none for "
            f"{FIRST_SEED:,} and those after it"
        )
    return seeds


def _trained_seeds(request: TuneRequest) -> set[int]:
    """Return the seeds that the study has been asked to train so far."""
    asked = runs.study_facts(request.address.store_dir, request.study).asked
    return {int(seed) for arms in asked.values() for seeds in arms.values() for seed in seeds}


def _check_pruner(request: TuneRequest, seeds: Sequence[int]) -> tuple[str, ...]:
    if request.pruner == "wilcoxon" and len(seeds) < FEWEST_FOR_WILCOXON:
        raise UsageError(
            f"--pruner wilcoxon compares seed by seed and can stop a trial after its fourth seed "
            f"at the earliest: give --seeds-per-trial {FEWEST_FOR_WILCOXON} or more, or leave it "
            "out"
        )
    notices: tuple[str, ...] = ()
    if request.pruner == "median" and request.trials <= MEDIAN_STARTUP:
        notices = (
            f"--pruner median compares with {MEDIAN_STARTUP} complete trials of the arm, so of "
            f"--trials {request.trials} none will be stopped early",
        )
    epochs = request.settings.get("epochs")
    if request.pruner == "median" and epochs is None:
        raise UsageError(
            "--pruner median stops a trial between its epochs, and there is no setting 'epochs': "
            "leave it out"
        )
    if request.pruner == "median" and request.space.most_epochs(int(epochs or 0)) < 2:
        raise UsageError(
            "--pruner median stops a trial between its epochs, and there is only one: leave it out"
        )
    return notices


def _threads(request: TuneRequest) -> tuple[int, tuple[str, ...]]:
    """Return the threads per run, and a notice if they are not those of the search so far."""
    tuning = tuning_of(request.study)
    fixed = runs.study_facts(request.address.store_dir, tuning).threads
    if fixed is None or request.threads in (None, fixed):
        return int(fixed or request.threads or 1), ()
    return request.threads or 1, (
        f"the tuning of {request.study!r} trains with {fixed} thread{'s' * (fixed != 1)} per run "
        f"since its first run, and {request.threads} will give other bits",
    )
