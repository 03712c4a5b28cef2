"""The forms in which the methods of a ranking are written: text, LaTeX, BibTeX."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from attnstudy.render.methods.references import as_bibtex, as_text, in_words
from attnstudy.render.methods.words import Said
from attnstudy.render.tables import wrapped
from attnstudy.shown import in_latex

_APOSTROPHE = re.compile(r"(?<=[^\W\d_])'(?=s?\b|\s)")  # straight in ASCII, set as a paper has it


def methods_text(said: Sequence[Said]) -> str:
    """Return the paragraph and its references as plain text."""
    sentences = []
    for one in said:
        cited = f" ({in_words(one.cites)})" if one.cites else ""
        sentences.append(f"{one.text}{cited}.")
    lines = wrapped(" ".join(sentences))
    if keys := cited_by(said):
        lines += ["", "References:"]
        for key in keys:
            lines += wrapped(as_text(key), indent="- ")
    return "\n".join(lines)


def methods_latex(said: Sequence[Said], bib: str) -> str:
    """Return the paragraph for LaTeX; ``bib`` is the name of the file with the references."""
    sentences = []
    for one in said:
        cited = f"~\\cite{{{','.join(one.cites)}}}" if one.cites else ""
        sentences.append(f"{in_latex(_APOSTROPHE.sub('’', one.text))}{cited}.")
    note = f"% the references are in {in_latex(bib)}"
    return "\n".join([note, r"\paragraph{Statistical methods.}", *sentences])


def methods_bib(said: Sequence[Said]) -> str:
    """Return what the paragraph cites, for BibTeX."""
    return "\n\n".join(map(as_bibtex, cited_by(said)))


def cited_by(said: Iterable[Said]) -> list[str]:
    """Return what is cited, each once, as it is first cited."""
    return list(dict.fromkeys(key for one in said for key in one.cites))
