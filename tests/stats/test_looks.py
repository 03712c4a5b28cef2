"""Sequential looks, replayed."""

import numpy as np
import pytest

from attnstudy.errors import UsageError
from attnstudy.render.comparison import looks_words
from attnstudy.stats import Pair, Plan, Ranking, rank
from attnstudy.stats.comparisons.pairwise import all_pairs

PLAN = Plan(hash="c0ffee", date="2025-01-31")


def runs(mean: float, n: int, *, sd: float = 1.0, seed: int = 0) -> dict[int, float]:
    values = np.random.default_rng(seed).normal(mean, sd, n)
    return dict(enumerate(values.tolist()))


def pair_of(ranking: Ranking, a: str, b: str) -> Pair:
    return next(p for p in ranking.pairs if {p.a, p.b} == {a, b})


@pytest.fixture
def staged() -> dict[str, dict[int, float]]:
    """One pair clear at once, one after ten seeds, one never; c needed only five."""
    return {
        "a": runs(70.0, 12, seed=1),
        "b": runs(67.5, 12, seed=2),
        "c": runs(50.0, 5, seed=3),
    }


def test_each_pair_is_decided_once_at_its_look(staged: dict[str, dict[int, float]]) -> None:
    ranking = rank(staged, looks=(5, 10, 20), plan=PLAN)
    assert ranking.looks is not None
    assert (ranking.looks.declared, ranking.looks.done) == ((5, 10, 20), 2)
    assert pair_of(ranking, "a", "c").look == pair_of(ranking, "b", "c").look == 1
    late = pair_of(ranking, "a", "b")
    assert (late.look, str(late.verdict)) == (2, "better")
    # the numbers are those of the first ten seeds, at a third of alpha, for three arms
    a, b = (np.array([staged[v][s] for s in range(10)]) for v in ("a", "b"))
    expected = all_pairs(
        np.array([a.mean(), b.mean()]),
        np.array([a.std(ddof=1), b.std(ddof=1)]),
        np.array([10.0, 10.0]),
        np.array([0]),
        np.array([1]),
        alpha=0.05 / 3,
        k=3,
    )
    assert late.p_adjusted == pytest.approx(expected.p[0])
    assert (late.ci_low, late.ci_high) == pytest.approx((expected.low[0], expected.high[0]))
    assert late.difference == pytest.approx(a.mean() - b.mean())
    assert "looks that may stop a study early bias these estimates" in ranking.sentence
    assert any("beyond 10 seeds of a (2), b (2)" in note for note in ranking.notes)
    assert ranking.status == "confirmatory"


def test_the_sentence_says_at_how_many_looks_and_levels(
    staged: dict[str, dict[int, float]],
) -> None:
    ranking = rank(staged, looks=(5, 10, 20), plan=PLAN)
    said = "(Games-Howell at 2 of 3 declared looks, each at 0.0167, confirmatory)"
    assert said in ranking.sentence
    assert ranking.pair_alpha == pytest.approx(0.05 / 3)
    assert rank(staged).pair_alpha == 0.05
    shown = ranking._repr_html_()
    assert "simultaneous 98.33 % interval" in shown
    assert '<th scope="col">look</th>' in shown


def test_looks_that_no_plan_declared_are_exploratory(
    staged: dict[str, dict[int, float]],
) -> None:
    ranking = rank(staged, looks=(5, 10, 20))
    assert ranking.status == "exploratory"
    assert ranking.status_reason.endswith("so the looks were not declared before it")


def test_why_runs_are_not_used_is_said_as_it_is(staged: dict[str, dict[int, float]]) -> None:
    def unused(**samples: dict[int, float]) -> str:
        notes = rank(samples, looks=(5, 8)).notes
        return next(note for note in notes if note.startswith("not used"))

    far = {name: staged[name] for name in ("a", "c")}
    assert "as every pair is decided: the runs beyond 5 seeds of a (7)" in unused(**far)
    same = {"a": staged["a"], "b": {s: v + 0.1 for s, v in staged["a"].items()}}
    assert "as no further look is declared: the runs beyond 8 seeds" in unused(**same)
    cut = {name: {s: v for s, v in given.items() if s < 7} for name, given in same.items()}
    assert "as no further look is due yet: the runs beyond 5 seeds" in unused(**cut)
    cut = {name: {s: v for s, v in given.items() if s < 4} for name, given in same.items()}
    assert "as no look is due yet: the runs beyond 0 seeds" in unused(**cut)


def test_a_decided_pair_stays_decided(staged: dict[str, dict[int, float]]) -> None:
    early = rank(staged, metric="score", looks=(5, 10, 20))
    # later seeds that contradict it change nothing
    contradicting = {**staged, "c": {**staged["c"], **{s: 90.0 + s for s in range(5, 12)}}}
    late = rank(contradicting, metric="score", looks=(5, 10, 20))
    assert pair_of(late, "b", "c").p_adjusted == pair_of(early, "b", "c").p_adjusted
    assert pair_of(late, "b", "c").look == 1


def test_no_test_between_looks(staged: dict[str, dict[int, float]]) -> None:
    cut = {name: {s: v for s, v in given.items() if s < 9} for name, given in staged.items()}
    ranking = rank(cut, looks=(5, 10, 20))
    assert ranking.looks is not None
    assert ranking.looks.done == 1
    assert pair_of(ranking, "a", "b").look == 1
    before = rank(cut, looks=(10, 20))
    assert before.looks is not None
    assert before.looks.done == 0
    assert {str(p.verdict) for p in before.pairs} == {"descriptive"}
    assert "first look" in before.pairs[0].advice
    assert "no declared look is complete" in before.sentence
    assert "biases" not in rank(cut, looks=(5,)).sentence


def test_more_seeds_than_declared_are_named(staged: dict[str, dict[int, float]]) -> None:
    ranking = rank(staged, looks=(5, 10), plan=PLAN)
    assert ranking.status == "exploratory"
    assert "12 seeds in an arm, and the last declared look is at 10" in ranking.status_reason


@pytest.mark.parametrize(
    ("looks", "options", "message"),
    [
        ((), {}, "make no sequence"),
        ((5, 5), {}, "make no sequence"),
        ((2, 5), {}, "at least 3"),
        ((5, 10), {"control": "a"}, "Games-Howell alone"),
        ((5, 10), {"paired": True}, "Games-Howell alone"),
    ],
)
def test_refused(
    staged: dict[str, dict[int, float]],
    looks: tuple[int, ...],
    options: dict[str, object],
    message: str,
) -> None:
    if options.get("paired"):
        del staged["c"]
    with pytest.raises(UsageError, match=message):
        rank(staged, looks=looks, **options)  # type: ignore[arg-type]


def test_verdict_and_sentence_agree_where_later_runs_turn_the_means() -> None:
    turned = {
        "A": [62.0, 62.1, 62.2, 58.0, 58.1, 57.9],
        "B": [60.0, 60.1, 60.2, 60.0, 60.1, 60.05],
    }
    ranking = rank(turned, looks=(3, 6))
    assert [arm.name for arm in ranking.arms] == ["B", "A"]
    assert ranking.verdict == "every pair is ordered: A > B"
    assert "A has a higher test accuracy than B (+2.000 points" in ranking.sentence


def test_the_sentence_and_the_power_are_of_the_runs_that_were_tested(
    staged: dict[str, dict[int, float]],
) -> None:
    first = rank({name: staged[name] for name in ("a", "c")}, looks=(5, 10))
    assert first.arms[0].n == 12
    assert first.sentence.startswith("With 5 runs per arm and")
    assert "at the look at" not in first.sentence
    assert first.power is not None
    assert (first.power.n_a, first.power.n_b) == (5, 5)
    assert first.power.observed_gap == pytest.approx(abs(first.pairs[0].difference or 0.0))
    several = rank(staged, looks=(5, 10, 20))
    assert several.sentence.startswith("With 5 to 10 runs per arm and")
    assert several.sentence.count(", at the look at 5 runs") == 2
    alone = rank({name: dict(list(staged[name].items())[:5]) for name in ("a", "c")})
    assert alone.power is not None
    assert first.power.sd == alone.power.sd


def test_means_of_other_runs_than_the_differences_are_told(
    staged: dict[str, dict[int, float]],
) -> None:
    said = "the means of the arms of all their runs"
    assert said in looks_words(rank(staged, looks=(5, 10, 20)))
    assert said in rank(staged, looks=(5, 10, 20)).to_latex()
    exact = {name: {s: v for s, v in given.items() if s < 5} for name, given in staged.items()}
    assert said not in looks_words(rank(exact, looks=(5, 10)))


def test_equivalence_is_a_decision_too() -> None:
    close = {"a": runs(60.0, 20, sd=0.1, seed=4), "b": runs(60.0, 20, sd=0.1, seed=5)}
    (pair,) = rank(close, looks=(5, 20), margin=1.0).pairs
    assert (str(pair.verdict), pair.look) == ("equivalent", 1)
