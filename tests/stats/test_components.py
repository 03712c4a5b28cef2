"""Components of variance against published fits, analysis of variance by hand, and known truths."""

from __future__ import annotations

import sys
from itertools import product

import numpy as np
import pytest
from scipy.optimize import minimize

from attnstudy.errors import UsageError
from attnstudy.stats.evidence.components import (
    components_words,
    find_components,
    require_statsmodels,
)

# Pinheiro and Bates, Mixed-effects models in S and S-PLUS, 2000, section 1.3 (Milliken and Johnson,
# 1992, p. 285): productivity of six workers on three machines, three times each
MACHINES = {
    "A": "52.0 52.8 53.1 51.8 52.8 53.1 60.0 60.2 58.4 "
    "51.1 52.3 50.3 50.9 51.8 51.4 46.4 44.8 49.2",
    "B": "62.1 62.6 64.0 59.7 60.0 59.0 68.6 65.8 69.7 "
    "63.2 62.8 62.2 64.8 65.0 65.4 43.7 44.2 43.0",
    "C": "67.5 67.2 66.9 61.5 61.7 62.3 70.8 70.6 71.0 "
    "64.1 66.2 64.0 72.1 72.0 71.1 62.0 61.4 60.5",
}
# Davies, Statistical methods in research and production, 1947, table 6.1: yield of dyestuff from
# six batches, five samples each; lme4's first example
DYESTUFF = (
    (1545, 1440, 1440, 1520, 1580),
    (1540, 1555, 1490, 1560, 1495),
    (1595, 1550, 1605, 1510, 1560),
    (1445, 1440, 1595, 1465, 1545),
    (1595, 1630, 1515, 1635, 1625),
    (1520, 1455, 1450, 1480, 1445),
)


def machines():
    return [
        (machine, f"worker {place // 3}", None, float(value))
        for machine, row in MACHINES.items()
        for place, value in enumerate(row.split())
    ]


def variances(found):
    return {one.name: one.variance for one in found.components}


def sds(found):
    return {one.name: one.sd for one in found.components}


def reasons(found):
    return {one.name: one.reason for one in found.untold}


def crossed(rng, arms, seeds, seed_sd=1.0, sd=0.5):
    """Draw values (arms, seeds) of arms that share their seeds."""
    shared = rng.normal(0, seed_sd, seeds)
    return np.arange(arms)[:, None] + shared + rng.normal(0, sd, (arms, seeds))


def rows_of(table):
    return [
        (f"arm {a}", None, s, float(table[a, s]))
        for a, s in product(*map(range, table.shape))
        if np.isfinite(table[a, s])
    ]


def by_hand(table):
    """Return seed and residual variance of a balanced table (arms, seeds), by mean squares."""
    arms, seeds = table.shape
    of_seeds = arms * table.mean(axis=0).var(ddof=1)
    apart = table - table.mean(axis=0) - table.mean(axis=1, keepdims=True) + table.mean()
    residual = (apart**2).sum() / ((arms - 1) * (seeds - 1))
    return (of_seeds - residual) / arms, residual


# Published fits


def test_machines_are_as_published():
    """Pinheiro and Bates, p. 25, fm2Machine, and p. 26 for its unbalanced part."""
    found = find_components(machines())
    assert sds(found) == pytest.approx(
        {"task": 4.7810, "arm x task": 3.7295, "residual": 0.9615768}, rel=1e-4
    )
    assert {one.name: one.levels for one in found.components} == {
        "task": 6, "arm x task": 18, "residual": 54,
    }  # fmt: skip


def test_dyestuff_is_as_published():
    """Bates et al., lme4: 1764.05 (SD 42.00) between and 2451.25 (SD 49.51) within batches."""
    rows = [("x", f"batch {b}", None, v) for b, row in enumerate(DYESTUFF) for v in row]
    found = find_components(rows)
    assert variances(found) == pytest.approx({"task": 1764.05, "residual": 2451.25}, rel=1e-5)
    assert reasons(found)["arm x task"] == "there is one arm: it is part of the task"


# Analysis of variance by hand


@pytest.mark.parametrize("seed", range(8))
def test_a_balanced_table_is_its_mean_squares(seed):
    rng = np.random.default_rng(seed)
    table = crossed(rng, int(rng.integers(2, 6)), int(rng.integers(4, 20)))
    of_seeds, residual = by_hand(table)
    assert of_seeds > 0
    found = find_components(rows_of(table))
    assert variances(found) == pytest.approx({"seed": of_seeds, "residual": residual}, rel=1e-4)
    assert found.runs == table.size
    assert found.variance == pytest.approx(of_seeds + residual, rel=1e-4)
    assert sum(one.share for one in found.components) == pytest.approx(1)


@pytest.mark.parametrize("seed", range(12))
def test_a_negative_estimate_is_zero_and_the_rest_is_pooled(seed):
    table = crossed(np.random.default_rng(seed), 4, 8, seed_sd=0.0)
    of_seeds, residual = by_hand(table)
    found = find_components(rows_of(table))
    if of_seeds > 0:
        assert variances(found)["seed"] == pytest.approx(of_seeds, rel=1e-3, abs=1e-3 * residual)
        return
    pooled = table.var(axis=1, ddof=1).mean()  # within arms: what is left without a seed
    assert variances(found) == {"seed": 0.0, "residual": pytest.approx(pooled, rel=1e-9)}
    (of_zero,) = [one for one in found.components if one.name == "seed"]
    assert "estimated at zero" in of_zero.remark


def test_tasks_with_seeds_are_their_mean_squares():
    """Three sources and a residual, balanced: expected mean squares of a split plot."""
    rng = np.random.default_rng(5)
    a, t, s = 4, 7, 6
    table = (
        rng.normal(0, 3, t)[None, :, None]
        + rng.normal(0, 1.5, (a, t))[:, :, None]
        + rng.normal(0, 1, (t, s))[None]
        + rng.normal(0, 0.5, (a, t, s))
    )
    rows = [
        (f"{i}", f"{j}", k, table[i, j, k]) for i, j, k in product(range(a), range(t), range(s))
    ]
    cell, whole, each = table.mean(axis=2), table.mean(axis=0), table.mean(axis=(0, 2))
    ms_task = a * s * each.var(ddof=1)
    inside = cell - each - cell.mean(axis=1, keepdims=True) + cell.mean()
    ms_cross = s * (inside**2).sum() / ((a - 1) * (t - 1))
    ms_seed = a * ((whole - each[:, None]) ** 2).sum() / (t * (s - 1))
    rest = table - cell[:, :, None] - whole[None] + each[None, :, None]
    ms_rest = (rest**2).sum() / ((a - 1) * t * (s - 1))
    assert variances(find_components(rows)) == pytest.approx(
        {
            "task": (ms_task - ms_cross - ms_seed + ms_rest) / (a * s),
            "arm x task": (ms_cross - ms_rest) / s,
            "seed": (ms_seed - ms_rest) / a,
            "residual": ms_rest,
        },
        rel=1e-3,
    )


def test_neither_order_nor_names_nor_unit_matter():
    table = crossed(np.random.default_rng(2), 3, 6)
    rows = rows_of(table)
    plain = variances(find_components(rows))
    other = [(a[::-1] + " é{}", None, 2**60 + s, v) for a, _, s, v in reversed(rows)]
    assert variances(find_components(other)) == pytest.approx(plain, rel=1e-5)
    scaled = [(a, t, s, 1e6 + 1e3 * v) for a, t, s, v in rows]
    assert variances(find_components(scaled)) == pytest.approx(
        {name: 1e6 * value for name, value in plain.items()}, rel=1e-4
    )


def test_missing_runs_are_left_out_and_not_made_up():
    """An arm of fewer seeds: those that it shares tell the seed, all tell the residual."""
    table = crossed(np.random.default_rng(4), 3, 9)
    table[2, 5:] = np.nan
    found = find_components(rows_of(table))
    assert {one.name: one.levels for one in found.components} == {"seed": 9, "residual": 23}
    assert variances(found) == pytest.approx(literal_reml(rows_of(table)), rel=1e-4)


def literal_reml(rows):
    """Return seed and residual variance at the highest restricted likelihood, by its formula."""
    arms, seeds = ([row[place] for row in rows] for place in (0, 2))
    x = np.array([[arm == one for one in sorted(set(arms))] for arm in arms], dtype=float)
    z = np.array([[seed == one for one in sorted(set(seeds))] for seed in seeds], dtype=float)
    y = np.array([row[3] for row in rows])

    def minus_twice(logs):
        seed, residual = np.exp(logs)
        v = seed * z @ z.T + residual * np.eye(len(y))
        weight = np.linalg.inv(v)
        information = x.T @ weight @ x
        rest = y - x @ np.linalg.solve(information, x.T @ weight @ y)
        return np.linalg.slogdet(v)[1] + np.linalg.slogdet(information)[1] + rest @ weight @ rest

    best = minimize(minus_twice, [0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-9})
    return dict(zip(("seed", "residual"), np.exp(best.x), strict=True))


# Known truths


@pytest.mark.rest
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_known_components_are_recovered(missing):
    """Over 60 tables of a known truth the mean estimate is the truth, within its own error."""
    rng = np.random.default_rng(7)
    estimates = []
    for _ in range(60):
        table = crossed(rng, 4, 12)
        table[rng.random(table.shape) < missing] = np.nan
        found = variances(find_components(rows_of(table)))
        estimates.append((found["seed"], found["residual"]))
    drawn = np.array(estimates)
    error = drawn.std(axis=0, ddof=1) / np.sqrt(len(drawn))
    assert (np.abs(drawn.mean(axis=0) - (1.0, 0.25)) < 3.5 * error).all()


@pytest.mark.rest
def test_known_components_of_tasks_are_recovered():
    rng = np.random.default_rng(8)
    truth = {"task": 4.0, "arm x task": 1.0, "seed": 0.5, "residual": 0.25}
    estimates = []
    for _ in range(25):
        task, cell = rng.normal(0, 2, 8), rng.normal(0, 1, (3, 8))
        seed = rng.normal(0, 0.5**0.5, (8, 4))
        rows = [
            (f"{a}", f"{t}", s, a + task[t] + cell[a, t] + seed[t, s] + rng.normal(0, 0.5))
            for a, t, s in product(range(3), range(8), range(4))
            if rng.random() > 0.15
        ]
        found = variances(find_components(rows))
        estimates.append([found[name] for name in truth])
    drawn = np.array(estimates)
    error = drawn.std(axis=0, ddof=1) / np.sqrt(len(drawn))
    assert (np.abs(drawn.mean(axis=0) - list(truth.values())) < 3.5 * error).all()


# Test items


def answers(rng, runs, items=4000, item_sd=1.0, cross_sd=0.5, run_sd=0.0):
    """Draw which answers (runs, items) of two arms are right, by a latent normal."""
    easy = rng.normal(0, item_sd, items)
    return {
        arm: (
            easy
            + rng.normal(0, cross_sd, items)
            + rng.normal(0, run_sd, (runs, 1))
            + rng.normal(0, 1, (runs, items))
            > 0
        ).astype(np.uint8)
        for arm in ("a", "b")
    }


def test_items_are_their_mean_squares():
    tables = answers(np.random.default_rng(1), runs=3, items=50)
    rows = [
        (arm, None, run, 100 * table[run].mean())
        for arm, table in tables.items()
        for run in range(3)
    ]
    found = find_components(rows, correct=tables)
    means = {arm: 100 * table.mean(axis=0) for arm, table in tables.items()}
    both = np.stack(list(means.values()))
    ms_items = 2 * both.mean(axis=0).var(ddof=1)
    ms_cross = (both[0] - both[1]).var(ddof=1) / 2
    rest = 0.0
    for arm, table in tables.items():
        apart = 100.0 * table - means[arm]
        apart -= apart.mean(axis=1, keepdims=True)
        rest += (apart**2).sum() / (2 * 49) / 3 / 2
    got = variances(found)
    assert got["test items"] == pytest.approx((ms_items - ms_cross) / 2 / 50)
    assert got["arm x test items"] == pytest.approx((ms_cross - rest) / 50)
    assert {c.name: c.levels for c in found.components if "item" in c.name} == {
        "test items": 50, "arm x test items": 50,
    }  # fmt: skip


def test_what_items_add_is_the_spread_over_other_items():
    """Many sets of 100 items: the mean accuracy of an arm varies by both components."""
    rng = np.random.default_rng(3)
    tables = answers(rng, runs=4, items=40_000)
    accuracies = tables["a"].mean(axis=0).reshape(400, 100).mean(axis=1)
    part = {arm: table[:, :8000] for arm, table in tables.items()}
    rows = [(arm, None, run, t[run].mean()) for arm, t in part.items() for run in range(4)]
    found = variances(find_components(rows, correct=part))
    per_item = 8000 * (found["test items"] + found["arm x test items"])
    noise = tables["a"].astype(float).var(axis=0, ddof=1).mean() / 4  # of runs, on these items
    assert per_item == pytest.approx(100 * accuracies.var(ddof=1) - noise, rel=0.2)


def test_one_arm_or_one_run_tells_less_of_items():
    tables = answers(np.random.default_rng(1), runs=3, items=200)
    one = {"a": tables["a"]}
    rows = [("a", None, run, one["a"][run].mean()) for run in range(3)]
    assert set(variances(find_components(rows, correct=one))) == {"residual", "test items"}
    single = {arm: table[:1] for arm, table in tables.items()}
    rows = [(arm, None, 0, table[0].mean()) for arm, table in single.items()]
    found = find_components(rows, correct=single)
    assert set(variances(found)) == {"test items"}
    assert "each with two runs" in reasons(found)["arm x test items"]
    alone = find_components(rows[:1], correct={"a": single["a"]})
    assert "two runs of an arm" in reasons(alone)["test items"]


def test_items_of_several_tasks_are_not_mixed():
    found = find_components(machines(), correct={"A": [[1, 0]]})
    assert "ask about one task" in reasons(found)["test items"]


def test_tables_that_do_not_fit_are_refused():
    rows = [("a", None, 0, 0.5), ("b", None, 0, 0.5)]
    with pytest.raises(UsageError, match="not about the same test items"):
        find_components(rows, correct={"a": [[1, 0]], "b": [[1, 0, 1]]})


# What cannot be told apart


def test_seeds_that_arms_do_not_share():
    apart = [("a", None, 1, 1.0), ("a", None, 2, 2.0), ("b", None, 3, 3.0), ("b", None, 4, 5.0)]
    found = find_components(apart)
    assert variances(found) == pytest.approx({"residual": (0.5 + 2.0) / 2})
    assert "share too few seeds" in reasons(found)["seed"]
    unknown = find_components([(a, None, None, v) for a, _, _, v in apart])
    assert variances(unknown) == variances(found)
    assert "no seeds that arms could share" in reasons(unknown)["seed"]
    assert "there is one arm" in reasons(find_components(apart[:2]))["seed"]


@pytest.mark.parametrize(
    ("split", "said"),
    [
        ("by seed", "seed and split were drawn together: split = 'by seed' varies both"),
        ("fixed", "all runs share one split"),
        (None, "nothing says"),
    ],
)
def test_the_split_is_never_told_from_the_seed(split, said):
    rows = rows_of(crossed(np.random.default_rng(1), 2, 5))
    assert said in reasons(find_components(rows, split=split))["split"]


def test_one_run_a_cell_leaves_arm_by_task_in_the_residual():
    rows = [(a, t, 0, v) for (a, t, _, v) in machines()[::3]]
    found = find_components(rows)
    assert set(variances(found)) == {"task", "residual"}
    assert reasons(found)["seed"] == "each task has one seed: it is part of the task"
    assert "two runs each" in reasons(found)["arm x task"]


def test_nothing_is_told_of_single_runs():
    found = find_components([("a", None, 0, 1.0), ("b", None, 0, 2.0)])
    assert (found.components, found.variance) == ((), 0.0)
    assert "train each arm with more seeds" in reasons(found)["residual"]


def test_runs_that_do_not_differ_have_components_of_zero():
    found = find_components([(a, None, s, 7.0) for a in "ab" for s in range(5)])
    assert variances(found) == {"seed": 0.0, "residual": 0.0}
    assert all(one.share == 0.0 for one in found.components)


def test_few_levels_are_told():
    table = crossed(np.random.default_rng(1), 3, 4, seed_sd=3.0)
    found = find_components(rows_of(table))
    assert "seed: hardly known, from 4 seeds" in components_words(found)
    more = find_components(rows_of(crossed(np.random.default_rng(1), 3, 5, seed_sd=3.0)))
    assert not any("hardly" in words for words in components_words(more))


def test_what_is_not_finite_is_refused():
    with pytest.raises(UsageError, match="leave runs that diverged out"):
        find_components([("a", None, 0, float("nan"))])


def test_without_statsmodels_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "statsmodels", None)
    with pytest.raises(UsageError, match=r"pip install 'attnstudy\[variance\]'"):
        require_statsmodels()


def test_json_has_all_of_it():
    found = find_components(rows_of(crossed(np.random.default_rng(1), 2, 5)))
    answer = found.to_json()
    assert set(answer) == {"runs", "variance", "components", "untold"}
    assert [one["name"] for one in answer["components"]] == ["seed", "residual"]
