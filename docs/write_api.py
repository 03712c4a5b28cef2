"""Write docs/api.md from docstrings; with ``--check`` only say whether it is up to date.

It takes whatever ``attnstudy`` exports: what is added there is on the page.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attnstudy

PAGE = Path(__file__).parent / "api.md"
INTRODUCTION = """# Interface for programs

Written by `make docs` from docstrings; do not edit. All of it is imported from `attnstudy`. A first
use of each is on the page of [your own trainings](own-trainings.md).
"""
SECTIONS = ("Args", "Returns", "Raises", "Yields")


def page() -> str:
    """Return the whole page."""
    parts = [INTRODUCTION, *(entry(name, getattr(attnstudy, name)) for name in attnstudy.__all__)]
    return "\n".join(parts)


def entry(name: str, found: Any) -> str:
    """Return what is told of a function or a class."""
    lines = [f"## {name}", ""]
    if inspect.isclass(found):
        lines += [*class_lines(name, found)]
    else:
        lines += [*code(f"{name}{signature(found)}"), *prose(inspect.getdoc(found) or "")]
    return "\n".join(lines).rstrip() + "\n"


def class_lines(name: str, found: type) -> Iterator[str]:
    """Give the lines of a class: how it is made, what it says, and its members."""
    protocol = getattr(found, "_is_protocol", False)  # of those that are given, never made
    if not protocol:
        yield from code(f"{name}{signature(found)}")
    yield from prose(inspect.getdoc(found) or "")
    if not protocol:
        made = "__init__" in vars(found) and not dataclasses.is_dataclass(found)
        yield from sections(inspect.getdoc(vars(found)["__init__"]) or "" if made else "")
    yield from attributes(found)
    for member, defined in vars(found).items():
        static = isinstance(defined, staticmethod)
        value = defined.__func__ if isinstance(defined, staticmethod | classmethod) else defined
        text = inspect.getdoc(value)
        if member.startswith("_") or text is None:
            continue
        if isinstance(value, property):
            kind = inspect.signature(value.fget).return_annotation if value.fget else Any
            yield from (f"### {name}.{member}", "", *code(f"{member}: {annotation(kind)}"))
        elif inspect.isfunction(value):
            called = code(f"{member}{signature(value, bound=not static)}")
            yield from (f"### {name}.{member}", "", *called)
        else:
            continue
        yield from prose(text)


def attributes(found: type) -> Iterator[str]:
    """Give a list of the fields of a dataclass, each with the text below it in the source."""
    if not dataclasses.is_dataclass(found):
        return
    told = field_texts(inspect.getsource(found))
    for field in dataclasses.fields(found):
        text = f": {told[field.name]}" if field.name in told else ""
        yield f"- `{field.name}`{text}"
    yield ""


def field_texts(source: str) -> dict[str, str]:
    """Return the texts that stand below the fields of a class."""
    found = re.findall(r'^    (\w+): [^\n]*\n    """(.*?)"""', source, re.M | re.S)
    return {name: marked(" ".join(text.split())) for name, text in found}


def signature(called: Any, *, bound: bool = False) -> str:
    """Return the parameters of something that is called, as they are written."""
    shown = inspect.signature(called)
    parameters = [
        parameter.replace(annotation=plain(parameter.annotation))
        for parameter in shown.parameters.values()
    ]
    back = inspect.Signature.empty if inspect.isclass(called) else plain(shown.return_annotation)
    text = str(
        shown.replace(parameters=parameters[1:] if bound else parameters, return_annotation=back)
    )
    if len(text) <= 80:
        return text
    inner = [str(one) for one in shown.replace(parameters=parameters).parameters.values()]
    kinds = [parameter.kind for parameter in parameters]
    named = inspect.Parameter.KEYWORD_ONLY
    if named in kinds and inspect.Parameter.VAR_POSITIONAL not in kinds:
        inner.insert(kinds.index(named), "*")
    end = "" if back is inspect.Signature.empty else f" -> {annotation(back)}"
    return "(\n" + "".join(f"    {one},\n" for one in inner[bound:]) + f"){end}"


class _Written(str):
    """An annotation that is shown as it is written, without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def plain(found: Any) -> Any:
    """Return an annotation that is shown as it is written in the source."""
    return found if found is inspect.Signature.empty else _Written(annotation(found))


def annotation(found: Any) -> str:
    """Return an annotation as it is written in the source."""
    return found if isinstance(found, str) else inspect.formatannotation(found)


def code(text: str) -> Iterator[str]:
    """Give a block of Python."""
    yield from ("```python", *text.splitlines(), "```", "")


def prose(text: str) -> Iterator[str]:
    """Give the lines of a docstring: what it says, its sections as lists, its examples as code."""
    text, _, example = text.partition("\n>>> ")
    head = re.split(rf"^(?:{'|'.join(SECTIONS)}):$", text, maxsplit=1, flags=re.M)[0]
    if head.strip():
        yield from (marked(head.strip()), "")
    yield from sections(text)
    if example:
        yield from code(f">>> {example.strip()}")


def sections(text: str) -> Iterator[str]:
    """Give the sections of a docstring, each as a list."""
    for name, body in re.findall(
        rf"^({'|'.join(SECTIONS)}):\n((?:    .*\n?|\n(?=    ))+)", text, re.M
    ):
        yield from (f"{'Arguments' if name == 'Args' else name}:", "")
        for item in re.split(r"\n(?=    \S)", body.rstrip()):
            said = " ".join(item.split())
            first, colon, rest = said.partition(": ")
            word = colon and re.fullmatch(r"[\w.*]+", first)
            yield f"- `{first}`: {marked(rest)}" if word else f"- {marked(said)}"
        yield ""


def marked(text: str) -> str:
    """Return a text of a docstring as Markdown."""
    return re.sub(r"``(.+?)``", r"`\1`", text)


def main() -> int:
    """Write the page, or compare it."""
    text = page()
    if "--check" not in sys.argv:
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        sys.stderr.write(f"{PAGE.name} is out of date: run 'make docs' and commit it\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
