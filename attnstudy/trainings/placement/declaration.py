"""The training that is built in: a small CNN, and where attention sits in it.

Only what a command needs is imported here; torch, and the training itself, where a run is trained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from attnstudy.errors import DataError, UsageError
from attnstudy.fields import Field
from attnstudy.runs import METRICS
from attnstudy.trainings.contract import Asked, Ended, Materials, Run, Training
from attnstudy.trainings.devices import device_here
from attnstudy.trainings.modules import module_sources
from attnstudy.trainings.placement.settings import SIZES, recorded_settings
from attnstudy.trainings.placement.variants import (
    CONTROLS,
    VALIDATE_EVERY,
    factory_source_digest,
    is_factory,
    iterations_per_epoch,
)

if TYPE_CHECKING:
    from attnstudy.arms import Arm
    from attnstudy.runs import RunFolder
    from attnstudy.study import RunSpec
    from attnstudy.trainings.placement.data import TrainingData

_USUAL, _USUAL_SIZES = "cifar10", (49_000, 1_000)
"""What is trained on where nobody says what."""
_TIMED = 3  # iterations
_OF_A_STEP = ("attention", "channels", "batch_size", "precision", "optimizer", "augmentation")
"""Settings by which the time of an iteration differs; arms of a grid mostly differ in others."""
_STEPS: dict[tuple[object, ...], float] = {}
"""Seconds of an iteration that were measured in this process."""
FACTS = (
    Field("dataset", str, None, "What the user called the dataset.", role="label"),
    Field("variant", str, None, "A placement, a control, or package.module:factory.", role="run"),
    Field("variant_source", str, None, "SHA-256 (hex) of the factory's module.", role="run"),
    Field("dataset_digest", str, None, "Digest (hex) of all pixels and labels.", role="config"),
    *SIZES,
)
"""What identifies a run beside its settings, in the recorded order."""


class Placement(Training):
    """The placements of attention."""

    facts = FACTS
    settings = recorded_settings()
    metrics = METRICS
    promises = (
        "Each run is trained exactly once, whatever is killed.",
        "An interrupted run goes on to the same bits on the same machine with as many threads.",
        "A search never sees a test image.",
    )
    # torch imports its compiler with the first optimizer that is made, which takes seconds
    modules = ("attnstudy.trainings.placement.training_runs", "torch._dynamo")

    def options(self, spec: RunSpec) -> list[str]:
        """Return those of its images and of the settings that are not at their defaults.

        A folder of images is not named: of it, runs keep what it is called and not where it is.
        """
        words = []
        usual = spec.dataset == _USUAL and (spec.train_size, spec.val_size) == _USUAL_SIZES
        if spec.dataset in (_USUAL, "digits") and not usual:
            words += ["--dataset", spec.dataset]
        for field in (*(() if usual else SIZES), *self.settings):
            value = getattr(spec, field.name)
            if value != field.default and field.name not in spec.arm_fields:
                words += [field.option, field.text(value)]
        return words

    def arm_facts(self, arm: Arm) -> dict[str, Any]:
        """Return the variant, and the digest of its source if it is the user's own."""
        return {"variant": arm.variant, "variant_source": factory_source_digest(arm.variant)}

    def known_facts(self, asked: Asked) -> dict[str, Any]:
        """Return the name of the dataset, and sizes that stand for those not known yet."""
        for size in SIZES:
            if (value := asked.options[size.name]) is not None:
                size.check(value)
        sizes = {size.name: asked.options[size.name] or 1 for size in SIZES}
        return {"dataset": _name_of(asked.options["dataset"]), "dataset_digest": "", **sizes}

    def prepare(
        self, asked: Asked, *, sealed: bool, progress: Callable[[int, int], None] | None = None
    ) -> Materials:
        """Decode the images, and build the models of the user's factories once."""
        from attnstudy.trainings.placement import data

        options = asked.options
        load = data.load_training if sealed else data.load
        dataset, folder = load(options["dataset"], options["data_dir"], progress=progress)
        _refuse_other_images(asked, dataset)
        try:
            train_size, val_size = dataset.sizes(options["train_size"], options["val_size"])
        except DataError as error:
            raise DataError(f"{options['dataset']}: {error}") from error
        for arm in asked.arms:
            attention = arm.settings.get("attention", asked.settings["attention"])
            _try_factory(arm.variant, str(attention), dataset)
        facts = {
            "dataset": _name_of(options["dataset"]),
            "dataset_digest": dataset.digest,
            "train_size": train_size,
            "val_size": val_size,
        }
        return Materials(facts=facts, place=folder, data=dataset)

    def may_fuse(self, spec: RunSpec) -> bool:
        """Whether a run may be fused: of the user's own networks too little is known."""
        return not is_factory(spec.variant)

    def device(self, name: str, settings: Mapping[str, Any]) -> str:
        """Return the device, after asking it about the precision."""
        precision = str(settings["precision"])
        if precision == "float32":
            return device_here(name)
        from attnstudy.trainings.placement.training import check_precision, choose_device

        chosen = choose_device(name)
        check_precision(chosen, precision)
        return chosen.type

    def steps(self, spec: RunSpec, materials: Materials) -> float:
        """Return a run's work in iterations; a forward pass is a third of one."""
        validations = spec.epochs * -(-iterations_per_epoch(spec) // VALIDATE_EVERY) + 1
        scored = validations * spec.val_size + len(materials.data.test)
        trained = spec.epochs * spec.train_size
        return float((trained + scored / 3) / min(spec.batch_size, spec.train_size))

    def epochs(self, spec: RunSpec, steps: int) -> float:
        """Return how many epochs so many iterations are."""
        return steps / iterations_per_epoch(spec)

    def step_seconds(
        self, spec: RunSpec, materials: Materials, threads: int, go_on: Callable[[], None]
    ) -> float:
        """Return the seconds of an iteration."""
        import torch

        from attnstudy.trainings.placement.models import build_model
        from attnstudy.trainings.placement.training import time_iterations

        shape, classes = materials.data.image_shape, materials.data.num_classes
        settings = tuple(str(spec.settings[name]) for name in _OF_A_STEP)
        alike = (spec.variant, settings, spec.train_size, threads, shape, classes)
        if alike in _STEPS:
            return _STEPS[alike]
        torch.set_num_threads(threads)
        model = build_model(
            spec.variant,
            attention=spec.attention,
            image_shape=shape,
            num_classes=classes,
            channels=spec.channels,
        )
        _STEPS[alike] = time_iterations(spec, model, shape, classes, _TIMED, go_on)
        return _STEPS[alike]

    def quicker(self, spec: RunSpec) -> RunSpec | None:
        """Return the run with channel attention; None if it has none over positions."""
        without = spec.variant in ("vanilla", *CONTROLS) or is_factory(spec.variant)
        if spec.attention != "spatial" or without:
            return None
        return replace(spec, settings={**spec.settings, "attention": "channel"})

    def summary(self, specs: Sequence[RunSpec]) -> Sequence[str]:
        """Return the dataset, the attention and the length of the training."""
        spec = specs[0]
        epochs = _least_and_most(one.epochs for one in specs)
        updates = _least_and_most(iterations_per_epoch(one) for one in specs)
        return (
            f"dataset {spec.dataset} ({spec.train_size:,} training images)",
            f"{spec.attention} attention, {epochs} epochs of {updates} iterations",
        )

    def open(self, place: Any, data: Any, *, sealed: bool) -> TrainingData:
        """Return the images; those of a search hold none for testing.

        Raises:
            TypeError: a search was given test images, or a study none.

        """
        from attnstudy.trainings.placement.data import Dataset, open_decoded, open_training

        if sealed and isinstance(data, Dataset):
            raise TypeError("a run of a search was given test images")
        if not sealed and not isinstance(data, Dataset | None):
            raise TypeError("a run of a study was given no test images")
        if data is not None:
            return cast("TrainingData", data)
        return open_training(place) if sealed else open_decoded(place)

    def describe(self, spec: RunSpec, data: Any) -> Mapping[str, Any]:
        """Return what is told about the dataset of a run, see ``runs.DatasetFacts``."""
        return {
            "name": spec.dataset,
            "source": spec.dataset,
            "digest": data.digest,
            "image_shape": data.image_shape,
            "class_names": data.class_names,
            "test_images": data.test_images,
            "normalisation": asdict(data.normalisation),
        }

    def code(self, specs: Sequence[RunSpec], data: Any) -> Mapping[str, bytes]:
        """Return the modules of the user's own variants."""
        return module_sources(s.variant.partition(":")[0] for s in specs if is_factory(s.variant))

    def require_same_code(self, specs: Sequence[RunSpec]) -> None:
        """Refuse a factory whose module is another one here."""
        for spec in specs:
            if factory_source_digest(spec.variant) != spec.variant_source:
                raise ImportError(
                    f"{spec.variant} is another one on this machine: remove what is installed "
                    "under that name"
                )

    def train(self, runs: Sequence[Run], ended: Ended) -> None:
        """Train networks, together where they can be fused."""
        from attnstudy.trainings.placement.training_runs import train_together

        train_together(runs, ended)

    def figures(self, folder: RunFolder) -> Mapping[str, bytes]:
        """Return the learning curve, and what there is of confusions and attention."""
        from attnstudy.trainings.placement.figures import run_figures

        return run_figures(folder)


def _name_of(dataset: str) -> str:
    """Return what a dataset is called in its runs: no folder of this machine leaves it with them.

    Which images they are, their digest tells.
    """
    return Path(dataset).resolve().name or dataset


def _least_and_most(counts: Iterable[int]) -> str:
    """Return what is the same for all runs, or the range of it."""
    known = set(counts)
    return str(min(known)) if len(known) == 1 else f"{min(known)} to {max(known)}"


def _refuse_other_images(asked: Asked, dataset: Any) -> None:
    tuned = {arm.name: arm.tuning["dataset_digest"] for arm in asked.arms if arm.tuning}
    here = dataset.sealed().digest if tuned else ""
    other = next((name for name, digest in tuned.items() if digest != here), None)
    if other is not None:
        raise UsageError(
            f"{other} was tuned on other training images than those of "
            f"{asked.options['dataset']}: tune it on these, or leave --tuned out"
        )


def _try_factory(variant: str, attention: str, dataset: TrainingData) -> None:
    """Build the model of a user's factory: one that does not work is told before any training."""
    if is_factory(variant):
        from attnstudy.trainings.placement.models import build_model

        build_model(
            variant,
            attention=attention,
            image_shape=dataset.image_shape,
            num_classes=dataset.num_classes,
        )
