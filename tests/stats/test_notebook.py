"""What a Jupyter notebook shows of a ranking."""

from __future__ import annotations

from html import escape
from xml.etree import ElementTree

from attnstudy import stats


def test_a_notebook_shows_verdict_sentence_arms_and_pairs() -> None:
    ranking = stats.rank(
        {"<b>&": [1.0, 2.0, 3.0], "two": [2.0, 2.5, 4.0], "few": [3.0]}, metric="score"
    )
    text = ranking._repr_html_()
    root = ElementTree.fromstring(f"<div>{text}</div>")  # well-formed, so every name is escaped
    cells = ["".join(cell.itertext()) for cell in root.iter("td")]
    assert escape(ranking.sentence) in text
    assert escape(ranking.verdict) in text
    for arm in ranking.arms:
        assert arm.name in cells
        assert f"{arm.mean:.4g}" in cells
    assert len(root.findall(".//tbody/tr")) == 3 + 3
    assert "nan" not in text.lower()
