"""Repairs: what was planted is found, and the simplest explanation comes first."""

from hypothesis import given
from hypothesis import strategies as st

from attnstudy.stats.audit import Finding, Repair, audit
from attnstudy.stats.audit.repairs import mean_repairs
from attnstudy.stats.audit.respelling import one_digit, transposed
from attnstudy.stats.audit.table import read_table
from attnstudy.tables.cells import plain

OTHERS = "b,52.17,53.02,51.44,52.90,52.38\n"  # 209.53 / 4 = 52.3825


def wrong(row: str, others: str = OTHERS, columns: str = "run1,run2,run3,run4,mean") -> Finding:
    (finding,) = [
        f for f in audit(f"name,{columns}\n{row}\n{others}", items=10_000).findings
        if f.kind in ("wrong-mean", "wrong-sd")
    ]  # fmt: skip
    return finding


def edits(repair: Repair) -> list[tuple[str, str, str | None]]:
    return [(edit.column, edit.printed, edit.repaired) for edit in repair.edits]


# 60.10 + 60.20 + 60.42 + 60.32 = 241.04 = 4 x 60.26
def test_one_digit_of_the_mean() -> None:
    repair = wrong("a,60.10,60.20,60.42,60.32,63.26").repairs[0]
    assert edits(repair) == [("mean", "63.26", "60.26")]
    assert repair.description == "one digit changed in the mean (63.26 -> 60.26)"


def test_two_digits_of_the_mean() -> None:
    assert edits(wrong("a,60.10,60.20,60.42,60.32,60.62").repairs[0])[0][2] in ("60.26", "60.22")
    found = wrong("a,60.10,60.20,60.42,60.32,62.06").repairs
    assert [edits(r) for r in found if "transposed" in r.description] == [
        [("mean", "62.06", "60.26")]
    ]


def test_one_digit_of_a_value() -> None:
    # with 60.42: 241.15 / 4 = 60.2875
    repair = wrong("a,60.10,60.31,67.42,60.32,60.2875").repairs[0]
    assert edits(repair) == [("run3", "67.42", "60.42")]


def test_two_digits_of_a_value() -> None:
    assert edits(wrong("a,60.10,60.31,64.02,60.32,60.2875").repairs[0]) == [
        ("run3", "64.02", "60.42")
    ]


def test_a_value_left_out() -> None:
    # (60.10 + 60.20 + 60.42) / 3 = 60.24
    found = wrong("a,60.10,60.20,60.42,68.87,60.24").repairs
    assert [("run4", "68.87", None)] in [edits(repair) for repair in found]
    assert any(r.description == "run4 left out of the mean" for r in found)


def test_a_value_copied_from_a_neighbour() -> None:
    # 71.96 in the place of 60.42: 252.58 / 4 = 63.145
    others = "b,52.17,53.02,71.96,52.90,57.51\n"  # 230.05 / 4 = 57.5125
    found = wrong("a,60.10,60.20,60.42,60.32,63.145", others).repairs
    assert edits(found[0]) == [("run3", "60.42", "71.96")]
    assert "the value of b/run3" in found[0].description


def test_the_mean_of_another_row_and_the_median() -> None:
    found = wrong("a,60.10,60.20,60.42,60.32,52.38").repairs
    assert found[0].description == "the mean is that of b"
    # the median of 60.10, 60.20, 60.42, 65.32 is 60.31
    found = wrong("a,60.10,60.20,60.42,65.32,60.31").repairs
    assert "the mean is the median of the values" in [repair.description for repair in found]


def test_the_mean_may_just_be_mistaken() -> None:
    (repair,) = wrong("a,60.10,60.20,60.42,60.32,12.99").repairs
    assert edits(repair) == [("mean", "12.99", "60.26")]


def test_a_printed_sd_decides_between_repairs() -> None:
    columns = "run1,run2,run3,run4,mean,sd"
    others = OTHERS.replace("\n", ",0.73\n")  # 0.7317...
    # with 60.42 in the place of 67.42: mean 60.26, SD 0.13952...; both are wrong as it stands
    row = "a,60.10,60.20,67.42,60.32,60.26,0.14"
    result = audit(f"name,{columns}\n{row}\n{others}", items=10_000)
    finding = next(f for f in result.findings if f.kind == "wrong-mean")
    assert edits(finding.repairs[0]) == [("run3", "67.42", "60.42")]
    assert finding.repairs[0].description.endswith("the printed SD is right then")
    # the SD is right as it stands, so that the mean is suspected and not a value
    row = "a,60.10,60.20,60.42,60.32,63.26,0.14"
    finding = wrong(row, others, columns)
    assert edits(finding.repairs[0]) == [("mean", "63.26", "60.26")]
    assert not any("SD" in repair.description for repair in finding.repairs)


def test_no_more_than_five_are_shown() -> None:
    row = "a," + ",".join(f"60.{i}0" for i in range(10)) + ",61.45"  # 604.5 / 10, 1 too much
    finding = wrong(row, "", ",".join(f"r{i}" for i in range(10)) + ",mean")
    assert len(finding.repairs) == 5
    assert finding.repairs_found > 5


def test_repairs_are_written_as_the_table_writes() -> None:
    text = "name;r1;r2;mean\na;60,10 %;60,20 %;63,15 %\nb;52,17 %;53,02 %;52,60 %\n"
    (finding,) = [f for f in audit(text, items=10_000).findings if f.kind == "wrong-mean"]
    assert edits(finding.repairs[0]) == [("mean", "63,15 %", "60,15%")]


@given(
    values=st.lists(st.integers(5_000, 9_999), min_size=2, max_size=6, unique=True),
    where=st.integers(0, 5),
    digit=st.integers(0, 3),
    change=st.integers(1, 9),
)
def test_a_planted_digit_is_among_the_repairs(
    values: list[int], where: int, digit: int, change: int
) -> None:
    where %= len(values)
    unit = 10**digit
    old = values[where] // unit % 10
    planted = list(values)
    planted[where] += ((old + change) % 10 - old) * unit
    if planted[where] < 1_000:
        return
    mean = f"{sum(values) / len(values) / 100:.4f}"
    cells = ",".join(f"{v / 100:.2f}" for v in planted)
    header = ",".join(f"r{i}" for i in range(len(values)))
    table = read_table(f"name,{header},mean\na,{cells},{mean}\n")
    wanted = (f"r{where}", f"{planted[where] / 100:.2f}", f"{values[where] / 100:.2f}")
    assert [wanted] in [edits(repair) for repair in mean_repairs(table.rows[0], table)]


def test_respelling() -> None:
    changed = {number.digits for number in one_digit(plain("60.2"))}
    assert {"10.2", "61.2", "60.9"} <= changed
    assert "00.2" not in changed
    assert len(changed) == 8 + 9 + 9
    assert {n.digits for n in transposed(plain("60.22"))} == {"62.02"}
    assert {n.digits for n in transposed(plain("16.2"))} == {"61.2", "12.6"}
    assert "-2e-5" in {number.digits for number in one_digit(plain("-1e-5"))}
