"""Printed means and SDs: no correct number is called wrong, and wrong ones are."""

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from attnstudy.stats.audit import RowCheck, audit
from attnstudy.stats.audit.means import check_rows, check_sds
from attnstudy.stats.audit.rounding import Rounding, agreements, hull, square_root
from attnstudy.stats.audit.table import read_table
from attnstudy.tables.cells import plain

ROUNDINGS = ("half-up", "half-even", "truncation")


def in_units(exact: Fraction, places: int, rounding: str) -> int:
    """Round to whole units of the last decimal, by integer arithmetic; for numbers from 0 on."""
    scaled = exact * 10**places
    whole = scaled.numerator // scaled.denominator
    rest = scaled - whole
    if rounding == "truncation" or rest < Fraction(1, 2):
        return whole
    if rest == Fraction(1, 2) and rounding == "half-even":
        return whole + whole % 2
    return whole + 1


def shown(units: int, places: int) -> str:
    """Write whole units of the last decimal as a number with all its zeros."""
    digits = str(units).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits


def check(values: list[str], *, mean: str = "", sd: str = "", items: int | None = None) -> RowCheck:
    header = ",".join(f"run{i}" for i in range(len(values)))
    text = f"name,{header},mean,sd\na,{','.join(values)},{mean},{sd}\n"
    (row,) = check_rows(read_table(text), items, 100 if items else None)
    return row


units = st.integers(5_000, 9_999)


@given(
    values=st.lists(units, min_size=1, max_size=9),
    places=st.integers(0, 5),
    rounding=st.sampled_from(ROUNDINGS),
    items=st.sampled_from([None, 10_000]),
)
def test_a_correctly_rounded_mean_is_never_wrong(
    values: list[int], places: int, rounding: str, items: int | None
) -> None:
    mean = Fraction(sum(values), 100 * len(values))
    printed = shown(in_units(mean, places, rounding), places)
    row = check([shown(v, 2) for v in values], mean=printed, items=items)
    assert rounding in row.mean.agrees
    assert not row.mean.wrong


@given(
    # from 10 on, so that a small percentage is not taken for a fraction
    counts=st.lists(st.integers(10, 359), min_size=1, max_size=9),
    of_values=st.sampled_from(ROUNDINGS),
    of_mean=st.sampled_from(ROUNDINGS),
    places=st.integers(0, 4),
    items=st.sampled_from([None, 360]),
)
def test_a_mean_taken_before_rounding_is_never_wrong(
    counts: list[int], of_values: str, of_mean: str, places: int, items: int | None
) -> None:
    exact = [Fraction(100 * k, 360) for k in counts]
    values = [shown(in_units(v, places, of_values), places) for v in exact]
    printed = shown(in_units(sum(exact, Fraction(0)) / len(exact), 2, of_mean), 2)
    assert not check(values, mean=printed, items=items).mean.wrong


@given(values=st.lists(units, min_size=2, max_size=9), off=st.integers(-400, 400))
@example(values=[5000, 5000], off=-1)
def test_with_the_number_of_items_every_other_mean_is_wrong(values: list[int], off: int) -> None:
    mean = Fraction(sum(values), len(values))
    right = {in_units(mean, 0, rounding) for rounding in ROUNDINGS}
    printed = in_units(mean, 0, "half-up") + off
    row = check([shown(v, 2) for v in values], mean=shown(printed, 2), items=10_000)
    assert row.mean.wrong == (printed not in right)


@given(
    counts=st.lists(st.integers(4_000, 9_999), min_size=2, max_size=8),
    places=st.integers(1, 4),
    population=st.booleans(),
    items=st.sampled_from([None, 10_000]),
)
def test_a_correct_sd_is_never_wrong(
    counts: list[int], places: int, population: bool, items: int | None
) -> None:
    n = len(counts)
    squares = n * sum(k * k for k in counts) - sum(counts) ** 2  # n times the sum of squares
    variance = Fraction(squares, n * (n if population else n - 1) * 10**4)
    scaled = math.isqrt(variance.numerator * 10 ** (2 * places) // variance.denominator)
    for printed in {
        scaled,
        scaled + (variance * 10 ** (2 * places) >= (scaled + Fraction(1, 2)) ** 2),
    }:
        row = check([shown(k, 2) for k in counts], sd=shown(printed, places), items=items)
        assert row.sd.agrees
        assert not row.sd.wrong


# mean 61.525 is half way between 61.52 and 61.53
@pytest.mark.parametrize(
    ("printed", "agreeing"),
    [
        ("61.52", {"half-even", "truncation"}),
        ("61.53", {"half-up"}),
        ("61.525", set(ROUNDINGS)),
        ("61.5250", set(ROUNDINGS)),
        ("62", {"half-up", "half-even"}),
        ("61", {"truncation"}),
        ("61.51", set()),
    ],
)
def test_each_rounding(printed: str, agreeing: set[str]) -> None:
    row = check(["61.52", "61.53"], mean=printed, items=10_000)
    assert set(row.mean.agrees) == agreeing
    assert row.mean.wrong is (not agreeing)


def test_truncation_alone_is_noted() -> None:
    result = audit("name,r1,r2,mean\na,61.58,61.59,61.5\nb,61.61,61.63,61.6\n", items=10_000)
    assert [f.kind for f in result.findings] == []
    assert any("mean of a, 61.5, agrees with 61.585 by truncation only" in n for n in result.notes)


def test_rounded_values_are_no_proof_against_a_mean() -> None:
    # 287, 288 and 288 of 360: 79.722..., 80, 80; mean 79.907..., of the printed values 79.9
    text = "name,r1,r2,r3,mean\na,79.7,80.0,80.0,79.91\n"
    for items in (None, 360):
        result = audit(text, items=items)
        assert not result.rows[0].mean.wrong
        assert any("before they were rounded" in note for note in result.notes)
    assert audit(text, items=1000).rows[0].mean.wrong


# 59.77, 60.81, 57.70, 59.77: SD 1.30400..., with divisor n 1.12929...
def test_sd() -> None:
    values = ["59.77", "60.81", "57.70", "59.77"]
    assert check(values).sd.recomputed == "1.304003"
    for printed, population in (("1.30", False), ("1.304", False), ("1.13", True), ("1.12", True)):
        row = check(values, sd=printed, items=10_000)
        assert (row.sd.wrong, row.sd.population) == (False, population)
    text = "name,r1,r2,r3,r4,sd\na,59.77,60.81,57.70,59.77,1.03\n"
    read = read_table(text)
    (finding,) = check_sds(read, check_rows(read, 10_000, 100))
    assert (finding.kind, finding.printed) == ("wrong-sd", "1.03")
    assert finding.recomputed == "1.3040"
    assert [edit.repaired for edit in finding.repairs[0].edits] == ["1.13"]
    assert any(edit.repaired == "1.30" for r in finding.repairs for edit in r.edits)


def test_a_standard_error_is_recognised() -> None:
    # 1.30400 / 2 = 0.65200
    (finding,) = audit(
        "name,r1,r2,r3,r4,sd\na,59.77,60.81,57.70,59.77,0.65\n", items=10_000
    ).findings[:1]
    assert [repair.description for repair in finding.repairs] == [
        "it is the standard error of the mean"
    ]


def test_an_sd_of_one_value_cannot_be_checked() -> None:
    result = audit("name,r1,mean,sd\na,60.1,60.1,0.4\nb,61.0,61.0,0.3\n")
    assert not any(f.kind == "wrong-sd" for f in result.findings)
    assert sum("cannot be checked" in note for note in result.notes) == 2


@pytest.mark.parametrize("digits", ["0.00", "0.05", "59.77", "60", "-1.5", "1e-5", "7.0"])
def test_the_hull_holds_what_prints_so(digits: str) -> None:
    printed = plain(digits)
    low, high = hull(printed)
    tenth = printed.unit / 10
    for exact in (low, high, low + tenth / 10, high - tenth / 10):
        for beyond in (-tenth, tenth):
            if not low <= exact + beyond <= high:
                outside = Decimal((exact + beyond).numerator) / (exact + beyond).denominator
                assert agreements(outside, printed) == ()
    assert set(agreements(printed.value, printed)) == set(Rounding)


def test_roots_are_exact_where_they_end() -> None:
    assert square_root(Fraction(9, 16)) == Decimal("0.75")
    assert str(square_root(Fraction(2)))[:22] == "1.41421356237309504880"
