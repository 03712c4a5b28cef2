"""Runs that diverged are results."""

import pytest

from attnstudy.errors import UsageError
from attnstudy.stats import rank

CLEAR = {"a": [70.0, 70.2, 70.1, 69.9], "b": [60.0, 60.3, 60.1, 59.9], "c": [50.0, 50.1, 50.3]}


def verdicts(**options: object) -> dict[str, str]:
    ranking = rank(CLEAR, **options)  # type: ignore[arg-type]
    return {pair.a + pair.b: str(pair.verdict) for pair in ranking.pairs}


def test_never_better_for_the_diverged_arm() -> None:
    assert verdicts() == {"ab": "better", "ac": "better", "bc": "better"}
    assert verdicts(diverged={"a": 1}) == {"ab": "undecided", "ac": "undecided", "bc": "better"}
    assert verdicts(diverged={"b": 2}) == {"ab": "better", "ac": "better", "bc": "undecided"}
    assert verdicts(diverged={"b": 2}, control="a") == {"ba": "worse", "ca": "worse"}
    assert verdicts(diverged={"a": 2}, control="a") == {"ba": "undecided", "ca": "undecided"}


def test_never_equivalent_either() -> None:
    close = {"a": [60.1, 60.2, 60.0, 60.1], "b": [60.0, 60.1, 60.2, 60.0]}
    (pair,) = rank(close, margin=1.0, diverged={"b": 1}).pairs
    assert (str(pair.verdict), pair.within_margin) == ("undecided", True)
    assert "b (1 run)" in pair.advice


def test_the_sentence_names_a_difference_that_diverged_runs_forbid_to_claim() -> None:
    two = {"A": [70.0, 70.3, 69.9, 70.6], "B": [60.0, 60.2, 60.4, 59.9, 60.3]}
    ranking = rank(two, diverged={"A": 1})
    assert ranking.verdict == "no ranking is defensible; diverged runs rule out A > B"
    alone = "among the finished runs alone A has a higher test accuracy than B (+10.040 points"
    assert alone in ranking.sentence
    assert "but A (1 diverged run) is not called better for that" in ranking.sentence
    assert "significant" not in ranking.sentence
    three = rank({**two, "C": [60.1, 60.2, 60.3, 60.0]}, diverged={"A": 1})
    assert "rule out A > B, A > C" in three.verdict
    assert "no other difference in test accuracy" in three.sentence
    assert "is significant; the largest, B − C, is +0.010" in three.sentence
    lower = rank(two, metric="loss", direction="minimize", diverged={"B": 2})
    assert "rule out B > A" in lower.verdict
    assert "B has a lower (better) loss than A (−10.04, " in lower.sentence


def test_a_difference_without_diverged_runs_is_still_claimed() -> None:
    ranking = rank(CLEAR, diverged={"b": 1})
    assert "a has a higher test accuracy than c" in ranking.sentence
    alone = "among the finished runs alone b has a higher test accuracy than c"
    assert alone in ranking.sentence
    assert "undecided" not in ranking.sentence
    assert ranking.verdict.endswith("diverged runs rule out b > c")


def test_the_ranking_with_chance_is_shown_too() -> None:
    ranking = rank(CLEAR, diverged={"a": 3}, chance=10.0)
    view = ranking.with_chance
    assert view is not None
    assert view.order == ("b", "c", "a")
    assert view.means[2] == pytest.approx((70.0 + 70.2 + 70.1 + 69.9 + 30.0) / 7)
    assert "b > c" in view.verdict
    assert ranking.arms[0].diverged == 3
    assert ranking.arms[0].n == 4
    assert any("a (3 of 7)" in note for note in ranking.notes)
    assert rank(CLEAR, chance=10.0).with_chance is None
    assert "3 runs diverged and are not part of these means" in ranking.sentence
    unknown = rank(CLEAR, diverged={"a": 3})
    assert unknown.with_chance is None
    assert any("chance level is not known" in note for note in unknown.notes)


def test_chance_alone_is_described_and_not_tested() -> None:
    view = rank({**CLEAR, "d": []}, diverged={"d": 5}, chance=10.0).with_chance
    assert view is not None
    assert view.order[-1] == "d"
    assert view.means[-1] == 10.0
    assert view.verdict == "a partial ranking is defensible: a > b, a > c, b > c"


def test_an_arm_of_diverged_runs_alone_is_last_and_described() -> None:
    ranking = rank({**CLEAR, "d": []}, diverged={"d": 4}, chance=10.0)
    assert ranking.arms[-1].name == "d"
    assert (ranking.arms[-1].mean, ranking.arms[-1].n) == (None, 0)
    assert {str(p.verdict) for p in ranking.pairs if p.b == "d"} == {"descriptive"}
    assert rank({"d": []}, diverged={"d": 4}).verdict.startswith("descriptive only")


def test_paired_leaves_out_the_seed_that_diverged() -> None:
    a = {0: 61.0, 1: 62.5, 2: 60.1, 3: 63.0}
    b = {0: 60.2, 1: 61.0, 2: 59.2}
    shared = {seed: a[seed] for seed in b}
    kept = rank({"a": a, "b": b}, paired=True, diverged={"b": 1})
    assert kept.pairs[0].p_adjusted == rank({"a": shared, "b": b}, paired=True).pairs[0].p_adjusted
    with pytest.raises(UsageError, match="no run of seed 3"):
        rank({"a": a, "b": b}, paired=True)


@pytest.mark.parametrize("options", [{"items": 0}, {"chance": float("nan")}, {"chance": 101.0}])
def test_bad_facts(options: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="give"):
        rank(CLEAR, **options)  # type: ignore[arg-type]
