"""What ``run`` and ``tune`` are asked alike: what is trained, and on which machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from attnstudy.arms import Arm
from attnstudy.executors import ExecutorChoice
from attnstudy.tracking import Address
from attnstudy.trainings.contract import Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRequest:
    """What is to be trained, and how."""

    study: str
    question: str | None
    arms: tuple[Arm, ...]
    training: str | None = None
    """Its kind, see ``trainings.registry``."""
    options: Mapping[str, Any]
    """What the training is told beside its settings, see ``trainings.contract.Asked``."""
    settings: Mapping[str, Any]
    """Of the training, by name; those of an arm, or what a trial varies, go before them."""
    device: str
    threads: int | None
    """Threads per run; None takes what the study's first run used, or 1."""
    workers: int | None
    """Runs at once; None chooses."""
    executor: ExecutorChoice
    fuse: int
    """Seeds of an arm that are trained together."""
    checkpoint_minutes: float
    """A checkpoint is written at least so often, besides after every epoch."""
    address: Address

    @property
    def asked(self) -> Asked:
        """What is asked of the training."""
        return Asked(arms=self.arms, settings=self.settings, options=self.options)
