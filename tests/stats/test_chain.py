"""The order of the arms as a chain."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from attnstudy.stats import rank


def ranked(means, **options):
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.1, 6)
    samples = {name: (mean + noise - noise.mean()).tolist() for name, mean in means.items()}
    return rank(samples, metric="score", **options)


@pytest.mark.parametrize(
    ("means", "options", "expected"),
    [
        ({"a": 3, "b": 2, "c": 1}, {}, "a > b > c"),
        ({"a": 3, "b": 2.99, "c": 1}, {}, "{a, b} > c"),
        ({"a": 3, "b": 1.01, "c": 1}, {}, "a > {b, c}"),
        ({"a": 3, "b": 2.99, "c": 1}, {"margin": 0.5}, "{a = b} > c"),
        ({"a": 3, "b": 2.99, "c": 1, "d": 1}, {}, "{a, b} > {c, d}"),
        ({"a": 1, "b": 1.01, "c": 1}, {}, None),
        ({"a": 3, "b": 2, "c": 1}, {"control": "c"}, None),
        ({"a": 1.12, "b": 1.06, "c": 1.0}, {}, None),  # a > c alone: b is shown neither way
    ],
)
def test_groups_are_ordered_where_every_pair_says_so(means, options, expected):
    assert ranked(means, **options).order == expected


def test_a_chain_says_what_the_pairs_say_and_nothing_else():
    for seed in range(40):
        rng = np.random.default_rng(seed)
        ranking = rank(
            {
                n: rng.normal(m, 0.3, 5).tolist()
                for n, m in zip("abcd", rng.normal(0, 0.6, 4), strict=True)
            },
            metric="score",
        )
        if ranking.order is None:
            continue
        groups = [
            part.strip("{}").replace(" = ", ", ").split(", ") for part in ranking.order.split(" > ")
        ]
        place = {name: i for i, group in enumerate(groups) for name in group}
        assert sorted(place) == sorted("abcd")
        verdicts = {frozenset((p.a, p.b)): p for p in ranking.pairs}
        for one, other in combinations("abcd", 2):
            pair = verdicts[frozenset((one, other))]
            different = pair.verdict in ("better", "worse")
            assert different == (place[one] != place[other])
            if different:
                winner = pair.a if pair.verdict == "better" else pair.b
                loser = pair.b if winner == pair.a else pair.a
                assert place[winner] < place[loser]


def test_less_is_better_where_the_direction_says_so():
    assert ranked({"a": 3, "b": 1}, direction="minimize").order == "b > a"
