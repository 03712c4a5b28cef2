"""Tables that have room, beside rich's own: the same lines, without its cost for each cell."""

from __future__ import annotations

import io
import random

import pytest
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from attnstudy.render import tables

PIECES = [
    "a", "bc", "é", "漢字", "e\u0301", "-", "−", "word", "longerword", "🙂", ".", "[b]", "100%",
]  # fmt: skip


def by_rich(table: list[list[str]], right: str) -> str:
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for place, heading in enumerate(table[0]):
        made.add_column(
            Text(heading), justify="right" if right[place] == ">" else "left", no_wrap=True
        )
    for row in table[1:]:
        made.add_row(*map(Text, row))
    console = Console(file=io.StringIO(), width=400, no_color=True)
    console.print(made)
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in printed.splitlines())


@pytest.mark.parametrize("seed", range(40))
def test_the_lines_are_those_of_rich(seed, monkeypatch):
    draw = random.Random(seed)
    columns = draw.randint(1, 6)
    right = "".join(draw.choice("<> ") for _ in range(columns))
    rows = [
        ["".join(draw.choice(PIECES) for _ in range(draw.randint(1, 3))) for _ in range(columns)]
        for _ in range(draw.randint(1, 8))
    ]
    monkeypatch.setattr(tables, "_room", lambda: 400)
    assert tables.table(rows[0], rows[1:], right=right) == by_rich(rows, right)
