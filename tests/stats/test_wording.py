"""Numbers in words."""

import pytest

from attnstudy.stats import rank
from attnstudy.stats.comparisons.design import Design
from attnstudy.stats.wording.numbers import Numbers, exact, significant
from attnstudy.stats.wording.phrases import amount, interval_text, number, p_text
from attnstudy.stats.wording.shown_flags import shown_flags


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.1449, "= .145"),
        (0.0004, "< .001"),
        (0.0, "< .001"),
        (0.04996, "= .04996"),
        (0.0502, "= .0502"),
        (1.0, "> .999"),
        (None, "not defined"),
    ],
)
def test_p_values(p: float | None, text: str) -> None:
    assert p_text(p) == text


@pytest.mark.parametrize(
    ("p", "alpha", "text"),
    [
        (0.00996, 0.01, "= .00996"), (0.0101, 0.01, "= .0101"), (0.0004, 0.0005, "< .0005"),
        (0.0008, 0.0005, "= .0008"), (0.0496, 0.05, "= .0496"), (0.05, 0.05, "= .0500"),
    ],
)  # fmt: skip
def test_p_values_are_not_rounded_onto_the_actual_alpha(p: float, alpha: float, text: str) -> None:
    assert p_text(p, alpha) == text


def test_an_interval_is_not_rounded_onto_the_zero_it_excludes() -> None:
    points, plain = Design(unit="points"), Design(unit="")
    assert interval_text(0.0004, 1.25, points) == ("+0.0004", "+1.2500")
    assert interval_text(-0.0004, 1.25, points) == ("−0.00", "+1.25")
    assert interval_text(-3.0, -0.00012, plain) == ("−3", "−0.00012")
    # both ends are written alike, unless one would be all zeros
    assert interval_text(3.682e-05, 0.01804, plain) == ("+0.00003682", "+0.01804")
    assert interval_text(-0.5, -7e-07, plain) == ("−0.5", "−0.0000007")
    assert interval_text(2e-12, 0.5, plain) == ("+2e-12", "+0.5")
    assert interval_text(1e-06, 2e-05, plain) == ("+1e-06", "+2e-05")


def test_many_pairs_are_counted_not_listed() -> None:
    clear = {f"v{i}": [10.0 * i, 10.0 * i + 0.1, 10.0 * i + 0.2] for i in range(8)}
    clear["v8"] = [70.0, 70.05, 70.3]
    ranking = rank(clear, metric="score")
    assert ranking.verdict.count(" > ") == 4
    assert ranking.verdict.endswith("and 31 more")
    assert "31 more pairs differ, and 1 pair remains undecided." in ranking.sentence


def test_the_sentence_names_what_was_tested_and_what_was_not() -> None:
    samples = {"A": [60.0, 61.0, 62.0], "B": [60.1, 61.2, 61.5], "C": [70.0], "D": [59.0, 61.5, 60]}
    said = rank(samples).sentence
    assert "between A, B and D is significant" in said
    assert "not tested: C (1 run)" in said
    against = rank(samples, control="D").sentence
    assert "no difference in test accuracy from D is significant" in against
    assert "not tested: C (1 run)" in against
    constant = rank({"A": [60.0, 60.0, 60.0], "B": [50.0, 50.2, 50.1]}).sentence
    assert "; A does not vary at all: differences from it rest on the spread" in constant


def test_a_single_variant_is_told_what_is_missing() -> None:
    assert rank({"a": [60.0]}).sentence.startswith("1 run of a (test accuracy, mean 60) can be")


CONSTANT = {"a": [60.0] * 3, "b": [50.0] * 3, "c": [40.0] * 3}


def test_nothing_is_ranked_where_nothing_was_tested() -> None:
    ranking = rank(CONSTANT)
    assert ranking.verdict == "descriptive only: nothing can be tested"
    assert all(arm.group is None and arm.rank_low is None for arm in ranking.arms)
    waiting = rank({name: [1.0, 2.0, 3.0] for name in "ab"}, metric="m", looks=[5, 10])
    assert all(arm.group is None and arm.rank_low is None for arm in waiting.arms)


def test_constant_runs_are_told_of_once_in_each_place() -> None:
    ranking = rank(CONSTANT)
    assert ranking.sentence.startswith("The spread of test accuracy is zero: all runs of an arm")
    assert {pair.advice for pair in ranking.pairs} == {
        "Describe only: there was no test, as neither of the two varies beyond rounding."
    }
    (flag,) = shown_flags(ranking)
    assert flag.message.startswith("spread is zero in each of a, b and c;")
    assert not any("spread" in note for note in ranking.notes)


def test_runs_that_differ_by_rounding_alone_are_called_that() -> None:
    runs = {"a": [0.1 + 0.2, 0.3, 0.3] * 4, "b": [0.3] * 12, "c": [0.1] * 12}
    ranking = rank(runs, metric="score")
    assert "all runs of an arm are equal up to rounding" in ranking.sentence
    for pair in ranking.pairs:
        assert pair.prob_superiority is None
        assert pair.prob_superiority_low is None
    (flag,) = [flag for flag in ranking.flags if flag.arm == "a"]
    assert "give 0.3 up to rounding" in flag.message
    mixed = rank({"a": [0.1 + 0.2, 0.3, 0.3], "b": [0.1, 0.11, 0.12]}, metric="score").sentence
    assert "; a does not vary beyond rounding: differences from it rest" in mixed


def test_constant_arms_are_named_beside_claims_alone() -> None:
    runs = {"c": [60.0] * 4, "a": [50.0] * 4, "b": [30.0, 30.2, 30.1, 30.3]}
    said = "; c and a do not vary at all: differences from them rest on the spread of the other arm"
    assert said in rank(runs).sentence
    runs["b"] = [10.0, 99.0, 40.0, 70.0]
    assert "vary" not in rank(runs).sentence


def test_seeds_that_differ_by_the_same_amount_are_no_missing_look() -> None:
    table = {"a": {0: 1.0, 1: 2.0, 2: 4.0}, "b": {0: 2.0, 1: 3.0, 2: 5.0}}
    ranking = rank(table, metric="score", paired=True)
    assert ranking.pairs[0].advice.endswith("as the two differ by the same amount at every seed.")
    assert "are the same at every seed" in ranking.sentence


def test_equal_means_are_no_observed_difference() -> None:
    ranking = rank({"a": [1.0, 2.0, 3.0], "b": [1.5, 2.0, 2.5]}, metric="score", margin=0.5)
    (pair,) = ranking.pairs
    assert "No difference was observed. Showing equivalence" in pair.advice
    assert "Detecting" not in pair.advice


def test_holm_and_bonferroni_are_set_apart_where_they_are_not_the_same() -> None:
    close = {"A": [60.1, 60.2, 60.0, 60.1, 60.2], "B": [60.0, 60.1, 60.1, 59.9, 60.0]}
    single = rank(close, margin=1.0, control="B")
    assert single.pairs[0].verdict == "equivalent"
    assert not any("not both at once" in note for note in single.notes)
    more = {**close, "C": [50.0, 50.1, 50.3, 50.2, 49.9]}
    assert any("not both at once" in note for note in rank(more, margin=1.0, control="B").notes)
    narrow = rank(more, margin=0.001, control="B")
    assert not any("not both at once" in note for note in narrow.notes)


@pytest.mark.parametrize(
    ("value", "text"), [(2.507e-11, "2.507e-11"), (-2.507e-11, "−2.507e-11"), (-1.5, "−1.5")]
)
def test_an_exponent_keeps_its_hyphen(value: float, text: str) -> None:
    assert (significant(value), exact(value)) == (text, text)
    assert Numbers("", None).plain(value) == text


def test_large_numbers_have_one_style() -> None:
    assert Numbers("", 0).plain(-1234567.0) == "−1,234,567"
    assert Numbers("", 0).amount(1234567.0) == "1,235,000"
    plain = Design(unit="")
    assert number(1234567.0, plain) == "+1,235,000"
    assert amount(1234567.0, plain) == "1,235,000"
    assert number(-1.5e15, plain) == "−1.5e+15"


def test_many_flags_of_one_kind_are_one_line_for_each_arm() -> None:
    runs = {"a": [60.0123, 60.0234, 61.0345], "b": [70.0123, 71.0234, 71.02]}
    ranking = rank(runs, items=10_000)
    assert sum(flag.kind == "granularity" for flag in ranking.flags) == 5
    lines = [flag.message for flag in shown_flags(ranking) if flag.kind == "granularity"]
    values = "3 values of a (60.0123, 60.0234, 61.0345)"
    assert sorted(lines)[1].startswith(f"{values}: each is no whole number of 10,000 test items")
    assert len(lines) == 2
    seeded = rank({name: dict(enumerate(values)) for name, values in runs.items()}, items=10_000)
    lines = [flag.message for flag in shown_flags(seeded) if flag.kind == "granularity"]
    assert any("b (70.0123 of seed 0, 71.0234 of seed 1): each" in line for line in lines)
