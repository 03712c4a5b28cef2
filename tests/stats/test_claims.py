"""Claims as a check."""

import pytest

from attnstudy.errors import UsageError
from attnstudy.stats import check_claims, rank

CLEAR = {"a": [70.0, 70.2, 70.1, 69.9], "b": [60.0, 60.3, 60.1, 59.9], "c": [60.1, 60.2, 60.0]}


@pytest.mark.parametrize(
    ("claim", "supported"),
    [
        ("a > b", True),
        ("a>b", True),
        ("b > a", False),
        ("b > c", False),
        ("b = c", True),
        ("a = b", False),
        ("a > b = c", True),
        ("a > b > c", False),
    ],
)
def test_claims(claim: str, supported: bool) -> None:
    (check,) = check_claims(rank(CLEAR, margin=1.0), [claim])
    assert (check.claim, check.supported) == (claim, supported)
    assert check.reason


def test_a_small_difference_is_within_the_margin_and_better() -> None:
    shifted = {"b": [60.0, 60.1, 60.05, 59.95], "d": [60.5, 60.4, 60.45, 60.55]}
    checks = check_claims(rank(shifted, margin=1.0), ["d > b", "d = b"])
    assert [check.supported for check in checks] == [True, True]


def test_direction() -> None:
    ranking = rank(CLEAR, metric="loss", direction="minimize")
    assert [c.supported for c in check_claims(ranking, ["b > a", "a > b"])] == [True, False]


def test_the_notebook_claims_too_much(notebook: dict[str, list[float]]) -> None:
    (check,) = check_claims(rank(notebook), ["double > early > late > vanilla"])
    assert not check.supported
    assert check.reason.count("undecided") == 3


def test_not_compared_is_not_supported() -> None:
    ranking = rank(CLEAR, control="b")
    assert [c.supported for c in check_claims(ranking, ["a > c", "a > b"])] == [False, True]


def test_names_that_hold_operators() -> None:
    odd = {"lr=0.1": [70.0, 70.2, 70.1], "lr=0.1 > x": [60.0, 60.1, 60.3]}
    (check,) = check_claims(rank(odd), ["lr=0.1 > lr=0.1 > x"])
    assert check.supported


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        ("a", "is not understood"),
        ("a > ", "is not understood"),
        ("a > d", "'d', which has no runs"),
        ("a > a", "with itself"),
        ("a = b", "needs a margin"),
        ("a ~ b", "is not understood"),
    ],
)
def test_refused(claim: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check_claims(rank(CLEAR), [claim])
