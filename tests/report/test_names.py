"""Labels of arms, where a figure has little room for them."""

from __future__ import annotations

import pytest

from attnstudy.report.names import told_apart


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["double", "double-conv"], ["double", "double-conv"]),  # there is room
        (["resnet-variant-39", "resnet-variant-4"], ["…39", "…4"]),
        (["model.layer.one.two", "model.layer.one.three"], ["…two", "…three"]),
        # numbers stay whole
        (["resnet50-adam-lr0.1", "resnet50-adam-lr0.01"], ["…lr0.1", "…lr0.01"]),
        (["resnet50-adam-1e-3", "resnet50-adam-1e-4"], ["…1e-3", "…1e-4"]),
        # nothing would be left of the first
        (["x-", "x-something-very-long"], ["x-", "x-somet…y-long"]),
        (["one-arm-with-a-long-name"], ["one-arm…g-name"]),
        (["a" * 30, "a" * 31], ["1: aaaaa…aaaaa", "2: aaaaa…aaaaa"]),
        (["two words 1 to the end", "two words 2 to the end"], ["…1 to the end", "…2 to the end"]),
    ],
)  # fmt: skip
def test_a_label_tells_an_arm_from_the_others(names, labels):
    told = told_apart(names, 14)
    assert [told[name] for name in names] == labels
