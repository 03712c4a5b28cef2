"""What is to be run: one frozen specification for each (variant, seed), and its identity.

What every training is told is a field of the specification, and the training's own settings are
declared in ``settings``. Each has a role in the identity of a run:

* ``run``: what distinguishes the runs of one configuration (variant, its source, seed);
* ``config``: what must agree for two runs to be comparable;
* ``label``: names for the reader, hashed into nothing.

What is added when there are runs already is marked ``later``: it counts only where it is not at
its default, which is what those runs were trained with, so that they keep their identity.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import math
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from dataclasses import Field as DataclassField
from pathlib import Path
from typing import Any

from attnstudy.errors import UsageError, cause, near_miss
from attnstudy.fields import Settings
from attnstudy.settings import SIZES, left_out, recorded_settings

VARIANTS = ("vanilla", "early", "late", "double")
"""The placements of attention; ``all`` means these."""
CONTROLS = ("early-conv", "late-conv", "double-conv")
"""Each has convolutions with as many parameters where its placement has attention."""
BUILT_IN = (*VARIANTS, *CONTROLS)
VALIDATE_EVERY = 100
"""Iterations between validations, counted from 0 within each epoch."""

# Part of every fingerprint. Raise it when a change of the code changes the numbers a
# specification gives, so that old and new runs are never pooled.
CODE_SCHEMA = 2

DEFAULT_STUDY = "placement"
TUNING = ".tuning"
"""Ends the name under which the runs of a study's tuning are filed; no study has such a name."""
_STUDY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def _role(role: str, *, later: bool = False) -> dict[str, Any]:
    return {"role": role, "later": later}


@dataclass(frozen=True, slots=True, kw_only=True, init=False)
class RunSpec:
    """Everything that decides what one training computes; it travels whole to the worker.

    It is made from its fields and the training's settings by name, and a setting is read as a
    field is: ``spec.epochs``. What is left out is at its default.

    Raises ``UsageError`` on construction when a value makes no sense, and ``TypeError`` when a
    field is missing or unknown.
    """

    study: str = field(metadata=_role("label"))
    """Name of the study, which is the name of the MLflow experiment."""
    dataset: str = field(metadata=_role("label"))
    """What the user called the dataset; its identity is the digest."""
    variant: str = field(metadata=_role("run"))
    """A placement, the control of one, or ``package.module:factory``."""
    variant_source: str | None = field(default=None, metadata=_role("run"))
    """SHA-256 (hex) of the factory's module; None for what is built in."""
    arm: str | None = field(default=None, metadata=_role("run", later=True))
    """Name under which it is compared; None is the variant's own."""
    arm_fields: tuple[str, ...] = field(default=(), metadata=_role("config", later=True))
    """Fields that the study declares as part of the arm: they may differ between comparable
    runs, and are the run's own."""
    tuned_by: str | None = field(default=None, metadata=_role("run", later=True))
    """Identity of the tuning that found the arm's fields."""
    seed: int = field(metadata=_role("run"))
    """Root of every random stream of the run, 0 or more."""
    dataset_digest: str = field(metadata=_role("config"))
    """Digest (hex) of all pixels and labels."""
    train_size: int = field(metadata=_role("config"))
    """Training images: the first so many of the training file."""
    val_size: int = field(metadata=_role("config"))
    """Validation images: the last so many of the training file."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The training's, by name: all of them, checked. Their roles are their own."""

    def __init__(self, *, settings: Mapping[str, Any] | None = None, **given: Any) -> None:
        for own in _own_fields():
            value = given.pop(own.name, own.default)
            if value is MISSING:
                raise TypeError(f"a specification lacks {own.name}")
            object.__setattr__(self, own.name, value)
        check_study_name(self.study.removesuffix(TUNING))
        if self.seed < 0 or self.seed >= 2**63:
            raise UsageError(f"seed {self.seed} cannot be used: seeds go from 0 to 2^63 - 1")
        for size in SIZES:
            size.check(getattr(self, size.name))
        checked = Settings(recorded_settings(), {**(settings or {}), **given})
        object.__setattr__(self, "settings", checked)

    def __getattr__(self, name: str) -> Any:
        # looked up past this method, which copying calls before there are any settings
        try:
            return object.__getattribute__(self, "settings")[name]
        except KeyError:
            raise AttributeError(f"a specification has no field or setting {name!r}") from None

    @property
    def name(self) -> str:
        """What the run is called wherever people see it: ``double/seed=3``."""
        return f"{self.arm_name}/seed={self.seed}"

    @property
    def arm_name(self) -> str:
        """What is compared: the variant, or the name of the arm."""
        return self.arm or self.variant

    @property
    def fingerprint(self) -> str:
        """Identity of the run (32 hex digits): same fingerprint, same numbers."""
        return self._digest(*(name for name, role in roles().items() if role != "label"))[:32]

    @property
    def config_id(self) -> str:
        """Identity of the configuration (10 hex digits): runs are comparable when it agrees."""
        return self._digest(*self._config_names)[:10]

    @property
    def iterations_per_epoch(self) -> int:
        """Optimiser steps in one epoch; the short last batch counts."""
        return math.ceil(self.train_size / int(self.batch_size))

    @property
    def iterations(self) -> int:
        """Optimiser steps of the whole run."""
        return int(self.epochs) * self.iterations_per_epoch

    def config_fields(self) -> dict[str, Any]:
        """Return the fields that must agree between comparable runs."""
        values = self.to_dict()
        alike = {f.name for f in recorded_settings() if left_out(f, self.settings[f.name])}
        names = (name for name in self._config_names if name not in alike)
        return {**{name: values[name] for name in names}, "code_schema": CODE_SCHEMA}

    @property
    def _config_names(self) -> list[str]:
        names = [name for name, role in roles().items() if role == "config"]
        return [name for name in names if name not in self.arm_fields]

    def to_dict(self) -> dict[str, Any]:
        """Return all fields and settings, ready for JSON."""
        own = {f.name: getattr(self, f.name) for f in _own_fields()}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in {**own, **self.settings}.items()
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RunSpec:
        """Build a specification from what ``to_dict`` gave, now or before a later field existed."""
        return cls(**{**values, "arm_fields": tuple(values.get("arm_fields", ()))})

    def _digest(self, *names: str) -> str:
        values, later = self.to_dict(), later_defaults()
        hashed = {
            name: values[name]
            for name in names
            if name not in later or getattr(self, name) != later[name]
        }
        hashed["code_schema"] = CODE_SCHEMA
        # repr of a float is its shortest exact form, which json uses: stable between platforms
        text = json.dumps(hashed, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()


def _own_fields() -> list[DataclassField[Any]]:
    """Return what every training is told: the fields of a specification but its settings."""
    return [f for f in fields(RunSpec) if f.name != "settings"]


def roles() -> dict[str, str]:
    """Return the role of every field and setting of a specification, in the recorded order."""
    own = {f.name: f.metadata["role"] for f in _own_fields()}
    return {**own, **{f.name: f.role for f in recorded_settings()}}


def later_defaults() -> dict[str, Any]:
    """Return the fields that runs may have been made without, and what those were trained with."""
    own = {f.name: f.default for f in _own_fields() if f.metadata["later"]}
    return {**own, **{f.name: f.default for f in recorded_settings() if f.later}}


def tuning_of(study: str) -> str:
    """Return the name under which the runs of a study's tuning are filed, apart from its own."""
    return study + TUNING


def check_study_name(name: str) -> str:
    """Return ``name`` if it can be a folder and an experiment, else raise ``UsageError``."""
    if not _STUDY_NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot name a study: use up to 100 letters, digits, '.', '_' and '-', "
            "beginning with a letter or digit"
        )
    if name.endswith(TUNING):
        raise UsageError(
            f"{name!r} cannot name a study: {TUNING} ends the names of what 'attnstudy tune' keeps"
        )
    return name


def is_factory(variant: str) -> bool:
    """Tell whether ``variant`` is the user's own, written ``package.module:factory``."""
    return ":" in variant


def check_variant(variant: str) -> str:
    """Return ``variant`` if it is built in or written like a factory, else ``UsageError``."""
    if variant in BUILT_IN:
        return variant
    module, colon, attribute = variant.partition(":")
    if colon and attribute.isidentifier() and all(p.isidentifier() for p in module.split(".")):
        return variant
    raise UsageError(
        f"unknown variant {variant!r}: use one of {', '.join(BUILT_IN)}, 'all', or "
        f"'package.module:factory'{near_miss(variant, (*BUILT_IN, 'all'))}"
    )


def expand_variants(names: Sequence[str]) -> tuple[str, ...]:
    """Return the variants that ``names`` mean, in order, once; ``all`` is the placements."""
    expanded: dict[str, None] = {}
    for name in names:
        for variant in VARIANTS if name == "all" else (check_variant(name),):
            expanded[variant] = None
    if not expanded:
        raise UsageError("no variant is named: give --variant at least once, or --variant all")
    return tuple(expanded)


def factory_source_digest(variant: str) -> str | None:
    """Return the SHA-256 (hex) of the module that holds a user's factory; None for built-ins.

    The whole module counts, because a factory is rarely alone in it; what it imports does not.
    """
    if not is_factory(variant):
        return None
    module_name = variant.partition(":")[0]
    importlib.invalidate_caches()
    try:
        found = importlib.util.find_spec(module_name)
    except Exception as error:  # finding a module runs the packages around it: the user's code
        raise UsageError(f"variant {variant!r} cannot be imported: {cause(error)}") from error
    if found is None or found.origin is None or not Path(found.origin).is_file():
        raise UsageError(
            f"variant {variant!r} cannot be imported: there is no module {module_name!r} in "
            f"{Path.cwd()} or in this Python ({sys.prefix})"
        )
    return hashlib.sha256(Path(found.origin).read_bytes()).hexdigest()
