"""From options to a search: one configuration a variant, checked before anything is trained."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from attnstudy import data, runs
from attnstudy.errors import DataError, UsageError
from attnstudy.executors import ExecutorChoice
from attnstudy.search import MEDIAN_STARTUP, Place, SearchConfig, parse_storage
from attnstudy.settings import left_out, setting
from attnstudy.space import Space
from attnstudy.study import RunSpec, factory_source_digest, tuning_of
from attnstudy.tracking import Address
from attnstudy.usecases.planning import try_factory
from attnstudy.usecases.resources import find_resources

SEEDS_PER_TRIAL = 3
FIRST_SEED = 1_000_000
"""First of the seeds that trials are trained with, far from those that anybody ranks by: a study
may grow, and what its hyperparameters were chosen with never becomes part of its ranking."""
FEWEST_FOR_WILCOXON = 5
"""Seeds a trial below which the pruner could stop nothing: four in a row have to be worse for a
one-sided p-value below .1 (1/16), and then there must be a fifth to save."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TuneRequest:
    """What ``attnstudy tune`` was asked for."""

    study: str
    question: str | None
    variants: tuple[str, ...]
    ranking_seeds: tuple[int, ...]
    """Seeds of the study's own runs, which tuning leaves alone."""
    trials: int
    """Trials a variant, in total."""
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
    dataset: str
    data_dir: Path
    train_size: int | None
    val_size: int | None
    settings: Mapping[str, Any]
    """Of the training, by name, where they are not varied."""
    device: str
    threads: int | None
    workers: int | None
    executor: ExecutorChoice
    fuse: int
    checkpoint_minutes: float
    address: Address


@dataclass(frozen=True, slots=True)
class TunePlan:
    """A checked request."""

    request: TuneRequest
    place: Place
    """Where Optuna keeps the trials."""
    configs: tuple[SearchConfig, ...]
    """One a variant."""
    dataset_folder: Path
    """Decoded images, none of them for testing."""
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
    for variant in request.variants:  # a mistake must not cost a download
        _first_spec(request, variant, seeds[0])
    threads, changed = _threads(request)
    request = replace(request, executor=request.executor.for_threads(threads))
    resources = find_resources(request.executor, request.device, str(request.settings["precision"]))
    dataset, folder = data.load_training(request.dataset, request.data_dir, progress=decoding)
    try:
        train_size, val_size = dataset.sizes(request.train_size, request.val_size)
    except DataError as error:
        raise DataError(f"{request.dataset}: {error}") from error
    for variant in request.variants:
        try_factory(variant, str(request.settings["attention"]), dataset)
    configs = tuple(
        SearchConfig(
            study=request.study,
            variant=variant,
            variant_source=factory_source_digest(variant),
            space=request.space.to_json(),
            sampler=request.sampler,
            sampler_seed=request.sampler_seed,
            pruner=request.pruner,
            seeds=seeds,
            dataset=request.dataset,
            dataset_digest=dataset.digest,
            train_size=train_size,
            val_size=val_size,
            settings=_fixed(request),
            most_epochs=request.space.most_epochs(int(request.settings["epochs"])),
            classes=dataset.num_classes,
        )
        for variant in request.variants
    )
    fused = request.fuse
    at_once = len(configs) * (1 if request.pruner == "wilcoxon" else math.ceil(len(seeds) / fused))
    return TunePlan(
        request=request,
        place=place,
        configs=configs,
        dataset_folder=folder,
        device=resources.device,
        threads=threads,
        workers=request.workers or resources.workers(threads, at_once),
        fused=fused,
        notices=(*notices, *resources.notices, *changed),
    )


def spec_of(config: SearchConfig, chosen: Mapping[str, Any], seed: int) -> RunSpec:
    """Return what one run of a trial trains.

    Args:
        config: of the variant's search.
        chosen: the trial's fields.
        seed: one of the configuration's.

    Raises:
        UsageError: the fields do not go together.

    """
    return RunSpec(
        study=tuning_of(config.study),
        dataset=config.dataset,
        variant=config.variant,
        variant_source=config.variant_source,
        seed=seed,
        dataset_digest=config.dataset_digest,
        train_size=config.train_size,
        val_size=config.val_size,
        settings={**config.settings, **chosen},
    )


def _first_spec(request: TuneRequest, variant: str, seed: int) -> RunSpec:
    return RunSpec(
        study=tuning_of(request.study),
        dataset=request.dataset,
        variant=variant,
        variant_source=factory_source_digest(variant),
        seed=seed,
        dataset_digest="",
        train_size=request.train_size or 1,
        val_size=request.val_size or 1,
        settings=request.settings,
    )


def _fixed(request: TuneRequest) -> dict[str, Any]:
    """Return the fields that are not varied, as JSON has them."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in request.settings.items()
        if name not in request.space.dimensions and not left_out(setting(name), value)
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
    asked = runs.study_facts(request.address.store_dir, request.study).get("asked", {})
    return {
        int(seed) for variants in asked.values() for seeds in variants.values() for seed in seeds
    }


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
            f"--pruner median compares with {MEDIAN_STARTUP} complete trials of the variant, so of "
            f"--trials {request.trials} none will be stopped early",
        )
    most = request.space.most_epochs(int(request.settings["epochs"]))
    if request.pruner == "median" and most < 2:
        raise UsageError(
            "--pruner median stops a trial between its epochs, and there is only one: leave it out"
        )
    return notices


def _threads(request: TuneRequest) -> tuple[int, tuple[str, ...]]:
    """Return the threads a run, and a notice if they are not those of the search so far."""
    tuning = tuning_of(request.study)
    fixed = runs.study_facts(request.address.store_dir, tuning).get("threads")
    if fixed is None or request.threads in (None, fixed):
        return int(fixed or request.threads or 1), ()
    return request.threads or 1, (
        f"the tuning of {request.study!r} trains with {fixed} thread{'s' * (fixed != 1)} a run "
        f"since its first run, and {request.threads} will give other bits",
    )
