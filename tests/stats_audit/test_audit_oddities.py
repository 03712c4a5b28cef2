"""Influential values, duplicates and mixed precision: against another program and by hand."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from attnstudy.stats.audit import Finding, audit
from attnstudy.stats.audit.duplicates import shared_values
from attnstudy.stats.audit.precision import check_precision
from attnstudy.stats.audit.table import read_table


def of_kind(text: str, kind: str, **options: Any) -> list[Finding]:
    return [f for f in audit(text, **options).findings if f.kind == kind]


def test_a_value_that_makes_all_of_the_spread() -> None:
    (finding,) = of_kind("name,r0,r1,r2,r3,r4\nx,1,1,1,1,9\ny,2,2,2,2,2\n", "influential")
    assert (finding.row, finding.column, finding.p) == ("x", "r4", 0.0)
    assert "9 makes all of the spread" in finding.message


def test_an_influential_value_that_decides() -> None:
    text = "name,r1,r2,r3,r4,r5\na,60.1,60.2,60.3,60.2,66.0\nb,58.0,58.1,58.2,58.1,58.3\n"
    (finding,) = of_kind(text, "influential")
    assert (finding.row, finding.column) == ("a", "r5")
    assert audit(text).ranking_corrected is not None
    assert finding.verdict_otherwise == "a full ranking is defensible: a > b"
    assert "Without it: a full ranking is defensible: a > b." in finding.message


def test_duplicates_within_a_row() -> None:
    text = "name,r1,r2,r3,r4\na,59.77,60.81,57.70,59.77\nb,61.39,63.11,62.81,62.79\n"
    (finding,) = of_kind(text, "duplicate")
    assert finding.message.startswith("a: 59.77 appears twice, in r1 and r4.")
    assert finding.verdict_otherwise is not None
    # one decimal and a spread of .1: equal values are to be expected
    assert of_kind("name,r1,r2,r3\na,60.1,60.2,60.1\nb,61.1,61.3,61.2\n", "duplicate") == []


def test_what_a_large_table_repeats_by_chance_is_no_finding() -> None:
    # values .7 apart from row to row, so that no row shares one; in the first row one stands twice
    offsets = (0, 31, 67, 104)
    rows = [[6000 + 700 * i + o + 3 * i for o in offsets] for i in range(20)]
    rows[0][3] = rows[0][1]
    lines = [f"v{i}," + ",".join(f"{v / 100:.2f}" for v in row) for i, row in enumerate(rows[:4])]
    text = "name,r1,r2,r3,r4\n" + "\n".join(lines) + "\n"
    # pooled SD about .43: 24 pairs x .01 / (2 x .43 x sqrt(pi)) = .16 by chance
    assert of_kind(text, "duplicate") == []
    assert any("1 pair of equal values within rows: about 0.16 exp" in n for n in audit(text).notes)
    # three times the same are not to be expected
    again = text.replace(lines[0], "v0,60.31,60.31,60.67,60.31")
    (finding,) = of_kind(again, "duplicate")
    assert "appears 3 times" in finding.message
    assert "such pairs are expected by chance" in finding.message


def test_rows_that_are_equal() -> None:
    text = "name,r1,r2,r3\na,59.77,60.81,57.70\nb,59.77,60.81,57.70\nc,61.12,61.93,60.08\n"
    found = of_kind(text, "duplicate")
    assert any("hold the same 3 values" in finding.message for finding in found)
    assert any("rows share values: 59.77 (a/r1 and b/r1)" in f.message for f in found)
    assert all(finding.message[-1] in ".?" for finding in found)


def test_a_row_without_spread() -> None:
    found = of_kind("name,r1,r2,r3\na,60.1,60.1,60.1\nb,61.1,61.3,61.2\n", "duplicate")
    assert [finding.message for finding in found] == ["a: 60.1 appears 3 times, in r1, r2 and r3."]


def test_chance_of_shared_values() -> None:
    # SD of both rows 1: 9 pairs, steps of .01, equal means: 9 x .01 / (2 sqrt(pi)) = .0254
    text = "name,r1,r2,r3\na,59.00,60.00,61.00\nb,59.00,60.00,61.00\n"
    shared = shared_values(read_table(text), None)
    assert shared is not None
    assert "about 0.025 such pairs" in shared.said
    assert shared.surprising
    # means 2 apart: times exp(-1); with one decimal and thus ten times as many
    text = "name,r1,r2,r3\na,59.0,60.0,61.0\nb,61.0,62.0,63.0\n"
    shared = shared_values(read_table(text), None)
    assert shared is not None
    assert "about 0.093 such pairs" in shared.said
    assert not shared.surprising
    assert shared_values(read_table("name,r1,r2\na,1.5,1.5\nb,1.6,1.7\n"), None) is None
    assert any("rows share values: 61.0" in note for note in audit(text).notes)


@given(
    st.lists(st.lists(st.integers(5_800, 6_200), min_size=3, max_size=3), min_size=2, max_size=4)
)
def test_shared_values_name_only_values_that_are_shared(rows: list[list[int]]) -> None:
    lines = [f"v{i}," + ",".join(f"{v / 100:.2f}" for v in row) for i, row in enumerate(rows)]
    shared = shared_values(read_table("name,r0,r1,r2\n" + "\n".join(lines)), None)
    really = {v for i, row in enumerate(rows) for v in row for o in rows[i + 1 :] if v in o}
    assert (shared is not None) == bool(really)


def test_mixed_precision() -> None:
    text = "name,r1,r2,r3,mean,sd\na,59.7,60.81,57.75,59.42,1.6\nb,61.391,63.11,62.81,62.44,0.93\n"
    found = list(check_precision(read_table(text)))
    assert [(f.row, f.column, f.printed) for f in found] == [
        ("a", "r1", "59.7"),
        ("b", "r1", "61.391"),
        ("b", "sd", "0.93"),
    ]
    assert found[0].message == "a, r1: 59.7 has 1 decimal where the other 4 have 2 decimals."


def test_much_mixed_precision_is_one_finding() -> None:
    header = ",".join(f"r{i}" for i in range(12))
    cells = [f"6{i}.{i}" for i in range(5)] + [f"60.{i}1" for i in range(7)]
    (finding,) = check_precision(read_table(f"name,{header}\na,{','.join(cells)}\n"))
    assert finding.message.startswith("5 of 12 numbers do not have 2 decimals as the others")
    assert finding.message.endswith("which one number in ten has.")


def test_equal_precision_is_no_finding() -> None:
    text = "name,r1,r2,mean,sd\na,59.70,60.80,60.250,0.8\nb,61.30,63.10,62.200,1.3\n"
    assert list(check_precision(read_table(text))) == []
