"""Numbers in words."""

import pytest

from attnstudy.stats import rank
from attnstudy.stats.design import Design
from attnstudy.stats.phrases import interval_text, p_text


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
    assert interval_text(-0.0004, 1.25, points) == ("-0.00", "+1.25")
    assert interval_text(-3.0, -0.00012, plain) == ("-3", "-0.00012")


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
    assert "all runs of A agree" in constant


def test_a_single_variant_is_told_what_is_missing() -> None:
    assert rank({"a": [60.0]}).sentence.startswith("1 run of a (test accuracy, mean 60) can be")
