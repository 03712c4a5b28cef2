"""Any text as LaTeX prints it, whatever it holds."""

from __future__ import annotations

import unicodedata

from attnstudy.shown.characters import is_hidden

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    # other characters in LaTeX's first font
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\texttt{\char34}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    # after the end of a row they would be an option of it
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
    "\u00a0": "~",
}

_TEXT = {
    "–": "--",
    "—": "---",
    "‘": r"\textquoteleft{}",
    "’": r"\textquoteright{}",
    "“": r"\textquotedblleft{}",
    "”": r"\textquotedblright{}",
    "…": r"\ldots{}",
    "•": r"\textbullet{}",
    "§": r"\S{}",
    "¶": r"\P{}",
    "©": r"\textcopyright{}",
    "®": r"\textregistered{}",
    "™": r"\texttrademark{}",
    "£": r"\pounds{}",
    "†": r"\dag{}",
    "‡": r"\ddag{}",
    "¡": r"\textexclamdown{}",
    "¿": r"\textquestiondown{}",
    "ß": r"\ss{}",
    "æ": r"\ae{}",
    "Æ": r"\AE{}",
    "œ": r"\oe{}",
    "Œ": r"\OE{}",
    "ø": r"\o{}",
    "Ø": r"\O{}",
    "ł": r"\l{}",
    "Ł": r"\L{}",
    "ı": r"\i{}",
}

_MATH = {
    "−": "-",
    "±": r"\pm",
    "×": r"\times",
    "÷": r"\div",
    "·": r"\cdot",
    "°": r"{}^{\circ}",
    "¬": r"\neg",
    "←": r"\leftarrow",
    "→": r"\rightarrow",
    "↑": r"\uparrow",
    "↓": r"\downarrow",
    "↔": r"\leftrightarrow",
    "⇒": r"\Rightarrow",
    "≤": r"\le",
    "≥": r"\ge",
    "≠": r"\ne",
    "≈": r"\approx",
    "∞": r"\infty",
    "∈": r"\in",
    "∂": r"\partial",
    "∇": r"\nabla",
    "∑": r"\sum",
    "∏": r"\prod",
    "√": r"\surd",
    "µ": r"\mu",
    "∅": r"\emptyset",
    "ϵ": r"\epsilon",
    "ϕ": r"\phi",
    "ε": r"\varepsilon",
    "φ": r"\varphi",
    "ς": r"\varsigma",
    "ο": "o",
}
_GREEK = (
    "alpha beta gamma delta zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon "
    "chi psi omega"
)
_GREEK_CAPITALS = "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
_SCRIPT_DIGITS = ("⁰¹²³⁴⁵⁶⁷⁸⁹", "₀₁₂₃₄₅₆₇₈₉")

_ACCENTS = {
    "\u0300": "`",
    "\u0301": "'",
    "\u0302": "^",
    "\u0303": "~",
    "\u0304": "=",
    "\u0306": "u",
    "\u0307": ".",
    "\u0308": '"',
    "\u030a": "r",
    "\u030b": "H",
    "\u030c": "v",
    "\u0323": "d",
    "\u0327": "c",
    "\u0331": "b",
}


def _math() -> dict[str, str]:
    found = dict(_MATH)
    for names, kind in ((_GREEK, "SMALL"), (_GREEK_CAPITALS, "CAPITAL")):
        for name in names.split():
            unicode_name = "LAMDA" if name.lower() == "lambda" else name.upper()
            letter = unicodedata.lookup(f"GREEK {kind} LETTER {unicode_name}")
            found[letter] = f"\\{name}"
    for digits, sign in zip(_SCRIPT_DIGITS, "^_", strict=True):
        found |= {digit: f"{{}}{sign}{{{value}}}" for value, digit in enumerate(digits)}
    return found


_KNOWN = {
    **_SPECIAL,
    **_TEXT,
    **{character: f"\\ensuremath{{{code}}}" for character, code in _math().items()},
}


def in_latex(text: str) -> str:
    r"""Return ``text`` so that LaTeX prints it, in a table, a caption or a paragraph.

    What has no form on paper, such as control characters, is printed as its code point. So is
    what pdfTeX's own fonts lack; XeLaTeX and LuaLaTeX print the character itself.

    >>> print(in_latex("a_b & 50% #1"))
    a\_b \& 50\% \#1

    """
    pieces: list[str] = []
    before = " "  # a blank at the beginning would be dropped
    for character in unicodedata.normalize("NFC", text):
        if character == before == "-":
            pieces.append("{}")  # else two become a dash
        # else LaTeX makes one blank of several
        pieces.append("\\ " if character == before == " " else _character(character))
        before = character
    if before == " " and pieces:
        pieces[-1] = "\\ "
    return "".join(pieces)


def _character(character: str) -> str:
    known = _KNOWN.get(character)
    if known is not None:
        return known
    if " " <= character <= "~":
        return character
    category = unicodedata.category(character)
    if category == "Zs":
        return "\\ "
    point = f"\\texttt{{U+{ord(character):04X}}}"
    if category[0] in "CZ" or is_hidden(character):
        return point
    base, *marks = list(unicodedata.normalize("NFD", character))
    if len(marks) == 1 and base.isascii() and base.isalpha() and marks[0] in _ACCENTS:
        return f"\\{_ACCENTS[marks[0]]}{{{base}}}"
    # a mark of its own would be set on what stands before it
    shown = f"{{}}{character}" if category[0] == "M" else character
    return f"\\ifdefined\\Umathcode {shown}\\else{point}\\fi{{}}"
