"""Small pieces of HTML; every text that comes from outside passes ``esc`` or ``name``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime

from attnstudy.report.names import told_apart
from attnstudy.shown import in_html, unbroken

esc = in_html

_BUTTON = 30  # columns of a name on a button
_NARROW = 6  # columns of a table that a tablet has room for


def name(text: str) -> str:
    """Return a name, kept apart from the writing direction around it."""
    return f"<bdi>{esc(text)}</bdi>"


def pair_name(a: str, b: str) -> str:
    """Return the names of a pair, the second on one line with its minus where there is room."""
    return f'{name(a)} <span class="second">− {name(b)}</span>'


def sentence(text: str) -> str:
    """Return a sentence for the paper."""
    return f'<blockquote class="sentence"><p>{esc(unbroken(text))}</p></blockquote>'


def command(text: str) -> str:
    """Return a command as it was typed, whose lines end between its words on a narrow screen."""
    body = "\n".join(
        " ".join(f"<span>{esc(word)}</span>" if word else "" for word in line.split(" "))
        for line in text.splitlines()
    )
    return f"<pre><code>{body}</code></pre>"


def table(
    caption: str,
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    left: Sequence[int],
    remarks: Sequence[str] = (),
    arms: Sequence[str] = (),
    columns: Sequence[str] = (),
    total: Sequence[str] = (),
) -> str:
    """Return a table in a box of its own, in which it can be scrolled; on a phone, rows are cards.

    Args:
        caption: what it holds, plain text.
        headings: of the columns, plain text.
        rows: cells, HTML; the first of a row is its heading.
        left: columns of words, aligned left; numbers stand right.
        remarks: what stands below each row, over its whole width, HTML.
        arms: the places of the arms that each row is about, as ``data-arm`` has them.
        columns: the same of each column.
        total: cells of the row that sums up the others, HTML.

    """
    words = set(left)
    about = [f' data-arm="{place}"' if place else "" for place in arms]
    if not about:
        about = [""] * len(rows)
    below = [
        f'\n<tr class="remark"{arm}><td colspan="{len(headings)}"><div>{remark}</div></td></tr>'
        if remark
        else ""
        for arm, remark in zip(about, remarks or [""] * len(rows), strict=True)
    ]

    def align(column: int) -> str:
        about = f' data-arm="{columns[column]}"' if columns and columns[column] else ""
        return about if column in words else f' class="number"{about}'

    titles = [esc(heading) for heading in headings]
    first = '<tr class="remarked"'
    head = "".join(f'<th scope="col"{align(i)}>{text}</th>' for i, text in enumerate(titles))

    def cells(row: Sequence[str]) -> str:
        heading = f'<th scope="row"{align(0)}>{row[0]}</th>'
        return heading + "".join(
            f'<td{align(i)} data-label="{titles[i]}">{cell}</td>'
            for i, cell in enumerate(row[1:], start=1)
        )

    body = "\n".join(
        f"{first if remark else '<tr'}{arm}>{cells(row)}</tr>{remark}"
        for arm, row, remark in zip(about, rows, below, strict=True)
    )
    foot = f"\n<tfoot><tr>{cells(total)}</tr></tfoot>" if total else ""
    wide = ' class="wide"' if len(titles) > _NARROW else ""
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{esc(caption)}">\n'
        f"<table{wide}><caption>{esc(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{body}\n</tbody>{foot}</table></div>"
    )


def moment(text: str) -> str:
    """Return an ISO 8601 date and time as people read it; as given when it is none."""
    shown = text
    with suppress(ValueError):
        when = datetime.fromisoformat(text)
        shown = f"{when:%Y-%m-%d %H:%M} {when.tzname() or ''}".strip()
    return f'<time datetime="{esc(text)}">{esc(shown)}</time>'


def facts(items: Iterable[tuple[str, str]]) -> str:
    """Return terms and what they are; the terms are plain text, the rest is HTML."""
    rows = "".join(f"<div><dt>{esc(term)}</dt><dd>{text}</dd></div>" for term, text in items)
    return f'<dl class="facts">{rows}</dl>' if rows else ""


def bullets(items: Iterable[str]) -> str:
    """Return a list of HTML items."""
    return f"<ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>"


def section(title: str, *parts: str) -> str:
    """Return a section with a heading; nothing where all parts are empty."""
    body = "\n".join(part for part in parts if part)
    return f"<section>\n<h2>{esc(title)}</h2>\n{body}\n</section>" if body else ""


def details(summary: str, body: str) -> str:
    """Return what is shown on request."""
    return f"<details><summary>{esc(summary)}</summary>\n{body}\n</details>"


def figure(svg: str, caption: str, arms: str = "") -> str:
    """Return a figure with its caption, which is HTML, and the arms that all of it is about."""
    about = f' data-arm="{arms}"' if arms else ""
    return f"<figure{about}>{svg}<figcaption>{caption}</figcaption></figure>"


def legend(arms: Sequence[str]) -> str:
    """Return buttons that hide arms: a template, which is nothing until the script shows it."""
    if len(arms) < 2:
        return ""
    buttons = "".join(
        f'<button type="button" aria-pressed="true" value="{place}">{name(label)}</button>'
        for place, label in enumerate(told_apart(arms, _BUTTON).values())
    )
    return (
        '<template><div class="legend" role="group" aria-label="Arms to show">'
        f'<span class="lead">Show</span>{buttons}'
        '<button type="button" value="all">show all</button>'
        '<button type="button" value="none">hide all</button>'
        "<output></output></div></template>"
    )


def grid(*parts: str) -> str:
    """Return parts beside each other where the screen is wide enough."""
    return f'<div class="grid">{"".join(part for part in parts if part)}</div>'
