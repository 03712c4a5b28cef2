"""Power is lost, then the same command again: what a kill does not break, this does not either.

The short form tries some states of each study, chosen by a seed; ``make chaos`` (which sets
``ATTNSTUDY_CHAOS``) more than a thousand. What fails says how to repeat it.
"""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Iterable, Iterator

import pytest

from tests.powerloss.disk import State
from tests.powerloss.recording import compiler
from tests.powerloss.studies import Recorded, recorded

pytestmark = [
    pytest.mark.timeout(7200),
    pytest.mark.skipif(
        compiler() is None, reason="recording needs a C compiler, and there is none"
    ),
]
SEED = int(os.environ.get("POWER_SEED", "0"))
SHORT = {"run": 16, "tune": 3}
EVERY = {"run": 3, "tune": 12}
"""The long form tries one state of so many."""


@pytest.fixture(scope="module", params=["run", "tune"])
def study(request, zygote, tmp_path_factory) -> Recorded:
    return recorded(zygote, request.param, tmp_path_factory.mktemp(request.param))


def broken(study: Recorded, states: Iterable[State]) -> list[str]:
    return [wrong for state in states if (wrong := study.try_state(state)) is not None]


def chosen(study: Recorded, count: int) -> Iterator[State]:
    """Give so many states, one of each of as many equal parts."""
    total = sum(1 for _ in study.states())
    chance = random.Random(SEED)
    edges = [total * part // count for part in range(count + 1)]
    numbers = {chance.randrange(a, b) for a, b in itertools.pairwise(edges)}
    return (state for state in study.states() if state.number in numbers)


def test_a_result_vouches_for_nothing_that_can_be_lost(study):
    """At the moment at which a result is there, all of the run is, and in MLflow what is noted."""
    ends = ("/result.json", "/published/embedded.json", "/study.json")
    found = [
        state
        for state in study.states()
        if state.last.startswith("rename") and state.last.endswith(ends)
        and state.loss != "nothing is lost"
    ]  # fmt: skip
    assert broken(study, random.Random(SEED).sample(found, 1)) == []


def test_power_lost_at_any_moment_loses_nothing_that_was_promised(study):
    assert broken(study, chosen(study, SHORT[study.command])) == []


@pytest.mark.long
def test_power_lost_at_every_moment_loses_nothing_that_was_promised(study):
    every = EVERY[study.command]
    assert broken(study, (s for s in study.states() if s.number % every == SEED % every)) == []
