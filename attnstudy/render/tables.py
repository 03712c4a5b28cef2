"""Small pieces of text that several pages share."""

from __future__ import annotations

import io
import shutil
import sys
import textwrap
from collections.abc import Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from attnstudy.shown import in_line

PLAIN_WIDTH = 100
"""Columns when nobody looks: what goes to a file or a pipe fits here."""
_NARROWEST = 40
_LEGIBLE = 20  # columns in which a name, or a pair of names, can be read


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, right: str = "") -> str:
    """Return a table as text.

    Columns whose letter in ``right`` is ``>`` are right-aligned; neither they nor those with
    ``<`` are ever folded.
    """
    headings = [in_line(heading) for heading in headings]
    rows = [[in_line(cell) for cell in row] for row in rows]
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for index, heading in enumerate(headings):
        kind = right[index : index + 1]
        made.add_column(
            Text(heading),
            justify="right" if kind == ">" else "left",
            no_wrap=kind in ("<", ">"),
            overflow="fold",
        )
    for row in rows:
        made.add_row(*map(Text, row))  # as text: rich would read brackets as markup
    width = columns()
    console = Console(file=io.StringIO(), width=width, no_color=True)
    natural = console.measure(made, options=console.options.update(width=10 * width)).maximum
    made.collapse_padding = natural > width  # closer where it is tight
    if natural > width and width < PLAIN_WIDTH and _squeezed(headings, rows, right, width):
        return _stacked(headings, rows, right)
    console.print(made)
    output = console.file.getvalue()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in output.splitlines())


def columns() -> int:
    """Return the columns that there are: those of a terminal, and no more than ``PLAIN_WIDTH``."""
    if not sys.stdout.isatty():
        return PLAIN_WIDTH
    return max(min(PLAIN_WIDTH, shutil.get_terminal_size().columns), _NARROWEST)


def _squeezed(
    headings: Sequence[str], rows: Sequence[Sequence[str]], right: str, width: int
) -> bool:
    """Tell whether a table leaves too little room for the names in its first column."""
    if len(headings) < 2 or right[:1] in ("<", ">"):
        return False
    widest = [max(map(cell_len, cells)) for cells in zip(headings, *rows, strict=True)]
    kept = sum(widest[i] for i in range(1, len(widest)) if right[i : i + 1] in ("<", ">"))
    room = width - kept - 2 * len(headings)
    return room < min(widest[0], _LEGIBLE)


def _stacked(headings: Sequence[str], rows: Sequence[Sequence[str]], right: str) -> str:
    """Return a table whose first column stands on lines of its own, above the rest of each row."""
    rest = table(headings[1:], [row[1:] for row in rows], right=_never_first(right[1:]))
    head, line, *below = rest.splitlines()
    lines = [headings[0], head, line]
    each, left = divmod(len(below), max(len(rows), 1))
    if left or each != 1:  # rows of several lines: which is whose cannot be told
        return "\n".join([*lines, *below])
    for row, numbers in zip(rows, below, strict=True):
        lines += [*wrapped(row[0]), numbers]
    return "\n".join(lines)


def _never_first(right: str) -> str:
    """Return the kinds of columns, the first of which is never folded away again."""
    return f"<{right[1:]}" if right[:1] == " " else right


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
        lines += textwrap.wrap(
            inside, width, initial_indent=indent, subsequent_indent=f"{indent}  ",
            break_on_hyphens=False, break_long_words=False,
        )  # fmt: skip
    return "\n".join(lines)


def wrapped(text: str, indent: str = "") -> list[str]:
    """Return a text as lines that fit; ``indent`` stands before the first, blanks before others."""
    lines = textwrap.wrap(
        in_line(text), columns(), initial_indent=indent, subsequent_indent=" " * len(indent)
    )
    return lines or [""]


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


def number(value: float | None, digits: int = 2) -> str:
    """Return a number with a fixed number of decimals; a dash when there is none."""
    return "–" if value is None else f"{value:.{digits}f}"
