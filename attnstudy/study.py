"""What is to be run: one frozen specification for each arm and seed, and its identity.

What every training is told is a field of the specification; its own facts and settings are declared
by the training. Each has a role in the identity of a run:

* ``run``: what distinguishes the runs of one configuration (variant, its source, seed);
* ``config``: what must agree for two runs to be comparable;
* ``label``: names for the reader, hashed into nothing.

What is added when there are runs already is marked ``later``: it counts only where it is not at
its default, which is what those runs were trained with, so that they keep their identity.
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from dataclasses import Field as DataclassField
from typing import Any

from attnstudy.errors import UsageError
from attnstudy.fields import left_out
from attnstudy.trainings.registry import find

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
    """Everything that decides what one run computes; it travels whole to the worker.

    It is made from its fields, and the facts and settings of its training by name; these are read
    as a field is: ``spec.epochs``. What is left out is at its default.

    Raises ``UsageError`` on construction when a value makes no sense, and ``TypeError`` when a
    field is missing or unknown.
    """

    study: str = field(metadata=_role("label"))
    """Name of the study, which is the name of the MLflow experiment."""
    training: str | None = field(default=None, metadata=_role("config", later=True))
    """The kind of its training, see ``trainings.registry``; None is what is built in."""
    task: str | None = field(default=None, metadata=_role("config", later=True))
    """Name of the task on which it is trained; None in a study without tasks."""
    arm: str | None = field(default=None, metadata=_role("run", later=True))
    """Name under which it is compared; None is that of its variant."""
    arm_fields: tuple[str, ...] = field(default=(), metadata=_role("config", later=True))
    """Settings that the study declares as part of the arm: they may differ between comparable
    runs, and are the run's own."""
    tuned_by: str | None = field(default=None, metadata=_role("run", later=True))
    """Identity of the tuning that found the arm's settings."""
    seed: int = field(metadata=_role("run"))
    """Root of every random stream of the run, 0 or more."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What identifies its training beside the settings, by name; their roles are their own."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Those of its training, by name: all of them, checked. Their roles are their own."""

    def __init__(
        self,
        *,
        facts: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
        **given: Any,
    ) -> None:
        for own in _own_fields():
            value = given.pop(own.name, own.default)
            if value is MISSING:
                raise TypeError(f"a specification lacks {own.name}")
            object.__setattr__(self, own.name, value)
        check_study_name(self.study.removesuffix(TUNING))
        if self.seed < 0 or self.seed >= 2**63:
            raise UsageError(f"seed {self.seed} cannot be used: seeds go from 0 to 2^63 - 1")
        training = find(self.training)
        own_facts = {
            fact.name: given.pop(fact.name) for fact in training.facts if fact.name in given
        }
        checked = training.check_facts({**(facts or {}), **own_facts})
        object.__setattr__(self, "facts", checked)
        checked = training.check_settings({**(settings or {}), **given})
        object.__setattr__(self, "settings", checked)

    def __getattr__(self, name: str) -> Any:
        # looked up past this method, which copying calls before there is anything
        for values in ("settings", "facts"):
            try:
                return object.__getattribute__(self, values)[name]
            except KeyError:
                continue
        raise AttributeError(f"a specification has no field, fact or setting {name!r}")

    @property
    def name(self) -> str:
        """What the run is called wherever people see it: ``double/seed=3``, behind its task."""
        return "/".join(filter(None, (self.task, self.arm_name, f"seed={self.seed}")))

    def command_line(self, *options: str) -> str:
        """Return the ``attnstudy run`` that means this run alone, as a shell takes it.

        Only placements without arms of their own can come from a study without a file, so only
        they are told their settings: a file says the same, and there is a name for both.
        """
        has_file = self.training is not None or self.task is not None or self.arm is not None
        words = ["attnstudy", "run", *options, *([] if has_file else ["--study"]), self.study]
        if self.task is not None:
            words += ["--task", self.task]
        words += ["--arm", self.arm_name, "--seeds", f"{self.seed}-{self.seed}"]
        if self.tuned_by is not None:
            words.append("--tuned")
        return shlex.join([*words, *([] if has_file else find(self.training).options(self))])

    @property
    def arm_name(self) -> str:
        """What is compared: the name of the arm, else that of the variant."""
        return str(self.arm or self.facts["variant"])

    @property
    def fingerprint(self) -> str:
        """Identity of the run (32 hex digits): same fingerprint, same numbers."""
        return self._digest(*self._identifying)[:32]

    def called(self, fingerprint: str) -> bool:
        """Whether a fingerprint is this run's, by the present code or by code before it."""
        schemas = range(CODE_SCHEMA, 0, -1)
        return any(self._digest(*self._identifying, schema=n)[:32] == fingerprint for n in schemas)

    @property
    def _identifying(self) -> list[str]:
        return [name for name, role in self.roles().items() if role != "label"]

    @property
    def config_id(self) -> str:
        """Identity of the configuration (10 hex digits): runs are comparable when it agrees."""
        return self._digest(*self._config_names)[:10]

    def roles(self) -> dict[str, str]:
        """Return the role of every field, fact and setting, in the recorded order."""
        return roles(self.training, self.settings)

    def config_fields(self) -> dict[str, Any]:
        """Return the fields that must agree between comparable runs."""
        values = self.to_dict()
        declared = find(self.training).settings
        alike = {f.name for f in declared if left_out(f, self.settings[f.name])}
        # plans of before there were others do not name them
        alike |= {name for name in ("training", "task") if getattr(self, name) is None}
        names = (name for name in self._config_names if name not in alike)
        return {**{name: values[name] for name in names}, "code_schema": CODE_SCHEMA}

    @property
    def _config_names(self) -> list[str]:
        names = [name for name, role in self.roles().items() if role == "config"]
        return [name for name in names if name not in self.arm_fields]

    def to_dict(self) -> dict[str, Any]:
        """Return all fields, facts and settings, ready for JSON."""
        own = {f.name: getattr(self, f.name) for f in _own_fields()}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in {**own, **self.facts, **self.settings}.items()
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RunSpec:
        """Build a specification from what ``to_dict`` gave, now or before a later field existed."""
        return cls(**{**values, "arm_fields": tuple(values.get("arm_fields", ()))})

    def _digest(self, *names: str, schema: int | None = None) -> str:
        values, later = self.to_dict(), later_defaults(self.training)
        hashed = {
            name: values[name]
            for name in names
            if name not in later or getattr(self, name) != later[name]
        }
        hashed["code_schema"] = CODE_SCHEMA if schema is None else schema
        # repr of a float is its shortest exact form, which json uses: stable between platforms
        text = json.dumps(hashed, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()


def _own_fields() -> list[DataclassField[Any]]:
    """Return what every run is told: the fields of a specification but facts and settings."""
    return [f for f in fields(RunSpec) if f.name not in ("facts", "settings")]


def roles(training: str | None = None, others: Iterable[str] = ()) -> dict[str, str]:
    """Return the role of every field, fact and setting of a kind of training.

    ``others`` are settings that it does not declare: all of them belong to the configuration.
    """
    declared = find(training)
    own = {f.name: f.metadata["role"] for f in _own_fields()}
    known = own | {f.name: f.role for f in (*declared.facts, *declared.settings)}
    return known | {name: "config" for name in others if name not in known}


def reserved_names() -> frozenset[str]:
    """Return what a setting cannot be called: the names of the fields of a specification."""
    return frozenset(f.name for f in fields(RunSpec)) | {"code_schema"}


def later_defaults(training: str | None = None) -> dict[str, Any]:
    """Return the fields that runs may have been made without, and what those were run with."""
    own = {f.name: f.default for f in _own_fields() if f.metadata["later"]}
    return {**own, **{f.name: f.default for f in find(training).settings if f.later}}


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
