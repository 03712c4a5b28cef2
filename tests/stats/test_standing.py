"""What is said beside a margin, and beside an interval that includes zero."""

import re
from typing import Any

import numpy as np
import pytest

from attnstudy.errors import UsageError
from attnstudy.stats import Ranking, Verdict, rank
from attnstudy.stats.comparisons.design import Design
from attnstudy.stats.wording.phrases import interval_text

Samples = dict[str, list[float]]

BY_HOLM: Samples = {  # A > B has p = .038 by Holm, and a Bonferroni interval that includes zero
    "A": [72.1, 73.3, 71.2, 72.9, 71.0, 72.4],
    "B": [70.6, 72.3, 69.8, 71.5, 70.1, 71.2],
    "C": [67.9, 69.0, 66.9, 68.2, 68.8, 67.1],
}
CLOSE: Samples = {
    "A": [60.1, 60.2, 60.0, 60.1, 60.2], "B": [60.0, 60.1, 60.1, 59.9, 60.0],
    "C": [59.0, 58.9, 59.1, 59.0, 59.2], "D": [58.0, 62.0, 60.5, 59.0, 61.0],
}  # fmt: skip


def crossing(ranking: Ranking) -> list[str]:
    return [f"{p.a} > {p.b}" for p in ranking.pairs if p.includes_zero]


@pytest.mark.parametrize("options", [{"correction": "holm"}, {"control": "B"}])
def test_an_interval_with_zero_is_never_shown_as_what_a_difference_rests_on(options) -> None:
    ranking = rank(BY_HOLM, **options)
    assert crossing(ranking) == ["A > B"]
    (pair,) = [p for p in ranking.pairs if p.includes_zero]
    assert pair.verdict is Verdict.BETTER
    assert pair.p_adjusted is not None
    assert pair.p_adjusted <= 0.05
    assert re.search(
        r"B \(\+1\.233 points, Holm's adjusted p = \.0\d+, while the wider Bonferroni 95 % "
        r"interval, −0\.\d+ to \+2\.\d+, includes zero\)",
        ranking.sentence,
    )
    assert "rests on Holm's adjusted p" in " ".join(ranking.notes)
    assert "Bonferroni interval is wider and includes zero" in pair.advice
    others = [p for p in ranking.pairs if not p.includes_zero]
    assert all("includes zero" not in p.advice for p in others)


def test_nothing_is_said_of_zero_where_no_interval_includes_it(notebook: Samples) -> None:
    for ranking in (rank(notebook, correction="holm"), rank(CLOSE, correction="holm")):
        assert crossing(ranking) == []
        assert "includes zero" not in f"{ranking.sentence} {' '.join(ranking.notes)}"


def test_every_pair_is_in_one_class_of_the_verdict_and_in_one_claim_of_the_sentence() -> None:
    ranking = rank(CLOSE, margin=0.5)
    assert ranking.verdict == (
        "a partial ranking is defensible: A > C, B > C; against the margin of 0.5 points: 2 of 6 "
        "pairs differ by more than the margin (A > C, B > C), 1 is equivalent (A = B), 3 remain "
        "undecided"
    )
    assert "A and B are equivalent within the margin of 0.5 points (+0.100 points" in (
        ranking.sentence
    )
    assert ranking.sentence.endswith("and 3 pairs remain undecided.")
    assert ranking.sentence.count("more than the margin") == 2


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("options", [{}, {"correction": "holm"}, {"control": "v1"}])
def test_counts_partition_the_pairs(seed: int, options: dict[str, Any]) -> None:
    rng = np.random.default_rng(seed)
    arms = {f"v{i}": rng.normal(60 + 0.3 * i, rng.choice([0.1, 0.6]), 8) for i in range(4)}
    lost = {"v0": int(rng.integers(2))}
    ranking = rank(arms, margin=0.8, diverged=lost, robust=False, **options)
    against = ranking.verdict.partition("against the margin of 0.8 points: ")[2]
    counts = re.findall(
        r"(?:^|, |all )(\d+) (?:of \d pairs |pairs )?(?:is|are|differ|remain|was|were)", against
    )
    assert sum(map(int, counts)) == len(ranking.pairs)
    equivalent = sum(p.verdict is Verdict.EQUIVALENT for p in ranking.pairs)
    assert not equivalent or f"{equivalent} " in against
    undecided = re.search(r"(\d+) pairs? remains? undecided", ranking.sentence)
    if undecided:
        left = [p for p in ranking.pairs if p.verdict is Verdict.UNDECIDED]
        denied = "among the finished runs alone" in ranking.sentence
        assert int(undecided[1]) == len(left) or denied


@pytest.mark.parametrize(
    ("b", "margin", "said"),
    [
        ([59.0, 59.1, 58.9, 59.0], 0.2, "the difference is larger than the margin of 0.2 points"),
        ([59.0, 59.1, 58.9, 59.0], 3.0, "the difference is smaller than the margin of 3 points"),
        ([59.0, 59.1, 58.9, 59.0], 1.0, "the difference may be smaller than the margin of 1 point"),
        ([60.0, 60.1, 59.9, 60.1], 0.5, "a and b are equivalent within 0.5 points"),
        ([58.0, 61.1, 58.9, 60.0], 0.5, "neither a difference nor equivalence within 0.5 points"),
    ],
)
def test_two_arms_and_a_margin(b: list[float], margin: float, said: str) -> None:
    ranking = rank({"a": [60.0, 60.1, 60.0, 60.1], "b": b}, margin=margin)
    assert said in ranking.verdict


def test_equivalence_is_shown_by_its_interval_and_not_by_the_p_of_a_difference() -> None:
    ranking = rank({name: CLOSE[name] for name in "AB"}, margin=0.5)
    (pair,) = ranking.pairs
    assert pair.p_adjusted is not None
    assert pair.shown_p is None
    assert " p " not in ranking.sentence
    assert ranking.sentence.endswith("(+0.100 points, simultaneous 95 % interval −0.02 to +0.22).")
    assert ranking.to_json()["pairs"][0]["p_adjusted"] == pair.p_adjusted


def test_nothing_different_and_nothing_equivalent_is_said_with_the_margin(
    notebook: Samples,
) -> None:
    said = rank(notebook, margin=0.5).sentence
    assert said.endswith("; no two are shown equivalent within 0.5 points.")


def test_an_interval_is_not_rounded_onto_the_margin_that_it_keeps_to() -> None:
    design = Design(margin=0.5, unit="points")
    assert interval_text(-0.1, 0.4996, design) == ("−0.1000", "+0.4996")
    assert interval_text(-0.1, 0.6, design) == ("−0.10", "+0.60")


def test_a_margin_in_points_beside_fractions_is_refused() -> None:
    fractions = {"a": [0.91, 0.92, 0.93], "b": [0.93, 0.92, 0.94]}
    with pytest.raises(UsageError, match=r"margin 0\.5 is wider than .* \(0\.91 to 0\.94\)"):
        rank(fractions, metric="accuracy", margin=0.5)
    rank(fractions, metric="accuracy", margin=0.1)  # ten points: flagged, and perhaps meant
    rank(fractions, metric="loss", direction="minimize", margin=0.5)  # a loss has no upper end
    with pytest.raises(UsageError, match="whole scale of accuracies in percent"):
        rank(CLOSE, margin=100.0)


def test_a_margin_wider_than_all_values_is_flagged_first() -> None:
    close = {"a": [93.1, 93.2, 93.4, 93.3], "b": [93.2, 93.4, 93.3, 93.1]}
    flag = rank(close, margin=0.5).flags[0]
    assert (flag.kind, flag.value, flag.verdict_without) == ("margin", 0.5, None)
    assert "0.5 points is wider than the range of all values (93.1 to 93.4)" in flag.message
    assert all(flag.kind != "margin" for flag in rank(close, margin=0.2).flags)
    assert all(flag.kind != "margin" for flag in rank(close).flags)
