"""Components of variance as a table, with what it is about."""

from __future__ import annotations

from attnstudy.stats.evidence.components import Components
from attnstudy.stats.wording.numbers import count


def components_title(components: Components) -> str:
    """Return what the table of components is about."""
    return (
        "Components of the variance of a run's value within its arm (REML; one residual variance "
        f"is taken for all arms; {count(components.runs, 'run')})"
    )


def components_table(components: Components) -> tuple[list[str], list[list[str]]]:
    """Return headings and rows of the components, with their sum."""
    rows = [
        [one.name, f"{one.variance:.4g}", f"{one.sd:.3g}", f"{100 * one.share:.0f} %",
         f"{one.levels:,}"]
        for one in components.components
    ]  # fmt: skip
    if len(rows) > 1:
        whole = components.variance
        rows.append(["sum", f"{whole:.4g}", f"{whole**0.5:.3g}", "", ""])
    return ["source", "variance", "SD", "share", "levels"], rows
