"""``rank``: the notebook's figures, honest answers to poor data, and what must always hold."""

import json
import random
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from attnstudy.errors import UsageError
from attnstudy.stats import Design, Measurements, Plan, Provenance, Ranking, Verdict, rank
from attnstudy.studyplan import Analysis

Samples = dict[str, list[float]]


def test_notebook(notebook: Samples) -> None:
    ranking = rank(notebook)
    assert [arm.name for arm in ranking.arms] == ["double", "early", "late", "vanilla"]
    assert [arm.mean for arm in ranking.arms] == pytest.approx([63.6875, 60.525, 60.35, 59.5125])
    assert {(arm.rank_low, arm.rank_high) for arm in ranking.arms} == {(1, 4)}
    assert {arm.group for arm in ranking.arms} == {"a"}
    pair = next(p for p in ranking.pairs if (p.a, p.b) == ("double", "vanilla"))
    assert pair.difference == pytest.approx(4.175)
    assert pair.ci_low == pytest.approx(-1.74, abs=0.005)
    assert pair.ci_high == pytest.approx(10.09, abs=0.005)
    assert pair.p_adjusted == pytest.approx(0.145, abs=0.0005)
    assert {str(p.verdict) for p in ranking.pairs} == {"undecided"}
    assert ranking.verdict == "no ranking is defensible"
    for figure in ("+4.175 points", "−1.74 to +10.09", "p = .145", "exploratory"):
        assert figure in ranking.sentence


def test_partial_and_full_rankings(unequal: Samples) -> None:
    ranking = rank(unequal)
    assert ranking.verdict.startswith("a partial ranking is defensible: a > b, a > d, a > e")
    assert [arm.group for arm in ranking.arms] == ["a", "b", "abc", "c", "d"]
    clear = {"a": [9.0, 9.1, 9.2], "b": [7.0, 7.1, 7.2], "c": [5.0, 5.1, 5.2]}
    assert rank(clear, metric="m").verdict == "a full ranking is defensible: a > b > c"
    assert rank(clear, metric="m", direction="minimize").verdict.endswith(
        "c > b > a (lower is better)"
    )


def test_the_sentence_puts_the_winner_first(unequal: Samples) -> None:
    worse = rank(unequal, control="c")
    (pair,) = [p for p in worse.pairs if p.verdict == "worse"]
    assert pair.ci_low is not None
    evidence = f"(+6.175 points, Bonferroni 95 % interval +1.36 to {-pair.ci_low:+.2f}"
    assert f"c has a higher test accuracy than e {evidence}" in worse.sentence
    lower = rank(unequal, metric="val_loss", direction="minimize")
    assert "e has a lower (better) val loss than a (−9.995, " in lower.sentence


def test_minimize_mirrors_maximize(unequal: Samples) -> None:
    negative = {name: [-v for v in values] for name, values in unequal.items()}
    up, down = rank(unequal, metric="m"), rank(negative, metric="m", direction="minimize")
    assert [a.name for a in up.arms] == [a.name for a in down.arms]
    assert [a.group for a in up.arms] == [a.group for a in down.arms]
    for more, less in zip(up.pairs, down.pairs, strict=True):
        assert more.verdict == less.verdict
        assert more.difference == pytest.approx(-(less.difference or 0.0))
        assert more.prob_superiority == pytest.approx(less.prob_superiority)


@pytest.mark.parametrize(
    ("samples", "verdict", "said"),
    [
        ({"a": [60.0, 61.0, 62.0]}, "descriptive only", "needs a second arm"),
        ({"a": [60.0, 61.0], "b": [50.0, 52.0]}, "descriptive only", "two arms with 3 runs"),
        ({"a": [60.0] * 3, "b": [50.0] * 4}, "descriptive only", "spread .* is zero"),
    ],
)
def test_what_cannot_be_tested_is_described(samples: Samples, verdict: str, said: str) -> None:
    ranking = rank(samples)
    assert ranking.verdict.startswith(verdict)
    assert re.search(said, ranking.sentence)
    assert all(p.verdict == "descriptive" and p.p_adjusted is None for p in ranking.pairs)


def test_an_arm_with_two_runs_is_described_beside_the_others(unequal: Samples) -> None:
    with_short = rank({**unequal, "short": [75.0, 76.0]})
    assert with_short.arms[0].name == "short"
    assert with_short.arms[0].group is None
    alone = rank(unequal)
    tested = [p for p in with_short.pairs if "short" not in (p.a, p.b)]
    assert [p.p_adjusted for p in tested] == [p.p_adjusted for p in alone.pairs]
    assert [arm.group for arm in with_short.arms[1:]] == [arm.group for arm in alone.arms]


def test_one_constant_arm_is_tested_by_the_other_spread() -> None:
    (pair,) = rank({"a": [61.0, 62.0, 63.5], "b": [0.1 * 595] * 3}).pairs
    assert pair.df == pytest.approx(2.0)
    assert pair.p_adjusted is not None


def test_equivalence_by_margin() -> None:
    close = {"a": [60.1, 60.2, 60.0, 60.1, 60.2], "b": [60.0, 60.1, 60.1, 59.9, 60.0]}
    (pair,) = rank(close, margin=0.5).pairs
    assert (str(pair.verdict), pair.within_margin) == ("equivalent", True)
    assert rank(close, margin=0.5).verdict.endswith("a and b are equivalent within 0.5 points")
    (pair,) = rank(close, margin=0.02).pairs
    assert (str(pair.verdict), pair.within_margin) == ("undecided", False)
    (pair,) = rank({"a": [v + 0.3 for v in close["a"]], "b": close["b"]}, margin=1.0).pairs
    assert (str(pair.verdict), pair.within_margin) == ("better", True)
    (pair,) = rank(close).pairs
    assert (str(pair.verdict), pair.within_margin) == ("undecided", None)


def test_status(notebook: Samples) -> None:
    plan = Plan(hash="c0ffee", date="2025-01-31")
    kept = rank(notebook, plan=plan)
    assert (kept.status, "2025-01-31" in kept.status_reason) == ("confirmatory", True)
    broken = rank(notebook, plan=plan, deviations=["seed 7 was not planned"])
    assert (broken.status, "seed 7 was not" in broken.status_reason) == ("exploratory", True)
    assert rank(notebook).status_reason == "no plan was recorded before the first run"


def test_advice_belongs_to_the_verdict() -> None:
    assert Verdict("better") == "better"
    assert all(verdict.advice for verdict in Verdict)


@pytest.mark.parametrize("data", [{}, {"schema": 2}, {"schema": 1}, [], {"schema": 1, "arms": 3}])
def test_foreign_json_is_refused(data: object) -> None:
    with pytest.raises(UsageError, match="attnstudy rank"):
        Ranking.from_json(data)  # type: ignore[arg-type]


def test_a_superset_of_the_json_is_read(notebook: Samples) -> None:
    data = rank(notebook).to_json()
    data["arms"][0]["colour"] = "red"
    assert Ranking.from_json(data) == rank(notebook)
    data["arms"][0]["n"] = "four"
    with pytest.raises(UsageError, match=r"ranking\.arms\[0\]\.n must be int, not 'four'"):
        Ranking.from_json(data)


def test_robustness_lines_can_be_left_out(unequal: Samples) -> None:
    full, without = rank(unequal), rank(unequal, robust=False)
    assert all(pair.robust is not None for pair in full.pairs)
    bare = tuple(replace(pair, robust=None) for pair in full.pairs)
    assert without == replace(full, pairs=bare, notes=without.notes)
    (said,) = set(without.notes) - set(full.notes)
    assert "roughly normal; no test without that assumption is shown" in said


@pytest.mark.rest
@pytest.mark.parametrize(
    ("runs", "times_faster"),
    [
        (30, {4: 10.0, 40: 1.0}),
        pytest.param(1000, {4: 1.0}, marks=pytest.mark.long),
        pytest.param(5, {40: 1.0}, marks=pytest.mark.long),
    ],
)
def test_ranking_takes_less_than_scipys_intervals_of_four_arms(runs, times_faster):
    """The whole ranking, of 40 arms too, beside the six Games-Howell pairs of scipy."""
    rng = np.random.default_rng(1)
    samples = {f"v{arm}": rng.normal(60.0, 1.0, runs) for arm in range(40)}
    four = list(samples.values())[:4]
    theirs = processor_seconds(  # once: it takes seconds, of its own process alone
        lambda: scipy_stats.tukey_hsd(*four, equal_var=False).confidence_interval(0.95)
    )
    for arms, factor in times_faster.items():
        some = dict(list(samples.items())[:arms])
        rank(some)  # tables that depend on the number of arms alone are made once
        ours = min(processor_seconds(lambda some=some: rank(some)) for _ in range(3))
        assert ours * factor < theirs


def processor_seconds(work):
    """Return the time that this process alone was busy."""
    start = time.process_time()
    work()
    return time.process_time() - start


# --- what must hold for every data set -----------------------------------------------------

names = st.sampled_from(["a", "b", "c", "d", "ключ", "a very long name " * 20])
values = st.lists(st.integers(-5000, 5000).map(lambda i: i / 100), min_size=1, max_size=7)
studies = st.dictionaries(names, values, min_size=1, max_size=5)
designs = st.sampled_from([{}, {"margin": 3.0}, {"direction": "minimize"}, {"correction": "holm"}])
quick = settings(max_examples=40)


def same(left: float | None, right: float | None) -> bool:
    if left is None or right is None:
        return left is right
    return left == pytest.approx(right, rel=1e-6, abs=1e-300)


def outcome(ranking: Ranking) -> dict[frozenset[str], tuple[float | None, str | None]]:
    """For each pair its p-value and the arm shown better."""
    result: dict[frozenset[str], tuple[float | None, str | None]] = {}
    for pair in ranking.pairs:
        winner = {"better": pair.a, "worse": pair.b}.get(str(pair.verdict), str(pair.verdict))
        result[frozenset((pair.a, pair.b))] = (pair.p_adjusted, winner)
    return result


def assume_one_scale(samples: Mapping[str, Sequence[float]], design: dict[str, object]) -> None:
    """Leave out fractions beside a margin that is of another scale, which are refused."""
    fractions = all(0.0 <= v <= 1.0 for values in samples.values() for v in values)
    assume(not fractions or "margin" not in design)


@quick
@given(studies, designs, st.randoms())
def test_input_order_does_not_matter(
    samples: Samples, design: dict[str, object], shuffler: random.Random
) -> None:
    assume_one_scale(samples, design)
    items = [(name, shuffler.sample(given, len(given))) for name, given in samples.items()]
    shuffler.shuffle(items)
    first = rank(samples, metric="m", **design).to_json()  # type: ignore[arg-type]
    second = rank(dict(items), metric="m", **design).to_json()  # type: ignore[arg-type]
    for result in (first, second):
        for arm in result["arms"]:
            arm["values"].sort()
    assert first == second


@quick
@given(studies, values, values, designs)
def test_swapping_two_names_mirrors_the_pair(
    others: Samples, a: list[float], b: list[float], design: dict[str, object]
) -> None:
    samples = {**others, "a": a, "b": b}
    assume_one_scale(samples, design)
    swapped = {{"a": "b", "b": "a"}.get(name, name): given for name, given in samples.items()}
    before = outcome(rank(samples, metric="m", **design))  # type: ignore[arg-type]
    after = outcome(rank(swapped, metric="m", **design))  # type: ignore[arg-type]
    p, winner = before[frozenset("ab")]
    assert same(after[frozenset("ab")][0], p)
    assert after[frozenset("ab")][1] == {"a": "b", "b": "a"}.get(str(winner), winner)


@quick
@given(studies, designs, st.integers(-10_000, 10_000))
def test_a_constant_changes_no_p_value(
    samples: Samples, design: dict[str, object], shift: int
) -> None:
    # hundredths as integers: the shifted numbers are then exactly shifted
    exact = {name: [round(100 * v) for v in given] for name, given in samples.items()}
    shifted = {name: [v + shift for v in given] for name, given in exact.items()}
    assume_one_scale(exact, design)
    assume_one_scale(shifted, design)
    before = rank(exact, metric="m", **design)  # type: ignore[arg-type]
    after = rank(shifted, metric="m", **design)  # type: ignore[arg-type]
    for left, right in zip(before.pairs, after.pairs, strict=True):
        assert same(right.p_adjusted, left.p_adjusted)


@quick
@given(studies, st.sampled_from([0.01, 0.125, 7.0, 1e6]))
def test_scaling_scales_intervals(samples: Samples, factor: float) -> None:
    scaled = {name: [factor * v for v in given] for name, given in samples.items()}
    before, after = rank(samples, metric="m"), rank(scaled, metric="m")
    assume([a.name for a in before.arms] == [a.name for a in after.arms])  # rounded ties
    for left, right in zip(before.pairs, after.pairs, strict=True):
        assert (right.ci_low is None) == (left.ci_low is None)
        if left.ci_low is not None and left.ci_high is not None:
            width = left.ci_high - left.ci_low
            assert right.ci_low == pytest.approx(factor * left.ci_low, abs=1e-9 * factor * width)
            assert right.ci_high == pytest.approx(factor * left.ci_high, abs=1e-9 * factor * width)


@quick
@given(studies)
def test_letters_intervals_and_p_values_agree(samples: Samples) -> None:
    ranking = rank(samples, metric="m")
    group = {arm.name: arm.group for arm in ranking.arms}
    better: dict[str, int] = dict.fromkeys(group, 0)
    worse: dict[str, int] = dict.fromkeys(group, 0)
    for pair in ranking.pairs:
        if pair.p_adjusted is None or pair.ci_low is None or pair.ci_high is None:
            assert pair.verdict == "descriptive"
            continue
        excluded = pair.ci_low > 0.0 or pair.ci_high < 0.0
        assert excluded == (pair.p_adjusted < 0.05)
        assert excluded == (str(pair.verdict) in ("better", "worse"))
        assert excluded == (not set(group[pair.a] or "") & set(group[pair.b] or ""))
        winner, loser = (pair.a, pair.b) if pair.verdict == "better" else (pair.b, pair.a)
        worse[winner] += excluded
        better[loser] += excluded
    if all(pair.p_adjusted is None for pair in ranking.pairs):
        assert all(arm.rank_low is None and arm.group is None for arm in ranking.arms)
        return
    tested = [arm for arm in ranking.arms if arm.n >= 3]
    for arm in tested:
        assert arm.rank_low == 1 + better[arm.name]
        assert arm.rank_high == len(tested) - worse[arm.name]


@quick
@given(studies, designs)
def test_json_is_strict_and_comes_back(samples: Samples, design: dict[str, object]) -> None:
    assume_one_scale(samples, design)
    ranking = rank(samples, metric="m", **design)  # type: ignore[arg-type]
    text = json.dumps(ranking.to_json(), allow_nan=False)
    assert Ranking.from_json(json.loads(text)) == ranking


@quick
@given(studies)
def test_all_pairs_once(samples: Samples) -> None:
    ranking = rank(samples, metric="m")
    order = [arm.name for arm in ranking.arms]
    assert [(p.a, p.b) for p in ranking.pairs] == list(combinations(order, 2))


def test_what_was_asked_by_classes_or_by_the_names_of_their_fields(
    notebook: dict[str, list[float]],
) -> None:
    plan = Plan(hash="c0", date="2026-01-01")
    by_classes = rank(
        Measurements(samples=notebook, items=10_000, chance=10.0),
        Design(margin=1.0, looks=(3, 4)),
        Provenance(study="places", plan=plan, notes=("a remark",)),
    )
    assert by_classes == rank(
        notebook, items=10_000, chance=10.0, margin=1.0, looks=[3, 4], study="places", plan=plan,
        notes=["a remark"],
    )  # fmt: skip
    assert rank(notebook, Design(alpha=0.01), margin=1.0) == rank(notebook, alpha=0.01, margin=1.0)
    with pytest.raises(TypeError, match="unexpected keyword argument 'magin'"):
        rank(notebook, magin=1.0)


def test_a_design_takes_the_declared_analysis_as_it_is() -> None:
    declared = Analysis(metric="loss", alpha=0.01, margin=0.1, looks=(5, 10))
    design = Design.of(declared, direction="minimize")
    assert (design.metric, design.alpha, design.margin) == ("loss", 0.01, 0.1)
    look = design.at_each_look()
    assert (look.alpha, look.looks, look.direction) == (0.005, None, "minimize")
    assert look.at_each_look() is look
    with pytest.raises(UsageError, match="looks are for runs that are added"):
        Design(folds=(90, 10), looks=(5, 10))
