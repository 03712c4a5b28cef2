"""Names in cells, without what nobody sees of them."""

from __future__ import annotations

from collections.abc import Iterable

from attnstudy.errors import DataError
from attnstudy.tables.cells import clip


class _Respelled(str):
    """A cell in which something was replaced that nobody sees, with what stood there."""

    __slots__ = ("raw",)
    raw: str


def clean(cell: str) -> str:
    """Return a cell without control characters, blanks at its ends or runs of blanks."""
    if " " not in cell and cell.isprintable():
        return cell
    seen = " ".join("".join(c if c.isprintable() else " " for c in cell).split())
    if seen == cell.strip(" \t\r\n"):  # blanks at the ends of a cell are layout
        return seen
    respelled = _Respelled(seen)
    respelled.raw = cell
    return respelled


def refuse_respelled(cells: Iterable[str], what: str) -> None:
    """Refuse two names that only what nobody sees tells apart: they would be taken for one.

    Args:
        cells: of a column of names.
        what: what the table is called.

    Raises:
        DataError: naming both, with codes for what is not seen.

    """
    given = list(cells)
    if not any(isinstance(cell, _Respelled) for cell in given):
        return
    spelled: dict[str, str] = {}
    for cell in given:
        raw = cell.raw if isinstance(cell, _Respelled) else cell
        first = spelled.setdefault(cell, raw)
        if first != raw:
            raise DataError(
                f"{what} has {clip(first)!a} and {clip(raw)!a}, which look alike: write both in "
                "the same way if they are one, or give them names that can be told apart"
            )
