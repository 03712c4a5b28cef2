"""Small pieces of text that several pages share."""

from __future__ import annotations

import io
import math
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from attnstudy.shown import in_line, unbroken, with_minus

PLAIN_WIDTH = 100
"""Columns when nobody looks: what goes to a file or a pipe fits here."""
_NARROWEST = 40
_LEGIBLE = 20  # columns in which a name, or a pair of names, can be read
_LONGEST = 60  # columns of a word that is not parted
_FOLDED = 8  # columns to which others may be folded
_WIDE_GAP, _GAP = 3, 2  # blanks between columns, where there is room and where there is little
_SMALLEST_FIXED, _LARGEST_FIXED = 1e-6, 1e15  # beyond, numbers have a power of ten
# a blank that is never the end of a line: no text has this character once it is fit to be shown
_KEPT = "\ufdd0"


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, right: str = "") -> str:
    """Return a table as text.

    Columns whose letter in ``right`` is ``>`` are right-aligned; neither they nor those with
    ``<`` are ever folded, nor cut: where they have no room, lines are longer.
    """
    headings = [in_line(heading) for heading in headings]
    rows = [[in_line(cell) for cell in row] for row in rows]
    width = _room()
    sizes = _Sizes.of(headings, rows, right)
    if sum(sizes.widest) + _WIDE_GAP * (len(headings) - 1) <= width:
        return _unfolded(headings, rows, right, sizes.widest)
    if sizes.squeezed(width):
        return _stacked(headings, rows, right)
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    made.collapse_padding = True
    if sizes.least(_GAP) > width:
        made.padding = 0
    widths = sizes.folded(width)
    for index, heading in enumerate(headings):
        kind = right[index : index + 1]
        made.add_column(
            Text(heading),
            justify="right" if kind == ">" else "left",
            no_wrap=kind in ("<", ">"),
            overflow="fold",
            width=widths.get(index),
        )
    for row in rows:
        # as text: rich would read brackets as markup
        made.add_row(*(Text(unbroken(cell, _KEPT)) for cell in row))
    console = Console(file=io.StringIO(), width=max(width, sizes.least(1)), no_color=True)
    console.print(made)
    output = console.file.getvalue().replace(_KEPT, " ")  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in output.splitlines())


def columns() -> int:
    """Return the columns that there are: those of a terminal, and no more than ``PLAIN_WIDTH``."""
    return min(PLAIN_WIDTH, _room())


def _room() -> int:
    """Return the columns that a table may have: all of a terminal's."""
    if not sys.stdout.isatty():
        return PLAIN_WIDTH
    return max(shutil.get_terminal_size().columns, _NARROWEST)


@dataclass(frozen=True, slots=True)
class _Sizes:
    """How wide the columns of a table are, in columns of the terminal."""

    widest: Sequence[int]
    """Of each column, its widest cell."""
    kept: Sequence[bool]
    """Whether it is never folded."""
    word: int
    """The widest of what is not parted in the first column."""

    @classmethod
    def of(cls, headings: Sequence[str], rows: Sequence[Sequence[str]], right: str) -> _Sizes:
        table = [headings, *rows]
        words = (word for row in table for word in unbroken(row[0], _KEPT).split(" "))
        return cls(
            [max(map(cell_len, cells)) for cells in zip(*table, strict=True)],
            [right[index : index + 1] in ("<", ">") for index in range(len(headings))],
            max(map(cell_len, words)),
        )

    def least(self, gap: int) -> int:
        """Return the width of the table with everything folded as far as it can be read."""
        least = (
            w if kept else min(w, _FOLDED) for w, kept in zip(self.widest, self.kept, strict=True)
        )
        return sum(least) + gap * (len(self.widest) - 1)

    def first(self, width: int) -> int:
        """Return what is left for the first column."""
        return width - self.least(_GAP) + min(self.widest[0], _FOLDED)

    def squeezed(self, width: int) -> bool:
        """Tell whether too little room is left for the names in the first column."""
        if len(self.widest) < 2 or self.kept[0]:
            return False
        legible = min(self.widest[0], _LEGIBLE) if width < PLAIN_WIDTH else 0
        return self.first(width) < max(legible, min(self.word, _LONGEST))

    def folded(self, width: int) -> dict[int, int]:
        """Return the width of each column that is folded: names first, the rest in equal parts."""
        places = [index for index, kept in enumerate(self.kept) if not kept]
        if self.kept[0] or not places:
            return {}
        room = width - self.least(_GAP) + sum(min(self.widest[i], _FOLDED) for i in places)
        found = {0: max(min(self.widest[0], self.first(width)), 1)}
        for left, place in enumerate(places[1:]):
            share = (room - sum(found.values())) // (len(places) - 1 - left)
            found[place] = max(min(self.widest[place], share), 1)
        return found


def _unfolded(
    headings: Sequence[str], rows: Sequence[Sequence[str]], right: str, widths: Sequence[int]
) -> str:
    """Return a table that has room, as rich would, which takes a hundred times as long."""
    lines = []
    for row in (headings, *rows):
        cells = []
        for index, (cell, width) in enumerate(zip(row, widths, strict=True)):
            blanks = " " * (width - cell_len(cell))
            cells.append(blanks + cell if right[index : index + 1] == ">" else cell + blanks)
        lines.append((" " * _WIDE_GAP).join(cells).rstrip())
    lines.insert(1, "─" * (sum(widths) + _WIDE_GAP * (len(widths) - 1)))
    return "\n".join(lines)


def _stacked(headings: Sequence[str], rows: Sequence[Sequence[str]], right: str) -> str:
    """Return a table whose first column stands on lines of its own, above the rest of each row."""
    kinds = "".join(">" if right[i : i + 1] == ">" else "<" for i in range(1, len(headings)))
    head, line, *below = table(headings[1:], [row[1:] for row in rows], right=kinds).splitlines()
    lines = [headings[0], head, line]
    for row, numbers in zip(rows, below, strict=True):
        lines += [*wrapped(row[0]), numbers]
    return "\n".join(lines)


def fitted(text: str) -> str:
    """Return a text for a terminal, its prose wrapped at words; rows of tables stay as they are."""
    width = columns()
    lines = []
    for line in text.splitlines():
        inside = line.strip()
        if cell_len(line) <= width or "   " in inside or "─" in inside:
            lines.append(line)
            continue
        indent = line[: len(line) - len(line.lstrip())]
        lines += _filled(inside, width, indent, f"{indent}  ", break_long_words=False)
    return "\n".join(lines)


def wrapped(text: str, indent: str = "") -> list[str]:
    """Return a text as lines that fit; ``indent`` stands before the first, blanks before others."""
    return _filled(in_line(text), columns(), indent, " " * len(indent)) or [""]


def _filled(
    text: str, width: int, indent: str, below: str, *, break_long_words: bool = True
) -> list[str]:
    lines = textwrap.wrap(
        unbroken(text, _KEPT), width, initial_indent=indent, subsequent_indent=below,
        break_on_hyphens=False, break_long_words=break_long_words,
    )  # fmt: skip
    return [line.replace(_KEPT, " ") for line in lines]


def duration(seconds: float) -> str:
    """Return a time as people say it: ``45 s``, ``3 min 20 s``, ``2 h 10 min``, ``4 d 3 h``."""
    whole = round(seconds)
    if whole < 60:
        return f"{max(whole, 1)} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 10:
        return f"{minutes} min {rest} s"
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} d {hours % 24} h"


def amount(count: int, what: str) -> str:
    """Return a count and what is counted: ``1 run``, ``2,000 runs``."""
    return f"{count:,} {what}{'s' * (count != 1)}"


def size(count: int) -> str:
    """Return a number of bytes as people say it: ``512 bytes``, ``3.4 MB``."""
    if count < 1000:
        return amount(count, "byte")
    value = float(count)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 999.95:
            return f"{value:.1f} {unit}"
    return f"{value / 1000:.1f} TB"


def number(value: float | None, beside: Iterable[float] = ()) -> str:
    """Return a number, or a dash when there is none.

    It has two decimals, or as many as show four digits of it, or of the largest beside it.
    """
    if value is None:
        return "–"
    largest = max(map(abs, (value, *beside)))
    if not math.isfinite(largest) or not _SMALLEST_FIXED <= (largest or 1.0) < _LARGEST_FIXED:
        return with_minus(f"{value:.4g}")
    decimals = max(2, 3 - math.floor(math.log10(largest or 1.0)))
    return with_minus(f"{value:.{decimals}f}")
