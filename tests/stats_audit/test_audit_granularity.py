"""Impossible accuracies, GRIM and GRIMMER: against brute force and against other programs."""

from fractions import Fraction
from itertools import combinations_with_replacement

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnstudy.stats.audit import Finding, audit
from attnstudy.stats.audit.granularity import sd_possible, totals
from attnstudy.stats.audit.means import check_rows
from attnstudy.stats.audit.rounding import Rounding, as_decimal, rounded, square_root
from attnstudy.stats.audit.table import read_table
from attnstudy.tables.cells import plain

# mean, SD, n, and whether R's scrutiny 0.6 passes them: its data set pigs5 and the expected
# values of tests/testthat/test-grimmer-map.R in github.com/lhdjung/scrutiny
PIGS = [
    ("7.22", "5.30", 38, "GRIM"),
    ("4.74", "6.55", 31, ""),
    ("5.23", "2.55", 35, "GRIMMER"),
    ("2.57", "2.57", 30, ""),
    ("6.77", "2.18", 33, "GRIM"),
    ("2.68", "2.59", 34, ""),
    ("7.01", "6.68", 35, "GRIM"),
    ("7.38", "3.65", 32, ""),
    ("3.14", "5.32", 33, "GRIM"),
    ("6.89", "4.18", 37, ""),
    ("5.00", "2.18", 31, ""),
    # scrutiny passes it, but no 34 counts from 0 on with sum 8 have an SD above sqrt(8^2 / 33)
    ("0.24", "6.43", 34, "range"),
]
MANY = 10**6
ONE = Fraction(1)


@pytest.mark.parametrize(("mean", "sd", "n", "fails"), PIGS)
def test_nothing_that_scrutiny_passes_is_called_impossible(
    mean: str, sd: str, n: int, fails: str
) -> None:
    # the other direction need not hold: truncation and the divisor n are allowed here
    if not fails:
        assert totals(plain(mean), ONE / n, n * MANY)
        assert sd_possible(plain(mean), plain(sd), n, ONE, MANY)
    if fails == "GRIMMER":
        assert totals(plain(mean), ONE / n, n * MANY)


def test_published_examples() -> None:
    # Brown and Heathers (2017): 28 whole numbers cannot have the mean 5.19, 32 can (166 / 32)
    assert not totals(plain("5.19"), ONE / 28, 28 * MANY)
    assert list(totals(plain("5.19"), ONE / 32, 32 * MANY)) == [166]
    # rsprite2::GRIMMER_test(5.21, 1.6, 28) is TRUE
    assert sd_possible(plain("5.21"), plain("1.60"), 28, ONE, MANY)
    # rsprite2::GRIMMER_test(3.44, 2.47, 18) is FALSE for the divisor n - 1; with divisor n
    # K = 62, Q = 324 gives sqrt((324 - 62^2 / 18) / 18) = 2.4771..., which truncates to 2.47
    assert sd_possible(plain("3.44"), plain("2.47"), 18, ONE, MANY)
    assert not sd_possible(plain("3.44"), plain("2.46"), 18, ONE, MANY)


@pytest.mark.parametrize("items", [3, 7, 12])
@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("places", [0, 1, 2])
def test_grim_is_exact(items: int, n: int, places: int) -> None:
    possible = {
        f"{rounded(as_decimal(Fraction(100 * total, n * items)), places, rounding):f}"
        for total in range(n * items + 1)
        for rounding in Rounding
    }
    step = Fraction(100, n * items)
    passed = set()
    for value in range(100 * 10**places + 1):
        text = f"{rounded(as_decimal(Fraction(value, 10**places)), places):f}"
        if totals(plain(text), step, n * items):
            passed.add(text)
    assert passed == possible


@pytest.mark.parametrize(("n", "items", "places"), [(2, 9, 1), (3, 6, 1), (4, 5, 0), (2, 7, 2)])
def test_grimmer_passes_everything_that_exists_and_fails_most_of_the_rest(
    n: int, items: int, places: int
) -> None:
    existing: set[tuple[str, str]] = set()
    for counts in combinations_with_replacement(range(items + 1), n):
        mean = Fraction(100 * sum(counts), n * items)
        squares = Fraction(
            10**4 * (n * sum(k * k for k in counts) - sum(counts) ** 2), n * items**2
        )
        for divisor in (n - 1, n):
            for of_mean in Rounding:
                for of_sd in Rounding:
                    existing.add(
                        (
                            f"{rounded(as_decimal(mean), places, of_mean):f}",
                            f"{rounded(square_root(squares / divisor), places, of_sd):f}",
                        )
                    )
    step = Fraction(100, items)
    assert all(sd_possible(plain(m), plain(s), n, step, items) for m, s in existing)
    means = sorted({m for m, _ in existing})[:20]
    others = [
        (m, f"{rounded(as_decimal(Fraction(s, 10**places)), places):f}")
        for m in means
        for s in range(0, 60 * 10**places, 7)
    ]
    others = [pair for pair in others if pair not in existing]
    passed = sum(sd_possible(plain(m), plain(s), n, step, items) for m, s in others)
    if places:  # with no decimals hardly anything is impossible
        assert passed < len(others) / 2


@given(
    counts=st.lists(st.integers(0, 500), min_size=2, max_size=12),
    items=st.sampled_from([500, 999, 10_000]),
    places=st.integers(0, 4),
    of_mean=st.sampled_from(list(Rounding)),
    of_sd=st.sampled_from(list(Rounding)),
    population=st.booleans(),
)
def test_a_possible_summary_is_never_called_impossible(
    counts: list[int],
    items: int,
    places: int,
    of_mean: Rounding,
    of_sd: Rounding,
    population: bool,
) -> None:
    n = len(counts)
    mean = rounded(as_decimal(Fraction(100 * sum(counts), n * items)), places, of_mean)
    squares = Fraction(10**4 * (n * sum(k * k for k in counts) - sum(counts) ** 2), n * items**2)
    sd = rounded(square_root(squares / (n if population else n - 1)), places, of_sd)
    step = Fraction(100, items)
    assert totals(plain(f"{mean:f}"), step / n, n * items)
    assert sd_possible(plain(f"{mean:f}"), plain(f"{sd:f}"), n, step, items)


def impossible(text: str, items: int) -> list[Finding]:
    return [f for f in audit(text, items=items).findings if f.kind == "impossible-value"]


def test_impossible_values() -> None:
    # 286, 287, 288 of 360: 79.444..., 79.722..., 80
    text = "name,r1,r2,r3\na,79.44,79.72,80.00\nb,79.45,79.73,80.10\n"
    assert [(f.row, f.printed, f.recomputed) for f in impossible(text, 360)] == [
        ("b", "79.45", "79.44"),
        ("b", "79.73", "79.72"),
        ("b", "80.10", "80.00"),
    ]
    assert impossible(text, 10_000) == []
    assert any("says nothing" in note for note in audit(text, items=10_000).notes)
    assert any("cannot be told" in note for note in audit(text).notes)


def test_impossible_values_of_other_scales() -> None:
    assert [f.printed for f in impossible("name,r1,r2\na,0.7944,0.7946\n", 360)] == ["0.7946"]
    assert [f.printed for f in impossible("name,r1,r2\na,99.9,100.1\n", 1000)] == ["100.1"]
    assert [f.printed for f in impossible("name,r1,r2\na,99.9,-0.1\n", 1000)] == ["-0.1"]


def test_summaries() -> None:
    # 3 runs of 10 items: means are multiples of 3.333...
    text = "name,mean,sd,n\na,63.33,5.77,3\nb,65.00,5.77,3\nc,63.33,9.00,3\n"
    found = [(f.row, f.column, f.printed, f.recomputed) for f in impossible(text, 10)]
    assert found == [("b", "mean", "65.00", "66.67"), ("c", "sd", "9.00", None)]
    notes = audit("name,mean,n\na,60.24,4\nb,64.68,4\n", items=10_000).notes
    assert any("GRIM says nothing" in note for note in notes)
    notes = audit("name,mean,sd\na,60.24,1.0\nb,64.68,1.0\n", items=10_000).notes
    assert any("cannot be checked by GRIM" in note for note in notes)


def test_grim_passes_both_wrong_means_of_the_notebook() -> None:
    for mean in ("60.24", "64.68"):
        assert totals(plain(mean), Fraction(100, 4 * 10_000), 4 * 10_000)


def test_the_means_of_a_summary_are_not_recomputed() -> None:
    read = read_table("name,mean,sd,n\na,60.24,1.0,4\n")
    (row,) = check_rows(read, 10_000, 100)
    assert (row.mean.printed, row.mean.recomputed, row.mean.wrong) == ("60.24", None, False)
