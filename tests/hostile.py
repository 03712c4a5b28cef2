"""Texts that try to be more than text, and what no output may hold."""

from __future__ import annotations

import csv
import html.parser
import io
import re
import unicodedata

HOSTILE = {
    "colour": "\x1b[31mred\x1b[0m",
    "cursor": "up\x1b[2A\x1b[2Kforged",
    "csi of one byte": "\x9b31mred",
    "link": "\x1b]8;;https://example.org\x1b\\here\x1b]8;;\x1b\\",
    "title": "\x1b]0;owned\x07x",
    "return": "late\rError: forged",
    "line": "late\nError: forged\nVerdict: forged",
    "other lines": "a\u2028b\u2029c\x85d\x0be\x0cf\x1cg",
    "back": "bad\x08\x08\x08good\x7f",
    "tab": "t\ta\tb",
    "override": "nur\u202egpj.exe\u202c",
    "isolate": "\u2066a\u2067b\u2068c\u2069\u200e\u200f\u061c",
    "zero width": "ear\u200bly\u200c\u200d\u2060\ufeff\u00ad",
    "empty letters": "a\u3164\u115f\u034fb",
    "command": "=cmd|'/c calc'!A1",
    "plus": "+1",
    "sum": "@SUM(1+1)*cmd|' /C calc'!A0",
    "minus": "-2+3",
    "quoted": "'=1+1",
    "bar": "a | b || c",
    "backticks": "`rm` ```x``` *b* _i_ ~~s~~ $x$",
    "heading": "# a\n\n- b",
    "entity": "&#x202e;&lt;b&gt;",
    "image": "![a](javascript:alert(1)) [b](http://c)",
    "script": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "attribute": "\" onmouseover='alert(1)",
    "input": "\\input{/etc/passwd} \\end{tabular}",
    "percent": "50 % & more \\\\ {x} ^^M ~ #1",
    "markup": "[bold]x[/bold] [link=http://e]y[/link] :smile: [/]",
    "long": "x" * 3_990 + " the end",
}

_NEVER = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def nothing_hidden(text: str) -> None:
    """No character that controls, turns or hides; lines end with a line feed."""
    found = [c for c in text if c != "\n" and unicodedata.category(c) in _NEVER]
    assert not found, (found[:5], text[max(0, text.index(found[0]) - 80) :][:160])
    assert not set("\u034f\u115f\u3164") & set(text)


def rows_of_markdown(text: str) -> list[int]:
    """Return how many cells each row of the tables has."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) - 1 for line in lines]


def rows_of_csv(text: str) -> list[int]:
    """Return how many cells each row has, after looking for formulas."""
    rows = list(csv.reader(io.StringIO(text, newline="")))
    for cell in (cell for row in rows for cell in row):
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")) or _is_number(cell), cell
    return [len(row) for row in rows]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


class Page(html.parser.HTMLParser):
    """The tags of a page in order, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        assert tag not in ("img", "iframe", "object", "embed", "base", "form")
        for name, value in attrs:
            assert not name.startswith("on"), (tag, attrs)
            assert name not in ("href", "src") or not (value or "").startswith("javascript:")

    def handle_data(self, data):
        self.text += data
