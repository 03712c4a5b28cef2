"""Pieces of tables in LaTeX: numbers, rows, and what stands around them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from attnstudy.shown import MINUS, in_latex
from attnstudy.stats.provenance import Plan
from attnstudy.stats.wording.numbers import NONE

_PREAMBLE = r"""% \usepackage{booktabs}
% on a page of two columns, table* in the place of table takes both of them"""


def in_math(text: str) -> str:
    """Return a number, an interval or a p-value as it is printed elsewhere, in math mode."""
    if text == NONE:
        return "--"
    text = re.sub(r"(?<=\d),(?=\d)", "{,}", text.replace(MINUS, "-"))
    text = re.sub(r"e([+-])0*(\d+)", lambda e: rf" \times 10^{{{e[1].strip('+')}{e[2]}}}", text)
    return f"${text}$"


def mean_and_sd(mean: str, sd: str) -> str:
    """Return a mean and its SD, as far as there are any."""
    if mean == NONE or sd == NONE:
        return in_math(mean)
    return in_math(f"{mean} \\pm {sd}")


def bold(cell: str) -> str:
    """Return a cell that stands out, with its numbers."""
    return f"\\textbf{{\\boldmath {cell}}}"


def tabular(
    columns: str, headings: Sequence[str], rows: Sequence[Sequence[str]], below: int = 0
) -> str:
    """Return a table of cells in LaTeX; the last ``below`` rows stand under a line of their own."""
    lines = [
        rf"  \begin{{tabular}}{{@{{}}{columns}@{{}}}}",
        r"    \toprule",
        _row(headings),
        r"    \midrule",
    ]
    for place, row in enumerate(rows):
        if below and place == len(rows) - below:
            lines.append(r"    \midrule")
        lines.append(_row(row))
    return "\n".join([*lines, r"    \bottomrule", r"  \end{tabular}"])


def _row(cells: Sequence[str]) -> str:
    return f"    {' & '.join(cells)} \\\\"


def float_of(caption: Sequence[str], named: Sequence[str | None], tables: Sequence[str]) -> str:
    """Return the tables one below the other, with caption and label.

    Args:
        caption: its sentences, escaped.
        named: what the label is made of.
        tables: as ``tabular`` returns them.

    """
    label = re.sub(r"[^a-z0-9]+", "-", " ".join(filter(None, named)).lower()).strip("-")
    return "\n".join(
        [
            _PREAMBLE,
            r"\begin{table}",
            r"  \centering\small\setlength{\tabcolsep}{4pt}",
            rf"  \caption{{{' '.join(caption)}}}",
            rf"  \label{{tab:{label or 'ranking'}}}",
            "  \\medskip",
            "\n\n  \\medskip\n".join(tables),
            r"\end{table}",
        ]
    )


def status_words(status: str, reason: str, plan: Plan | None) -> str:
    """Return whether a plan was kept to, with its hash; else that nothing was, and why."""
    if status == "confirmatory" and plan is not None:
        return in_latex(f"Confirmatory: plan {plan.hash} of {plan.date}.")
    return in_latex(f"{status.upper()}: {reason}.")
