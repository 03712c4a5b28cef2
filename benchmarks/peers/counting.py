"""Count the studies in which a peer would make its reader claim a difference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Claims: TypeAlias = NDArray[np.bool_]


class Setting(Protocol):
    """How the data of studies come about."""

    @property
    def name(self) -> str:
        """What the results call it."""

    @property
    def equal(self) -> NDArray[np.bool_]:
        """Which pairs do not differ: a claim about one of them is false."""

    def draw(self, replications: int) -> Floats:
        """Return studies; fewer replications are the first of more."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A package and the ways to read a claim from what it returns."""

    package: str
    """Its distribution."""
    rules: tuple[str, ...]
    """What is read as a claim, as the table says it."""
    claims: Callable[[Floats], Claims]
    """From studies (replications, arms, runs): (replications, rules, pairs), what is claimed."""
    replications: int
    """Studies of the long form: as many as its speed allows."""
    check: Callable[[], None] = lambda: None
    """Raises AssertionError unless what is done to be fast leaves the numbers alone."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What came out for one rule in one setting."""

    rule: str
    replications: int
    false: int
    """Studies with a claim about arms that do not differ."""
    found: int
    """Studies in which the first pair is claimed: where one arm is better, that is right."""


def count(peer: Peer, setting: Setting, replications: int) -> list[Counted]:
    """Show a peer the studies of a setting, and count claims by each of its rules."""
    claims = peer.claims(setting.draw(replications))
    false = claims[:, :, setting.equal].any(axis=2).sum(axis=0)
    found = claims[:, :, 0].sum(axis=0)
    return [
        Counted(rule, replications, int(wrong), int(right))
        for rule, wrong, right in zip(peer.rules, false, found, strict=True)
    ]


def one_by_one(decide: Callable[[Floats, int], Claims]) -> Callable[[Floats], Claims]:
    """Make a function of all studies from one of a study (arms, runs) and its number."""
    return lambda studies: np.array([decide(study, number) for number, study in enumerate(studies)])
