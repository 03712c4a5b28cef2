"""What a study declares before its first run: everything that decides its verdict, and its hash."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from typing import Any

from attnstudy.errors import UsageError, near_miss
from attnstudy.seeds import seeds_text

CORRECTIONS = ("games-howell", "holm")
DIRECTIONS = ("maximize", "minimize")
QUESTIONS = ("each", "average", "new")
"""What may be asked of arms on several tasks: which is better on each of them, on average over
them, or on a new task like these."""
LEAST_ALPHA = 1e-12
"""Error rates below are not computed: no runs could keep them."""
LEAST_LOOK = 3
"""Seeds per arm at the first look: below, nothing is tested."""
LOOKS = (5, 10, 20, 30, 50)
"""Looks of a study that runs until it is decided and declares no others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """How a study is to be ranked.

    Raises ``UsageError`` on construction when a value makes no sense.
    """

    metric: str = "test_accuracy"
    direction: str | None = None
    """``maximize`` or ``minimize``; None is what the metric's name says."""
    alpha: float = 0.05
    """Family-wise error rate of the whole procedure."""
    correction: str = "games-howell"
    control: str | None = None
    """The arm that all others are compared with; None compares all pairs."""
    margin: float | None = None
    """Largest difference that does not matter, in the metric's unit."""
    paired: bool = False
    """Whether runs are compared seed by seed."""
    looks: tuple[int, ...] | None = None
    """Seeds per arm at each look; None looks once, at the end."""
    tasks: str | None = None
    """Which question on several tasks is the confirmatory one, of ``QUESTIONS``; None says not."""

    def __post_init__(self) -> None:
        if not 0.0 < self.alpha < 0.5:
            raise UsageError(f"alpha is {self.alpha}: give an error rate between 0 and 0.5")
        if self.alpha < LEAST_ALPHA:
            raise UsageError(
                f"alpha is {self.alpha:g}: give an error rate of {LEAST_ALPHA:g} or more"
            )
        if self.margin is not None and not (math.isfinite(self.margin) and self.margin > 0.0):
            raise UsageError(f"the margin is {self.margin}: give a difference above 0")
        if self.direction not in (None, *DIRECTIONS):
            raise UsageError(
                f"the direction is {self.direction!r}: use maximize or minimize"
                f"{near_miss(self.direction, DIRECTIONS)}"
            )
        if self.correction not in CORRECTIONS:
            raise UsageError(
                f"unknown correction {self.correction!r}: use {' or '.join(CORRECTIONS)}"
                f"{near_miss(self.correction, CORRECTIONS)}"
            )
        if self.tasks not in (None, *QUESTIONS):
            raise UsageError(
                f"tasks is {self.tasks!r}: use each, average or new"
                f"{near_miss(self.tasks, QUESTIONS)}"
            )
        if self.looks is not None:
            object.__setattr__(self, "looks", tuple(self.looks))
            check_looks(self.looks)
            if self.control is not None or self.paired or self.correction != "games-howell":
                raise UsageError(
                    "sequential looks are defined for Games-Howell alone: leave out the looks, or "
                    "the control, the pairing and Holm's correction"
                )

    def to_json(self) -> dict[str, Any]:
        """Return what ``from_json`` takes; what plans of before do not know is left out."""
        later = ("direction", "tasks")
        return {n: v for n, v in asdict(self).items() if v is not None or n not in later}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Analysis:
        """Return the analysis that a plan's JSON holds; fields that it lacks were not known."""
        return cls(**values)


def check_looks(looks: Sequence[int]) -> None:
    """Refuse looks that do not ascend from three seeds on.

    Raises:
        UsageError: naming them.

    """
    if not looks or looks[0] < LEAST_LOOK or any(a >= b for a, b in pairwise(looks)):
        raise UsageError(
            f"the looks {list(looks)} make no sequence: give ascending numbers of seeds, the "
            f"first at least {LEAST_LOOK}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyPlan:
    """The plan of one configuration of a study."""

    study: str
    config: str
    """Identity of the configuration, which the settings spell out."""
    settings: Mapping[str, Any]
    """The fields in which all runs agree."""
    arms: Mapping[str, Mapping[str, Any]]
    """By name: variant, the digest of its source, and the fields that are part of the arm."""
    seeds: tuple[int, ...]
    """Seeds of every arm, in the order in which looks count them."""
    analysis: Analysis
    task: str | None = None
    """The task on which it is trained; None in a study without tasks."""

    def to_json(self) -> dict[str, Any]:
        """Return what ``from_json`` takes; plans of before there were tasks do not name one."""
        return {
            "study": self.study,
            **({} if self.task is None else {"task": self.task}),
            "config": self.config,
            "settings": dict(self.settings),
            "arms": {name: dict(arm) for name, arm in self.arms.items()},
            "seeds": list(self.seeds),
            "analysis": self.analysis.to_json(),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> StudyPlan:
        """Return the plan that ``to_json`` wrote down."""
        return cls(
            **{
                **values,
                "seeds": tuple(values["seeds"]),
                "analysis": Analysis.from_json(values["analysis"]),
            }
        )

    @property
    def hash(self) -> str:
        """Identity of the plan (12 hex digits)."""
        return _digest(self.to_json())


def _digest(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class RecordedPlan:
    """A plan and when it was recorded."""

    plan: StudyPlan
    at: int
    """Milliseconds since the epoch."""
    hash: str
    """Of the plan, as it was recorded."""

    @classmethod
    def of(cls, plan: StudyPlan, at: int) -> RecordedPlan:
        """Return the record of a plan."""
        return cls(plan, at, plan.hash)

    def to_json(self) -> dict[str, Any]:
        """Return what ``from_json`` takes."""
        return {"at": self.at, "hash": self.hash, "plan": self.plan.to_json()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> RecordedPlan | None:
        """Return the record; None if it does not have the hash that it says."""
        try:
            if _digest(values["plan"]) != values["hash"]:
                return None
            return cls(StudyPlan.from_json(values["plan"]), int(values["at"]), values["hash"])
        except (KeyError, TypeError, ValueError, AttributeError, UsageError):
            return None


def differences(before: StudyPlan, after: StudyPlan) -> tuple[str, ...]:
    """Return what a plan changed, a phrase each; two of one configuration."""
    changed = [
        f"{field.name}: {shown(getattr(before.analysis, field.name))} -> "
        f"{shown(getattr(after.analysis, field.name))}"
        for field in fields(Analysis)
        if getattr(before.analysis, field.name) != getattr(after.analysis, field.name)
    ]
    if before.seeds != after.seeds:
        changed.append(f"seeds: {seeds_text(before.seeds)} -> {seeds_text(after.seeds)}")
    for name in {**before.arms, **after.arms}:
        if name not in after.arms:
            changed.append(f"arm {name} taken out")
        elif name not in before.arms:
            changed.append(f"arm {name} added")
        elif before.arms[name] != after.arms[name]:
            changed.append(f"arm {name} changed")
    return tuple(changed)


def shown(value: object) -> str:
    """Return a setting as a reader would write it."""
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value).lower()
