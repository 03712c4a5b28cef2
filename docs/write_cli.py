"""Write docs/cli.md from ``--help``; with ``--check`` only say whether it is up to date."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from attnstudy.cli import cli

PAGE = Path(__file__).parent / "cli.md"
INTRODUCTION = """# Commands

Written by `make docs` from `--help`; do not edit. Every option can also be given in the
environment, as `ATTNSTUDY_` and its name (`ATTNSTUDY_EPOCHS=3`; of a repeatable one each value is
a line, but names of arms may stand in one), and those of a study in its `study.toml`. The command
line goes before the environment, and that before the file.

Shell completion, for the session or in the shell's start-up file:

```text
eval "$(_ATTNSTUDY_COMPLETE=bash_source attnstudy)"    # bash
eval "$(_ATTNSTUDY_COMPLETE=zsh_source attnstudy)"     # zsh
_ATTNSTUDY_COMPLETE=fish_source attnstudy | source     # fish
```
"""


def pages(command: click.Command, name: str, parent: click.Context | None) -> Iterator[str]:
    """Give the help of a command and of all below it."""
    context = command.context_class(
        command,
        info_name=name,
        parent=parent,
        **{**command.context_settings, "max_content_width": 100},
    )
    context.terminal_width = 100
    yield f"## {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            yield from pages(command.commands[child], child, context)


def main() -> int:
    """Write the page, or compare it."""
    text = "\n".join([INTRODUCTION, *pages(cli, "attnstudy", None)])
    if "--check" not in sys.argv:
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        sys.stderr.write(f"{PAGE.name} is out of date: run 'make docs' and commit it\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
