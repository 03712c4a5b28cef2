"""Small pieces of HTML; every text that comes from outside passes ``esc`` or ``name``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attnstudy.shown import in_html

esc = in_html


def name(text: str) -> str:
    """Return a name, kept apart from the writing direction around it."""
    return f"<bdi>{esc(text)}</bdi>"


def table(
    caption: str,
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    left: Sequence[int],
    remarks: Sequence[str] = (),
) -> str:
    """Return a table in a box of its own, in which it can be scrolled.

    Args:
        caption: what it holds, plain text.
        headings: of the columns, HTML.
        rows: cells, HTML; the first of a row is its heading.
        left: columns of words, aligned left; numbers stand right.
        remarks: what stands below each row, over its whole width, HTML.

    """
    words = set(left)
    below = [
        f'\n<tr class="remark"><td colspan="{len(headings)}"><div>{remark}</div></td></tr>'
        if remark
        else ""
        for remark in remarks
    ]

    def align(column: int) -> str:
        return "" if column in words else ' class="number"'

    head = "".join(f'<th scope="col"{align(i)}>{text}</th>' for i, text in enumerate(headings))
    first = '<tr class="remarked">' if below else "<tr>"
    body = "\n".join(
        first
        + "".join(
            f'<th scope="row"{align(i)}>{cell}</th>' if i == 0 else f"<td{align(i)}>{cell}</td>"
            for i, cell in enumerate(row)
        )
        + "</tr>"
        + (below[index] if below else "")
        for index, row in enumerate(rows)
    )
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{esc(caption)}">\n'
        f"<table><caption>{esc(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


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


def figure(svg: str, caption: str) -> str:
    """Return a figure with its caption, which is HTML."""
    return f"<figure>{svg}<figcaption>{caption}</figcaption></figure>"


def grid(*parts: str) -> str:
    """Return parts beside each other where the screen is wide enough."""
    return f'<div class="grid">{"".join(part for part in parts if part)}</div>'
