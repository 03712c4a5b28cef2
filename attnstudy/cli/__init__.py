"""The command line. Each command declares its options and imports its body when it is called."""

from __future__ import annotations

import os
import sys
import warnings
from typing import Any

import click

from attnstudy.cli import housekeeping, ranking, studies, surroundings
from attnstudy.cli.group import cli
from attnstudy.errors import EXIT_INTERRUPTED, EXIT_USAGE, AttnstudyError


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """Show a warning as a sentence, without the place in the code that it comes from."""
    click.echo(f"Warning: {message}", err=True)


for command in (
    *studies.COMMANDS,
    *ranking.COMMANDS,
    *housekeeping.COMMANDS,
    *surroundings.COMMANDS,
):
    cli.add_command(command)


def main() -> None:
    """Run the command line; every error that is meant for the reader ends as one sentence."""
    warnings.showwarning = _show_warning
    try:
        code = cli(standalone_mode=False)
    except click.ClickException as error:
        click.echo(f"Error: {error.format_message()}", err=True)
        code = EXIT_USAGE
    except AttnstudyError as error:
        click.echo(f"Error: {error}", err=True)
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo(
            "Interrupted. What is complete is kept; the same command goes on from there.", err=True
        )
        code = EXIT_INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # as `| head` does
        code = 0
    sys.exit(code)


__all__ = ["cli", "main"]
