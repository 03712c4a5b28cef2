"""What results are called where neither their table nor anybody says what they are."""

from __future__ import annotations

from collections.abc import Iterable

from attnstudy.errors import UsageError
from attnstudy.tables.asked import UNNAMED
from attnstudy.tables.cells import clip
from attnstudy.tables.directions import way_of
from attnstudy.tables.layouts.source import Table


def unnamed(table: Table, headings: Iterable[str]) -> str:
    """Return what to call results of which more is taken to be better.

    Args:
        table: of which ``--metric`` says nothing.
        headings: what stands above the names and the numbers, beside the table's title.

    Raises:
        UsageError: one of these is of something of which less is better.

    """
    said = (one for one in (table.grid.title, *headings) if way_of(one) == "falls")
    if table.asked.direction is None and (falling := next(said, None)):
        raise UsageError(
            f"{table.what} has the heading {clip(falling)!r}, of which less is better if its "
            "numbers are that: say what they are with --metric, or which way is better with "
            "--direction"
        )
    return UNNAMED
