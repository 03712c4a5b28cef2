"""Help in sections, with examples: commands here have more options than anybody reads in a row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from attnstudy.options.declaring import Decorator, F, together

_SECTION = "attnstudy_section"
_REST = "Options"
_HYPHEN = "\u2011"  # at which no line ends


def under(title: str, *decorators: Decorator[Any]) -> Decorator[Any]:
    """Return one decorator that applies several, whose options stand under a title in the help.

    Options that have a title of their own keep it.
    """

    def decorate(function: F) -> F:
        before = list(getattr(function, "__click_params__", ()))
        decorated: F = together(*decorators)(function)
        for parameter in getattr(decorated, "__click_params__", ()):
            if parameter not in before and not hasattr(parameter, _SECTION):
                setattr(parameter, _SECTION, title)
        return decorated

    return decorate


def examples(*lines: str) -> str:
    """Return the end of a help: what one types, a line each."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


class SectionedCommand(click.Command):
    """A command whose help has its options in sections, in the order in which they begin."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, section by section; those without one come last."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                sections.setdefault(getattr(parameter, _SECTION, _REST), []).append(record)
        rest = sections.pop(_REST, [])
        for title, records in {**sections, _REST: rest}.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


class HelpFormatter(click.HelpFormatter):
    """Help in which no line ends within a word such as ``--no-models``."""

    def write_text(self, text: str) -> None:
        """Write a text in lines that fit."""
        super().write_text(text.replace("-", _HYPHEN))

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write words and what they mean, in two columns."""
        kept = [(word, meaning.replace("-", _HYPHEN)) for word, meaning in rows]
        super().write_dl(kept, col_max, col_spacing)

    def write(self, string: str) -> None:
        """Write a string as it is to be read, and copied."""
        super().write(string.replace(_HYPHEN, "-"))


class HelpContext(click.Context):
    """What commands run in: it writes their help."""

    formatter_class = HelpFormatter
