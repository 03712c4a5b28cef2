"""The table against logs."""

import pytest

from attnstudy.errors import DataError
from attnstudy.stats.audit import Finding, audit

TABLE = "name,r1,r2,r3\na,59.77,60.81,57.70\nb,61.39,63.11,62.81\n"


def against(log: str, table: str = TABLE) -> list[Finding]:
    result = audit(table, logged=f"variant,test_correct_of_10000\n{log}")
    return [f for f in result.findings if f.kind == "disagrees-with-log"]


def test_agreement_in_any_order() -> None:
    assert against("b,6281\na,5770\na,5977\nb,6311\n") == []
    result = audit(TABLE, logged="variant,test_correct_of_10000\na,5977\n")
    assert result.items == 10_000
    assert any("the log has 1 of the 6 runs" in note for note in result.notes)


def test_each_log_needs_a_value_of_its_own() -> None:
    (finding,) = against("a,5977\na,5977\n")
    assert (finding.row, finding.how) == ("a", None)
    (finding,) = against("a,5977\na,6081\na,5770\na,5770\n")
    assert finding.column is None
    assert "no value of the row is left" in finding.message


# 6139.6 / 100 does not exist; 1/3 of 9: 33.333..., 2/3: 66.666... truncates to 66.66
def test_truncation_of_a_number_that_goes_on() -> None:
    result = audit("name,r1,r2\na,33.33,66.66\nb,11.11,88.88\n", logged=(
        "variant,correct_of_9\na,3\na,6\nb,8\nb,1\n"
    ))  # fmt: skip
    found = [f for f in result.findings if f.kind == "disagrees-with-log"]
    assert [(f.row, f.column, f.printed, f.how) for f in found] == [
        ("a", "r2", "66.66", "truncated"),
        ("b", "r2", "88.88", "truncated"),
    ]
    assert [f.repairs[0].edits[0].repaired for f in found] == ["66.67", "88.89"]
    assert "binary" not in found[0].message


def test_truncation_of_a_binary_number() -> None:
    # 100 * 0.6242 is 62.419999999999995, and 100 * 0.6241 is more than 62.41
    (finding,) = against("a,6242\n", TABLE.replace("60.81", "62.41"))
    assert (finding.column, finding.recomputed, finding.how) == ("r2", "62.42", "truncated")
    assert "62.419999999999995" in finding.message
    (finding,) = against("a,6241\n", TABLE.replace("60.81", "62.40"))
    assert finding.how is None


def test_a_value_that_disagrees() -> None:
    (finding,) = against("a,6090\n")
    assert (finding.row, finding.column, finding.printed) == ("a", "r2", "60.81")
    assert (finding.recomputed, finding.how) == ("60.9", None)
    assert finding.repairs[0].edits[0].repaired == "60.90"
    assert finding.verdict_otherwise is not None


def test_fractions() -> None:
    table = "name,r1,r2\na,0.5977,0.6081\nb,0.6139,0.6311\n"
    assert against("a,5977\nb,6139\n", table) == []
    (finding,) = against("a,5978\n", table)
    assert (finding.printed, finding.recomputed) == ("0.5977", "0.5978")


def test_what_cannot_be_compared_is_said() -> None:
    log = "variant,test_correct_of_10000,val_correct_of_1000\na,5977,600\nzz,1,1\n"
    notes = audit(TABLE, logged=log, items=5_000).notes
    assert "the log has runs of zz, not in the table" in notes
    assert "the log counts right answers out of 10000, not 5000" in notes
    notes = audit("name,mean,sd,n\na,59.77,1.1,4\nb,60.1,1.2,4\n", logged=log).notes
    assert "a table of summaries has no values to compare with the log" in notes


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ("", "the log is empty"),
        ("variant,val\na,5\n", "no column of right answers"),
        ("variant,test_correct_of_10,test_correct_of_20\na,5,6\n", "several columns"),
        ("variant,test_correct_of_10\na,11\n", "line 2 of the log has '11'"),
        ("variant,test_correct_of_10\na,-1\n", "line 2 of the log has '-1'"),
        ("variant,test_correct_of_10\na,5.5\n", "line 2 of the log has '5.5'"),
        ("variant,test_correct_of_10\n", "no rows"),
        ("variant,test_correct_of_10\nA,5\n", "no run of the log is in the table"),
    ],
)
def test_bad_logs(log: str, said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        audit(TABLE, logged=log)
    assert "\n" not in str(caught.value)
