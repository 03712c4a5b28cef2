"""The two rankings, and whether they differ."""

import pytest

from attnstudy.render import audit_text
from attnstudy.stats import rank
from attnstudy.stats.audit import audit

A = [64.1, 64.3, 63.9, 64.2]
B = [61.0, 61.4, 61.2, 60.9]
C = [64.0, 63.0, 66.0, 64.5]


def row(name: str, values: list[float], mean: str) -> str:
    return f"{name},{','.join(map(str, values))},{mean}\n"


HEAD = "name,r1,r2,r3,r4,mean\n"


def test_means_that_hide_a_difference() -> None:
    # 64.125 and 61.125
    right = audit(HEAD + row("a", A, "64.12") + row("b", B, "61.13"), items=10_000)
    assert (right.findings, right.changes_order, right.changes_verdict) == ((), False, False)
    assert right.sentence == (
        "No findings. Neither the order nor the verdict changes: a full ranking is defensible: "
        "a > b."
    )
    swapped = audit(HEAD + row("a", A, "61.13") + row("b", B, "64.12"), items=10_000)
    assert (swapped.changes_order, swapped.changes_verdict) == (True, True)
    assert [
        [r.description for r in f.repairs if "that of" in r.description] for f in swapped.findings
    ] == [
        ["the mean is that of b"],
        ["the mean is that of a"],
    ]
    assert swapped.ranking_printed is not None
    assert swapped.ranking_corrected is not None
    assert [arm.name for arm in swapped.ranking_printed.arms] == ["b", "a"]
    assert [arm.name for arm in swapped.ranking_corrected.arms] == ["a", "b"]
    assert "The order of the means changes. The verdict changes from" in swapped.sentence
    closer = audit(HEAD + row("a", A, "61.15") + row("b", B, "61.13"), items=10_000)
    assert (closer.changes_order, closer.changes_verdict) == (False, True)


def test_neither_ranking_has_robustness_lines() -> None:
    # permutations of a hundred rows' pairs would take most of the time, for nothing shown
    result = audit(HEAD + row("a", A, "64.12") + row("b", B, "61.13"))
    for ranking in (result.ranking_printed, result.ranking_corrected):
        assert ranking is not None
        assert [pair.robust for pair in ranking.pairs] == [None]
        assert [pair.p_adjusted is None for pair in ranking.pairs] == [False]


def test_an_order_may_change_without_a_verdict() -> None:
    # 64.375 and 64.125
    result = audit(HEAD + row("c", C, "64.08") + row("a", A, "64.12"), items=10_000)
    assert (result.changes_order, result.changes_verdict) == (True, False)
    assert "The order of the means changes, the verdict does not" in result.sentence


def test_rounding_changes_no_order() -> None:
    result = audit(HEAD + row("b", [v + 0.01 for v in A], "64.1") + row("a", A, "64.1"))
    assert not result.changes_order
    assert not result.changes_verdict


def test_less_may_be_better() -> None:
    text = HEAD + row("a", A, "64.12") + row("b", B, "61.13")
    result = audit(text, direction="minimize")
    for ranking in (result.ranking_printed, result.ranking_corrected):
        assert ranking is not None
        assert "b > a" in ranking.verdict


def test_summaries_are_tested_as_their_values_would_be() -> None:
    samples = {"a": A, "b": B, "c": C}
    full = rank(samples, unit="points")
    lines = [f"{arm.name},{arm.mean!r},{arm.sd!r},{arm.n}\n" for arm in full.arms]
    result = audit("name,mean,sd,n\n" + "".join(lines))
    assert result.ranking_corrected is None
    printed = result.ranking_printed
    assert printed is not None
    for ours, theirs in zip(printed.pairs, full.pairs, strict=True):
        assert (ours.a, ours.b, ours.verdict) == (theirs.a, theirs.b, theirs.verdict)
        for field in ("difference", "ci_low", "ci_high", "df", "p_adjusted", "hedges_g"):
            assert getattr(ours, field) == pytest.approx(getattr(theirs, field), rel=1e-8)
        assert (ours.prob_superiority, ours.robust, ours.seed_correlation) == (None, None, None)
    for arm, other in zip(printed.arms, full.arms, strict=True):
        assert (arm.n, arm.group) == (other.n, other.group)
        assert (arm.mean, arm.sd) == (pytest.approx(other.mean), pytest.approx(other.sd))
        assert (arm.ci_low, arm.ci_high) == (
            pytest.approx(other.ci_low),
            pytest.approx(other.ci_high),
        )
        assert (arm.values, arm.median, arm.min, arm.max) == ((), None, None, None)
    assert printed.verdict == full.verdict


def test_summaries_without_sd_or_n_are_only_put_in_order() -> None:
    for head, a, b in (("mean,n", "60.1,4", "61.1,4"), ("mean,sd", "60.1,1.0", "61.1,1.0")):
        printed = audit(f"name,{head}\na,{a}\nb,{b}\n").ranking_printed
        assert printed is not None
        assert [arm.name for arm in printed.arms] == ["b", "a"]
        assert printed.verdict.startswith("descriptive only")
        assert "put in order but not tested" in printed.sentence
        assert [arm.n for arm in printed.arms] == ([4, 4] if head == "mean,n" else [0, 0])
        assert [arm.sd for arm in printed.arms] == ([None] * 2 if head == "mean,n" else [1.0] * 2)


def test_a_printed_sd_is_what_a_reader_would_use() -> None:
    head = "name,r1,r2,r3,r4,mean,sd\n"
    text = head + row("a", A, "64.12,9.17") + row("b", B, "61.13,9.22")
    result = audit(text, items=10_000)
    assert [f.kind for f in result.findings] == ["wrong-sd", "wrong-sd"]
    assert (result.changes_order, result.changes_verdict) == (False, True)
    assert [edit.repaired for f in result.findings for r in f.repairs[:1] for edit in r.edits] == [
        "0.17",
        "0.22",
    ]


def test_tables_without_means() -> None:
    result = audit("name,r1,r2,r3\na,60.1,60.2,60.3\nb,61.1,61.3,61.2\n")
    assert result.ranking_printed is None
    assert result.ranking_corrected is not None
    assert "the table prints no means, so there are none to recompute" in result.notes
    result = audit("name,r1,r2,r3,mean\na,60.1,60.2,60.3,60.2\nb,61.1,61.3,61.2,\n")
    assert result.ranking_printed is not None
    assert [arm.mean for arm in result.ranking_printed.arms] == pytest.approx([61.2, 60.2])
    assert any("no mean is printed for b" in note for note in result.notes)


def test_a_printed_mean_near_the_limit() -> None:
    text = "name,r1,r2,r3,mean\na,99.9,99.0,99.2,99.9\nb,90.1,97.3,94.2,93.9\n"
    printed = audit(text).ranking_printed
    assert printed is not None
    assert [arm.mean for arm in printed.arms] == pytest.approx([99.9, 93.9])


def test_an_order_that_becomes_a_tie_is_said() -> None:
    # both means are 60.20
    text = "name,r1,r2,r3,mean\na,60.10,60.20,60.30,60.21\nb,60.00,60.25,60.35,60.22\n"
    result = audit(text, items=10_000)
    assert not result.changes_order
    assert any("of a and b, printed as 60.21 and 60.22, are a tie" in n for n in result.notes)
    assert "The order of the means becomes a tie, the verdict does not" in result.sentence
    shown = " ".join(audit_text(result).split())
    assert "Order as printed: b > a;" in shown
    assert "Order by the values: a = b;" in shown
    # rounded values may be equal by rounding: nothing is said
    rounded = "name,r1,r2,mean\na,60.1,60.3,60.21\nb,60.0,60.4,60.22\n"
    assert not any("tie" in note for note in audit(rounded).notes)
