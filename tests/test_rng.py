"""Named random streams: each its own, the same everywhere, and nothing global is touched."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable

import numpy as np
import pytest
import torch

from attnstudy import rng

NAMES = [
    ("weights",),
    ("weights", "conv1"),
    ("weights", "conv2"),
    ("weights", "attention1.query"),
    ("order",),
    ("order", 0),
    ("order", 1),
    ("augmentation", 0),
]


def global_states() -> tuple[object, ...]:
    """The state of every generator that code outside may depend on."""
    return (
        torch.get_rng_state().tolist(),
        [part.tolist() if isinstance(part, np.ndarray) else part for part in np.random.get_state()],  # noqa: NPY002
        random.getstate(),
    )


# Drawn once. Other values would give every run of every user other weights and another order.
@pytest.mark.parametrize(
    ("seed", "name", "drawn"),
    [
        (0, ("weights",), 8819022834390289746),
        (0, ("weights", "conv1"), 3157758157576986634),
        (3, ("weights", "conv1"), 9459890277133129082),
        (0, ("order", 1), 4633927056722610719),
        (2**63 - 1, ("order", 1), 17606699523097785736),
    ],
)
def test_golden_streams(seed: int, name: tuple[str | int, ...], drawn: int) -> None:
    assert rng.stream_seed(seed, *name) == drawn


def test_streams_differ_by_seed_and_by_name() -> None:
    seeds = [*range(100), 2**31, 2**32, 2**63 - 1]
    drawn = {rng.stream_seed(seed, *name) for seed in seeds for name in NAMES}
    assert len(drawn) == len(seeds) * len(NAMES)


def test_streams_of_neighbours_are_unrelated() -> None:
    draws = np.stack(
        [
            torch.rand(2000, generator=rng.generator(seed, *name)).numpy()
            for seed in range(5)
            for name in NAMES
        ]
    )
    correlations = np.corrcoef(draws)[~np.eye(len(draws), dtype=bool)]
    assert np.abs(correlations).max() < 0.1  # 4.5 standard errors


@pytest.mark.parametrize("seed", [0, 7, 2**63 - 1])
def test_a_generator_stands_at_the_start_of_its_stream(seed: int) -> None:
    one = torch.rand(5, generator=rng.generator(seed, "order"))
    again = torch.rand(5, generator=rng.generator(seed, "order"))
    other = torch.rand(5, generator=rng.generator(seed, "weights"))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_code_in_a_fork_draws_from_the_named_stream() -> None:
    with rng.forked(3, "weights", "conv1"):
        drawn = torch.rand(5)
    assert torch.equal(drawn, torch.rand(5, generator=rng.generator(3, "weights", "conv1")))


def test_forks_can_be_nested() -> None:
    with rng.forked(3, "outer"):
        first = torch.rand(2)
        with rng.forked(3, "inner"):
            torch.rand(100)
        second = torch.rand(2)
    expected = torch.rand(4, generator=rng.generator(3, "outer"))
    assert torch.equal(torch.cat([first, second]), expected)


def use_generator() -> None:
    torch.rand(3, generator=rng.generator(1, "order"))


def use_fork() -> None:
    with rng.forked(1, "weights"):
        torch.rand(3)
        torch.manual_seed(5)


def fail_in_fork() -> None:
    with contextlib.suppress(ZeroDivisionError), rng.forked(1, "weights"):
        torch.rand(3)
        raise ZeroDivisionError


@pytest.mark.parametrize("action", [use_generator, use_fork, fail_in_fork])
def test_nothing_global_is_touched(action: Callable[[], None]) -> None:
    before = global_states()
    action()
    assert global_states() == before


def test_streams_do_not_depend_on_global_state() -> None:
    drawn = []
    for seed in (1, 2):
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            with rng.forked(3, "weights"):
                drawn.append(torch.rand(5))
    assert torch.equal(*drawn)
