"""Components of variance on the page, of one task and over several."""

from __future__ import annotations

from attnstudy.report.markup import bullets, esc, section, table
from attnstudy.stats import Components, components_words
from attnstudy.stats.wording.components import components_table, components_title


def components_section(components: Components | None) -> str:
    """Return the section with table and words; nothing where nobody asked."""
    if components is None:
        return ""
    title = components_title(components)
    headings, found = components_table(components)
    rows = [list(map(esc, row)) for row in found]
    total = rows.pop() if len(rows) > len(components.components) else []
    return section(
        "Where the variance comes from",
        table(title, headings, rows, left=(0,), total=total)
        if rows
        else f"<p>{esc(title)}: none can be told.</p>",
        bullets(map(esc, components_words(components))),
    )
