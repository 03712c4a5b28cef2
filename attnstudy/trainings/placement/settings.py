"""The settings of the placement training, each declared here and nowhere else.

What is added here becomes an option of ``run`` and ``tune``, a variable of the environment, a key
of the study file, a field of arms and of the search space, a param in MLflow and a part of the
run's identity; the training reads it from the specification by its name.
"""

from __future__ import annotations

from typing import Any

from attnstudy.fields import Field, in_recorded_order

ATTENTIONS = ("spatial", "channel")
PRECISIONS = ("float32", "tf32", "bf16")
OPTIMIZERS = ("adam", "adamw", "sgd")
AUGMENTATIONS = ("none", "flip", "crop", "crop-flip")
FIXED, BY_SEED = SPLITS = ("fixed", "by seed")

SETTINGS: tuple[Field, ...] = (
    # a setting also of variants without attention (vanilla, the controls), whose network it does
    # not change, so that they compare with those that have it
    Field(
        "attention",
        str,
        "spatial",
        "What attends to what: positions (the formula) or channels (the notebook's code).",
        choices=ATTENTIONS,
        table="",
    ),
    Field(
        "channels",
        int,
        (64, 32),
        "Output channels of the two convolutions.",
        parts=2,
        least=1,
        metavar="A,B",
        table="",
    ),
    Field("epochs", int, 10, "Passes over the training images.", least=1),
    Field("batch_size", int, 64, "Images per step.", least=1),  # a short last batch is kept
    Field("lr", float, 1e-3, "Learning rate.", above=0, shown="1e-3"),
    Field(
        "optimizer",
        str,
        "adam",
        "Optimizer, otherwise at PyTorch's defaults; sgd has a momentum of 0.9.",
        choices=OPTIMIZERS,
        later=2,
    ),
    Field(
        "weight_decay",
        float,
        0.0,
        "Weight decay: L2 for adam and sgd, decoupled for adamw.",
        least=0,
        later=1,
    ),
    Field(
        "augmentation",
        str,
        "none",
        "Changes of training images, drawn anew every epoch: shifts of up to 4 pixels, mirroring.",
        choices=AUGMENTATIONS,
        later=3,
    ),
    Field(
        "precision",
        str,
        "float32",
        "Arithmetic of the training; scores are always taken in float32.",
        choices=PRECISIONS,
        searched=False,  # it changes the numbers' error, not what is trained
    ),
    Field(
        "split",
        str,
        FIXED,
        "Which images of the training file validate: the last ones, or others with each seed.",
        choices=SPLITS,
        later=4,
        searched=False,
        of_arm=False,  # the runs of a seed share their images, whatever their arm
    ),
)
"""In the order in which people read of them."""

SIZES = (
    Field(
        "train_size",
        int,
        None,
        "Training images.  [default: all]",
        least=1,
        table="",
        searched=False,
        of_arm=False,
    ),
    Field(
        "val_size",
        int,
        None,
        "Validation images of the training file, see --split.  [default: a tenth, at most 1000]",
        least=1,
        table="",
        searched=False,
        of_arm=False,
    ),
)
"""How much of the dataset is used: facts of the images, not settings of the training."""

SPACE = {
    "batch_size": [32, 64, 128],
    "lr": {"low": 1e-4, "high": 1e-2, "log": True},
    "weight_decay": {"low": 1e-6, "high": 1e-2, "log": True},
}
"""What a search varies unless a study's file says otherwise, as such a file would."""


def recorded_settings() -> tuple[Field, ...]:
    """Return the settings as runs and searches record them."""
    return in_recorded_order(SETTINGS)


def defaults() -> dict[str, Any]:
    """Return the default of every setting by name."""
    return {field.name: field.default for field in recorded_settings()}


def setting(name: str) -> Field:
    """Return the setting of that name.

    Raises:
        KeyError: there is none.

    """
    return {field.name: field for field in SETTINGS}[name]


def always_told() -> tuple[str, ...]:
    """Return the settings that people read at their defaults too; others where they are not.

    They are those that every run has and a search may vary.
    """
    return tuple(f.name for f in recorded_settings() if f.searched and not f.later)


def told_unless_default() -> dict[str, Any]:
    """Return the other settings, and their defaults."""
    always = always_told()
    return {name: value for name, value in defaults().items() if name not in always}
