"""The notebook's table: everything that is known to be wrong with it, found without being told."""

import json
from pathlib import Path

import pytest

from attnstudy.stats import Ranking
from attnstudy.stats.audit import Audit, Finding, audit, read_text


@pytest.fixture(scope="module")
def found(table: str, log: str) -> Audit:
    return audit(table, items=10_000, logged=log)


def of_kind(result: Audit, kind: str) -> list[Finding]:
    return [finding for finding in result.findings if finding.kind == kind]


def test_the_files_are_the_copy_that_is_tested_here(real_data: Path, table: str, log: str) -> None:
    folder = real_data / "notebook"
    assert read_text((folder / "reported_table.csv").read_bytes()).split() == table.split()
    assert read_text((folder / "logged_runs.csv").read_bytes()).split() == log.split()


# (58.11 + 61.62 + 60.21 + 61.46) / 4 = 241.40 / 4; (67.7 + 62.88 + 61.76 + 62.41) / 4 = 254.75 / 4
def test_wrong_means(found: Audit) -> None:
    assert [(f.row, f.column, f.printed, f.recomputed) for f in of_kind(found, "wrong-mean")] == [
        ("late", "reported_mean", "60.24", "60.35"),
        ("double", "reported_mean", "64.68", "63.6875"),
    ]
    assert [row.mean.recomputed for row in found.rows] == ["59.5125", "60.525", "60.35", "63.6875"]
    assert [bool(row.mean.agrees) for row in found.rows] == [True, True, False, False]


def test_repairs_of_the_wrong_means(found: Audit) -> None:
    late, double = of_kind(found, "wrong-mean")
    # 58.11 + 61.62 + 59.77 + 61.46 = 240.96 = 4 x 60.24
    first = late.repairs[0]
    assert [(e.row, e.column, e.printed, e.repaired) for e in first.edits] == [
        ("late", "run3", "60.21", "59.77")
    ]
    assert "vanilla/run4" in first.description
    # 63.6875 truncated is 63.68, one digit from 64.68
    first = double.repairs[0]
    assert [(e.column, e.printed, e.repaired) for e in first.edits] == [
        ("reported_mean", "64.68", "63.68")
    ]
    assert "truncated" in first.description
    assert any("hypotheses" in note for note in found.notes)


def test_influential_value(found: Audit) -> None:
    (finding,) = of_kind(found, "influential")
    assert (finding.row, finding.column, finding.printed) == ("double", "run1", "67.7")
    assert finding.p == pytest.approx(0.0385, abs=5e-5)
    assert "Bonferroni p = .0385" in finding.message
    assert finding.verdict_otherwise == "no ranking is defensible"
    assert found.ranking_corrected is not None
    flags = [f.value for f in found.ranking_corrected.flags if f.kind == "influential"]
    assert flags == [67.7]


def test_duplicate_and_shared_value(found: Audit) -> None:
    (finding,) = of_kind(found, "duplicate")
    assert (finding.row, finding.column, finding.printed) == ("vanilla", "run1", "59.77")
    assert "twice, in run1 and run4" in finding.message
    (note,) = [note for note in found.notes if "60.81" in note]
    assert "vanilla/run2 and early/run3" in note


def test_mixed_precision(found: Audit) -> None:
    assert {(f.row, f.column, f.printed) for f in of_kind(found, "mixed-precision")} == {
        ("double", "run1", "67.7"),
        ("early", "reported_mean", "60.525"),
    }


def test_truncated_logged_accuracy(found: Audit) -> None:
    (finding,) = of_kind(found, "disagrees-with-log")
    assert (finding.row, finding.column) == ("double", "run4")
    assert (finding.printed, finding.recomputed, finding.how) == ("62.41", "62.42", "truncated")
    assert finding.verdict_otherwise == "no ranking is defensible"


def test_neither_order_nor_verdict_changes(found: Audit) -> None:
    assert (found.changes_order, found.changes_verdict) == (False, False)
    assert "Neither the order nor the verdict changes: no ranking is defensible" in found.sentence
    printed, corrected = found.ranking_printed, found.ranking_corrected
    assert printed is not None
    assert corrected is not None
    order = ["double", "early", "late", "vanilla"]
    assert [arm.name for arm in printed.arms] == order
    assert [arm.name for arm in corrected.arms] == order
    assert [arm.mean for arm in printed.arms] == pytest.approx([64.68, 60.525, 60.24, 59.51])
    pair = next(p for p in corrected.pairs if (p.a, p.b) == ("double", "vanilla"))
    assert pair.difference == pytest.approx(4.175)
    assert pair.p_adjusted == pytest.approx(0.145, abs=5e-4)
    pair = next(p for p in printed.pairs if (p.a, p.b) == ("double", "vanilla"))
    assert pair.difference == pytest.approx(5.17)
    # the same SDs, hence the same half width as of 4.175 [-1.74, 10.09]
    assert pair.ci_low == pytest.approx(5.17 - (10.09 + 1.74) / 2, abs=0.01)


def test_nothing_else_is_found(found: Audit, table: str) -> None:
    kinds = [str(f.kind) for f in found.findings]
    assert kinds == [
        *["wrong-mean"] * 2,
        "duplicate",
        *["mixed-precision"] * 2,
        "influential",
        "disagrees-with-log",
    ]
    # the log says how many test images there are; without both, the rest is found all the same
    assert [str(f.kind) for f in audit(table).findings] == kinds[:-1]
    assert audit(table).items is None


def test_json(found: Audit) -> None:
    data = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert {
        "findings", "ranking_printed", "ranking_corrected", "changes_order", "changes_verdict",
    } <= data.keys()  # fmt: skip
    for finding in data["findings"]:
        assert {
            "kind", "row", "column", "printed", "recomputed", "repairs", "message",
        } <= finding.keys()  # fmt: skip
        for repair in finding["repairs"]:
            assert isinstance(repair["description"], str)
            assert isinstance(repair["edits"], list)
    for name in ("ranking_printed", "ranking_corrected"):
        assert Ranking.from_json(data[name]).verdict == "no ranking is defensible"


def test_bytes_and_text_give_the_same(found: Audit, table: str, log: str) -> None:
    as_bytes = audit(
        table.encode("utf-8-sig"), items=10_000, logged=log.replace("\n", "\r\n").encode()
    )
    assert as_bytes == found
